"""Pictures for an instruction set: the pages that `ecglm data build pages` drew of its recordings."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ecglm.corpus import LICENCES
from ecglm.corpus.instruct.seed import Seed
from ecglm.errors import ReadError, UsageError


def with_pages(seeds: Sequence[Seed], folder: str | Path) -> list[Seed]:
    """The seeds whose recording has a page in the folder, each with the first one's path below it as its image.

    A recording is known by its number, however its file was called: "8035", "records500/08000/08035_hr.hea", "8035.npz".
    Raises ReadError for a folder without a manifest, UsageError where no recording has a page.
    """
    pages = _pages(Path(folder))
    out = []
    for seed in seeds:
        data_set, _, key = seed.id.partition(":")
        image = pages.get((data_set, _number(key))) or pages.get(("", _number(key)))
        if image:
            out.append(replace(seed, image=image))
    if not out:
        raise UsageError(f"{folder}: no page of these recordings; make some with `ecglm data build pages`")
    return out


def _pages(folder: Path) -> dict[tuple[str, str], str]:
    """First page by data set ("" for a folder of recordings) and number of the recording."""
    path = folder / "manifest.jsonl"
    if not path.is_file():
        raise ReadError(path, "no such manifest", "give a folder that `ecglm data build pages` made and finished")
    out: dict[tuple[str, str], str] = {}
    with open(path, encoding="utf-8") as file:
        for line, text in enumerate(file, 1):
            try:
                row = json.loads(text)
                source, record, image = str(row["source"]), str(row["record"]), str(row["image"])
            except (ValueError, KeyError, TypeError):
                raise ReadError(path, f"line {line} is no page", "make the folder again") from None
            out.setdefault((source if source in LICENCES else "", _number(record)), image)
    return out


def _number(record: str) -> str:
    return re.sub(r"_[hl]r$", "", Path(record).stem).lstrip("0")
