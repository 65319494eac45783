"""A report as it is written in any format: sections of blocks of sentences, each with what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["fixed", "record", "measurement", "finding", "passage", "user", "model", "quoted"]
Tone = Literal["", "soft", "warn", "strong"]


@dataclass(frozen=True)
class Sentence:
    """Words of a report. kind: what they rest on: fixed text, the record's facts, a measurement, a finding, a cited passage,
    text of the user, an answer of the model, or an English sentence that is quoted. ref: which one. mark: number on the page."""

    text: str
    kind: Kind = "fixed"
    ref: str = ""
    tone: Tone = ""
    mark: str = ""


@dataclass(frozen=True)
class Pairs:
    """Labels with values."""

    rows: tuple[tuple[str, Sentence], ...]
    type: str = "pairs"


@dataclass(frozen=True)
class Paragraph:
    """Sentences that follow one another."""

    sentences: tuple[Sentence, ...]
    type: str = "paragraph"


@dataclass(frozen=True)
class Cell:
    """Lines of a table's cell. bar: a share from 0 to 1, drawn."""

    lines: tuple[Sentence, ...] = ()
    bar: float | None = None


@dataclass(frozen=True)
class Table:
    """align: one of l, r per column. widths: shares of the width where they are not left to the contents. The last cell of a
    row that has fewer than the head spans the rest."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    align: str
    widths: tuple[float, ...] = ()
    type: str = "table"


@dataclass(frozen=True)
class Items:
    """A list; each item is one or several sentences."""

    items: tuple[tuple[Sentence, ...], ...]
    ordered: bool = False
    type: str = "items"


@dataclass(frozen=True)
class Figure:
    """The drawn ECG page."""

    caption: tuple[Sentence, ...]
    alternative: str
    type: str = "figure"


Block = Pairs | Paragraph | Table | Items | Figure


@dataclass(frozen=True)
class Section:
    """A titled part."""

    key: str
    title: str
    blocks: tuple[Block, ...]

    def to_dict(self) -> dict[str, Any]:
        """Its sentences with what they rest on."""
        return {"key": self.key, "title": self.title,
                "sentences": [{"text": s.text, "kind": s.kind, "ref": s.ref} for s in sentences(self)]}


@dataclass(frozen=True)
class Document:
    """The whole report in one language."""

    language: str
    title: str
    notice: str
    sections: tuple[Section, ...]
    footer: tuple[Sentence, ...]

    def lines(self) -> list[str]:
        """The finished text, a line per label and value, sentence or row of a table."""
        out = [self.title, self.notice]
        for section in self.sections:
            out.append(section.title)
            for block in section.blocks:
                out += _lines(block)
        return [*out, *(sentence.text for sentence in self.footer)]


def _lines(block: Block) -> list[str]:
    match block:
        case Pairs():
            return [_pair_line(label, value) for label, value in block.rows]
        case Paragraph():
            return [sentence.text for sentence in block.sentences]
        case Table():
            return [" | ".join(block.head), *("\n".join(_row_lines(row)) for row in block.rows)]
        case Items():
            return [sentence.text for item in block.items for sentence in item]
        case Figure():
            return [sentence.text for sentence in block.caption]


def _pair_line(label: str, value: Sentence) -> str:
    return f"{label}: {value.text}"


def _row_lines(row: tuple[Cell, ...]) -> list[str]:
    """The first lines of a row's cells on one line, what else they hold on lines of its own."""
    first = " | ".join(cell.lines[0].text for cell in row if cell.lines)
    return [first, *(line.text for cell in row for line in cell.lines[1:])]


def sentences(section: Section) -> Iterator[Sentence]:
    """Every sentence of a section."""
    for block in section.blocks:
        match block:
            case Pairs():
                yield from (value for _, value in block.rows)
            case Paragraph():
                yield from block.sentences
            case Table():
                yield from (line for row in block.rows for cell in row for line in cell.lines)
            case Items():
                yield from (sentence for item in block.items for sentence in item)
            case Figure():
                yield from block.caption


def without(document: Document, texts: frozenset[str]) -> Document:
    """The document without the lines (`Document.lines`) that are among these: sentences, labels with their values, rows of tables
    by their first line; empty items go too."""

    def kept(block: Block) -> Block:
        if isinstance(block, Paragraph):
            return replace(block, sentences=tuple(s for s in block.sentences if s.text not in texts))
        if isinstance(block, Items):
            left = (tuple(s for s in item if s.text not in texts) for item in block.items)
            return replace(block, items=tuple(item for item in left if item))
        if isinstance(block, Pairs):
            return replace(block, rows=tuple(row for row in block.rows if _pair_line(*row) not in texts))
        if isinstance(block, Table):
            rows = tuple(tuple(replace(cell, lines=tuple(s for s in cell.lines if s.text not in texts)) for cell in row)
                         for row in block.rows if _row_lines(row)[0] not in texts)
            return replace(block, rows=rows)
        return block

    sections = tuple(replace(s, blocks=tuple(kept(block) for block in s.blocks)) for s in document.sections)
    return replace(document, sections=sections)
