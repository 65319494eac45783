"""A report as PDF: by Typst where it is installed, which takes a second, otherwise by latexmk with XeLaTeX, which takes ten.

Both compile in a folder of their own, from escaped text, without shell escape and without the network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ecglm.errors import UsageError
from ecglm.reporting.document import Document, Sentence
from ecglm.reporting.fonts import choose, system_fonts, without_boxes
from ecglm.reporting.language import language
from ecglm.reporting.render import to_tex, to_typst

Engine = Literal["auto", "typst", "latexmk"]
ENGINES: tuple[Engine, ...] = ("auto", "typst", "latexmk")
#: LaTeX that takes longer has met something that it waits for.
LATEX_S = 120
#: A last page of text that is filled less than this looks forgotten; the height of A4 in points.
NEARLY_EMPTY, A4_PT = 0.4, 841.9
_NO_CHINESE = ("no font here has Chinese letters; install one (`apt install fonts-noto-cjk`, or "
               "`pip install 'ecglm[chinese]'`), or save as .html")


def checked_engine(name: str) -> Engine:
    """The engine of this name. Raises UsageError for one that is not known."""
    found = next((engine for engine in ENGINES if engine == name), None)
    if found is None:
        raise UsageError(f"PDF engine {name!r} is unknown; use {', '.join(ENGINES)}")
    return found


def check_letters(path: str | os.PathLike[str], lang: str, engine: Engine) -> None:
    """Raises UsageError where a PDF in this language needs a font that is not there, so that it is known before the work."""
    typst = engine != "latexmk" and has_typst()
    if typst and lang == "zh" and Path(path).suffix.lower() == ".pdf" and choose(language(lang).texts.title).lacking:
        raise UsageError(f"{os.fspath(path)}: {_NO_CHINESE}")


def to_pdf(document: Document, png: bytes | None, created: str, engine: Engine = "auto", only_body_font: bool = False) -> bytes:
    """PDF of a document. png: the drawn page. created: ISO 8601, for the PDF's date. Raises UsageError where nothing that can
    write PDF is installed, with what to install, and where the language needs a font that is not there."""
    if engine == "latexmk" or (engine == "auto" and not has_typst()):
        if not has_latex():
            raise UsageError("PDF needs Typst or LaTeX; run `pip install 'ecglm[report]'`, or save as .html or .tex")
        return _latex(document, png)
    if not has_typst():
        raise UsageError("this PDF engine needs Typst; run `pip install 'ecglm[report]'`")
    return _typst(document, png, created, only_body_font)


@cache
def has_typst() -> bool:
    """Whether the compiler of Typst is installed."""
    from importlib.util import find_spec

    return find_spec("typst") is not None


@cache
def has_latex() -> bool:
    """Whether latexmk and XeLaTeX are installed."""
    return shutil.which("latexmk") is not None and shutil.which("xelatex") is not None


def typst_source(document: Document, picture: str, only_body_font: bool = False, layout: Layout | None = None,
                 ) -> tuple[str, tuple[str, ...]]:
    """Typst source whose letters all have a font, and folders of fonts. Raises UsageError for Chinese without a font."""
    chosen = choose("\n".join([*document.lines(), *(label for label in _labels(document))]), only_body_font)
    if document.language == "zh" and any("\u4e00" <= letter <= "\u9fff" for letter in chosen.lacking):
        raise UsageError(_NO_CHINESE)
    if chosen.lacking:
        note = Sentence(language(document.language).texts.no_glyph)
        document = replace(document, footer=(*document.footer, note))
    set_as = layout or Layout()
    source = to_typst(document, picture, chosen.families, set_as.compact, set_as.break_before)
    return without_boxes(source, chosen.lacking), chosen.folders


def _labels(document: Document) -> list[str]:
    return [section.title for section in document.sections]


@dataclass(frozen=True)
class Layout:
    """compact: smaller letters and margins. break_before: key of a section that begins a page."""

    compact: bool = False
    break_before: str = ""


def _typst(document: Document, png: bytes | None, created: str, only_body_font: bool) -> bytes:
    import typst

    with tempfile.TemporaryDirectory(prefix="ecglm-report-") as folder:
        if png is not None:
            Path(folder, "ecg.png").write_bytes(png)

        def compiler(layout: Layout) -> typst.Compiler:
            source, folders = typst_source(document, "ecg.png" if png is not None else "", only_body_font, layout)
            main = Path(folder, "report.typ")
            main.write_text(source, encoding="utf-8")
            plain = only_body_font or "(\"Libertinus Serif\", )" in source
            return typst.Compiler(str(main), root=folder, ignore_system_fonts=plain,
                                  font_paths=[] if plain else system_fonts(folders))

        try:
            best = balanced(lambda layout: _end(compiler(layout)))
            pdf = compiler(best).compile(format="pdf", timestamp=datetime.fromisoformat(created))
        except (typst.TypstError, RuntimeError) as error:
            raise UsageError(f"Typst could not set this report ({str(error)[:200]}); save it as .html") from error
    assert isinstance(pdf, bytes)
    return pdf


def balanced(end_of: Callable[[Layout], tuple[int, float]]) -> Layout:
    """The layout that leaves no page nearly empty. end_of: the page on which the text ends, and how far down (0 to 1). A short
    rest is first set smaller, to fit on the page before; else the findings begin a page, if that takes no page more."""
    usual = Layout()
    pages, filled = end_of(usual)
    if pages == 1 or filled >= NEARLY_EMPTY:
        return usual
    smaller, apart = Layout(compact=True), Layout(break_before="pathology")
    if end_of(smaller)[0] < pages:
        return smaller
    return apart if pages == 2 and end_of(apart)[0] == pages else usual


def _end(compiler: Any) -> tuple[int, float]:
    (found,) = json.loads(compiler.query("<end>", field="value"))
    return int(found["page"]), float(str(found["y"]).removesuffix("pt")) / A4_PT


def _latex(document: Document, png: bytes | None) -> bytes:
    with tempfile.TemporaryDirectory(prefix="ecglm-report-") as folder:
        if png is not None:
            Path(folder, "ecg.png").write_bytes(png)
        Path(folder, "report.tex").write_text(to_tex(document, "ecg.png" if png is not None else ""), encoding="utf-8")
        command = ["latexmk", "-norc", "-xelatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "-quiet",
                   "report.tex"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, timeout=LATEX_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UsageError(f"latexmk did not finish ({error}); run `pip install 'ecglm[report]'` for Typst") from error
        pdf = Path(folder, "report.pdf")
        if done.returncode or not pdf.is_file():
            log = Path(folder, "report.log")
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
            said = next((line for line in lines if line.startswith("!")), "no log")
            raise UsageError(f"LaTeX could not set this report ({said[:200]}); run `pip install 'ecglm[report]'` for Typst")
        return pdf.read_bytes()
