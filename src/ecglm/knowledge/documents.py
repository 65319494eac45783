"""Documents of the user as text: PDF (extra `knowledge`), Markdown, HTML and plain text. Hostile until parsed: sizes are
checked first, no markup runs, and what cannot be shown is taken out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from ecglm.errors import ReadError
from ecglm.knowledge.words import sentences

MAX_BYTES, MAX_PAGES, MAX_CHARACTERS = 50_000_000, 2_000, 10_000_000
#: Characters of a passage, about.
PASSAGE = 700
SUFFIXES = (".pdf", ".md", ".markdown", ".txt", ".html", ".htm")
_UNSHOWN = ("Cc", "Cf", "Cs", "Co")
#: Between the heading that a passage stands under and its text.
HEADED = "\n"
#: Characters and words of a heading at most.
_HEADING, _HEADING_WORDS = 80, 10
#: Begins a line that markup says to be a heading.
_MARKED = "\N{SECTION SIGN}\N{SECTION SIGN} "
#: Marks of headings, quotes, lists and emphasis in Markdown.
_MARKS = re.compile(r"^\s{0,3}(?:#+|>|[-*+]|\d+\.)\s+|[*_`]{1,3}(?=\w)|(?<=\w)[*_`]{1,3}", re.M)


@dataclass(frozen=True)
class Document:
    """A file that passed the checks. pages: of a PDF; other formats are one page."""

    path: Path
    data: bytes
    title: str
    pages: int
    pdf: Any = None

    def page(self, number: int) -> list[str]:
        """The passages of a page (from 0), each after its heading and `HEADED` where it stands under one. Raises ReadError when
        the page cannot be read."""
        return list(_passages(_clean(self._text(number))))

    def _text(self, number: int) -> str:
        if self.pdf is None:
            return _decoded(self.path, self.data)[0]
        try:
            return str(self.pdf.pages[number].extract_text())[:MAX_CHARACTERS]
        except Exception as error:  # pypdf raises what the page makes it stumble over
            raise ReadError(self.path, f"page {number + 1} cannot be read ({type(error).__name__})",
                            "save it anew from a PDF viewer") from error


def open_document(path: str | Path, title: str | None = None) -> Document:
    """Check a file and open it. Raises ReadError that says what to do."""
    file = Path(path)
    if file.suffix.lower() not in SUFFIXES:
        raise ReadError(file, "not a kind of document that can be added", f"give one of {', '.join(SUFFIXES)}")
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ReadError(file, f"larger than {MAX_BYTES // 1_000_000} MB", "split it")
        data = file.read_bytes()
    except FileNotFoundError:
        raise ReadError(file, "no such file", "check the path") from None
    except OSError as error:
        raise ReadError(file, f"cannot be read ({error.strerror})", "check the path and its permissions") from None
    if file.suffix.lower() == ".pdf":
        pdf = _pdf(file)
        return Document(file, data, _title(title, file.stem), len(pdf.pages), pdf)
    return Document(file, data, _title(title, _decoded(file, data)[1] or file.stem), 1)


def _title(given: str | None, found: str) -> str:
    return " ".join(_clean(given or found).split())[:200] or "untitled"


def _pdf(file: Path) -> Any:
    try:
        import pypdf
    except ImportError:
        raise ReadError(file, "reading PDF needs pypdf", "pip install 'ecglm[knowledge]'") from None
    try:
        pdf = pypdf.PdfReader(file)
        encrypted, count = pdf.is_encrypted, 0 if pdf.is_encrypted else len(pdf.pages)
    except Exception as error:  # pypdf raises what the file makes it stumble over
        raise ReadError(file, f"not a PDF that can be read ({type(error).__name__})", "save it anew from a PDF viewer") from error
    if encrypted:
        raise ReadError(file, "encrypted", "save a copy without a password")
    if not 0 < count <= MAX_PAGES:
        raise ReadError(file, f"has {count} pages", f"give 1 to {MAX_PAGES:,}")
    return pdf


def _decoded(file: Path, data: bytes) -> tuple[str, str]:
    """Text and title ("" without one) of a text file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ReadError(file, "not UTF-8 text", "save it as UTF-8") from None
    if len(text) > MAX_CHARACTERS or "\0" in text:
        raise ReadError(file, f"not text, or longer than {MAX_CHARACTERS:,} characters", "split it")
    if file.suffix.lower() in (".html", ".htm"):
        parser = _Html()
        parser.feed(text)
        return "".join(parser.text), " ".join("".join(parser.title).split())
    if file.suffix.lower() in (".md", ".markdown"):
        head = re.search(r"^#+\s+(.+)$", text, re.M)
        plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)  # links and pictures as their text
        plain = re.sub(r"^\s{0,3}#+\s+(.+?)[\s#]*$", rf"\n{_MARKED}\1\n", plain, flags=re.M)
        return _MARKS.sub("", plain), _MARKS.sub("", head[1]) if head else ""
    return text, ""


class _Html(HTMLParser):
    """Text of a page; scripts, styles and what is no text are left out."""

    _SKIPPED = ("script", "style", "template", "noscript", "svg")
    _BLOCKS = ("p", "div", "li", "tr", "br", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "td")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.title: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in (*self._SKIPPED, "title"):
            self._open.append(tag)
        elif tag in self._BLOCKS:
            self.text.append(f"\n\n{_MARKED}" if re.fullmatch(r"h[1-6]", tag) else "\n\n")

    def handle_endtag(self, tag: str) -> None:
        if re.fullmatch(r"h[1-6]", tag):
            self.text.append("\n\n")
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._open:
            self.text.append(data)
        elif self._open == ["title"]:
            self.title.append(data)


def _clean(text: str) -> str:
    return "".join(" " if unicodedata.category(c) in _UNSHOWN and c != "\n" else c for c in text)


def _passages(text: str) -> Iterator[str]:
    """Whole sentences, a paragraph or several up to about `PASSAGE` characters; what is longer is cut between words. A heading
    ends a passage and goes before the next ones; one without text, but for the first, is a passage itself."""
    held, head, bare = "", "", ""

    def done() -> Iterator[str]:
        if any(c.isalnum() for c in held):
            yield f"{head}{HEADED}{held}" if head else held
        elif bare:
            yield bare

    for number, (paragraph, heading) in enumerate(_paragraphs(text)):
        if heading:
            yield from done()
            held, head, bare = "", paragraph, paragraph if number else ""
            continue
        bare = ""
        for sentence in sentences(paragraph):
            for piece in _cut(sentence):
                if held and len(held) + len(piece) > PASSAGE:
                    yield from done()
                    held = ""
                held = f"{held} {piece}" if held else piece
        if len(held) > PASSAGE // 2:
            yield from done()
            held = ""
    yield from done()


def _paragraphs(text: str) -> Iterator[tuple[str, bool]]:
    """Each paragraph on one line, and whether it is a heading: by markup, or a short line that ends no sentence, stands where
    one may begin, and is followed by another beginning."""
    held: list[str] = []
    lines = [line.strip() for line in text.split("\n")]
    for i, line in enumerate(lines):
        follows = next((other for other in lines[i + 1:] if other), "")
        heading = line.startswith(_MARKED) or ((not held or held[-1][-1:] in ".!?") and _looks_like_heading(line, follows))
        if held and (heading or not line):
            yield " ".join(held), False
            held = []
        if heading:
            yield line.removeprefix(_MARKED).strip(), True
        elif line:
            held.append(line)
    if held:
        yield " ".join(held), False


def _looks_like_heading(line: str, follows: str) -> bool:
    begins = line[:1].isupper() or line[:1].isdigit()
    ends = line[-1:].isalnum() or line.endswith(")")
    next_begins = follows[:1].isupper() and len(follows) > len(line)
    return begins and ends and next_begins and len(line) <= _HEADING and len(line.split()) <= _HEADING_WORDS


def _cut(sentence: str) -> list[str]:
    pieces, rest = [], sentence
    while len(rest) > PASSAGE:
        at = rest.rfind(" ", PASSAGE // 2, PASSAGE)
        at = PASSAGE if at < 0 else at
        pieces.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [*pieces, rest]
