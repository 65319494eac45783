"""The knowledge base: typed entries about ECG findings, with citations, linked as a graph.

Entries are YAML files in `entries/`, one per topic; `sources.yaml` holds what they cite. The kind of an entry is the first
part of its id ("criterion.lbbb"), and the relation of a link is the kind of what it points to. Ids never change; `VERSION`
grows with every change of content, and `Base.digest` names the exact content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

from ecglm.errors import ConfigError, UsageError
from ecglm.knowledge.statements import BY_KEY

VERSION = 2
#: What an entry can be.
KINDS = ("finding", "criterion", "differential", "cause", "action", "range", "pitfall", "definition")
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Source:
    """A guideline, standard or article. short: how texts cite it; doi may be empty."""

    key: str
    authors: str
    title: str
    year: int
    where: str
    short: str
    doi: str = ""

    def __str__(self) -> str:
        return f"{self.short}, {self.doi}" if self.doi else self.short

    @property
    def full(self) -> str:
        """The whole reference."""
        doi = f", doi:{self.doi}" if self.doi else ""
        return f"{self.authors} {self.title}. {self.where}, {self.year}{doi}"


@dataclass(frozen=True)
class Citation:
    """A source, and the section of it where that is sure."""

    source: Source
    section: str = ""

    def __str__(self) -> str:
        return f"{self.source}, section {self.section}" if self.section else str(self.source)


@dataclass(frozen=True)
class Entry:
    """One piece of knowledge.

    statements: keys of `ecglm.knowledge.statements` that it explains; rhythms: names `ecglm.signal.rhythm_name` gives; measures:
    fields of `Measurements`; causes: of `LeadProblem`. scp, icd10 (WHO), hpo: codes; snomed: SNOMED CT, those of the
    statements included. range, note: see `ecglm.knowledge.ranges`. urgent: of an action
    that may not wait.
    """

    id: str
    title: str
    text: str
    links: tuple[str, ...]
    citations: tuple[Citation, ...]
    aliases: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    rhythms: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    scp: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    icd10: tuple[str, ...] = ()
    hpo: tuple[str, ...] = ()
    range: Mapping[str, Any] | None = None
    note: str = ""
    urgent: bool = False

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return self.id.split(".")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called: title, aliases, and the names of its statements and rhythms."""
        return tuple(dict.fromkeys((self.title, *self.aliases, *(BY_KEY[key].name for key in self.statements), *self.rhythms)))

    def to_dict(self) -> dict[str, Any]:
        """The object that ``ecglm knowledge show --json`` prints."""
        return {"id": self.id, "kind": self.kind, "title": self.title, "text": self.text, "links": list(self.links),
                "citations": [{"text": str(c), "reference": c.source.full, "section": c.section or None} for c in self.citations],
                "aliases": list(self.aliases),
                "codes": {"scp": list(self.scp), "snomed": list(self.snomed), "icd10": list(self.icd10), "hpo": list(self.hpo)}}


class Base:
    """All entries by id, and the graph they form. Order is that of the files."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = {entry.id: entry for entry in entries}
        self._back: dict[str, list[str]] = {name: [] for name in self.entries}
        for entry in self.entries.values():
            for target in entry.links:
                self._back[target].append(entry.id)

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, name: str) -> Entry:
        """The entry of this id. Raises UsageError when there is none."""
        if name not in self.entries:
            from ecglm.config import closest

            raise UsageError(f"the knowledge base has no entry {name!r}; {closest(name, self.entries)}")
        return self.entries[name]

    def neighbours(self, name: str, *kinds: str, back: bool = False) -> tuple[Entry, ...]:
        """What an entry links to, of these kinds or of all; with back, also what links to it."""
        targets = dict.fromkeys((*self.get(name).links, *(self._back[name] if back else ())))
        return tuple(entry for target in targets if (entry := self.entries[target]).kind in kinds or not kinds)

    def neighbourhood(self, name: str, steps: int = 1) -> dict[str, int]:
        """Ids within so many links of an entry, in either direction, with their distance; the entry itself has 0."""
        distance = {self.get(name).id: 0}
        edge = [name]
        for step in range(1, steps + 1):
            near = [other.id for here in edge for other in self.neighbours(here, back=True) if other.id not in distance]
            distance |= dict.fromkeys(near, step)
            edge = list(dict.fromkeys(near))
        return distance

    def of_statement(self, key: str) -> Entry | None:
        """The finding entry that explains a statement ("form:STD"); None for other words."""
        return self._statements.get(key)

    def of_code(self, code: str) -> tuple[Entry, ...]:
        """The finding entries of an SCP-ECG code."""
        return tuple(entry for entry in self.entries.values() if entry.kind == "finding" and code.upper() in entry.scp)

    @cached_property
    def _statements(self) -> dict[str, Entry]:
        return {key: entry for entry in self.entries.values() if entry.kind == "finding" for key in entry.statements}

    @cached_property
    def digest(self) -> str:
        """The first 16 hex digits of the SHA-256 of all entries."""
        content = json.dumps([VERSION, *(entry.to_dict() for entry in self.entries.values())], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def load() -> Base:
    """The base of the package, read once. Raises ConfigError naming file and entry when a file was altered wrongly."""
    sources = {key: Source(key, item["authors"], item["title"], item["year"], item["in"], item["short"], item.get("doi", ""))
               for key, item in _read(_FOLDER / "sources.yaml").items()}
    files = sorted((_FOLDER / "entries").glob("*.yaml"))
    entries = [_entry(file, name, item, sources) for file in files for name, item in _read(file).items()]
    names = {entry.id for entry in entries}
    for entry in entries:
        for target in entry.links:
            if target not in names or target == entry.id:
                raise ConfigError(f"knowledge entry {entry.id} links to {target}, which is not another entry; correct its links")
    if len(names) < len(entries):
        raise ConfigError("two knowledge entries have the same id; rename one")
    return Base(entries)


def _read(file: Path) -> dict[str, Any]:
    """A file of the package. The loader in C is ten times as fast as `ecglm.config.read_yaml`, which is for files of users."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(file.read_text(encoding="utf-8"))
    try:
        data: dict[str, Any] = loader.get_single_data()
        return data
    finally:
        loader.dispose()


def _entry(file: Path, name: str, item: Mapping[str, Any], sources: Mapping[str, Source]) -> Entry:
    cites = [cite.partition("#") for cite in item["cite"]]
    known = {field.name for field in fields(Entry)} | {"cite"}
    unknown = [key for key in item if key not in known] + [key for key, _, _ in cites if key not in sources]
    if unknown or name.split(".")[0] not in KINDS:
        raise ConfigError(f"{file}: entry {name} has an unknown kind, key or source {unknown}; correct it")
    lists = {key: tuple(value) for key, value in item.items() if isinstance(value, list) and key != "cite"}
    statements = [key for key in lists.get("statements", ()) if key in BY_KEY]
    if len(statements) < len(lists.get("statements", ())):
        raise ConfigError(f"{file}: entry {name} names a statement that does not exist; correct it")
    codes = dict.fromkeys((*(code for key in statements for code in BY_KEY[key].snomed), *lists.pop("snomed", ())))
    return Entry(id=name, title=item["title"], text=item["text"], range=item.get("range"), note=item.get("note", ""),
                 urgent=item.get("urgent", False),
                 citations=tuple(Citation(sources[key], section) for key, _, section in cites), snomed=tuple(codes), **lists)
