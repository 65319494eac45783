"""Texts that must not survive, and the search for them in whatever a run leaves behind."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from ecglm.records import Record, read
from ecglm.records.deidentify import Key

NAME, FIRST, MRN, PHONE, SITE = "Quillfeather", "Zebulon", "MRN8829431", "0170-5551234", "Mercyvale"
BORN, SEEN = date(1931, 5, 17), date(2011, 12, 3)
#: A fixed key: of random names and dates, one in hundreds holds a short planted text by chance.
KEY = Key(bytes(32))
#: One text with all of them, for every field that takes text.
ALL = f"{NAME} {FIRST} {MRN} {PHONE} {SITE}"


def spellings(when: date) -> list[str]:
    forms = ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%m-%d-%Y", "%d-%b-%Y")
    return [f"{when:{form}}" for form in forms]


def assert_clean(folder: Path, *more: str) -> None:
    """No planted text is in the name or the bytes of any file below a folder, in any case or usual encoding."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not any(part.startswith(".partial-") for part in path.parts)
        raw = path.read_bytes().lower()
        for text in (NAME, FIRST, MRN, MRN[3:], PHONE, SITE, *spellings(BORN), *spellings(SEEN), *more):
            assert text.lower() not in str(path.relative_to(folder)).lower(), (path, text)
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                assert text.lower().encode(encoding) not in raw, (path, text, encoding)


def assert_same_signal(source: str | Path, target: str | Path) -> tuple[Record, Record]:
    old, new = read(source), read(target)
    np.testing.assert_array_equal(old.signal, new.signal)
    assert (old.fs, old.unit, old.leads) == (new.fs, new.unit, new.leads)
    assert (old.meta.sex, new.meta.device) == (new.meta.sex, None)
    return old, new
