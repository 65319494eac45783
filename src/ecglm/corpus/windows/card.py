"""The data card of a forecasting set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ecglm.corpus.windows.cut import Rules
from ecglm.corpus.windows.item import CLASSES, SPLITS
from ecglm.corpus.windows.layouts import Layout


def card(layout: Layout, records: Mapping[str, Sequence[str]], parts: Sequence[Mapping[str, Any]], rules: Rules,
         manifest: str) -> dict[str, Any]:
    """What is in the set, from where, and what was left out. manifest: SHA-256 of its file."""
    items = [item for part in parts for item in part["items"]]
    skipped = Counter(row["skipped"].split(":")[0] for part in parts for row in part["skipped"])
    told: Counter[str] = Counter()
    for part in parts:
        told.update(part["told"])
    cells = Counter((item["window_s"], item["horizon_s"], item["label"]) for item in items)
    by_split = {split: {item["subject"] for item in items if item["split"] == split} for split in SPLITS}
    having = {label: {item["subject"] for item in items if item["label"] == label} for label in CLASSES}
    subjects = {label: len(names) for label, names in having.items()} | {"event": len(having["af"] | having["aflutter"])}
    return {
        "dataset": layout.name, "licence": layout.licence, "attribution": layout.attribution, "layout": layout.fact,
        "rules": asdict(rules), "manifest_sha256": manifest,
        "records": {"found": sum(map(len, records.values())), "used": sum(len(part["records"]) for part in parts),
                    "skipped": dict(sorted(skipped.items()))},
        "subjects": {"found": len(records), "with_items": len(set().union(*by_split.values())), "by_label": subjects,
                     "by_split": {split: len(names) for split, names in by_split.items()}},
        "onsets": sum(part["onsets"] for part in parts),
        "items": {"all": len(items), "by_label": {label: sum(i["label"] == label for i in items) for label in CLASSES},
                  "by_kind": dict(sorted(Counter(item["kind"] for item in items).items())),
                  "by_split": {split: sum(i["split"] == split for i in items) for split in SPLITS}},
        "cells": [{"window_s": w, "horizon_s": h} | {label: cells[w, h, label] for label in CLASSES}
                  for h in rules.horizons for w in rules.windows],
        "left_out": {reason: n for reason, n in sorted(told.items()) if n},
        "limits": _limits(layout, rules, subjects),
    }


def _limits(layout: Layout, rules: Rules, subjects: Mapping[str, int]) -> list[str]:
    lines = ["An event is the change of annotated rhythm to fibrillation or flutter from a known other rhythm, however short.",
             "left_out counts windows before onsets by the first reason that applied, and windows without event that were wanted "
             "and not found."]
    if not layout.marked:
        lines = ["Rhythm is not annotated, so purity is not known; the event begins at onset_s or up to some minutes later."]
    elif not rules.controls:
        lines.append("Every window without event is of a person who has events: it tells when, not who.")
    if min(subjects["event"], subjects["sinus"]) < 200:
        lines.append(f"Subjects with windows before an event: {subjects['event']}, with windows without: {subjects['sinus']}; no "
                     "AUROC is known to ±.05 from fewer than about 200 of each.")
    return lines
