"""Recordings by way of a page: drawn (`ecglm.render`) and read back (`ecglm.digitize`), for benchmarks that want images."""

from __future__ import annotations

from typing import Any

from ecglm.errors import UsageError
from ecglm.records.record import Record


def read_back(image: Any) -> Record:
    """The recording on an image (bytes of a file, or pixels). Raises UsageError where this ecglm cannot read pages, and the
    reader's own errors where the page cannot be read."""
    import ecglm

    digitize = getattr(ecglm, "digitize", None)
    if digitize is None:
        raise UsageError("this ecglm cannot read a page back (it has no ecglm.digitize); use input: signal, or another version")
    found = digitize(image)
    return found if isinstance(found, Record) else found.record


def through_page(record: Record, preset: str, seed: int = 0) -> Record:
    """A recording drawn as a 3x4 page with a rhythm strip, distorted by a preset ("none", "scan", "photo"), and read back."""
    import ecglm

    if preset == "none":
        page = ecglm.render(record, layout="3x4+1R", seed=seed)
    else:
        try:
            page = ecglm.render(record, layout="3x4+1R", seed=seed, distort=preset)
        except TypeError:
            raise UsageError(f"this ecglm draws no page with the preset {preset!r}; use page:none") from None
    return read_back(page.image)
