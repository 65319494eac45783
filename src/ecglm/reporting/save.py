"""Writing a `Report` as a file, by extension."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined

from ecglm.atomic import write_text
from ecglm.errors import UsageError
from ecglm.reporting.report import Report
from ecglm.reporting.view import clean, view

#: Characters that begin markup anywhere, links GitHub makes by itself, and list marks at the start of a value.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]#!|~>@]|:(?=//)|(?<=www)\.|^[-+=]|(?<=^\d)[.)])", re.IGNORECASE)


def to_html(report: Report) -> str:
    """One self-contained page: no script, no link to other files, the ECG page embedded."""
    return html_templates().get_template("report.html.j2").render(view(report))


def to_markdown(report: Report) -> str:
    """The same sections as Markdown, without the picture."""
    return _markdown().get_template("report.md.j2").render(view(report, picture=False))


def to_json(report: Report) -> str:
    """`Report.to_dict` as JSON."""
    return json.dumps(report.to_dict(), indent=2, allow_nan=False) + "\n"


#: What can be written, by extension.
FORMATS: MappingProxyType[str, Callable[[Report], str]] = MappingProxyType(
    {".html": to_html, ".md": to_markdown, ".json": to_json})


def check_format(path: str | os.PathLike[str]) -> str:
    """The format that a file name asks for. Raises UsageError for one that is not written, as FHIR is not yet."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS or Path(path).name.lower().endswith(".fhir.json"):
        raise UsageError(f"{os.fspath(path)}: a report is saved as {', '.join(FORMATS)}; change the extension")
    return suffix


def save(report: Report, path: str | os.PathLike[str]) -> None:
    """Write the report in the format its extension names; the file appears whole or not at all."""
    _write(path, FORMATS[check_format(path)](report))


def save_html(report: Report, path: str | os.PathLike[str]) -> None:
    """Write the report as HTML, whatever the path's extension."""
    _write(path, to_html(report))


def _write(path: str | os.PathLike[str], text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise UsageError(f"{os.fspath(path)}: cannot be written ({error.strerror}); choose another path") from error


@cache
def html_templates() -> Environment:
    """The templates of HTML pages: values are escaped, names that are not given are errors."""
    return Environment(loader=PackageLoader("ecglm.reporting"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, finalize=clean)


@cache
def _markdown() -> Environment:
    # Nothing in a Markdown value may be markup: not Markdown, not the HTML that Markdown lets through.
    return Environment(loader=PackageLoader("ecglm.reporting"), autoescape=False, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, finalize=_plain)


def _plain(value: object) -> object:
    if not isinstance(value, str):
        return value
    one_line = " ".join(str(clean(value)).split())
    return _MARKDOWN.sub(r"\\\1", one_line.replace("&", "&amp;").replace("<", "&lt;"))
