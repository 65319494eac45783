"""The task `retrieval-ptbxl`: reports for recordings and recordings for reports, on a fold that nothing was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.bench.retrieval import COUNTINGS, KS, Ranks, ranks
from ecglm.bench.stats import Bootstrap
from ecglm.bench.study import Study, Table
from ecglm.bench.task import digest
from ecglm.inference.retrieval.retriever import Retriever
from ecglm.knowledge.report_text import distinct, with_waveform
from ecglm.models.ecgtext import EcgTextModel
from ecglm.signal import measure
from ecglm.training.contrastive.fold import FloatArray, Fold, Ints, untrained

_HEAD = ("what", *(f"R@{k} %" for k in KS), "median rank", "mean rank")
_COUNTED = {"hits": "an identical report is a hit", "once": "identical reports are in the gallery once",
            "own": "only the recording's own report is right"}


def run(fold: int, run: str, seed: int, draws: int, progress: bool, waveform: str = "") -> Study:
    """fold: PTB-XL's; run: folder where recordings are described once; waveform: folder of towers that were trained on texts
    with waveform numbers (training.waveform=1), to compare."""
    retriever, where = Retriever.load(), Fold(fold, Path(run), progress)
    checked = where.check(retriever)
    patients = [str(p) for p in where.data.patient[where.query_Q]]
    boot = Bootstrap(patients, draws, seed)
    galleries = _galleries(where)
    models = {"model": retriever.model, "random weights": untrained(retriever.model, seed)}
    scored = {name: _scores(model, where, galleries) for name, model in models.items()}
    scored["no signal"] = _scores(retriever.model, where, galleries, blank=True)
    tables, values = [], {}
    for title, (own_Q, group_N) in {name: (g.own_Q, g.group_N) for name, g in galleries.items()}.items():
        for counting in COUNTINGS:
            found = {name: ranks(scores[title], own_Q, group_N, counting) for name, scores in scored.items()}
            first = found["model"]
            rows = [_row(name, one, boot) for name, one in found.items()] + [_chance(first)]
            size = f"{first.gallery:.0f} to find it in, {len(own_Q)} queries"
            tables.append(Table(f"{title}; {_COUNTED[counting]}: {size}", _HEAD, rows))
            values[f"{title} | {counting}"] = {name: _values(one) for name, one in found.items()}
    different = len(set(where.group_R.tolist()))
    told = bool(waveform) and Path(waveform).is_dir()
    if told:
        tables.append(_numbered(retriever.model, Retriever.load(waveform).model, where, boot, values))
    notes: tuple[str, ...] = (
        f"Queries: the {len(where.query_Q)} recordings of fold {fold} with a report (whose signals are at hand). "
        f"No text has waveform numbers unless said. Reports: all {len(where.texts)} of fold {fold}, {different} different "
        "ones; none took part in training. Recordings: those of the fold; and, as a larger gallery, all that are at hand, "
        "training recordings too, which are never right and which the towers saw with other reports. Ties count in "
        "expectation. No signal: a recording of which nothing is known (all values at their mean). Chance: a random order "
        f"of the same gallery. Intervals draw patients. Model {retriever.name}; {checked}.",)
    if waveform and not told:
        notes += (f"Texts with waveform numbers are left out: train their towers with recipes/ecg_chat.yaml training.waveform=1 "
                  f"output={waveform}.",)
    return Study(tables, len(where.query_Q), boot.n_patients, digest([where.texts, where.query_Q.tolist()]), notes, values)


class _Gallery:
    """reports: whether its entries are reports, else recordings (rows_N); own_Q and group_N as for `ranks`."""

    def __init__(self, own_Q: Ints, group_N: Ints, rows_N: Ints | None = None) -> None:
        self.own_Q, self.group_N, self.rows_N = own_Q, group_N, rows_N


def _galleries(where: Fold) -> dict[str, _Gallery]:
    """Three searches. A recording without a report is equal to no other."""
    out = {"Reports for a recording": _Gallery(where.own_Q, where.group_R)}
    report_of = dict(zip(where.query_Q.tolist(), where.group_R[where.own_Q].tolist(), strict=True))
    for name, rows in ((f"Recordings of fold {where.fold} for a report", where.data.rows((where.fold,))),
                       ("All recordings for a report", np.arange(len(where.data)))):
        group = np.array([report_of.get(row, -1 - row) for row in rows.tolist()], np.int64)
        out[name] = _Gallery(np.searchsorted(rows, where.query_Q), group, rows)
    return out


def _scores(model: EcgTextModel, where: Fold, galleries: dict[str, _Gallery],
            blank: bool = False) -> dict[str, NDArray[np.float64]]:
    """score_QN of each search. blank: recordings say nothing."""
    text_RE = model.encode_text(where.texts).numpy()
    ecg_NE = where.recordings(model, np.arange(len(where.data)))
    if blank:
        ecg_NE = np.broadcast_to(_blank(model, where), ecg_NE.shape)
    scores = {name: ecg_NE[where.query_Q] @ text_RE.T if g.rows_N is None else text_RE[where.own_Q] @ ecg_NE[g.rows_N].T
              for name, g in galleries.items()}
    return {name: score.astype(np.float64) for name, score in scores.items()}


def _numbered(model: EcgTextModel, numbered: EcgTextModel, where: Fold, boot: Bootstrap, values: dict[str, Any]) -> Table:
    """Waveform data enhancement: what a report's text gains by the record's own numbers, measured from the same signal."""
    plain = [where.texts[own] for own in where.own_Q]
    told = [with_waveform(text, measure(where.data.record(int(row)))) for text, row in zip(plain, where.query_Q, strict=True)]
    rows = []
    for name, towers, texts in (("without numbers, shipped towers", model, plain),
                                ("without numbers, towers trained with them", numbered, plain),
                                ("with numbers, towers trained with them", numbered, told)):
        score_QN = (where.recordings(towers, where.query_Q) @ towers.encode_text(texts).numpy().T).astype(np.float64)
        for direction, score in (("report for a recording", score_QN), ("recording for a report", score_QN.T)):
            found = ranks(score, np.arange(len(texts)), np.array(distinct(texts)), "own")
            rows.append(_row(f"{name}: {direction}", found, boot))
            values[f"waveform | {name}: {direction}"] = _values(found)
    rows.append(_chance(found))
    return Table(f"The record's own numbers in the text (RR, PR, QRS, QT, QTc): {len(plain)} pairs, only the own one is right",
                 _HEAD, rows)


def _blank(model: EcgTextModel, where: Fold) -> FloatArray:
    (vector,) = where.ecg.whole(np.arange(1))
    return np.asarray(model.encode_ecg(vector.new_zeros(vector.shape)).numpy()[0], np.float32)


def _row(name: str, found: Ranks, boot: Bootstrap) -> list[str]:
    cells = []
    for column in found.found_QK.T:
        one = boot.mean(column)
        cells.append(f"{100 * one.value:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]")
    return [name, *cells, f"{np.median(found.rank_Q):.0f}", f"{found.rank_Q.mean():.1f}"]


def _chance(found: Ranks) -> list[str]:
    return ["chance", *(f"{100 * share:.2f}" for share in found.chance_QK.mean(0)), f"{np.median(found.chance_rank_Q):.0f}",
            f"{found.chance_rank_Q.mean():.1f}"]


def _values(found: Ranks) -> dict[str, Any]:
    share, chance = found.found_QK.mean(0), found.chance_QK.mean(0)
    return {"recall": dict(zip(map(str, KS), share.round(5).tolist(), strict=True)), "gallery": found.gallery,
            "chance": dict(zip(map(str, KS), chance.round(6).tolist(), strict=True)),
            "times_chance": dict(zip(map(str, KS), (share / chance).round(2).tolist(), strict=True)),
            "median_rank": float(np.median(found.rank_Q)), "mean_rank": float(found.rank_Q.mean()),
            "rank": found.rank_Q.round(2).tolist()}
