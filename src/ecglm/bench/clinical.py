"""Clinical efficacy of report texts: precision, recall and F1 of the statements they make, micro and macro, by group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.bench.stats import Bootstrap, Interval, interval
from ecglm.knowledge.report_labels import labels
from ecglm.knowledge.statements import of_group

#: ECG-Chat's three groups and ours: SCP-ECG's diagnostic statements as PTB-XL's 23 subclasses ("normal" is one of them).
GROUPS: dict[str, str] = {"diagnosis": "sub_class", "form": "form", "rhythm": "rhythm"}
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Efficacy:
    """Of one group. Macro is the mean over statements that the reference makes at least once."""

    precision: Interval
    recall: Interval
    micro_f1: Interval
    macro_f1: Interval

    def to_dict(self) -> dict[str, Any]:
        return {name: value.to_dict() for name, value in vars(self).items()}


def group_keys(group: str) -> tuple[str, ...]:
    """The statements of "diagnosis", "form" or "rhythm"."""
    return tuple(statement.key for statement in of_group(GROUPS[group]))


def said(texts: Sequence[str], group: str, sure: bool = False) -> Bools:
    """Which statements of a group each text makes [N, K]. sure: without those it only calls possible (PTB-XL's labels hold these
    too; on its folds 1-8 they fit better with them)."""
    wanted = ("present",) if sure else ("present", "possible")
    found = [labels(text) for text in texts]
    return np.array([[one.get(key) in wanted for key in group_keys(group)] for one in found], dtype=bool)


def labelled(rows: Iterable[Mapping[str, Any]], group: str) -> Bools:
    """The same from label rows, by key."""
    return np.array([[bool(int(row[key])) for key in group_keys(group)] for row in rows], dtype=bool)


def efficacy(said_NK: Bools, true_NK: Bools, boot: Bootstrap) -> Efficacy:
    """Precision, recall and F1 of statements against others, with intervals over the patients of `boot`. Values are shares; NaN
    where nothing is said (precision), or where the reference says nothing (recall, macro F1)."""
    columns = np.concatenate([said_NK & true_NK, said_NK, true_NK], axis=1).astype(float)
    drawn = boot.sums(columns)
    whole = columns.sum(axis=0)[None]
    kinds = said_NK.shape[1]

    def scores(sums: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        hit, called, true = (sums[:, i * kinds:(i + 1) * kinds] for i in range(3))
        each = _share(2 * hit, called + true)
        counted = true > 0
        macro = _share(np.where(counted, np.nan_to_num(each), 0).sum(axis=1), counted.sum(axis=1).astype(float))
        return [_share(hit.sum(1), called.sum(1)), _share(hit.sum(1), true.sum(1)),
                _share(2 * hit.sum(1), called.sum(1) + true.sum(1)), macro]

    return Efficacy(*(interval(float(value[0]), draws) for value, draws in zip(scores(whole), scores(drawn), strict=True)))


def _share(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0))
