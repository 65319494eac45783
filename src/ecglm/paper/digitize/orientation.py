"""Whether a page lies upside down, on its side or mirrored: then its names can be read in another way than the upright one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecglm.paper.digitize.words import Word, find_words

#: Names that look the same from more than one side, and how many of the others must be read another way.
_SYMMETRIC, _LEAST = ("I", "II", "III"), 3


def lies(ink: NDArray[np.float32], words: Sequence[Word], px: float) -> str | None:
    """How the page lies, None: upright, as far as its names tell. ink: of the flat page ``[y, x]``. words: as read upright."""
    most, how = max(_LEAST - 1, 2 * _names(words)), None
    for way, turned in (("upside down", np.rot90(ink, 2)), ("on its side", np.rot90(ink, 1)), ("on its side", np.rot90(ink, 3)),
                        ("mirrored", ink[:, ::-1])):
        count = _names(find_words(np.ascontiguousarray(turned), (), px))
        if count > most:
            most, how = count, way
    return how


def _names(words: Sequence[Word]) -> int:
    return len({word.lead for word in words if word.lead is not None and word.lead not in _SYMMETRIC})
