"""What few-shot questions are about: attributes that a recording has, has not, or of which nothing is known.

An attribute is an SCP statement, a direction of the heart axis, or a range of the RR interval, as in ECG-QA (Oh et al.
2023). Shapes: N recordings, A attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus import ptbxl
from ecglm.corpus import questions as q
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.facts import UNSPOKEN

#: The normal range of the RR interval in ECG-QA (ms), and the names of its three answers.
RR_RANGE_MS = (600.0, 1000.0)
RR_NAMES = ("rr interval below the normal range", "rr interval within the normal range", "rr interval above the normal range")


@dataclass(frozen=True)
class Attribute:
    """key: "rhythm:AFIB"; name as it is spoken; group: whose questions ask for it ("rhythm", "axis", "rr")."""

    key: str
    name: str
    group: str


@dataclass(frozen=True)
class AttributeTable:
    """value_NA int8: 1 has it, 0 has it not, -1 unknown. patient_N clusters the recordings of a person."""

    attributes: tuple[Attribute, ...]
    value_NA: NDArray[np.int8]
    patient_N: NDArray[np.int64]

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys in column order."""
        return tuple(a.key for a in self.attributes)

    def column(self, key: str) -> NDArray[np.int8]:
        """value_N of one attribute."""
        values: NDArray[np.int8] = self.value_NA[:, self.keys.index(key)]
        return values

    def __len__(self) -> int:
        return len(self.patient_N)


def ptbxl_attributes(rr_ms_N: Sequence[float | None], minimum: int = 18) -> AttributeTable:
    """Statements that are labelled and not labelled in at least `minimum` recordings each, the heart axis where PTB-XL
    names it, and the range of the measured RR interval."""
    data = ptbxl.load()
    found: list[tuple[Attribute, NDArray[np.int8]]] = []
    for statement, column in zip(BY_KEY.values(), data.labels_NC.T, strict=True):
        if statement.key not in UNSPOKEN:
            found.append((Attribute(statement.key, statement.name, statement.group), column.astype(np.int8)))
    axis = np.array(data.axis)
    for name in q.AXIS_ANSWERS:
        found.append((Attribute(f"axis:{name}", name, "axis"), np.where(axis == "", -1, axis == name).astype(np.int8)))
    rr = np.array([np.nan if value is None else value for value in rr_ms_N])
    zone = np.digitize(rr, RR_RANGE_MS)
    for number, name in enumerate(RR_NAMES):
        found.append((Attribute(f"rr:{name.split()[2]}", name, "rr"),
                      np.where(np.isnan(rr), -1, zone == number).astype(np.int8)))
    kept = [(a, v) for a, v in found if min((v == 1).sum(), (v == 0).sum()) >= minimum]
    return AttributeTable(tuple(a for a, _ in kept), np.stack([v for _, v in kept], axis=1), data.patient)


def related(value_NA: NDArray[np.int8], other_NB: NDArray[np.int8], phi: float = 0.3, contained: float = 0.6,
            ) -> NDArray[np.bool_]:
    """related_AB: knowing one tells much of the other: their correlation (phi) is at least `phi` either way, or `contained`
    of the recordings with one have the other and that is twice what would be expected."""
    out = np.zeros((value_NA.shape[1], other_NB.shape[1]), bool)
    for a, x in enumerate(value_NA.T):
        for b, y in enumerate(other_NB.T):
            known = (x >= 0) & (y >= 0)
            i, j = x[known] == 1, y[known] == 1
            both, p, r = (i & j).mean(), i.mean(), j.mean()
            enough = (i & j).sum() >= 10  # a few recordings show no containment
            spread = np.sqrt(p * (1 - p) * r * (1 - r))
            together = both / max(min(p, r), 1e-9)
            out[a, b] = (spread > 0 and abs(both - p * r) / spread >= phi) or (
                enough and together >= contained and together >= 2 * max(p, r))
    return out
