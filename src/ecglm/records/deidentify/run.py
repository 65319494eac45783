"""`deidentify`: one recording or a folder of them, each written, read again, searched, and only then given its name."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.errors import EcglmError, UsageError
from ecglm.records.deidentify import find, wfdb
from ecglm.records.deidentify.case import Case, Written
from ecglm.records.deidentify.key import Key
from ecglm.records.deidentify.report import Deidentified, Report
from ecglm.records.leads import canonical_lead
from ecglm.records.reader import read

#: Enters the names of outputs: a change of what is removed must not find the outputs of an older version done.
RULES = 1
_WINDOW_S = 1800.0  #: compared at a time, where a format can be read in parts
_NOBODY = re.compile(r"[\s_x0?*.-]*|anon(?:ymous|ymized|ymised)?|unknown|none|n/?a|patient|test", re.IGNORECASE)
_EXTENSIONS = {"wfdb": ".hea", "dicom": ".dcm", "edf": ".edf", "bdf": ".bdf"}


def deidentify(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    key: Key | str | os.PathLike[str] | None = None,
    patients: Mapping[str, str] | str | os.PathLike[str] | None = None,
    keep_names: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> Report:
    """Write recordings without what says whose they are: WFDB, DICOM, EDF, BDF, and XML of carts.

    source is a recording or a folder; target a folder, or for one recording a file name with
    the format's extension. key (a `Key`, or the file of one, made when missing) decides names and
    shifts; without it they are random. patients names the patient of recordings whose files do
    not (paths relative to source, or a CSV file with columns path,patient). Samples stay bit for
    bit; dates move by one number of days per patient; ages over 89 become 90.

    Raises EcglmError when the only recording cannot be written, UsageError for unusable
    arguments. In a folder one failure does not stop the others: they are in the report.
    Nothing appears under target before it was read again, compared and searched.
    """
    origin, goal = os.fspath(source), os.fspath(target)
    secret = key if isinstance(key, Key) else Key.random() if key is None else Key.of_file(key)
    whose = _patients(patients)
    if not os.path.isdir(origin):
        path, kind = find.one(origin)
        chosen = Path(goal).suffix.lower() == _EXTENSIONS.get(kind, ".xml") and not os.path.isdir(goal)
        if Path(goal).suffix.lower() in {*_EXTENSIONS.values(), ".xml"} and not chosen and not os.path.isdir(goal):
            raise UsageError(f"{goal}: a {kind} recording stays one; name it *{_EXTENSIONS.get(kind, '.xml')} or give a folder")
        folder, stem = (os.path.dirname(goal), Path(goal).stem) if chosen else (goal, Path(path).stem if keep_names else None)
        if stem is not None and os.path.realpath(os.path.join(folder, stem + _suffix(path, kind))) == os.path.realpath(path):
            raise UsageError(f"{goal}: this is the recording itself; name another file")
        outcome = _one(path, kind, Path(folder or "."), stem, secret, whose, "", overwrite, keep_names)
        return Report((outcome,), key_kept=secret.kept) if isinstance(outcome, Deidentified) else Report(
            skipped=(outcome,), key_kept=secret.kept
        )
    first, second = os.path.realpath(origin), os.path.realpath(goal)
    if os.path.commonpath([first, second]) in (first, second):
        raise UsageError(f"{goal}: the output must lie outside {origin}, and not around it; name another folder")
    if os.path.exists(goal) and not os.path.isdir(goal):
        raise UsageError(f"{goal}: this is a file; a folder of recordings needs a folder")
    return _folder(origin, goal, secret, whose, keep_names, overwrite, progress)


def _folder(
    origin: str, goal: str, key: Key, whose: Mapping[str, str], keep_names: bool, overwrite: bool, progress: bool
) -> Report:
    found, left_out = find.inside(origin)
    files: list[Deidentified] = []
    skipped: list[str] = []
    failed: list[tuple[str, str]] = []
    steps: Any = found
    if progress and len(found) > 1:
        from rich.console import Console
        from rich.progress import track

        steps = track(found, "De-identifying", console=Console(stderr=True), transient=True)
    made: set[str] = set()
    for path in steps:
        inner = os.path.relpath(path, origin)
        folder = Path(goal, os.path.dirname(inner)) if keep_names else Path(goal)
        try:
            real, kind = find.one(path)
            stem = Path(real).stem if keep_names else None
            outcome = _one(real, kind, folder, stem, key, whose, origin, overwrite, keep_names, made)
        except EcglmError as problem:
            failed.append((path, str(problem)))
        except OSError as problem:
            failed.append((path, f"{path}: {problem.strerror or problem}; check the file and the space on the disk"))
        else:
            if isinstance(outcome, Deidentified):
                files.append(outcome)
                made.add(outcome.target)
            else:
                skipped.append(outcome)
    if not found:
        raise UsageError(f"{origin}: it holds no recording that ecglm reads; pass a folder with WFDB, DICOM, EDF or XML files")
    return Report(tuple(files), tuple(skipped), tuple(failed), tuple(left_out), key.kept)


def _one(
    path: str,
    kind: str,
    folder: Path,
    stem: str | None,
    key: Key,
    whose: Mapping[str, str],
    origin: str,
    overwrite: bool,
    keep_names: bool,
    made: set[str] | frozenset[str] = frozenset(),
) -> Deidentified | str:
    """De-identify one recording; returns the target's name alone when it is there already from the same content and key."""
    writer = import_module(f"ecglm.records.deidentify.{find.WRITERS[kind]}")
    content = _digest(wfdb.parts(path) if kind == "wfdb" else [path])
    stated = next((whose[name] for name in _names(path, origin) if name in whose), None)
    identity = _identity([stated] if stated is not None else writer.patient_of(path)) or f"\0recording {content}"
    patient = key.pseudonym("p", identity)
    name = stem if stem is not None else f"{patient}_{key.pseudonym('r', f'{RULES} {content}')}"
    if kind == "wfdb" and not re.fullmatch(r"[A-Za-z0-9_-]{1,200}", name):
        raise UsageError(f"{name}: a WFDB record is named with letters, digits, - and _; name another file, or leave --keep-names out")
    expected = folder / (name + _suffix(path, kind))
    if stem is None and expected.exists() and (str(expected) in made or (key.kept and not overwrite)):
        return str(expected)
    if expected.exists() and not overwrite:
        raise UsageError(f"{expected}: it exists; name another place, or pass overwrite=True (--overwrite)")
    case = Case(path, read(path, duration_s=1.0), key, patient, name)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as work:
        written: Written = writer.write(case, Path(work))
        case.hide(*(Path(part).stem for part in (wfdb.parts(path) if kind == "wfdb" else [path]) if not keep_names))
        _verify(case, written, Path(work), "" if keep_names else name)
        order = sorted(os.listdir(work), key=lambda file: file == written.main)  # what names the others comes last
        for file in order:
            if (folder / file).exists() and not overwrite and file != written.main and stem is not None:
                raise UsageError(f"{folder / file}: it exists; name another place, or pass overwrite=True (--overwrite)")
        for file in order:
            os.replace(os.path.join(work, file), folder / file)
    return Deidentified(
        str(folder / written.main), patient, case.record.format, case.account(), dict(sorted(case.shifted.items())),
        tuple(sorted(case.kept)), path,
    )  # fmt: skip


def _suffix(path: str, kind: str) -> str:
    return _EXTENSIONS.get(kind, ".xml")


def _digest(paths: list[str]) -> str:
    """SHA-256 of all bytes of a recording."""
    total = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def _identity(candidates: list[str]) -> str | None:
    """The first text that can mean a patient, spelled in one way."""
    for text in candidates:
        plain = " ".join(text.replace("^", " ").replace("\0", " ").split()).casefold()
        if not _NOBODY.fullmatch(plain):
            return plain
    return None


def _patients(given: Mapping[str, str] | str | os.PathLike[str] | None) -> Mapping[str, str]:
    if given is None or isinstance(given, Mapping):
        return {os.path.normpath(path): patient for path, patient in (given or {}).items()}
    name = os.fspath(given)
    try:
        with open(name, encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise UsageError(f"{name}: it cannot be read as CSV ({problem}); give columns path,patient") from None
    if not rows or not {"path", "patient"} <= rows[0].keys() or not all(row["path"] and row["patient"] for row in rows):
        raise UsageError(f"{name}: it needs the columns path,patient with a value in every row")
    return {os.path.normpath(row["path"]): row["patient"] for row in rows}


def _names(path: str, origin: str) -> list[str]:
    """The names under which a list of patients may have a recording."""
    inner = os.path.relpath(path, origin) if origin else os.path.basename(path)
    return [inner, os.path.splitext(inner)[0], os.path.normpath(path)]


def _verify(case: Case, written: Written, work: Path, name: str) -> None:
    """Read the output again. Raises EcglmError when its signal differs or anything that was removed is found in it."""
    output = str(work / written.main)
    at = 0.0
    while True:
        whole = written.seconds is None
        window: dict[str, float] = {} if whole else {"start_s": at, "duration_s": _WINDOW_S}
        before, after = read(case.path, **window), read(output, **window)  # type: ignore[arg-type]
        leads = [(old, new) for old, new in zip(before.leads, after.leads, strict=False) if canonical_lead(old)]
        if (
            (before.fs, before.unit, before.signal.shape) != (after.fs, after.unit, after.signal.shape)
            or any(old != new for old, new in leads)
            or not np.array_equal(before.signal, after.signal, equal_nan=True)
        ):
            raise EcglmError(f"{case.path}: written without its identifiers, it reads differently; nothing was kept, please report it")
        at += _WINDOW_S
        if written.seconds is None or at >= written.seconds - 0.5 / before.fs:
            break
    if found := case.leaks(written.text + b"\n" + name.encode()):
        raise EcglmError(
            f"{case.path}: {len(found)} of the removed texts would still be in the output or in its name "
            f"(the first has {len(found[0])} characters); nothing was kept; name the output otherwise, or please report it"
        )
