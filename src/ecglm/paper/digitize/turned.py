"""Leads that a page shows turned over: -aVR, as Cabrera's order has it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ecglm.paper.digitize.runs import Floats

#: So alike (correlation) must aVR be to what the other limb leads say of it to be taken as upright, over so many samples.
_ALIKE, _LEAST = 0.5, 250


def avr_is_turned(signals: Mapping[str, Floats]) -> bool:
    """Whether aVR of a page in Cabrera's order is printed turned over, by the limb leads that are drawn at the same time. True
    where they do not tell: that order is of -aVR, though some carts print the name without its sign.

    signals: millivolts of each lead, of one length, NaN where it is not drawn.
    """
    missing = np.full_like(signals["aVR"], np.nan)
    i, ii, avl = (signals.get(lead, missing) for lead in ("I", "II", "aVL"))
    for expected in (-(i + ii) / 2, avl - 1.5 * i):  # Einthoven and Goldberger; the second where II is in another column
        both = np.isfinite(expected) & np.isfinite(signals["aVR"])
        if both.sum() >= _LEAST and min(np.std(expected[both]), np.std(signals["aVR"][both])) > 0:
            return not np.corrcoef(expected[both], signals["aVR"][both])[0, 1] > _ALIKE
    return True
