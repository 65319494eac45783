"""Writing a `Report` as a file, by extension."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ecglm.atomic import write_output
from ecglm.errors import UsageError
from ecglm.reporting import render
from ecglm.reporting.compose import compose
from ecglm.reporting.document import Document, Sentence, without
from ecglm.reporting.language import language
from ecglm.reporting.pdf import Engine, to_pdf
from ecglm.reporting.report import Report
from ecglm.reporting.trace import Trace, trace
from ecglm.reporting.view import marked_page


def checked(report: Report, lang: str = "en") -> tuple[Document, Trace]:
    """The report composed, its finished text read again: sentences that trace to nothing are left out, and counted in the
    footer with the rate."""
    document = compose(report, lang)
    found = trace("\n".join(document.lines()), report, lang)
    texts = language(lang).texts
    said = [texts.checked.format(numbers=found.numbers, statements=found.statements, bad=len(found.untraced))]
    if found.untraced:
        document = without(document, frozenset(issue.sentence for issue in found.untraced))
        said.append(texts.removed.format(n=len({issue.sentence for issue in found.untraced})))
    return replace(document, footer=(*document.footer, *(Sentence(text) for text in said))), found


def to_html(report: Report, lang: str = "en") -> str:
    """One self-contained page: no script, no link to other files, the ECG page embedded."""
    return render.to_html(checked(report, lang)[0], _picture(report))


def to_markdown(report: Report, lang: str = "en") -> str:
    """The same sections as Markdown, without the picture."""
    return render.to_markdown(checked(report, lang)[0])


def to_json(report: Report, lang: str = "en") -> str:
    """`Report.to_dict` as JSON, with the sentences of each section, what they rest on, and how the trace came out."""
    document, found = checked(report, lang)
    more = {"language": lang, "sections": [section.to_dict() for section in document.sections], "trace": found.to_dict()}
    return json.dumps(report.to_dict() | more, indent=2, allow_nan=False) + "\n"


def to_fhir(report: Report, lang: str = "en") -> str:
    """A FHIR R4 DiagnosticReport with its Observations, as JSON."""
    from ecglm.reporting.fhir import diagnostic_report

    return json.dumps(diagnostic_report(report, lang), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _picture(report: Report) -> bytes | None:
    page = marked_page(report)
    return None if page is None else page.png()


_Files = dict[str, bytes]


def _text(make: Callable[[Report, str], str]) -> Callable[[Report, str, str, Engine], _Files]:
    return lambda report, lang, name, engine: {name: make(report, lang).encode("utf-8", "replace")}


def _pdf(report: Report, lang: str, name: str, engine: Engine) -> _Files:
    return {name: to_pdf(checked(report, lang)[0], _picture(report), report.created, engine)}


def _tex(report: Report, lang: str, name: str, engine: Engine) -> _Files:
    """LaTeX source and, beside it, the picture that it shows."""
    png = _picture(report)
    picture = re.sub(r"[^A-Za-z0-9-]+", "-", Path(name).stem) + "-ecg.png"
    source = render.to_tex(checked(report, lang)[0], "" if png is None else picture)
    return ({} if png is None else {picture: png}) | {name: source.encode("utf-8", "replace")}


def _dicom(report: Report, lang: str, name: str, engine: Engine) -> _Files:
    from ecglm.reporting.dicom_sr import to_dicom

    return {name: to_dicom(report, lang)}


#: What can be written, by extension: the files of a report, the last of them the one that was asked for.
FORMATS: MappingProxyType[str, Callable[[Report, str, str, Engine], _Files]] = MappingProxyType({
    ".pdf": _pdf, ".tex": _tex, ".html": _text(to_html), ".md": _text(to_markdown), ".json": _text(to_json),
    ".fhir.json": _text(to_fhir), ".dcm": _dicom})


def check_format(path: str | os.PathLike[str]) -> str:
    """The format that a file name asks for. Raises UsageError for one that is not written, for a format whose library is not
    installed and for a folder that cannot be written to, so that it is known before the work."""
    name = Path(path).name.lower()
    suffix = next((s for s in sorted(FORMATS, key=len, reverse=True) if name.endswith(s)), None)
    if suffix is None:
        raise UsageError(f"{os.fspath(path)}: a report is saved as {', '.join(FORMATS)}; change the extension")
    if suffix == ".pdf":
        from ecglm.reporting.pdf import has_latex, has_typst

        if not has_typst() and not has_latex():
            raise UsageError(f"{os.fspath(path)}: PDF needs Typst or LaTeX; run `pip install 'ecglm[report]'`, or save as .html")
    if suffix == ".dcm":
        from importlib.util import find_spec

        if find_spec("highdicom") is None:
            raise UsageError(f"{os.fspath(path)}: DICOM SR needs highdicom; run `pip install 'ecglm[report]'`")
    folder = next((p for p in Path(path).absolute().parents if p.exists()), Path("/"))
    if not folder.is_dir() or not os.access(folder, os.W_OK) or Path(path).is_dir():
        raise UsageError(f"{os.fspath(path)}: cannot be written there; choose another path")
    return suffix


def save(report: Report, path: str | os.PathLike[str], lang: str = "en", engine: Engine = "auto") -> None:
    """Write the report in the format its extension names; files appear whole or not at all."""
    target = Path(path)
    for name, data in FORMATS[check_format(path)](report, lang, target.name, engine).items():
        write_output(target.parent / name, data)


def save_html(report: Report, path: str | os.PathLike[str], lang: str = "en") -> None:
    """Write the report as HTML, whatever the path's extension."""
    write_output(Path(path), to_html(report, lang).encode("utf-8", "replace"))
