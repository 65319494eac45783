"""Forecasters on simulated people, whose mechanism is known: every window and horizon of the published grid, by mechanism, and on
onsets that nothing announces. Shapes: N people, W x H cells of the grid; a cell has one window of each person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.bench.metrics import coverage, ece_of_classes, macro_f1
from ecglm.bench.stats import Bootstrap, Interval, difference, interval
from ecglm.bench.study import Study, Table, percent
from ecglm.bench.task import digest
from ecglm.corpus.onsets import ANNOUNCED, UNANNOUNCED, Cohort, items, subjects
from ecglm.corpus.windows import HORIZONS, WINDOWS, ForecastItem
from ecglm.errors import UsageError
from ecglm.registry import FORECASTERS
from ecglm.training.forecast.baselines.method import Example, Floats, Ints, Method
from ecglm.training.forecast.fit import Person
from ecglm.training.forecast.raw import Signals
from ecglm.training.forecast.series import people_of

#: Rows that are no baselines: what is compared with the best of the others.
OWN = ("course", "shipped")
#: Published margin (points of macro-F1) over the best baseline (CAMEL, arXiv 2602.15677).
MARGIN = 12.4
Cell = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Set:
    """A split of a cohort: examples of each cell in one order of people, their classes, mechanisms and names."""

    cells: Mapping[Cell, list[Example]]
    labels: Ints
    mechanisms: tuple[str, ...]
    people: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Row:
    """A forecaster's probabilities ``[N, 3]`` by cell; covered: by cell, the share of people whose class its set holds."""

    name: str
    own: bool
    probability: Mapping[Cell, Floats]
    covered: Mapping[Cell, float] = field(default_factory=dict)

    def decisions(self, cell: Cell) -> Ints:
        """Columns of CLASSES ``[N]``."""
        return np.asarray(self.probability[cell].argmax(axis=1))


def run(seed: int, draws: int, progress: bool, forecasters: Sequence[str] = ("chance", "persistence", "logistic", "boosted"),
        teach: int = 300, test: int = 200, windows_s: Sequence[float] = WINDOWS, horizons_s: Sequence[float] = HORIZONS,
        cache: str = "runs/forecaster/series", workers: int = 2) -> Study:
    """teach, test: people of each class that teach the baselines, and that everything is tested on; cache: the folder where their
    beats are kept, that of the forecaster's recipe by default."""
    def made(split: str, cohort: Cohort, count: int) -> Set:
        people = people_of(subjects(split, cohort, count), Path(cache), workers, progress)
        return set_of(items(split, cohort, per_class=count, windows=windows_s, horizons=horizons_s), people, signals)

    signals = Signals()
    teaching, announced, silent = made("train", ANNOUNCED, teach), made("test", ANNOUNCED, test), made("test", UNANNOUNCED, test)
    on_announced, on_silent = compare(forecasters, seed, teaching, (announced, silent), progress)
    found, values = tables(announced, on_announced, draws, seed)
    title = f"Onsets that nothing announces, {len(silent.people)} other people"
    extra, more = mean_table(title, silent, on_silent, draws, seed)
    notes = (f"{len(teaching.people)} simulated people teach the baselines, cell by cell; {len(announced.people)} others are "
             "forecast. Each has one recording, whose beats are found as in any other. Macro-F1 of three classes; intervals draw "
             "people, all cells of a person together.",
             "By mechanism: people with it and all without an onset.")
    keys = [[one.item.record, one.item.start_s, one.item.label] for cell in announced.cells.values() for one in cell]
    return Study((*found, extra), len(keys), len(announced.people), digest(keys), notes, values | {"unannounced": more})


def set_of(of: Sequence[ForecastItem], people: Sequence[Person], signals: Signals) -> Set:
    """Examples by cell from the items of a split, those of a person together, and the beats of these people."""
    series = {person.id: person.series for person in people}
    cells: dict[Cell, list[Example]] = {}
    for item in of:
        cells.setdefault((item.window_s, item.horizon_s), []).append(
            Example(item, series[item.record].cut(item.start_s, item.stop_s), partial(signals.window, item)))
    first = next(iter(cells.values()))
    return Set(cells, np.array([one.item.target for one in first]), tuple(one.item.mechanism for one in first),
               tuple(one.item.subject for one in first))


def compare(forecasters: Sequence[str], seed: int, teaching: Set, tests: Sequence[Set], progress: bool) -> list[list[Row]]:
    """A row of each forecaster for each of the tests; it is trained once for each cell, on nobody who is tested."""
    from rich.progress import Progress

    shared = {person for one in tests for person in one.people} & set(teaching.people)
    if shared:
        raise UsageError(f"{len(shared)} people (e.g. {min(shared)}) teach and are tested; take them from different splits")
    rows: list[list[Row]] = [[] for _ in tests]
    with Progress(disable=not progress) as bar:
        task = bar.add_task("Forecasters", total=len(forecasters) * len(teaching.cells))
        for name in forecasters:
            probability: list[dict[Cell, Floats]] = [{} for _ in tests]
            covered: list[dict[Cell, float]] = [{} for _ in tests]
            for place, (cell, examples) in enumerate(teaching.cells.items()):
                options: dict[str, Any] = {"seed": 1000 * seed + place} if name not in ("persistence", "shipped") else {}
                method: Method = FORECASTERS.get(name)(**options)
                method.fit(examples, teaching.labels)
                for number, one in enumerate(tests):
                    probability[number][cell] = found = method.predict_proba(one.cells[cell])
                    if hasattr(method, "sets"):
                        covered[number][cell] = coverage(one.labels, method.sets(one.cells[cell], found))
                bar.advance(task)
            for number in range(len(tests)):
                rows[number].append(Row(method.name, name in OWN, probability[number], covered[number]))
    return rows


def tables(on: Set, rows: Sequence[Row], draws: int, seed: int) -> tuple[list[Table], dict[str, Any]]:
    """Means, the grid and mechanisms, with the numbers behind them."""
    mean, values = mean_table(f"Mean over the grid, {len(on.people)} people", on, rows, draws, seed)
    boot = Bootstrap(on.people, draws, seed)
    grid, by_cell = [], []
    for window, horizon in on.cells:
        found = [boot.macro_f1(on.labels, row.decisions((window, horizon))) for row in rows]
        grid.append([f"{window:g} s, {horizon:g} s before", *map(percent, found)])
        by_cell.append({"window_s": window, "horizon_s": horizon} | {row.name: one.to_dict()
                                                                     for row, one in zip(rows, found, strict=True)})
    names, mechanism = np.array(on.mechanisms), []
    for what in sorted({name for name, label in zip(on.mechanisms, on.labels.tolist(), strict=True) if label}):
        chosen = (names == what) & (on.labels > 0)
        found = [_mean(on, row, draws, seed, chosen | (on.labels == 0))[0] for row in rows]
        mechanism.append([what, str(int(chosen.sum())), *map(percent, found)])
        values[f"mechanism {what}"] = {row.name: one.to_dict() for row, one in zip(rows, found, strict=True)}
    head = [row.name for row in rows]
    return [mean, Table("By mechanism: macro-F1 %, mean over the grid", ("mechanism", "people", *head), mechanism),
            Table("By window and horizon: macro-F1 %", ("window", *head), grid)], values | {"cells": by_cell}


def mean_table(title: str, on: Set, rows: Sequence[Row], draws: int, seed: int) -> tuple[Table, dict[str, Any]]:
    """Macro-F1, calibration and coverage, means over the cells; and what a row is ahead of the best baseline."""
    everyone = np.ones(len(on.people), bool)
    means = [_mean(on, row, draws, seed, everyone) for row in rows]
    best = max((n for n, row in enumerate(rows) if not row.own), key=lambda n: means[n][0].value, default=None)
    lines, values = [], {}
    for row, (value, drawn) in zip(rows, means, strict=True):
        error = float(np.mean([ece_of_classes(on.labels, p) for p in row.probability.values()]))
        held = float(np.mean(list(row.covered.values()))) if row.covered else float("nan")
        line = [row.name, percent(value), f"{error:.3f}", "–" if held != held else f"{100 * held:.1f}", "–"]
        values[row.name] = {"macro_f1": value.to_dict(), "ece": error, "coverage": None if held != held else held}
        if best is not None and row.own:
            ahead = difference(value.value - means[best][0].value, drawn, means[best][1])
            line[-1] = f"{percent(Interval(ahead.value, ahead.low, ahead.high))} ({rows[best].name})"
            values[row.name] |= {"ahead_of_best_baseline": ahead.to_dict(), "margin_met": bool(100 * ahead.value >= MARGIN)}
        lines.append(line)
    head = ("forecaster", "macro-F1 %", "calibration error", "coverage %", "ahead of the best baseline, points")
    return Table(title, head, lines), values


def _mean(on: Set, row: Row, draws: int, seed: int, chosen: np.ndarray) -> tuple[Interval, Floats]:
    """Macro-F1 of the chosen people, mean over the cells, and its draws ``[B]``."""
    boot = Bootstrap([person for person, mine in zip(on.people, chosen, strict=True) if mine], draws, seed)
    labels = on.labels[chosen]
    decided = [row.decisions(cell)[chosen] for cell in on.cells]
    drawn = np.mean([boot.macro_f1_draws(labels, one) for one in decided], axis=0)
    return interval(float(np.mean([macro_f1(labels, one) for one in decided])), drawn), drawn

