"""From the heart vector to the body surface: a lead field that differs from patient to patient.

The mean field is Dower's matrix from Frank leads to the 12-lead ECG (Dower, Machado & Osborne 1980,
10.1002/clc.1980.3.2.87). Patients differ in the size and direction of each lead's vector, and in where the chest
electrodes were put. III and the augmented leads are computed from I and II, as every cart does, so Einthoven's law
holds in each record.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ecglm.records.leads import STANDARD_12
from ecglm.signal.missing import FloatArray

#: Rows: the independent leads (kernels.INDEPENDENT); columns: x (left), y (down), z (back).
DOWER_83: FloatArray = np.array([
    [0.632, -0.235, 0.059], [0.235, 1.066, -0.132],
    [-0.515, 0.157, -0.917], [0.044, 0.164, -1.387], [0.882, 0.098, -1.277],
    [1.213, 0.127, -0.601], [1.125, 0.127, -0.086], [0.831, 0.076, 0.230],
])
_REACH_81 = np.linalg.norm(DOWER_83, axis=1, keepdims=True)
#: Back from the eight leads to Frank's three, in the sense of least squares.
TO_FRANK_38: FloatArray = np.asarray(np.linalg.pinv(DOWER_83), np.float64)
#: All that can be asked for, and how it is made of the independent leads.
FRANK: tuple[str, ...] = ("X", "Y", "Z")
TWELVE_12_8: FloatArray = np.zeros((12, 8))
TWELVE_12_8[:6, :2] = np.array([[1, 0], [0, 1], [-1, 1], [-0.5, -0.5], [1, -0.5], [-0.5, 1]])
TWELVE_12_8[6:, 2:] = np.eye(6)

#: Electrodes at which noise arises, and the independent leads made of them (Wilson's terminal for the chest).
ELECTRODES: tuple[str, ...] = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")
FROM_ELECTRODES_89: FloatArray = np.zeros((8, 9))
FROM_ELECTRODES_89[0, :3] = (-1, 1, 0)
FROM_ELECTRODES_89[1, :3] = (-1, 0, 1)
FROM_ELECTRODES_89[2:, :3] = -1 / 3
FROM_ELECTRODES_89[2:, 3:] = np.eye(6)

#: (I, II) as recorded, from (I, II) as they are, when two cables are swapped.
SWAPS: dict[str, FloatArray] = {
    "LA-RA": np.array([[-1.0, 0.0], [-1.0, 1.0]]),
    "RA-LL": np.array([[1.0, -1.0], [0.0, -1.0]]),
    "LA-LL": np.array([[0.0, 1.0], [1.0, 0.0]]),
}


def draw_field(rng: np.random.Generator) -> FloatArray:
    """The lead field ``[8, 3]`` of one patient with electrodes roughly where they belong."""
    field = DOWER_83 * np.exp(0.13 * rng.standard_normal((8, 1)))
    field += 0.09 * rng.standard_normal((8, 3)) * _REACH_81
    # A chest electrode that is off by a third of the way sees a mixture of its neighbours.
    shift = min(max(0.25 * rng.standard_normal(), -0.5), 0.5)
    other = field[[3, 4, 5, 6, 7, 7]] if shift > 0 else field[[2, 2, 3, 4, 5, 6]]
    field[2:] = (1 - abs(shift)) * field[2:] + abs(shift) * other
    return np.asarray(field)


@lru_cache(maxsize=16)
def projection(leads: tuple[str, ...]) -> NDArray[np.float32]:
    """How these leads are made of the eight independent ones, ``[lead, 8]``."""
    rows = [TO_FRANK_38[FRANK.index(lead)] if lead in FRANK else TWELVE_12_8[STANDARD_12.index(lead)] for lead in leads]
    return np.array(rows, np.float32)


def axis_of_leads(i: float, ii: float) -> float:
    """Frontal axis (degrees) of the net QRS in I and II."""
    return math.degrees(math.atan2((2 * ii - i) / math.sqrt(3), i))

