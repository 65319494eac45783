"""results.json files -> one markdown page of tables. The same files give the same sections, byte for byte.

    python -m ecglm.bench.report docs/results.md runs/bench/*/results.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ecglm.atomic import write_text
from ecglm.bench.compare import load_results

_INTRO = """# Results

Written by `python -m ecglm.bench.report`; do not edit. Percentages with 95 % intervals from a bootstrap over
patients. Chance, text-only, no-signal and other-patient are controls: a model that reads the ECG must beat them.
"chance-majority" gives the commonest answer of each template, "chance-uniform" picks one of the valid answers.
"""

_SCORING = {"strict": "Strict scoring: the whole reply must be the answer.",
            "paper": "Published protocol (ECG-QA): exact match over the template's valid classes found in the reply."}


def write_results(docs_path: str | Path, results: Sequence[str | Path]) -> None:
    """Write the page for these results files, ordered by task and model; sections of other tasks that it has stay as they
    are. Raises UsageError for a bad file."""
    loaded = sorted((load_results(path) for path in results),
                    key=lambda r: (r["task"]["name"], r["task"]["version"], r["model"]["id"], r["data_hash"]))
    sections: dict[str, list[str]] = {}
    for result in loaded:
        sections.setdefault(result["task"]["name"], []).append(_section(result))
    page = Path(docs_path)
    for standing in page.read_text(encoding="utf8").split("\n## ")[1:] if page.is_file() else []:
        name = standing.split(" ", 1)[0]
        if name not in {result["task"]["name"] for result in loaded}:
            sections.setdefault(name, []).append(f"## {standing.rstrip()}\n")
    write_text(page, "\n".join([_INTRO, *(text for name in sorted(sections) for text in sections[name])]))


def _section(result: dict[str, Any]) -> str:
    task = result["task"]
    lines = [f"## {task['name']} v{task['version']}: {result['model']['id']}", "",
             f"{task['config']['description']}. {result['n_items']} items of {result['n_patients']} patients."
             + (f" A sample (limit {result['limit']})." if result.get("limit") else ""), ""]
    lines += _study(result["study"]) if "study" in result else \
        _findings(result["findings"]) if task["kind"] == "findings" else _questions(result)
    for name, groups in result.get("others", {}).items():
        lines += _beside(result["model"]["id"], result["findings"], name, groups)
    return "\n".join([*lines, *_provenance(result), ""])


def _study(study: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for table in study["tables"]:
        lines += [f"### {table['title']}", "", *_table(table["head"], table["rows"]), ""]
    return [*lines, *study["notes"], ""] if study["notes"] else lines


def _questions(result: dict[str, Any]) -> list[str]:
    config, sizes = result["task"]["config"], result["sizes"]
    columns = [name for name in sizes if name != "all"]
    lines: list[str] = []
    for scorer in config["scoring"]:
        lines += [_SCORING.get(scorer, f"Scoring: {scorer}."), ""]
        head = ["condition"]
        for name in columns:
            head += [f"{name} balanced"] if name in config["balanced"] else []
            head += [f"{name} exact"]
        table = []
        for condition, row in result["rows"].items():
            cells = [condition]
            for name in columns:
                scores = row[scorer][name]
                cells += [_percent(scores["balanced_accuracy"])] if name in config["balanced"] else []
                cells += [_percent(scores["exact_match"])]
            table.append(cells)
        lines += [*_table(head, table), ""]
    lines += ["Items and patients: " + "; ".join(
        f"{name} {sizes[name]['n_items']}, {sizes[name]['n_patients']}" for name in columns) + ".", ""]
    if result["differences"]:
        metric = {name: next(iter(result["differences"].values()))[name]["metric"] for name in columns}
        head = ["paired difference", *(f"{name} ({metric[name].replace('_', ' ')})" for name in columns)]
        lines += [*_table(head, [[label, *(_points(row[name]) for name in columns)]
                                 for label, row in result["differences"].items()]), ""]
    first = next(iter(result["rows"].values()))
    confidence = [[name, str(row["n_abstained"]), _share(row.get("accuracy_when_answered")),
                   _decimal(row.get("ece")), _number(row.get("brier"))]
                  for name, row in first.get("confidence", {}).items()]
    if confidence:
        lines += [*_table(["confidence", "abstained", "right when answered", "calibration error", "Brier"],
                          confidence), ""]
    return lines


def _findings(groups: dict[str, Any]) -> list[str]:
    metrics = [key for key in next(iter(groups.values()), {}) if key.startswith("macro_") or key == "pooled_ece"]
    lines = [*_table(["group", "statements", *(m.replace("_", " ") for m in metrics)],
                     [[name, str(len(g["codes"]) - len(g["not_scored"])), *(_decimal(g.get(m)) for m in metrics)]
                      for name, g in groups.items()]), ""]
    for name, group in groups.items():
        single = [m.removeprefix("macro_") for m in metrics if m.startswith("macro_")]
        rows = [[code, str(row["n_positive"]), *(_decimal(row.get(m)) for m in single)]
                for code, row in group["codes"].items() if code not in group["not_scored"]]
        lines += [f"### {name}", "", *_table(["statement", "n", *single], rows), ""]
        if group["not_scored"]:
            lines += [f"Not scored, no positive or no negative record: {', '.join(group['not_scored'])}.", ""]
    return lines


def _beside(first: str, groups: dict[str, Any], second: str, others: dict[str, Any]) -> list[str]:
    """AUROC of two models side by side, with chance."""
    rows = [[f"**{name}**", "", _decimal(group["macro_auroc"]), _decimal(others[name]["macro_auroc"]), "0.500"]
            for name, group in groups.items()]
    rows += [[f"{name} {code}", str(row["n_positive"]), _decimal(row.get("auroc")),
              _decimal(others[name]["codes"][code].get("auroc")), "0.500"]
             for name, group in groups.items() for code, row in group["codes"].items() if code not in group["not_scored"]]
    return [*_table(["AUROC", "n", first, second, "chance"], rows), ""]


def _provenance(result: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{k} {v}" for k, v in sorted(result["versions"].items()) if v)
    seeds = ", ".join(f"{k} {v}" for k, v in sorted(result["seeds"].items()))
    leakage = "; ".join(f"{k}: {v}" for k, v in result["leakage"].items())
    recipe = "" if result["task"]["kind"] == "study" else f"recipe {result['recipe_hash'] or 'unknown'}, "
    return [f"Made with commit {result['git_commit'] or 'unknown'}, {recipe}"
            f"data {result['data_hash']}, task {result['task']['hash']}, seeds {seeds}; {versions}."
            + (f" Overlap with training: {leakage}." if leakage else "")]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _bounds(score: dict[str, Any], form: str, factor: float) -> str:
    if score["low"] is None or score["high"] is None:
        return ""
    return f" [{factor * score['low']:{form}}, {factor * score['high']:{form}}]"


def _percent(score: dict[str, Any]) -> str:
    return "–" if score["value"] is None else f"{100 * score['value']:.1f}{_bounds(score, '.1f', 100)}"


def _points(score: dict[str, Any]) -> str:
    if score["value"] is None:
        return "–"
    p = "" if score["p"] is None else f", p {'<' if score['p'] < 0.0025 else '='} {max(score['p'], 0.0025):.2g}"
    return f"{100 * score['value']:+.1f}{_bounds(score, '+.1f', 100)}{p}"


def _decimal(score: dict[str, Any] | None) -> str:
    return "–" if score is None or score["value"] is None else f"{score['value']:.3f}{_bounds(score, '.3f', 1)}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python -m ecglm.bench.report DOCS.md RESULTS.json...")
    write_results(sys.argv[1], sys.argv[2:])
