"""`deidentify`: one recording or a folder of them, each written, read again, searched, and only then given its name."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np

from ecglm.atomic import write_text
from ecglm.errors import EcglmError, ReadError, UsageError, argument
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
    mapping: str | os.PathLike[str] | None = None,
    keep_names: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> Report:
    """Write recordings without what says whose they are: WFDB, DICOM, EDF, BDF, and XML of carts.

    source is a recording or a folder; target a folder, or for one recording a file name with
    the format's extension. key (a `Key`, or the file of one, made when missing) decides names and
    shifts; without it they are random. patients names the patient of recordings whose files do
    not (paths relative to source, or a CSV file with columns path,patient). mapping is a CSV
    file to write sources and outputs to. Samples stay bit for bit; dates move by one number of
    days per patient; ages over 89 become 90.

    Raises EcglmError when the only recording cannot be written, UsageError for unusable
    arguments. In a folder one failure does not stop the others: they are in the report.
    Nothing appears under target before it was read again, compared and searched.
    """
    origin, goal = os.fspath(source), os.fspath(target)
    for name in (key, mapping):
        if isinstance(name, (str, os.PathLike)) and _within(os.fspath(name), goal):
            raise UsageError(f"{os.fspath(name)}: it says whose the outputs are and must not lie among them; name another place")
    if not os.path.isdir(origin):
        find.one(origin)  # before a key is made for nothing
    secret = key if isinstance(key, Key) else Key.random() if key is None else Key.of_file(key)
    run = _Run(secret, _patients(patients), origin, keep_names, overwrite)
    if os.path.isdir(origin):
        run.folder(goal, progress, patients)
    else:
        run.single(goal)
    if mapping is not None:
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows([("source", "target", "patient"), *run.mapping])
        write_text(mapping, lines.getvalue())
    return Report(
        tuple(run.files), tuple(run.skipped), tuple(run.failed), tuple(run.left_out), secret.kept, tuple(run.mapping)
    )


def patient_of(path: str | os.PathLike[str]) -> str | None:
    """Whose a recording is by its file, spelled in one way: for comparing within a process, never for showing or keeping. None
    where the file says nothing, or its format is not one that is de-identified."""
    try:
        real, kind = find.one(os.fspath(path))
        return _identity(import_module(f"ecglm.records.deidentify.{find.WRITERS[kind]}").patient_of(real))
    except EcglmError:
        return None


@dataclass
class _Run:
    """One call: its settings, and what came of each recording so far."""

    key: Key
    whose: Mapping[str, str]
    origin: str
    keep_names: bool
    overwrite: bool
    files: list[Deidentified] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    mapping: list[tuple[str, str, str]] = field(default_factory=list)

    def single(self, goal: str) -> None:
        path, kind = find.one(self.origin)
        extension = _EXTENSIONS.get(kind, ".xml")
        given = "" if os.path.isdir(goal) else Path(goal).suffix.lower()
        if given in {*_EXTENSIONS.values(), ".xml"} - {extension}:
            raise UsageError(f"{goal}: the recording stays in its format; name the output *{extension}, or give a folder")
        if given == extension:
            self._one(path, kind, Path(goal).parent, Path(goal).stem)
        else:
            self._one(path, kind, Path(goal), Path(path).stem if self.keep_names else None)

    def folder(self, goal: str, progress: bool, patients: object) -> None:
        if _within(goal, self.origin) or _within(self.origin, goal):
            raise UsageError(f"{goal}: the output must lie outside {self.origin}, and not around it; name another folder")
        if os.path.exists(goal) and not os.path.isdir(goal):
            raise UsageError(f"{goal}: this is a file; a folder of recordings needs a folder")
        found, self.left_out = find.inside(self.origin)
        if isinstance(patients, (str, os.PathLike)):
            found = [path for path in found if os.path.realpath(path) != os.path.realpath(patients)]
        if not found:
            raise UsageError(f"{self.origin}: it holds no recording; pass a folder with WFDB, DICOM, EDF or XML files")
        steps: Iterable[str] = found
        if progress and len(found) > 1:
            from rich.console import Console
            from rich.progress import track

            steps = track(found, "De-identifying", console=Console(stderr=True), transient=True)
        for path in steps:
            inner = os.path.dirname(os.path.relpath(path, self.origin)) if self.keep_names else ""
            try:
                real, kind = find.one(path)
                self._one(real, kind, Path(goal, inner), Path(real).stem if self.keep_names else None)
            except EcglmError as problem:
                self.failed.append((path, str(problem)))

    def _one(self, path: str, kind: str, folder: Path, stem: str | None) -> None:
        """De-identify one recording, unless its output is there already from the same content and key."""
        try:
            self._written(path, kind, folder, stem)
        except OSError as problem:
            what = f"{os.path.basename(os.fsdecode(problem.filename))}: " if problem.filename else ""
            raise ReadError(path, f"{what}{problem.strerror or problem}", "check its files and the space on the disk") from None

    def _written(self, path: str, kind: str, folder: Path, stem: str | None) -> None:
        record = read(path, duration_s=1.0)  # first of all: it refuses what is damaged, absurd or too large
        writer = import_module(f"ecglm.records.deidentify.{find.WRITERS[kind]}")
        files = wfdb.parts(path) if kind == "wfdb" else [path]
        content = _digest(files)
        stated = next((self.whose[name] for name in _names(path, self.origin) if name in self.whose), None)
        identity = _identity([stated] if stated is not None else writer.patient_of(path)) or f"\0recording {content}"
        patient = self.key.pseudonym("p", identity)
        name = stem if stem is not None else f"{patient}_{self.key.pseudonym('r', f'{RULES} {content}')}"
        if kind == "wfdb" and not re.fullmatch(r"[A-Za-z0-9_-]{1,200}", name):
            raise UsageError(f"{name}: a WFDB record is named with letters, digits, - and _; name another file, or keep no names")
        main = folder / f"{name}{_EXTENSIONS.get(kind, '.xml')}"
        if os.path.realpath(main) in map(os.path.realpath, files):
            raise UsageError(f"{main}: this is the recording itself; name another place")
        again = any(one.target == str(main) for one in self.files)  # the same bytes twice in the source
        if stem is None and main.exists() and (again or (self.key.kept and not self.overwrite)):
            self.skipped.append(str(main))
        else:
            _refuse_existing([main], self.overwrite)
            case = Case(path, record, self.key, patient, name)
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as work:
                written: Written = writer.write(case, Path(work))
                if stem is not None and not self.keep_names and case.leaks(name.encode()):
                    raise UsageError(f"{main}: its name holds something that was removed from {path}; name it otherwise")
                case.hide(*(Path(file).stem for file in files if Path(file).stem != name))
                _verify(case, written, Path(work))
                order = sorted(os.listdir(work), key=lambda file: file == written.main)  # what names the others comes last
                if stem is not None:  # under a pseudonym, what is there without its main file was left by an interruption
                    _refuse_existing([folder / file for file in order], self.overwrite)
                for file in order:
                    os.replace(os.path.join(work, file), folder / file)
            self.files.append(Deidentified(
                str(main), patient, case.record.format, case.account(), dict(sorted(case.shifted.items())),
                tuple(sorted(case.kept)),
            ))  # fmt: skip
        self.mapping.append((path, str(main), patient))


def _refuse_existing(paths: Iterable[Path], overwrite: bool) -> None:
    there = next((path for path in paths if path.exists()), None)
    if there is not None and not overwrite:
        raise UsageError(f"{there}: it exists; name another place, or pass {argument('overwrite', True)}")


def _within(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it, links followed."""
    inner, outer = os.path.realpath(path), os.path.realpath(folder)
    return os.path.commonpath([inner, outer]) == outer


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
    inner = os.path.relpath(path, origin) if os.path.isdir(origin) else os.path.basename(path)
    return [inner, os.path.splitext(inner)[0], os.path.normpath(path)]


def _verify(case: Case, written: Written, work: Path) -> None:
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
            raise EcglmError(f"{case.path}: its signal would not be the same in the output; nothing was kept, please report it")
        at += _WINDOW_S
        if written.seconds is None or at >= written.seconds - 0.5 / before.fs:
            break
    if found := case.leaks(written.text):
        raise EcglmError(
            f"{case.path}: {len(found)} of the removed texts would still be in the output (the first has "
            f"{len(found[0])} characters); nothing was kept, please report it"
        )
