"""Patients of a bench: none that the model was trained on, and for a control one in the place of another."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ecglm.bench.task import BenchItem
from ecglm.errors import UsageError


def check_leakage(items: Sequence[BenchItem], model: Any) -> dict[str, Any]:
    """What was compared with the model's training lists. Raises UsageError on any overlap."""
    report: dict[str, Any] = {}
    for what, attribute, present in (
        ("patients", "train_patients", {str(item.patient) for item in items}),
        ("waveforms", "train_hashes", {str(item.meta["hash"]) for item in items if item.meta.get("hash")}),
    ):
        trained = getattr(model, attribute, None)
        if trained is None or not present:
            report[what] = f"not checked: {'the model gives no list' if trained is None else 'the items have none'}"
            continue
        shared = sorted(present & {str(t) for t in trained})
        if shared:
            raise UsageError(f"{len(shared)} of {len(present)} test {what} are in the training data of {model.id} "
                             f"(e.g. {shared[0]}); such a score would be false, test on other {what}")
        report[what] = f"none of {len(present)} shared with {len(set(trained))} training {what}"
    return report


def swap_records(items: Sequence[BenchItem], seed: int) -> list[BenchItem]:
    """Items with ``meta["swap_record_key"]``: one record of another patient per record, by `seed`.

    Raises UsageError when there is only one patient.
    """
    owner = {item.record_key: item.patient for item in items}
    if len(set(owner.values())) < 2:
        raise UsageError("the control other-patient needs at least two patients; run more items or leave it out")
    records = sorted(owner)
    shuffled = random.Random(seed).sample(records, len(records))
    place = {record: index for index, record in enumerate(shuffled)}

    def partner(record: str) -> str:
        for step in range(1, len(shuffled)):
            other = shuffled[(place[record] + step) % len(shuffled)]
            if owner[other] != owner[record]:
                return other
        raise AssertionError("unreachable: there are two patients")

    swapped = {record: partner(record) for record in records}
    return [replace(item, meta={**item.meta, "swap_record_key": swapped[item.record_key]}) for item in items]
