"""A composed report as HTML, Markdown, LaTeX or Typst source: one document, one template per format.

Nothing in a value can become markup: every value is escaped for its format where the template prints it.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ecglm.reporting.document import Document, Table
from ecglm.reporting.language import language
from ecglm.reporting.view import clean

#: Characters that begin markup anywhere, links GitHub makes by itself, and marks at the start of a value.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]#!|~>@]|:(?=//)|(?<=www)\.|^[-+=])", re.IGNORECASE)
#: Numbers that would begin a list; "3.09 mV" does not.
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_TEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
        "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
        '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "-": "{-}", "−": r"\ensuremath{-}",
        "≥": r"\ensuremath{\ge}", "≤": r"\ensuremath{\le}", "↑": r"\ensuremath{\uparrow}", "↓": r"\ensuremath{\downarrow}",
        "→": r"\ensuremath{\rightarrow}", "±": r"\ensuremath{\pm}", "°": r"\textdegree{}"}
_HAN = re.compile(r"[\u2e80-\u312f\u3190-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")


@cache
def html_templates() -> Environment:
    """The templates of HTML pages: values are escaped, names that are not given are errors."""
    return Environment(loader=PackageLoader("ecglm.reporting"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, finalize=clean)


@cache
def _templates(escape: Callable[[str], str], tex: bool = False) -> Environment:
    def finalize(value: object) -> object:
        return Markup(escape(str(clean(value)))) if isinstance(value, str) and not isinstance(value, Markup) else value

    marks = {"block_start_string": r"\BLOCK{", "block_end_string": "}", "variable_start_string": r"\VAR{",
             "variable_end_string": "}", "comment_start_string": r"\#{", "comment_end_string": "}"} if tex else {}
    return Environment(loader=PackageLoader("ecglm.reporting"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, finalize=finalize, **marks)  # type: ignore[arg-type]


def to_html(document: Document, png: bytes | None) -> str:
    """One self-contained page: no script, no link to other files. png: the ECG page, embedded."""
    picture = "" if png is None else "data:image/png;base64," + base64.b64encode(png).decode()
    return _filled(html_templates(), "report.html.j2", document, picture,
                   share=lambda value: f"{100 * min(1.0, max(0.0, value)):.0f}")


def to_markdown(document: Document) -> str:
    """The same as Markdown, without the picture."""
    text = _filled(_templates(_markdown), "report.md.j2", document, "")
    return re.sub(r"\n{3,}", "\n\n", text)


def to_typst(document: Document, picture: str, fonts: tuple[str, ...], compact: bool = False, break_before: str = "") -> str:
    """Typst source. picture: name of the drawn page's file beside it, or empty. fonts: families in order of preference.
    compact: smaller letters and margins. break_before: key of a section that begins a page."""
    return _filled(_templates(_typst), "report.typ.j2", document, picture, fonts=fonts, compact=compact,
                   break_before=break_before)


def to_tex(document: Document, picture: str) -> str:
    """LaTeX source for XeLaTeX or LuaLaTeX. picture: name of the drawn page's file beside it, or empty."""
    return _filled(_templates(_tex, tex=True), "report.tex.j2", document, picture, width=_width)


def _filled(templates: Environment, name: str, document: Document, picture: str, **more: Any) -> str:
    texts = language(document.language).texts
    return templates.get_template(name).render(doc=document, code=document.language, gap=texts.separator,
                                               colon=Markup(texts.colon), picture=picture, **more)


def _width(table: Table, column: int) -> float:
    """The share of the line that a LaTeX column takes."""
    shares = table.widths or {7: (0.22, 0.12, 0.1, 0.16, 0.12, 0.18, 0.1),
                              6: (0.25, 0.14, 0.14, 0.16, 0.11, 0.2)}[len(table.head)]
    return round(0.94 * shares[column] / sum(shares), 3)


def _markdown(value: str) -> str:
    one_line = " ".join(value.split()) if value.strip() else value
    marked = _MARKDOWN.sub(r"\\\1", one_line.replace("&", "&amp;").replace("<", "&lt;"))
    return _NUMBERED.sub(r"\1\\\2", marked)


def _typst(value: str) -> str:
    """A Typst string. Nothing in a string is markup; only quotes and backslashes end or change it."""
    flat = value.replace("\n", " ").replace("\t", " ") if value.strip() else value
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _tex(value: str) -> str:
    """LaTeX for plain text: specials escaped; letters of other scripts name themselves, for fonts that lack them."""
    if not value.strip():
        return value
    flat = " ".join(value.split())
    out, position = [], 0
    for run in _HAN.finditer(flat):
        out += [_tex_letters(flat[position:run.start()]), r"\ecghan{", _tex_letters(run.group()), "}"]
        position = run.end()
    lead, trail = value[:len(value) - len(value.lstrip())] and " ", value[len(value.rstrip()):] and " "
    return lead + "".join([*out, _tex_letters(flat[position:])]) + trail


def _tex_letters(text: str) -> str:
    out, script = [], ""
    for letter in text:
        kind = "" if letter in _TEX or ord(letter) < 0x250 or 0x2010 <= ord(letter) <= 0x2026 or _HAN.match(letter) else \
            "rtl" if unicodedata.bidirectional(letter) in ("R", "AL") else "script"
        if letter == " " and script == "rtl":
            kind = script
        if kind != script:
            out.append("}" * bool(script) + (rf"\ecg{kind}{{" if kind else ""))
            script = kind
        safe = _TEX.get(letter, letter)
        out.append(safe if ord(letter) < 0x250 or letter in _TEX or 0x2010 <= ord(letter) <= 0x2026
                   else rf"\ecgletter{{{ord(letter):04X}}}{{{letter}}}")
    return "".join(out) + "}" * bool(script)
