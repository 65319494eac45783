"""The pages that the vision encoder learns from: recordings and simulated twins, drawn, distorted, and seen as the encoder
sees them.

A page depends on its recording, its preset, its number and the seed alone. Headers are printed on half of the pages, with the
numbers of *other* recordings: whatever is printed there says nothing about the page, and the encoder learns that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import replacing
from ecglm.corpus import ptbxl
from ecglm.paper import render
from ecglm.paper.header import ARRANGEMENTS, PageHeader
from ecglm.paper.look import SIZE, picture_of

Pictures = NDArray[np.uint8]
#: What the benchmarks of pages draw.
PLAIN = "3x4+1R"
#: Pages of one file of the cache.
_CHUNK = 64
#: What is printed in headers that say nothing: like what carts print, some of it meant to mislead.
_TEXTS = ("ATRIAL FIBRILLATION", "NORMAL SINUS RHYTHM", "ANTERIOR INFARCT, AGE UNDETERMINED", "Otherwise normal ECG",
          "LEFT BUNDLE BRANCH BLOCK", "*** ACUTE MI ***", "Abnormal ECG", "UNCONFIRMED", "Borderline ECG",
          "Technically poor tracing")


@dataclass(frozen=True)
class Drawing:
    """How pages are drawn. pages: of every recording, the presets in turn. usual: share of pages in the first layout of
    `layouts`; the rest is drawn from all of them, the first included. header: share of pages with one. dpi: before distortion;
    the encoder sees about 45. twins: simulated twins for each recording, with one page each."""

    pages: int = 2
    presets: tuple[str, ...] = ("none", "scan", "heavy", "photo")
    layouts: tuple[str, ...] = ("3x4+1R", "3x4", "3x4+3R", "6x2", "12x1")
    usual: float = 0.6
    header: float = 0.5
    dpi: int = 100
    twins: float = 0.4


class Job(NamedTuple):
    """One page: a row of PTB-XL or its simulated twin, preset, number."""

    row: int
    twin: bool
    preset: str
    number: int


def jobs(rows: Sequence[int], drawing: Drawing, twins: bool = True) -> list[Job]:
    """All pages of these recordings."""
    def preset(place: int, number: int) -> str:
        return drawing.presets[(place + number * (len(drawing.presets) // 2)) % len(drawing.presets)]

    out = [Job(int(row), False, preset(place, number), number)
           for number in range(drawing.pages) for place, row in enumerate(rows)]
    for i in range(round(drawing.twins * len(rows)) if twins else 0):
        number, place = divmod(i, len(rows))
        out.append(Job(int(rows[place]), True, preset(i, number), number))
    return out


def draw(job: Job, drawing: Drawing, seed: int, plain: bool = False) -> Pictures:
    """What the encoder sees of a page, uint8 ``SIZE``. plain: as benchmarks draw it, 3x4 with a strip and no header."""
    digest = hashlib.sha256(f"{seed}:{job}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    layout = drawing.layouts[0] if rng.random() < drawing.usual else str(rng.choice(drawing.layouts))
    head = _header(rng) if rng.random() < drawing.header else None
    if job.twin:
        from ecglm.corpus.simulated import twin

        record = twin(job.row, seed + job.number).record
    else:
        record = ptbxl.load().record(job.row)
    drawn = render(record, layout=PLAIN if plain else layout, dpi=drawing.dpi, header=None if plain else head,
                   distort=job.preset, seed=int(rng.integers(2**31)))
    return picture_of(drawn.image)


def _header(rng: np.random.Generator) -> PageHeader:
    """A header with numbers of nobody."""
    rate, pr, qrs, qt = (float(rng.integers(*bounds)) for bounds in ((40, 150), (110, 260), (70, 170), (300, 500)))
    text = tuple(str(t) for t in rng.choice(_TEXTS, int(rng.integers(0, 3)), replace=False))
    day = datetime(2001, 1, 1) + timedelta(minutes=int(rng.integers(24 * 365 * 24 * 60)))
    return PageHeader(int(rng.integers(18, 90)), "female" if rng.random() < 0.5 else "male", rate, pr, qrs, qt,
                      round(qt / (60 / rate) ** 0.5), float(rng.integers(-90, 180)), day if rng.random() < 0.5 else None, text,
                      ARRANGEMENTS[int(rng.integers(len(ARRANGEMENTS)))])


def pictures(wanted: Sequence[Job], drawing: Drawing, seed: int, folder: Path, progress: bool = True,
             plain: bool = False) -> Pictures:
    """Pictures ``[N, *SIZE]`` of pages, kept in the folder, some at a time; what an earlier call has drawn is read back."""
    from rich.progress import Progress

    folder.mkdir(parents=True, exist_ok=True)
    out = np.empty((len(wanted), *SIZE), np.uint8)
    with Progress(disable=not progress) as bar:
        task = bar.add_task("Drawing pages", total=len(wanted))
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start:start + _CHUNK]
            text = json.dumps([asdict(drawing), seed, plain, part])
            file = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.npz"
            if not file.is_file():
                drawn = np.stack([draw(job, drawing, seed, plain) for job in part])
                with replacing(file) as temporary, open(temporary, "wb") as handle:
                    np.savez_compressed(handle, pages=drawn)
            with np.load(file) as kept:
                out[start:start + len(part)] = kept["pages"]
            bar.update(task, advance=len(part))
    return out
