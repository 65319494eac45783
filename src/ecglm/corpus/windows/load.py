"""A folder that `build` made: its items, and the signal of each."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecglm.corpus.windows.item import ForecastItem
from ecglm.corpus.windows.source import read_window
from ecglm.errors import ReadError
from ecglm.records import Record


@dataclass(frozen=True)
class ForecastSet:
    """Items in the order of the manifest; root: the folder of the records; card: as JSON."""

    items: tuple[ForecastItem, ...]
    root: Path
    card: dict[str, Any]

    def signal(self, item: ForecastItem) -> Record:
        """The window of an item, to before stop_s. Raises ReadError."""
        return read_window(self.root, item.record, item.start_s, item.stop_s)


def load(folder: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> ForecastSet:
    """root: where the records lie now, if they were moved. Raises ReadError for a folder that is not finished or was altered."""
    place = Path(folder)
    try:
        card = json.loads((place / "card.json").read_text(encoding="utf-8"))
        request = json.loads((place / "request.json").read_text(encoding="utf-8"))
        text = (place / "manifest.jsonl").read_bytes()
    except (OSError, ValueError) as problem:
        raise ReadError(place, f"it holds no finished forecasting set ({problem})",
                        "make it with `ecglm data build forecast`") from None
    if hashlib.sha256(text).hexdigest() != card["manifest_sha256"]:
        raise ReadError(place / "manifest.jsonl", "it is not the file of its card", "build the set again")
    items = tuple(ForecastItem.from_dict(json.loads(line)) for line in text.splitlines())
    return ForecastSet(items, Path(request["root"] if root is None else root), card)
