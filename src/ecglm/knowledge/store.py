"""Documents that the user added, in one SQLite file: ``$ECGLM_KNOWLEDGE/documents.sqlite``, else
``~/.local/share/ecglm/knowledge/documents.sqlite``.

Adding goes page by page, each in a transaction; an interrupted one goes on where it stopped when the same file is added again,
and until then nothing of it is found. A document with a page that cannot be read is not added at all. Other documents are not
touched.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecglm.errors import ReadError, UsageError
from ecglm.knowledge.documents import HEADED, Document, open_document
from ecglm.knowledge.retrieve import Passage

MAX_PASSAGES = 50_000
_SCHEMA = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS document (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, title TEXT NOT NULL, file TEXT NOT NULL,
  pages INTEGER NOT NULL, read INTEGER NOT NULL DEFAULT 0, added TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS passage (document INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE, number INTEGER NOT NULL,
  page INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (document, number)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Added:
    """A document of the store. complete: all pages are in it; only then is it searched."""

    id: int
    title: str
    file: str
    pages: int
    passages: int
    complete: bool
    added: str

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self)}


def store_path() -> Path:
    """Where the documents are."""
    root = os.environ.get("ECGLM_KNOWLEDGE") or Path.home() / ".local" / "share" / "ecglm" / "knowledge"
    return Path(root) / "documents.sqlite"


@contextmanager
def _open(create: bool = False) -> Iterator[sqlite3.Connection | None]:
    """The store; None where there is none and none is to be made. Raises ReadError when the file is something else."""
    path = store_path()
    if not create and not path.is_file():
        yield None
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=30)
    except (OSError, sqlite3.Error) as error:
        raise ReadError(path, f"cannot be opened ({error})", "set ECGLM_KNOWLEDGE to a folder that can be written") from None
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _SCHEMA):
            raise ReadError(path, f"made by another version of ecglm (schema {version})",
                            "move it away and add the documents again")
        connection.executescript(f"{_TABLES} PRAGMA user_version = {_SCHEMA};")
        yield connection
    except sqlite3.Error as error:
        raise ReadError(path, f"not a usable store of documents ({error})", "move it away and add the documents again") from None
    finally:
        connection.close()


def add(path: str | Path, title: str | None = None, progress: Callable[[int, int], None] | None = None) -> Added:
    """Add a document; one that is there already is left as it is. progress(pages read, pages) is called after each page."""
    document = open_document(path, title)
    digest = hashlib.sha256(document.data).hexdigest()
    with _open(create=True) as store:
        assert store is not None
        with store:
            store.execute("INSERT OR IGNORE INTO document (sha256, title, file, pages, added) VALUES (?, ?, ?, ?, ?)",
                          (digest, document.title, document.path.name[:200], document.pages,
                           datetime.now(UTC).isoformat(timespec="seconds")))
        number, read = store.execute("SELECT id, read FROM document WHERE sha256 = ?", (digest,)).fetchone()
        try:
            for page in range(read, document.pages):
                _add_page(store, document, number, page)
                if progress is not None:
                    progress(page + 1, document.pages)
            if not store.execute("SELECT 1 FROM passage WHERE document = ?", (number,)).fetchone():
                raise ReadError(document.path, "holds no text", "a scanned document needs text recognition (OCR) first")
        except ReadError:  # it would stop there every time
            with store:
                store.execute("DELETE FROM document WHERE id = ?", (number,))
            raise
    return next(one for one in documents() if one.id == number)


def _add_page(store: sqlite3.Connection, document: Document, number: int, page: int) -> None:
    """A page's passages and the mark that it was read, together or not at all."""
    passages = document.page(page)
    with store:
        store.execute("BEGIN IMMEDIATE")
        if store.execute("SELECT read FROM document WHERE id = ?", (number,)).fetchone() != (page,):
            return  # another process was faster
        first = store.execute("SELECT COUNT(*) FROM passage WHERE document = ?", (number,)).fetchone()[0]
        if first + len(passages) > MAX_PASSAGES:
            raise ReadError(document.path, f"more than {MAX_PASSAGES:,} passages", "split it")
        store.executemany("INSERT INTO passage VALUES (?, ?, ?, ?)",
                          [(number, first + i, page + 1, text) for i, text in enumerate(passages)])
        store.execute("UPDATE document SET read = ? WHERE id = ?", (page + 1, number))


def documents() -> list[Added]:
    """What was added, oldest first."""
    with _open() as store:
        rows = [] if store is None else store.execute(
            "SELECT id, title, file, pages, (SELECT COUNT(*) FROM passage WHERE document = id), read >= pages, added "
            "FROM document ORDER BY id").fetchall()
    return [Added(number, title, file, pages, count, bool(complete), added)
            for number, title, file, pages, count, complete, added in rows]


def remove(number: int) -> Added:
    """Remove a document with all of its passages; returns what it was. Raises UsageError when there is none."""
    found = next((one for one in documents() if one.id == number), None)
    if found is None:
        raise UsageError(f"there is no document {number}; `ecglm knowledge list` shows their numbers")
    with _open() as store:
        if store is not None:
            with store:
                store.execute("DELETE FROM document WHERE id = ?", (number,))
    return found


def passages() -> list[Passage]:
    """The passages of every complete document, with title and page as their citation."""
    with _open() as store:
        rows = [] if store is None else store.execute(
            "SELECT document.id, number, title, file, pages, page, text, sha256 "
            "FROM passage JOIN document ON document = document.id WHERE read >= pages ORDER BY document.id, number").fetchall()
    return [Passage(f"doc{number}.{index}", f"{title}: {head}" if head and head != title else title, said,
                    (f"{title} ({file}), page {page}" if pages > 1 else f"{title} ({file})",), group=sha256)
            for number, index, title, file, pages, page, text, sha256 in rows for head, said in [_parted(text)]]


def _parted(text: str) -> tuple[str, str]:
    """Heading ("" without one) and text of a stored passage."""
    head, mark, said = text.partition(HEADED)
    return (head, said) if mark else ("", text)
