"""`ecglm bench list | run TASK... | compare A B`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ecglm.cli.options import Json, Model
from ecglm.cli.output import print_json, print_table, print_text, verb_app

app = verb_app("List, run and compare benchmarks.")


@app.command("list")
def list_(json: Json = False) -> None:
    """The built-in tasks."""
    from ecglm.bench.task import load_task, task_names

    tasks = [load_task(name) for name in task_names()]
    if json:
        print_json({"tasks": [{"name": t.name, "version": t.version, "description": t.description} for t in tasks]})
        return
    print_table(("task", "version", "description"), [(t.name, t.version, t.description) for t in tasks])


@app.command()
def run(
    tasks: Annotated[list[str], typer.Argument(metavar="TASK", help="Task names, or YAML files.")],
    out: Annotated[str, typer.Option("-o", "--out", metavar="DIR", help="Gets one folder per task.")] = "runs/bench",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Ask only this many items.")] = None,
    data: Annotated[str | None, typer.Option("--data", metavar="DIR", help="Published files of ecgbench-pulse/...")] = None,
    model: Model = None, json: Json = False,
) -> None:
    """Run tasks with all their controls. An interrupted run goes on where it stopped.

    `--model dummy:majority` (or echo, oracle) runs a model without weights; ecgbench-pulse/... also takes
    endpoint:MODEL@URL (a vision-language model), replies:FILE (answers made elsewhere), dummy:coin and dummy:oracle.
    """
    import sys
    from dataclasses import replace
    from pathlib import Path

    from ecglm.bench import runner
    from ecglm.bench.compare import load_results
    from ecglm.bench.task import load_task

    configs = [load_task(name) for name in tasks]
    if data is not None:
        configs = [replace(c, dataset_args=c.dataset_args | {"data": data}) if c.kind == "protocol" else c for c in configs]
    subject = _subject(model) if any(c.kind in ("qa", "findings") and not c.subjects for c in configs) else None
    results = {}
    for config in configs:
        asked = model if config.kind == "protocol" else subject
        path = runner.run(config, asked, Path(out) / config.name, limit=limit, progress=sys.stderr.isatty())
        results[config.name] = load_results(path)
        if not json:
            _show(results[config.name])
            print_text(f"wrote {path}")
    if json:
        print_json(results)


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A results.json or its folder.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another of the same task.")],
    condition: Annotated[str, typer.Option("--condition", help="Which row to compare.")] = "full",
    json: Json = False,
) -> None:
    """Is A better than B? Paired over items, clustered by patient."""
    from ecglm.bench.compare import compare as compare_runs

    found = compare_runs(a, b, condition)
    if json:
        print_json(found)
        return
    print_text(f"{found['task']}, {found['condition']}: {found['a']} minus {found['b']}")
    print_table(("questions", "metric", "difference", "95 % interval", "p"), [
        (name, d["metric"], f"{100 * d['value']:+.1f}", f"{100 * d['low']:+.1f} to {100 * d['high']:+.1f}",
         f"{d['p']:.3f}") for name, d in found["differences"].items()])


def _subject(model: str | None) -> Any:
    if model is not None and model.startswith("dummy:"):
        from ecglm.bench.dummy import dummy

        return dummy(model.removeprefix("dummy:"))
    import ecglm
    from ecglm.inference.model import whole

    return whole(ecglm.load(model=model)).on_bench()


def _show(result: dict[str, Any]) -> None:
    print_text(f"{result['task']['name']} v{result['task']['version']}, {result['model']['id']}: "
               f"{result['n_items']} items of {result['n_patients']} patients")
    if "study" in result:
        for table in result["study"]["tables"]:
            print_text(table["title"])
            print_table(tuple(table["head"]), [tuple(row) for row in table["rows"]])
        return
    if "findings" in result:
        print_table(("group", "metric", "value", "95 % interval"), [
            (name, metric, *_cells(group[metric], 1)) for name, group in result["findings"].items()
            for metric in group if metric.startswith("macro_") or metric == "pooled_ece"])
        return
    scorer = result["task"]["config"]["scoring"][0]
    print_table(("condition", "questions", "metric", "value", "95 % interval"), [
        (condition, name, metric, *_cells(score, 100)) for condition, row in result["rows"].items()
        for name, metrics in row[scorer].items() for metric, score in metrics.items()])


def _cells(score: dict[str, Any], factor: int) -> tuple[str, str]:
    form = ".1f" if factor == 100 else ".3f"
    low, value, high = (None if score[k] is None else f"{factor * score[k]:{form}}" for k in ("low", "value", "high"))
    return value or "-", "-" if low is None else f"{low} to {high}"
