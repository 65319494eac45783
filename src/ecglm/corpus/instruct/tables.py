"""Tables of labels and reports in the layout of their data sets: PTB-XL's own, MIMIC-IV-ECG's, CODE-15 %'s.

Signals are not opened: an item names its recording, and whoever trains has it. Rows that cannot be read are an error that names
the row, never skipped in silence; values that a data set writes for "not measured" are left out.
"""

from __future__ import annotations

import csv
import gzip
from ast import literal_eval
from collections.abc import Iterator, Mapping
from pathlib import Path

from ecglm.bench.ecgbench.subsets import KEYS
from ecglm.corpus.instruct.seed import SPOKEN, Seed, also, deniable
from ecglm.errors import ReadError
from ecglm.knowledge.report_labels import labels as read_labels
from ecglm.knowledge.statements import BY_KEY

#: MIMIC-IV-ECG writes this for an onset that was not found.
NOT_FOUND = 29999
#: Column of CODE-15 %'s exams.csv -> statements; all six are verified either way.
CODE15 = {column: found for column, found in KEYS["code15-test"].items() if column != "NORM"}


def _rows(folder: Path, name: str, columns: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
    if path is None:
        raise ReadError(folder / name, "no such table", f"give the folder that holds {name}")
    try:
        with (
            gzip.open(path, "rt", encoding="utf8", newline="")
            if path.suffix == ".gz"
            else open(path, encoding="utf8", newline="") as f
        ):
            reader = csv.DictReader(f)
            missing = set(columns) - set(reader.fieldnames or ())
            if missing:
                raise ReadError(path, f"the column {sorted(missing)[0]!r} is missing", "give the published table")
            yield from enumerate(reader, 2)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise ReadError(path, f"cannot be read as a table ({type(error).__name__})", "fetch it again") from error


def _number(folder: Path, name: str, line: int, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ReadError(folder / name, f"line {line}: {text[:20]!r} is no number", "give the published table") from None


def mimic_folder(folder: Path) -> list[Seed]:
    """MIMIC-IV-ECG's ``machine_measurements.csv``: lines report_0 to report_17 and times of waves (ms). Statements are what the
    machine's text says, negations and "possible" told apart; nothing is denied that the text does not deny or that is kin to
    it."""
    name = "machine_measurements.csv"
    out = []
    for line, row in _rows(
        folder, name, ("subject_id", "study_id", "report_0", "rr_interval", "p_onset", "qrs_onset", "qrs_end", "t_end")
    ):
        said = [row[f"report_{n}"].strip() for n in range(18) if (row.get(f"report_{n}") or "").strip()]
        text = ". ".join(said)
        status = read_labels(text)
        present = frozenset(k for k, s in status.items() if s == "present")
        unsure = frozenset(k for k, s in status.items() if s == "possible")
        t = {
            k: _number(folder, name, line, row[k])
            for k in ("rr_interval", "p_onset", "qrs_onset", "qrs_end", "t_end")
            if (row[k] or "").strip()
        }
        values = _times({k: v for k, v in t.items() if 0 < v < NOT_FOUND})
        absent = deniable(present, values, [k for k in SPOKEN if k.split(":")[0] in {p.split(":")[0] for p in present}]) - also(
            unsure
        )
        subject, study = row["subject_id"], row["study_id"]
        if not (subject.isdigit() and study.isdigit()):
            raise ReadError(folder / name, f"line {line}: subject and study must be numbers", "give the published table")
        image = f"mimic/p{subject[:4]}/p{subject}/s{study}/{study}-0.png"
        out.append(Seed(f"mimic:{study}", f"mimic:{subject}", "mimic", image, present, absent, values, report=text))
    return out


def _times(t: Mapping[str, float]) -> dict[str, float]:
    """Intervals in ms from times of waves, those that are possible."""
    out: dict[str, float] = {}
    if 200 <= t.get("rr_interval", 0) <= 3000:
        out |= {"rr": t["rr_interval"], "heart_rate": 60000 / t["rr_interval"]}
    for name, start, end, low, high in (
        ("pr", "p_onset", "qrs_onset", 60, 500),
        ("qrs", "qrs_onset", "qrs_end", 40, 300),
        ("qt", "qrs_onset", "t_end", 200, 800),
    ):
        if start in t and end in t and low <= t[end] - t[start] <= high:
            out[name] = t[end] - t[start]
    if "qt" in out and "rr" in out:
        out["qtc_bazett"] = out["qt"] / (out["rr"] / 1000) ** 0.5
    return out


def code15_folder(folder: Path) -> list[Seed]:
    """CODE-15 %'s ``exams.csv``: six findings, each verified either way, and whether the ECG is normal."""
    out = []
    for line, row in _rows(folder, "exams.csv", ("exam_id", "patient_id", "is_male", "age", *CODE15, "normal_ecg")):
        flags = {}
        for column in (*CODE15, "normal_ecg"):
            value = row[column].strip().lower()
            if value not in ("true", "false", "1", "0", "1.0", "0.0"):
                raise ReadError(
                    folder / "exams.csv",
                    f"line {line}: {column} is {value[:20]!r}, not True or False",
                    "give the published table",
                )
            flags[column] = value in ("true", "1", "1.0")
        present = {k for column, found in CODE15.items() if flags[column] for k in found[:1]}
        if flags["normal_ecg"]:
            present |= {"super_class:NORM", "sub_class:NORM"}
        known = [k for found in CODE15.values() for k in found[:1]]
        out.append(
            Seed(
                f"code15:{row['exam_id']}",
                f"code15:{row['patient_id']}",
                "code15",
                f"code15/{row['exam_id']}-0.png",
                frozenset(present),
                deniable(frozenset(present), {}, known),
                sex="male" if row["is_male"].strip().lower() in ("true", "1", "1.0") else "female",
                age=round(_number(folder, "exams.csv", line, row["age"])),
            )
        )
    return out


def ptbxl_folder(folder: Path) -> list[Seed]:
    """PTB-XL's own ``ptbxl_database.csv`` and ``scp_statements.csv``. Diagnoses of likelihood 0 do not count, as in its own
    benchmark; form and rhythm statements have no likelihood."""
    from ecglm.corpus.instruct.sources import seed_of_labels

    kinds = {row[""]: row for _, row in _rows(folder, "scp_statements.csv", ("", "diagnostic_subclass", "form", "rhythm"))}
    out = []
    for line, row in _rows(
        folder, "ptbxl_database.csv", ("ecg_id", "patient_id", "strat_fold", "scp_codes", "report", "sex", "age")
    ):
        try:
            codes = dict(literal_eval(row["scp_codes"]))
        except (ValueError, SyntaxError, TypeError):
            raise ReadError(
                folder / "ptbxl_database.csv", f"line {line}: scp_codes is no dictionary", "give the published table"
            ) from None
        present = set()
        for code, likelihood in codes.items():
            kind = kinds.get(code, {})
            if kind.get("diagnostic_subclass") and likelihood > 0:
                present |= {f"sub_class:{kind['diagnostic_subclass']}", f"super_class:{kind.get('diagnostic_class', '')}"}
            present |= {f"{g}:{code}" for g in ("form", "rhythm") if kind.get(g) in ("1", "1.0")}
        age = _number(folder, "ptbxl_database.csv", line, row["age"]) if row["age"].strip() else None
        out.append(
            seed_of_labels(
                int(_number(folder, "ptbxl_database.csv", line, row["ecg_id"])),
                int(_number(folder, "ptbxl_database.csv", line, row["patient_id"])),
                int(row["strat_fold"]),
                frozenset(present & set(BY_KEY)),
                {},
                {"0": "male", "1": "female"}.get(row["sex"].strip()[:1]),
                round(age) if age and age <= 120 else None,
                row["report"].strip(),
            )
        )
    return out
