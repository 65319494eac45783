"""Seeds of the data sets: PTB-XL and ECG-QA as they are here, or a folder in the layout of PTB-XL, MIMIC-IV-ECG or CODE-15 %."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ecglm.atomic import write_text
from ecglm.corpus import ptbxl
from ecglm.corpus.ecgqa_official import all_questions
from ecglm.corpus.instruct.seed import SPOKEN, Seed, deniable
from ecglm.corpus.reports import report_rows
from ecglm.errors import UsageError
from ecglm.knowledge.statements import keys

#: What is measured on a recording and asked about.
MEASURED = ("heart_rate", "rr", "pr", "qrs", "qtc_bazett")
HELD_OUT = (9, 10)
LICENCES = {"ptbxl": "CC BY 4.0", "ecgqa": "CC BY 4.0", "mimic": "ODbL 1.0", "code15": "CC BY 4.0"}
ATTRIBUTION = {
    "ptbxl": "PTB-XL, Wagner P et al. 2020, doi:10.13026/kfzx-aw45, CC BY 4.0, modified",
    "ecgqa": "ECG-QA, Oh J et al. 2023, CC BY 4.0, subset; recordings of PTB-XL",
    "mimic": "MIMIC-IV-ECG, Gow B et al. 2023, doi:10.13026/4nqg-sb35, ODbL 1.0; credentialed parts are not needed",
    "code15": "CODE-15%, Ribeiro AH et al. 2021, doi:10.5281/zenodo.4916206, CC BY 4.0",
}


def seeds_of(sources: Sequence[str], held_out: bool = False, progress: bool = False) -> list[Seed]:
    """Seeds of all sources: "ptbxl", "ecgqa" (in the data folder), "ptbxl:DIR", "mimic:DIR", "code15:DIR". PTB-XL's folds 9 and
    10 are left out unless held_out. Raises UsageError for an unknown source, ReadError for a bad table."""
    from ecglm.corpus.instruct import tables

    here: dict[str, Callable[[], list[Seed]]] = {"ptbxl": lambda: ptbxl_seeds(progress), "ecgqa": ecgqa_seeds}
    folders = {"ptbxl": tables.ptbxl_folder, "mimic": tables.mimic_folder, "code15": tables.code15_folder}
    out: list[Seed] = []
    for source in sources:
        name, _, folder = source.partition(":")
        if not folder and name in here:
            out += here[name]()
        elif folder and name in folders:
            out += folders[name](Path(folder))
        else:
            raise UsageError(f"there is no source {source!r}; use ptbxl, ecgqa, ptbxl:DIR, mimic:DIR or code15:DIR")
    kept = [seed for seed in out if held_out or seed.fold not in HELD_OUT]
    if not kept:
        raise UsageError(f"{', '.join(sources)}: no recording may be used; --held-out takes folds 9 and 10 too")
    return kept


def known_of(present: frozenset[str]) -> list[str]:
    """Statements whose absence means something: of a group of which something is stated, and form where the ECG is normal.
    PTB-XL states form and rhythm of some recordings only."""
    groups = {key.split(":")[0] for key in present}
    calm = "super_class:NORM" in present or "sub_class:NORM" in present
    return [k for k in SPOKEN if (g := k.split(":")[0]) in groups or (g == "form" and calm)]


def seed_of_labels(
    ecg_id: int,
    patient: int,
    fold: int,
    present: frozenset[str],
    values: dict[str, float],
    sex: str | None,
    age: int | None,
    report: str,
) -> Seed:
    """A PTB-XL recording as a seed."""
    return Seed(
        f"ptbxl:{ecg_id}",
        f"ptbxl:{patient}",
        "ptbxl",
        f"ptbxl/{ecg_id:05d}.png",
        present,
        deniable(present, values, known_of(present)),
        values,
        fold,
        sex,
        age,
        report,
    )


def ptbxl_seeds(progress: bool = False) -> list[Seed]:
    """The recordings whose signals are here, with what `measure` finds on them."""
    data, rows = ptbxl.load(), report_rows()
    measured = _measured(data, progress)
    out = []
    for row, ecg_id in enumerate(map(int, data.ecg_id)):
        present = frozenset(key for key, there in zip(keys(), data.labels_NC[row], strict=True) if there)
        text = rows[ecg_id].text if ecg_id in rows else ""
        out.append(
            seed_of_labels(
                ecg_id,
                int(data.patient[row]),
                int(data.fold[row]),
                present,
                measured[str(ecg_id)],
                data.sex[row],
                data.age[row],
                text,
            )
        )
    return out


def _measured(data: ptbxl.PtbXl, progress: bool) -> dict[str, dict[str, float]]:
    """Values by ecg_id, kept in ecglm's cache for these recordings and this version of the measuring code."""
    from rich.progress import track

    import ecglm.signal
    from ecglm.models.base import cache_dir
    from ecglm.signal import measure

    code = b"".join(p.read_bytes() for p in sorted(Path(ecglm.signal.__file__).parent.glob("*.py")))
    key = hashlib.sha256(code + data.ecg_id.tobytes()).hexdigest()[:16]
    path = cache_dir().parent / "instruct" / f"measured-{key}.json"
    if path.is_file():
        try:
            return dict(json.loads(path.read_text(encoding="utf8")))
        except ValueError:
            path.unlink()
    out = {}
    for row in track(range(len(data)), "Measuring", disable=not progress):
        named = measure(data.record(row)).named()
        out[str(data.ecg_id[row])] = {f: float(v) for f in MEASURED if (v := named[f].value) is not None}
    write_text(path, json.dumps(out))
    return out


def ecgqa_seeds() -> list[Seed]:
    """One seed for each PTB-XL recording that official single-recording questions are about."""
    rows, asked = report_rows(), defaultdict(list)
    for q in all_questions():
        if q["question_type"].startswith("single-") and len(q["ecg_id"]) == 1 and q["ecg_id"][0] in rows:
            asked[int(q["ecg_id"][0])].append(_asked(q))
    return [
        Seed(
            f"ptbxl:{i}",
            f"ptbxl:{rows[i].patient}",
            "ecgqa",
            f"ptbxl/{i:05d}.png",
            fold=rows[i].fold,
            asked=tuple(dict.fromkeys(questions)),
        )
        for i, questions in sorted(asked.items())
    ]


def _asked(q: dict[str, object]) -> tuple[str, str, str, tuple[str, ...]]:
    kind, attributes = str(q["attribute_type"]), [str(a) for a in q.get("attribute") or ()]  # type: ignore[attr-defined]
    rhythmic = kind == "scp_code" and any(_is_rhythm(a) for a in attributes)
    family = (
        "rhythm" if rhythmic else "morphology" if kind in ("scp_code", "extra_systole", "stage_of_infarction") else "feature"
    )
    answers = [str(a) for a in q["answer"]]  # type: ignore[attr-defined]
    return family, str(q["question"]), ", ".join(answers), ()


def _is_rhythm(attribute: str) -> bool:
    from ecglm.knowledge.statements import of_group

    return any(attribute.lower() == s.name for s in of_group("rhythm"))


def patients(seeds: Sequence[Seed]) -> Iterator[str]:
    """Every patient once."""
    yield from dict.fromkeys(seed.patient for seed in seeds)
