"""CSV and TSV files → Record.

A header row names the leads (``II``, ``V1 (uV)``); an optional time column gives the
rate; ``# fs=500`` and ``# unit=uV`` lines give what is not in the table, ``# age=63`` and the like who it is.
"""

from __future__ import annotations

import csv
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError, argument
from ecglm.records.channels import clean, unit_per_mv
from ecglm.records.leads import canonical_lead
from ecglm.records.plain import build
from ecglm.records.record import Record
from ecglm.records.request import MAX_CHANNELS, Request, checked_size
from ecglm.records.statements import stated, statements_in

MAX_TEXT_BYTES = 256 << 20
_TIME = re.compile(
    r"(?:time|t|seconds?|secs?|s|ms|milliseconds?|elapsed|timestamps?)"
    r"(?:[\s_]*[(\[]?\s*\b(ms|s|secs?|us|msec|milliseconds?|seconds?)[)\]]?|_(ms|s|us|sec))?$",
    re.IGNORECASE,
)
_COUNTER = re.compile(r"(?:index|idx|sample|samples|sample_?(?:no|number|index)|n|#|row|unnamed.*|)$", re.IGNORECASE)
_UNIT_IN_NAME = re.compile(r"(.+?)(?:\s*[(\[]\s*([a-zA-Zµμ.]{1,5})\s*[)\]]|_([munµμ]?V))$")
_MISSING = {"", "na", "nan", "null", "none", "-", "--", "n/a", "?", "."}
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?$")


def read_table(request: Request) -> Record:
    """A text table with one row per sample. Raises ReadError that names the row it cannot use."""
    path = request.path
    size = checked_size(path, MAX_TEXT_BYTES, "text", "convert it to .npz or WFDB")
    with open(path, "rb") as stream:
        raw = stream.read(size)
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = raw.decode(encoding, "replace")
    said = stated(statements_in(text[:65536]), path)
    fs, unit = said.fs, said.unit
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise ReadError(path, "it has no rows", "get it again")
    delimiter = _delimiter([line for _, line in lines[:20]])
    comma = delimiter != "," and any(
        _DECIMAL_COMMA.match(cell) for _, line in lines[1:20] for cell in _split(line, delimiter)
    )
    first = [cell.strip().strip('"').strip() for cell in _split(lines[0][1], delimiter)]
    names: list[str] | None = None
    if any(_value(cell, comma) is None for cell in first):
        names = first
        lines = lines[1:]
        if not lines:
            raise ReadError(path, "it has a header and no rows", "get it again")
    data_NC = _numbers(lines, delimiter, comma, names, path)
    notes: list[str] = []
    if names is None and len(data_NC) > 1 and _counts_columns(data_NC):
        data_NC = data_NC[1:]
        notes.append("the first row numbers the columns and is left out")
    units: list[str] | str | None = unit
    if names is not None:
        data_NC, names, rate = without_time(data_NC, names, path, notes)
        fs = fs if fs is not None else rate
        names, units = units_in(names, unit)
    return build(
        request,
        data_NC,
        "tsv" if delimiter == "\t" else "csv",
        fs=fs,
        names=names,
        units=units,
        lead_major=False,
        start=said.start,
        meta=said.meta,
        limb_scale_shared=said.limb_scale_shared,
        notes=notes,
    )


def names_data(name: str) -> bool:
    """Whether a column of this name is read as a lead of this name: no time, no count, no comment, no number."""
    plain, units = units_in([name], None)
    side = canonical_lead(name) is None and (_TIME.match(name) or _COUNTER.match(name))
    kept = name == name.strip().strip('"').strip() and name.isprintable() and not name.startswith("#")
    return kept and plain == [name] and units is None and not side and _value(name, False) is None


def _counts_columns(data_NC: NDArray[np.float64]) -> bool:
    """Whether the first row is 0, 1, 2, ... above fractions: the header of a data frame without names."""
    width = data_NC.shape[1]
    rest = data_NC[1:]
    numbered = bool((data_NC[0] == np.arange(width)).all())
    return width > 1 and numbered and bool((rest[np.isfinite(rest)] % 1).any())


def _delimiter(lines: list[str]) -> str | None:
    """Tab, semicolon or comma, whichever the lines have; None for blanks."""
    for mark in ("\t", ";", ","):
        if all(mark in line for line in lines):
            return mark
    return "," if any("," in line for line in lines) else None


def _split(line: str, delimiter: str | None) -> list[str]:
    if '"' in line and delimiter is not None:
        return next(csv.reader([line], delimiter=delimiter), [])
    return line.split(delimiter)


def _value(cell: str, comma: bool) -> float | None:
    """The number in a cell, NaN when it is empty or says so, None when it is text."""
    cell = cell.strip().strip('"').strip()
    if cell.lower() in _MISSING:
        return float("nan")
    try:
        return float(cell.replace(",", ".") if comma else cell) if "_" not in cell else None
    except ValueError:
        return None


def _numbers(
    lines: list[tuple[int, str]], delimiter: str | None, comma: bool, names: list[str] | None, path: str
) -> NDArray[np.float64]:
    width = len(names) if names is not None else len(_split(lines[0][1], delimiter))
    if not 0 < width <= MAX_CHANNELS + 2:
        raise ReadError(
            path,
            f"it has {width} columns, the limit is {MAX_CHANNELS}",
            "write one column per lead, one row per sample",
        )
    if not comma:
        try:
            fast: NDArray[np.float64] = np.loadtxt(
                [line for _, line in lines], delimiter=delimiter, ndmin=2, comments=None
            )
            if fast.shape[1] == width:
                return fast
        except (ValueError, OverflowError):
            pass  # empty cells, quotes or text: the slow way knows what to say
    out = np.empty((len(lines), width))
    for row, (number, line) in enumerate(lines):
        cells = _split(line, delimiter)
        if len(cells) == width + 1 and not cells[-1].strip():
            cells.pop()  # a delimiter at the end of the line
        if len(cells) != width:
            raise ReadError(
                path, f"line {number} has {len(cells)} columns where {width} are expected", "correct the line"
            )
        for column, cell in enumerate(cells):
            value = _value(cell, comma)
            if value is None:
                raise ReadError(
                    path, f"line {number} has {clean(cell, 20)!r} where a number is expected", "correct the line"
                )
            out[row, column] = value
    return out


def without_time(
    data_NC: NDArray[np.float64], names: list[str], path: str, notes: list[str]
) -> tuple[NDArray[np.float64], list[str], float | None]:
    """The table without its time and counter columns, and the rate that the time column gives."""
    fs: float | None = None
    keep = list(range(len(names)))
    for column in (0, 1) if len(names) > 1 else (0,):
        if canonical_lead(names[column]) is not None:
            break
        if match := _TIME.match(names[column]):
            fs = _rate(data_NC[:, column], names[column], match[1] or match[2], path, notes)
            keep.remove(column)
        elif _COUNTER.match(names[column]):
            keep.remove(column)
    if not keep:
        raise ReadError(path, "it has no lead, only time", "add one column per lead")
    return data_NC[:, keep], [names[column] for column in keep], fs


def _rate(time_N: NDArray[np.float64], name: str, unit: str | None, path: str, notes: list[str]) -> float:
    """Sampling rate of an evenly spaced time column. Raises ReadError when it is not even."""
    short = (unit or "").lower() or ("ms" if name.lower().strip() in ("ms", "milliseconds", "millisecond") else "s")
    per_s = 1e6 if short.startswith("us") else 1e3 if short.startswith("m") else 1.0
    if len(time_N) < 3 or not np.isfinite(time_N).all():
        raise ReadError(
            path,
            f"its time column {clean(name)} has missing values or too few rows",
            f"pass {argument('fs')} and remove the column",
        )
    step_N = np.diff(time_N) / per_s
    mean = float((time_N[-1] - time_N[0]) / per_s / (len(time_N) - 1))
    if mean <= 0 or step_N.min() <= -0.5 * mean or np.abs(step_N - mean).max() > 0.75 * mean:
        worst = int(np.abs(step_N - mean).argmax()) + 1
        raise ReadError(
            path,
            f"its time column {clean(name)} is not evenly spaced (row {worst} of data)",
            f"resample it, or pass {argument('fs')} and remove the column",
        )
    fs = 1.0 / mean
    nearest = float(round(fs))
    if nearest and fs != nearest and abs(fs - nearest) < max(5e-4 * nearest, 1e-9):
        if abs(fs - nearest) > 1e-6 * nearest:
            notes.append(f"the time column gives {fs:.6g} Hz: rounded to {nearest:g} Hz")
        fs = nearest
    return fs


def units_in(names: list[str], unit: str | None) -> tuple[list[str], list[str] | str | None]:
    """Names without their unit, and units: from the names, else the comment line."""
    plain: list[str] = []
    units: list[str | None] = []
    for name in names:
        match = _UNIT_IN_NAME.match(name)
        stated: Any = (match[2] or match[3]) if match else None
        if (
            match is not None
            and stated is not None
            and unit_per_mv(stated) is not None
            and canonical_lead(match[1].strip()) != name
        ):
            plain.append(match[1].strip())
            units.append(stated)
        else:
            plain.append(name)
            units.append(None)
    if not any(units):
        return plain, unit
    return plain, [stated or unit or "mV" for stated in units]
