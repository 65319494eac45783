"""What the XML formats share: a document built anew, in which no text of the source stands unless `Case` let it.

Comments, processing instructions, CDATA marks, namespaces, unknown elements and attributes
have no way into it. Samples are decoded and encoded again.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from numpy.typing import NDArray

from ecglm.records.deidentify.case import COUNT, Case, Written
from ecglm.records.xmltree import Element, unbase64

Node = ElementTree.Element
_ASIDE = {"comment": re.compile(r"<!--(.*?)-->", re.S), "processing instruction": re.compile(r"<\?(?!xml\s)(.*?)\?>", re.S)}


class Document:
    """A document in the making, and which parts of the source have been used for it."""

    def __init__(self, case: Case, source: Element, attributes: dict[str, str]) -> None:
        self.case = case
        self.source = source
        self.root = ElementTree.Element(case.say(source.name), {key: case.say(value) for key, value in attributes.items()})
        self._used: dict[int, set[str]] = {id(source): set(attributes)}
        self._samples: list[tuple[Node, str]] = []

    def add(self, parent: Node, name: str, text: str | None = "", **attributes: str | None) -> Node:
        """An element of fixed name with a text and attributes that `Case` has let through; None leaves one out."""
        given = {self.case.say(key.replace("__", ":")): value for key, value in attributes.items() if value is not None}
        node = ElementTree.SubElement(parent, self.case.say(name), given)
        node.text = text or None
        return node

    def use(self, source: Element, *attributes: str) -> None:
        """Say that the text and these attributes of a source element went into the document."""
        self._used.setdefault(id(source), set()).update(attributes)

    def numbers(self, parent: Node, source: Element, *names: str, digits: int = 5, **attributes: str) -> None:
        """Copy children that hold one number of so many digits; fixed attributes go with each."""
        for name in names:
            found = source.first(name)
            text = None if found is None else self.case.number(found.text, digits)
            if found is not None and text is not None:
                self.use(found, *attributes)
                self.add(parent, name, text, **{key: self.case.say(value) for key, value in attributes.items()})

    def choice(self, parent: Node, source: Element, name: str, *allowed: str) -> None:
        """Copy a child whose text is one of a few words."""
        found = source.first(name)
        if found is not None and (word := one_of(found.text, allowed)) is not None:
            self.use(found)
            self.add(parent, name, self.case.say(word))

    def attributes(self, source: Element, numeric: Iterable[str] = (), **allowed: tuple[str, ...]) -> dict[str, str]:
        """Attributes that are numbers, or one of a few words."""
        found: dict[str, str] = {}
        for key in (*numeric, *allowed):
            given = source.get(key)
            digits = COUNT if key.startswith("duration") else 5
            value = one_of(given, allowed[key]) if key in allowed else self.case.number(given, digits)
            if given and value is not None:
                found[key] = self.case.say(value) if key in allowed else value
                self.use(source, key)
        return found

    def base64(self, node: Node, source: Element, raw: bytes) -> None:
        """Samples as base64 of bytes that the caller has cut to their length."""
        self.use(source)
        self._samples.append((node, base64.b64encode(raw).decode("ascii")))

    def list(self, node: Node, source: Element, values: NDArray[Any], separator: str) -> None:
        """Samples as a list of numbers."""
        self.use(source)
        self._samples.append((node, separator.join(map(str, values.tolist()))))

    def write(self, folder: Path) -> Written:
        """Put the document into the folder, and account for the rest of the source."""
        self._drop_rest()
        ElementTree.indent(self.root)
        text = ElementTree.tostring(self.root, encoding="UTF-8", xml_declaration=True)
        for node, samples in self._samples:
            node.text = samples
        self.case.kept.add("samples")
        main = f"{self.case.name}.xml"
        ElementTree.ElementTree(self.root).write(folder / main, encoding="UTF-8", xml_declaration=True)
        self.case.say("<?xml version='1.0' encoding='UTF-8'?>")
        return Written(main, text)

    def _drop_rest(self) -> None:
        stack = [self.source]
        while stack:
            element = stack.pop()
            used = self._used.get(id(element))
            if used is None and element.text.strip():
                self.case.drop(element.name, element.text, authored=True)
            for key, value in element.attributes.items():
                if value.strip() and key not in (used or ()) and key != "xmlns":
                    self.case.drop(f"{element.name}@{key}", value, authored=True)
            stack.extend(element.children)
        with open(self.case.path, "rb") as stream:
            raw = stream.read()
        wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
        text = raw.decode("utf-16" if wide else "utf-8", "replace")
        for what, pattern in _ASIDE.items():
            for aside in pattern.findall(text):
                self.case.drop(what, aside)


def one_of(text: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that a text is, whatever its case."""
    return {word.lower(): word for word in allowed}.get(text.strip().lower())


def bytes_of(source: Element) -> bytes | None:
    """The bytes of a base64 text, or None."""
    try:
        return unbase64(source.text) or None
    except (binascii.Error, ValueError):
        return None


def plain(value: float) -> str:
    """A measurement as text."""
    return f"{value:g}"


def ids(*found: Element | None) -> list[str]:
    """The texts of elements that may say who it is."""
    return [element.text.strip() for element in found if element is not None]
