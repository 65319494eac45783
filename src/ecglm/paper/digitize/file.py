"""What `ecglm.read` does with a file that is an image."""

from __future__ import annotations

import os
from functools import lru_cache

from ecglm.paper.digitize.read import digitize
from ecglm.records.record import Record
from ecglm.records.request import Request


def read_image(request: Request) -> Record:
    """The record on the page, or the stretch and the leads of it that were asked for. Raises PageError."""
    request.refuse_overrides("an image")
    status = os.stat(request.path)
    record = _digitized(request.path, status.st_mtime_ns, status.st_size)
    if request.leads is not None:
        record = record.select(request.leads)
    first, count = request.window(record.fs, record.n_samples, len(record.leads))
    return record if count == record.n_samples else record.crop(first / record.fs, count / record.fs)


@lru_cache(maxsize=2)
def _digitized(path: str, changed: int, size: int) -> Record:
    """A command may read its file twice, to learn its length first."""
    return digitize(path)
