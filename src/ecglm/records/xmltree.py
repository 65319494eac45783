"""XML of an unknown author → a small tree, with expat of the standard library.

No entity may be declared, nothing outside the file is fetched, and size, depth, number of
elements and attributes, and the length of a tag are limited before the tree grows. Namespaces are dropped: each ECG format has
one, and exporters disagree about its prefix.
"""

from __future__ import annotations

import base64
import codecs
import re
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError
from ecglm.records.channels import clean
from ecglm.records.request import checked_size

#: With these limits no file takes more than 512 MB to read (tests/records/test_memory.py).
MAX_XML_BYTES = 48 << 20  #: an aECG of 12 leads for half an hour
MAX_ELEMENTS = 120_000  #: a cart's export has some thousands
MAX_ATTRIBUTES = 1000  #: of one element; of all twice the number of elements
MAX_TAG_BYTES = 1 << 20  #: a tag, comment or declaration, which expat keeps whole
MAX_DEPTH = 64  #: HL7 aECG, the deepest, needs about 20

_CHUNK = 1 << 16
_NAMES_KEPT = 4096  #: spellings of element names whose local part is remembered
_PIECE = 1 << 20  #: characters of a list of numbers parsed at a time
_DAMAGED = "it is damaged; get it again"
_BLANK = b" \t\r\n"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([\w.-]+)")


class Element:
    """One element: its name without namespace, attributes, own text, children."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""

    def get(self, key: str) -> str:
        """An attribute, "" when absent."""
        return self.attributes.get(key, "").strip()

    def all(self, path: str) -> list[Element]:
        """The elements at a path of child names, such as ``component/series``."""
        found = [self]
        for name in path.split("/"):
            found = [child for parent in found for child in parent.children if child.name == name]
        return found

    def first(self, path: str) -> Element | None:
        """The first element at a path of child names."""
        found = self.all(path)
        return found[0] if found else None

    def say(self, path: str) -> str:
        """The text of the first element at a path, "" when absent or empty."""
        found = self.first(path)
        return found.text.strip() if found is not None else ""

    def number(self, path: str) -> float | None:
        """The number at a path, or None when it is absent or none (``Failed``, ``Indeterminate``)."""
        return number(self.say(path))

    def walk(self, *names: str) -> Iterator[Element]:
        """Every descendant with one of these names, in document order."""
        stack = list(reversed(self.children))
        while stack:
            element = stack.pop()
            if element.name in names:
                yield element
            stack.extend(reversed(element.children))

    def find(self, *names: str) -> Element | None:
        """The first descendant with one of these names."""
        return next(self.walk(*names), None)


def number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None


def numbers(text: str, path: str, what: str, separator: str = " ") -> NDArray[Any]:
    """A list of numbers as one array, int32 or float64. Raises ReadError when anything in it is no number."""
    body = text.strip().rstrip(separator)
    if not body:
        return np.empty(0)
    cut = re.compile(r"\s" if separator == " " else re.escape(separator))
    pieces = []
    at = 0
    while at < len(body):
        found = cut.search(body, min(at + _PIECE, len(body)), at + 2 * _PIECE)
        end = found.start() if found else len(body)
        piece = _piece(body[at:end].strip(), separator) if end - at <= 2 * _PIECE else None
        if piece is None:
            raise ReadError(path, f"the samples of {clean(what)} are not a list of numbers", _DAMAGED)
        pieces.append(piece)
        at = end + 1
    return np.concatenate(pieces)


def _piece(body: str, separator: str) -> NDArray[Any] | None:
    """The numbers of a part of a list, in half the memory where they are integers; None when some are no numbers."""
    if not body:
        return np.empty(0, np.int32) if separator == " " else None
    many = _parts(body, separator)
    with warnings.catch_warnings():  # numpy warns, rather than raises, where the text stops being numbers
        warnings.simplefilter("ignore")
        try:  # integers are the rule, and are parsed in half the time
            integers = np.fromstring(body, np.int64, sep=separator)
            if len(integers) == many and integers.min() > -(1 << 31) and integers.max() < 1 << 31:
                return integers.astype(np.int32)
        except ValueError:
            pass
        try:
            values = np.fromstring(body, np.float64, sep=separator)
        except ValueError:
            return None
    if len(values) != many:
        return None
    whole = np.abs(values).max() < 1 << 31 and bool((np.rint(values) == values).all())
    return values.astype(np.int32) if whole else values


def unbase64(text: str) -> bytes:
    """The bytes that a text stands for. Raises binascii.Error or ValueError.

    Blanks go out without a list of the parts between them, which is many times the text.
    """
    return base64.b64decode(text.encode("ascii").translate(None, b" \t\r\n"), validate=True)


def _parts(body: str, separator: str) -> int:
    """How many parts a text has, without making them (a list of strings is ten times the text)."""
    if separator != " ":
        return body.count(separator) + 1
    blank = np.frombuffer(body.encode("utf-8", "replace"), np.uint8) <= ord(" ")
    return int(np.count_nonzero(blank[:-1] & ~blank[1:])) + 1


def parse(path: str, root: str) -> Element:
    """The tree of an XML file whose outermost element is named root. Raises ReadError."""
    checked_size(path, MAX_XML_BYTES, "XML", "export a shorter part of the recording")
    with open(path, "rb") as stream:
        top = _build(path, stream)
    if top.name != root:
        raise ReadError(path, f"its outermost element is <{clean(top.name)}> where <{root}> was expected", _DAMAGED)
    return top


def _build(path: str, stream: BinaryIO) -> Element:
    parser = expat.ParserCreate(_encoding(stream))
    parser.buffer_text = True
    parser.buffer_size = _CHUNK  # of samples in one text, that is few calls
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    outermost = Element("", {})
    open_elements = [outermost]
    text: list[str] = []  # of the innermost open element
    texts: list[list[str]] = []  # of those around it
    local: dict[str, str] = {}
    seen = described = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal seen, described, text
        seen += 1
        if attributes:
            described += len(attributes)
        if described > 2 * MAX_ELEMENTS or len(attributes) > MAX_ATTRIBUTES:
            raise ReadError(
                path,
                f"its XML has more than {MAX_ATTRIBUTES} attributes in an element or {2 * MAX_ELEMENTS} in all",
                "no ECG needs that; get it again",
            )
        if seen > MAX_ELEMENTS or len(open_elements) > MAX_DEPTH:
            raise ReadError(
                path,
                f"its XML has more than {MAX_ELEMENTS} elements or is deeper than {MAX_DEPTH}",
                "no ECG needs that; get it again",
            )
        short = local.get(name)
        if short is None:
            short = name.rpartition(":")[2]
            if len(local) < _NAMES_KEPT:
                local[name] = short
        element = Element(short, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)
        texts.append(text)
        text = []

    def end(name: str) -> None:
        nonlocal text
        open_elements.pop().text = "".join(text)
        text = texts.pop()

    def said(part: str) -> None:
        text.append(part)

    def entity(*declaration: object) -> None:
        raise ReadError(path, "its XML declares entities, which are never expanded", "export it again without a DTD")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = said
    parser.EntityDeclHandler = entity
    try:
        stream.seek(0)
        fed = 0
        chunk = stream.read(_CHUNK).lstrip(_BLANK)
        while chunk and fed < MAX_XML_BYTES:
            parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > MAX_TAG_BYTES:  # what expat keeps until it ends
                raise ReadError(path, f"its XML has a tag or comment of more than {MAX_TAG_BYTES} bytes", _DAMAGED)
            chunk = stream.read(_CHUNK)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as problem:  # the last two: an encoding that Python refuses
        raise ReadError(path, f"its XML is not well-formed ({clean(str(problem), 60)})", _DAMAGED) from None
    return outermost.children[0]


def _encoding(stream: BinaryIO) -> str | None:
    """The encoding to use instead of the declared one, where that is known to be wrong."""
    head = stream.read(_CHUNK).lstrip(_BLANK)
    found = _DECLARED.match(head[:200].removeprefix(b"\xef\xbb\xbf"))
    declared = found[1].lower() if found else b"utf-8"
    if declared.startswith(b"utf-16") and head[:2] not in _UTF16_MARKS:
        return "utf-8"  # converted by a database that left the declaration alone
    if declared in (b"utf-8", b"utf8") and head[:2] not in _UTF16_MARKS:
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = stream.read(_CHUNK)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            return "iso-8859-1"  # a name with an umlaut in the exporter's own encoding
    return None
