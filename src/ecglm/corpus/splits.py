"""Splits for few-shot learning: other attributes and other patients in meta-test, and what an encoder may be taught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.attributes import AttributeTable, related
from ecglm.corpus.episodes import AnswerGroup
from ecglm.errors import UsageError


@dataclass(frozen=True)
class FewShotSplit:
    """train and test: keys of attributes; dropped: keys used by neither, as they tell much of a test attribute.
    train_rows and test_rows are recordings of different patients."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    dropped: tuple[str, ...]
    train_rows: NDArray[np.int64]
    test_rows: NDArray[np.int64]


def split_patients(table: AttributeTable, share: float = 0.45, seed: int = 0) -> NDArray[np.bool_]:
    """test_N: recordings of the patients kept for meta-test, about `share` of those with each attribute, rarest first."""
    rng = np.random.default_rng(seed)
    test = np.zeros(len(table), bool)
    placed = np.zeros(len(table), bool)
    rare_first = np.argsort((table.value_NA == 1).sum(0), kind="stable")
    for column in [*table.value_NA[:, rare_first].T, np.ones(len(table), np.int8)]:
        having = rng.permutation(np.unique(table.patient_N[(column == 1) & ~placed]))
        already = (column == 1) & placed
        wanted = round(share * (len(having) + already.sum()) - (already & test).sum())
        chosen = np.isin(table.patient_N, having[: max(wanted, 0)])
        test |= chosen
        placed |= np.isin(table.patient_N, having)
    return test


def attribute_splits(table: AttributeTable, parts: int = 5, share: float = 0.45, seed: int = 0, tries: int = 4000,
                     ) -> list[FewShotSplit]:
    """Every attribute is in the meta-test of one of `parts` splits (80/20 for 5). The patients are split once.

    A random partition is mended by `tries` exchanges that drop fewer attributes: those close to each other are held out together.
    """
    rng = np.random.default_rng(seed)
    test_N = split_patients(table, share, seed)
    near_AA = related(table.value_NA, table.value_NA)
    count = len(table.attributes)
    part_A = np.arange(count) % parts

    def dropped(part_A: NDArray[np.int64]) -> NDArray[np.bool_]:
        """dropped_PA."""
        held_PA = part_A == np.arange(parts)[:, None]
        near_PA: NDArray[np.bool_] = (held_PA.astype(int) @ near_AA > 0) & ~held_PA
        return near_PA

    best = rng.permutation(part_A)
    for _ in range(tries):  # exchange two attributes, keep what drops no more
        i, j = rng.integers(count, size=2)
        other = best.copy()
        other[[i, j]] = best[[j, i]]
        if dropped(other).sum() <= dropped(best).sum():
            best = other
    splits = []
    for part, near in enumerate(dropped(best)):
        train, held, close = (tuple(key for key, chosen in zip(table.keys, mask, strict=True) if chosen)
                              for mask in ((best != part) & ~near, best == part, near))
        splits.append(FewShotSplit(train, held, close, np.flatnonzero(~test_N), np.flatnonzero(test_N)))
    return splits


def check_split(table: AttributeTable, split: FewShotSplit, taught: AttributeTable | None = None) -> dict[str, str]:
    """What was compared. taught: labels the encoder was trained with, for the same recordings. Raises UsageError on a leak:
    a patient, an attribute, or a label close to a test attribute on both sides."""
    patients = set(table.patient_N[split.train_rows]) & set(table.patient_N[split.test_rows])
    if patients:
        raise UsageError(f"{len(patients)} patients (e.g. {min(patients)}) are in meta-train and in meta-test; split by patient")
    shared = sorted(set(split.train) & set(split.test))
    if shared:
        raise UsageError(f"attributes {', '.join(shared)} are in meta-train and in meta-test; split by attribute")
    test_NA = table.value_NA[:, [table.keys.index(key) for key in split.test]]
    for what, other in (("in meta-train", [table.keys.index(key) for key in split.train]), ("taught to the encoder", None)):
        if other is not None:
            names, value_NB = [table.keys[i] for i in other], table.value_NA[:, other]
        elif taught is not None:
            names, value_NB = list(taught.keys), taught.value_NA
        else:
            continue
        near = related(test_NA, value_NB)
        if near.any():
            a, b = np.argwhere(near)[0]
            raise UsageError(f"{names[b]}, {what}, tells much of {split.test[a]}, which is in meta-test; drop it from training")
    return {"patients": f"none of {len(set(table.patient_N[split.test_rows]))} shared",
            "attributes": f"none of {len(split.test)} shared or close to {len(split.train)} of meta-train",
            "encoder": "not checked" if taught is None else f"none of its {len(taught.attributes)} labels close to a test one"}


def check_classes(train: Sequence[Sequence[AnswerGroup]], test: Sequence[Sequence[AnswerGroup]], patient_N: NDArray[np.int64],
                  ) -> None:
    """Raises UsageError when classes of meta-train and of meta-test share a patient, or a question with its answer."""
    patients = [{int(patient_N[row]) for groups in side for group in groups for row in group.rows} for side in (train, test)]
    if both := patients[0] & patients[1]:
        raise UsageError(f"{len(both)} patients (e.g. {min(both)}) are in meta-train and in meta-test; split by patient")
    asked = [{(wording, group.answer) for groups in side for group in groups for wording in group.wordings}
             for side in (train, test)]
    if same := asked[0] & asked[1]:
        question, answer = min(same)
        raise UsageError(f"{question!r}, answered {answer!r}, is in meta-train and in meta-test; split by class")
