"""One page of a corpus: which recording, how it looks, how it is distorted. All follows from the seed and the item's name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.atomic import replacing
from ecglm.corpus.pages.source import Source, read_one
from ecglm.errors import EcglmError, UsageError
from ecglm.paper import ARRANGEMENTS, STYLES, PageHeader, render
from ecglm.paper.distort.apply import check
from ecglm.records.record import Record

FORMATS = ("jpg", "png")
#: Changes whenever the same request gives other pages, so that a folder is not continued with another generator.
VERSION = 1
#: How often pages have which layout, gain and speed when looks vary; the rest follows PULSE's list of variations.
_LAYOUTS: Mapping[str, float] = {"3x4": 0.5, "6x2": 0.12, "12x1": 0.12, "3x4+3R": 0.1, "6x2+1R": 0.08, "3x4+1R": 0.08}
_GAINS: Mapping[float, float] = {10.0: 0.86, 5.0: 0.1, 20.0: 0.04}
_STYLES: Mapping[str, float] = {"red": 0.6, "brown": 0.12, "blue": 0.08, "green": 0.08, "bw": 0.12}
_CABRERA, _FAST, _NO_STRIP = 0.06, 0.03, 0.15


@dataclass(frozen=True)
class Request:
    """What a corpus is to be made of.

    source: a data set or a folder. seed, distort: as for `ecglm.render`. vary: layout, order, gain, speed and style change
    from page to page, else each page is 3x4 on red. header: share of pages with a header of age, sex and measured values;
    its date is invented. licence: of the source's data, where it is not known. dpi: of the page before distortion.
    """

    source: str
    seed: int = 0
    distort: str = "pulse"
    vary: bool = True
    header: float = 0.5
    format: str = "jpg"
    dpi: int = 200
    licence: str | None = None
    version: int = VERSION

    def __post_init__(self) -> None:
        check(self.distort, self.seed)
        if self.format not in FORMATS:
            raise UsageError(f"format {self.format!r} is unknown; use one of {', '.join(FORMATS)}")
        if not 0.0 <= self.header <= 1.0:
            raise UsageError(f"header {self.header!r} is a share from 0 to 1")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def make(request: Request, source: Source, folder: Path, index: int) -> dict[str, Any]:
    """Draw item `index`, write picture and truth, and return its row of the manifest. Items beyond the last recording begin anew.

    A recording that cannot be drawn gives a row with the reason under "skipped". Raises OSError when nothing can be written.
    """
    key = source.keys[index % len(source.keys)]
    name = f"{key}#{index // len(source.keys)}"
    seed = int.from_bytes(hashlib.sha256(f"{request.seed}:{name}".encode()).digest()[:4], "big")
    rng = np.random.default_rng([seed, 1])
    row = {"index": index, "id": name, "source": request.source, "record": key, "licence": source.licence, "seed": seed}
    try:
        look = _look(rng, request)
        record, begin = read_one(source.place, key, float(rng.random()), 250.0 / look["speed"])
        record = replace(record, source=name)
        head = _header(rng, record) if rng.random() < request.header else None
        page = render(record, **look, dpi=request.dpi, header=head, distort=request.distort, seed=seed)
    except EcglmError as error:
        return row | {"skipped": str(error)}
    place = Path("pages") / f"{index // 1000:04d}" / f"{index:07d}"
    picture, truth = (folder / place).with_suffix(f".{request.format}"), (folder / place).with_suffix(".json.gz")
    data = page.png() if request.format == "png" else page.jpeg()
    with replacing(picture) as temporary:
        temporary.write_bytes(data)
    page.truth.save(truth)
    return row | {
        "image": picture.relative_to(folder).as_posix(), "truth": truth.relative_to(folder).as_posix(),
        "sha256": hashlib.sha256(data).hexdigest(), "start_s": begin, **look,
        "width": page.truth.width, "height": page.truth.height, "header": head is not None,
        "leads": list(page.truth.leads), "distort": request.distort,
        "distortions": [done.name for done in page.truth.distortions]}


def _look(rng: np.random.Generator, request: Request) -> dict[str, Any]:
    """Layout, order, strips, gain, speed and style of a page. Every value is drawn whether it is used or not."""
    def one(chances: Mapping[Any, float]) -> Any:
        return list(chances)[int(rng.choice(len(chances), p=list(chances.values())))]

    look = {"layout": one(_LAYOUTS), "gain": one(_GAINS), "style": one(_STYLES)}
    cabrera, fast, bare = rng.random(3) < (_CABRERA, _FAST, _NO_STRIP)
    look |= {"order": "cabrera" if cabrera else "standard", "speed": 50.0 if fast else 25.0, "rhythm": [] if bare else None}
    plain = {"layout": "3x4", "gain": 10.0, "style": "red", "order": "standard", "speed": 25.0, "rhythm": None}
    assert set(_STYLES) == set(STYLES)
    return look if request.vary else plain


def _header(rng: np.random.Generator, record: Record) -> PageHeader:
    """Age, sex and measured values in one of the arrangements, with an invented date on half of them."""
    from ecglm.signal import measure

    arrangement = ARRANGEMENTS[int(rng.integers(len(ARRANGEMENTS)))]
    day = datetime(2001, 1, 1) + timedelta(minutes=int(rng.integers(24 * 365 * 24 * 60)))
    return replace(PageHeader.of(record, measure(record), arrangement), date=day if rng.random() < 0.5 else None)
