"""`report-ptbxl`: what reports of a fold say, against PTB-XL's own reports and statements, and whether their numbers are true."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import write_text
from ecglm.bench.bertscore import BASELINE_PAIRS, BertScore, from_environment, rescaled
from ecglm.bench.clinical import GROUPS, Bools, Efficacy, efficacy, group_keys, labelled, said
from ecglm.bench.provenance import code_hash
from ecglm.bench.stats import Bootstrap
from ecglm.bench.studies.neighbours import embeddings, nearest
from ecglm.bench.studies.report_extractor import extractor_tables
from ecglm.bench.studies.report_numbers import Grounding, grounding_table
from ecglm.bench.study import Study, Table, percent
from ecglm.bench.task import BenchItem, digest
from ecglm.bench.text_metrics import METRICS, check_libraries, text_scores
from ecglm.corpus.ptbxl import PtbXl, load
from ecglm.corpus.reports import ReportRow, report_rows, statement_text
from ecglm.errors import UsageError
from ecglm.knowledge.report_language import language_of

TRAINED = tuple(range(1, 9))
#: What a report is asked, where its questions and answers are looked at too.
QUESTIONS = ("What is the rhythm?", "What is the heart rate?", "What diagnostic symptoms does this ECG show?",
             "What form-related symptoms does this ECG show?", "What is the heart axis?")
#: ECG-Chat on PTB-XL fold 10 (2408.08849, diagnosis-driven prompt): F1 of disease, form, rhythm, and overlap, in percent.
PUBLISHED = {"diagnosis": 22.33, "form": 17.35, "rhythm": 43.39}
PUBLISHED_TEXT = {"BLEU-1": 32.27, "BLEU-4": 11.19, "ROUGE-L": 29.93, "METEOR exact+stem": 35.10}
_OURS, _PRIOR, _OTHER, _NEAREST = "report", "commonest report", "other patient's report", "nearest recording's report"


@dataclass(frozen=True)
class _Fold:
    """The fold's recordings: label rows, reference report ("" without one in English or German), language, generated text."""

    rows: list[ReportRow]
    reference: list[str]
    language: list[str]
    texts: dict[str, list[str]]


def run(seed: int, draws: int, progress: bool, fold: int = 9, answered: int = 10, folder: str = "runs/report-ptbxl") -> Study:
    """fold: recordings to report on; others of folds 1-8 are retrieved from. answered: of so many recordings, drawn by `seed`,
    the whole report with the model's answers is checked for numbers, of the others that without. folder: keeps reports and
    embeddings."""
    import ecglm

    check_libraries()
    data, known, model = load(), report_rows(), ecglm.load()
    bert = from_environment(Path(model.elm.tokenizer.name_or_path))  # what is not there is said before anything is computed
    rows = [int(row) for row in data.rows((fold,))]
    past = [int(row) for row in data.rows(TRAINED) if known[int(data.ecg_id[row])].text]
    check_patients(data, rows, past)
    asked = set(random.Random(seed).sample(range(len(rows)), min(answered, len(rows))))
    store = Path(folder)
    made, grounding, query_ND = _reports(model, data, rows, asked, store, progress)
    near_ND = embeddings(model, data, past, store, progress)
    here, there = ([known[int(data.ecg_id[row])] for row in part] for part in (rows, past))
    found = _fold(here, there, made, query_ND @ near_ND.T, commonest(known), seed)
    tables, values = _efficacy_tables(found, draws, seed)
    bert = rescaled(bert, [(row.text, row.patient) for row in known.values()
                           if row.fold in TRAINED and row.text and language_of(row.text) == "en"], seed)
    overlap, more = _overlap_tables(found, bert, draws, seed)
    extractor, accuracy = extractor_tables([row for row in known.values() if row.fold == fold and row.text], draws, seed)
    tables += [*overlap, grounding_table(grounding, [str(r.patient) for r in found.rows], draws, seed), *extractor]
    return Study(tables, len(rows), len({row.patient for row in found.rows}),
                 digest([[r.ecg_id, r.text, dict(r.labels)] for r in found.rows]), _notes(found, past, answered, bert),
                 {"efficacy": values, "overlap": more, "bertscore_baseline": bert.baseline,
                  "grounding": [g.to_dict() for g in grounding], "extractor": accuracy,
                  "published": {"efficacy_f1": PUBLISHED, "overlap": PUBLISHED_TEXT}})


def sections(report: Any) -> dict[str, str]:
    """The finished English text of a `Report` by section title, without marks of Markdown."""
    from ecglm.reporting.save import to_markdown

    out: dict[str, str] = {}
    title = ""
    for line in to_markdown(report).replace("\\", "").splitlines():
        if line.startswith("## "):
            title = line[3:].strip()
        elif line.strip() and line.strip() != "---":
            out[title] = (out.get(title, "") + "\n" + line).strip()
    return out


def diagnosis_text(report: Any) -> str:
    """The Diagnosis of a report as sentences: list numbers and probabilities left out."""
    lines = sections(report).get("Diagnosis", "").splitlines()
    plain = [re.sub(r",? ?\(?calibrated probability [^)]*\)?", "", re.sub(r"^\d+\. ", "", line)).strip(" .") for line in lines]
    return " ".join(f"{line[0].upper()}{line[1:]}." for line in plain if line)


def check_patients(data: PtbXl, rows: Sequence[int], past: Sequence[int]) -> None:
    """Raises UsageError when a patient of `rows` is among those of `past` or of folds 1-8, which the model was trained on."""
    shared = {int(p) for p in data.patient[rows]} & ({int(p) for p in data.patient[past]}
                                                     | {int(p) for p in data.patient[data.rows(TRAINED)]})
    if shared:
        raise UsageError(f"report-ptbxl: {len(shared)} patients (e.g. {min(shared)}) are in the fold and in folds 1-8; "
                         "test on fold 9")


def _reports(model: Any, data: PtbXl, rows: Sequence[int], with_answers: set[int], folder: Path, progress: bool,
             ) -> tuple[list[str], list[Grounding], NDArray[np.float32]]:
    """Diagnosis text of every recording, what became of the numbers in its report, and its embedding [N, D]. Each is written to
    `folder` as it comes, so that an interrupted run of the same code and model goes on."""
    from rich.progress import track

    path = folder / f"reports-{digest([model.id, code_hash(), [int(data.ecg_id[row]) for row in rows]])}.jsonl"
    lines = path.read_text("utf8").splitlines(keepends=True) if path.is_file() else []
    kept = {one["ecg_id"]: one for one in (json.loads(line) for line in lines if line.endswith("\n"))}
    write_text(path, "".join(line for line in lines if line.endswith("\n")))  # without the line that a stop cut short
    for number, row in enumerate(track(rows, "Reports", disable=not progress)):
        answered, ecg_id = number in with_answers, int(data.ecg_id[row])
        if ecg_id in kept and kept[ecg_id]["grounding"]["answered"] == answered:
            continue
        record = data.record(row)
        report = model.report(record, QUESTIONS if answered else ())
        kept[ecg_id] = {"ecg_id": ecg_id, "text": diagnosis_text(report),
                        "grounding": Grounding.of("\n".join(sections(report).values()), record, answered).to_dict(),
                        "emb": [float(x) for x in model.embed(record)[0]]}  # of the reading that the report was made from
        with open(path, "a", encoding="utf8") as file:
            file.write(json.dumps(kept[ecg_id]) + "\n")
    ordered = [kept[int(data.ecg_id[row])] for row in rows]
    return ([one["text"] for one in ordered], [Grounding(**one["grounding"]) for one in ordered],
            np.array([one["emb"] for one in ordered], np.float32))


def _fold(here: list[ReportRow], there: list[ReportRow], made: list[str], near_NM: NDArray[np.float32], prior: str, seed: int,
          ) -> _Fold:
    """near_NM: similarity of the fold's recordings to those that are retrieved from."""
    from ecglm.bench.patients import swap_records

    languages = [language_of(row.text) if row.text else "" for row in here]
    items = [BenchItem(str(n), str(row.patient), str(n), "", "", "", "", "") for n, row in enumerate(here)]
    swapped = {item.id: int(item.meta["swap_record_key"]) for item in swap_records(items, seed)}
    spoken = np.array([language_of(row.text) for row in there])
    of = {name: nearest(near_NM, allowed) for name, allowed in (
        ("any", spoken != "other"), ("en", spoken == "en"), ("statements", np.ones(len(there), bool)))}
    texts = {_OURS: made, _OTHER: [made[swapped[str(n)]] for n in range(len(here))], _PRIOR: [prior] * len(here),
             _NEAREST: [there[n].text for n in of["any"]], _NEAREST + ", English": [there[n].text for n in of["en"]],
             _NEAREST + ", statements": [statement_text(there[n].labels) for n in of["statements"]]}
    reference = [row.text if language in ("en", "de") else "" for row, language in zip(here, languages, strict=True)]
    return _Fold(here, reference, languages, texts)


def commonest(known: Mapping[int, ReportRow]) -> str:
    """The English report that occurs most often in folds 1-8, the first in the alphabet of several."""
    counts = Counter(row.text for row in known.values() if row.fold in TRAINED and row.text)
    ranked = sorted(counts, key=lambda text: (-counts[text], text))
    return next(text for text in ranked if language_of(text) == "en")


def _efficacy_tables(found: _Fold, draws: int, seed: int) -> tuple[list[Table], dict[str, Any]]:
    everything = np.arange(len(found.rows))
    with_text = np.flatnonzero([bool(text) for text in found.reference])
    truths = {"PTB-XL labels": (everything, None), "statements of PTB-XL's report": (with_text, found.reference)}
    tables, values = [], {}
    for name, (kept, texts) in truths.items():
        boot = Bootstrap([str(found.rows[n].patient) for n in kept], draws, seed)
        rows: list[list[str]] = []
        for group in GROUPS:
            true = (labelled([found.rows[n].labels for n in kept], group) if texts is None
                    else said([texts[n] for n in kept], group))
            for system in (_OURS, _PRIOR, _OTHER, _NEAREST):
                score = efficacy(said([found.texts[system][n] for n in kept], group), true, boot)
                rows.append(_row(group, system, score))
                values[f"{name} | {group} | {system}"] = score.to_dict()
            if group == "diagnosis":
                score = _without_normal(said([found.texts[_OURS][n] for n in kept], group), true, boot)
                rows.append(_row("diagnosis but normal", _OURS, score))
                values[f"{name} | diagnosis but normal | {_OURS}"] = score.to_dict()
            rows.append([group, "ECG-Chat, published, other data", "", "", f"{PUBLISHED[group]:.1f} (which F1 is not said)", ""])
        tables.append(Table(f"Clinical efficacy against {name} ({len(kept)} recordings), %",
                            ("group", "text", "precision", "recall", "micro F1", "macro F1"), rows))
    return tables, values


def _without_normal(said_NK: Bools, true_NK: Bools, boot: Bootstrap) -> Efficacy:
    kept: NDArray[np.bool_] = np.array([key != "sub_class:NORM" for key in group_keys("diagnosis")])
    return efficacy(said_NK[:, kept], true_NK[:, kept], boot)


def _row(group: str, system: str, score: Efficacy) -> list[str]:
    return [group, system, *(percent(value) for value in (score.precision, score.recall, score.micro_f1, score.macro_f1))]


def _overlap_tables(found: _Fold, bert: BertScore, draws: int, seed: int) -> tuple[list[Table], dict[str, Any]]:
    """Overlap of words with PTB-XL's reports in English, and with sentences made of its statements."""
    english = [n for n, language in enumerate(found.language) if language == "en"]
    statements = [statement_text(row.labels) for row in found.rows]
    sets = {f"PTB-XL's English reports ({len(english)} recordings)": (english, [row.text for row in found.rows], ", English"),
            f"sentences of PTB-XL's statements ({len(found.rows)} recordings)": (
                list(range(len(found.rows))), statements, ", statements")}
    tables, values, names = [], {}, (*METRICS, bert.name)
    for name, (kept, references, which) in sets.items():
        boot = Bootstrap([str(found.rows[n].patient) for n in kept], draws, seed)
        rows = []
        for system in (_OURS, _PRIOR, _OTHER, _NEAREST):
            texts = found.texts[system + which if system == _NEAREST else system]
            score = text_scores([texts[n] for n in kept], [references[n] for n in kept], boot, bert)
            rows.append([system, *(percent(score[metric], 1.0, 2 if metric == "CIDEr-D" else 1) for metric in names)])
            values[f"{name} | {system}"] = {metric: score[metric].to_dict() for metric in names}
        rows.append(["ECG-Chat, published, other data",
                     *(f"{PUBLISHED_TEXT[m]:.1f}" if m in PUBLISHED_TEXT else "" for m in names)])
        tables.append(Table(f"Overlap with {name}", ("text", *names), rows))
    return tables, values


def _notes(found: _Fold, past: Sequence[int], answered: int, bert: BertScore) -> tuple[str, ...]:
    count = {name: found.language.count(name) for name in ("en", "de", "other", "")}
    return (
        f"Reference texts: PTB-XL gives a report for {len(found.rows) - count['']} of these {len(found.rows)} recordings "
        f"({count['en']} in English, {count['de']} in German, {count['other']} in Swedish or without a known word: left out); "
        "for the others it has statements only. There is no translation, so words are compared with the English reports and, "
        "for all recordings, with sentences made of PTB-XL's statements by our own names, which flatters our reports.",
        "Text of ours: the Diagnosis of the finished English report, probabilities left out. Statements are read out of every "
        "text by the same extractor; what a text calls possible counts, chosen on folds 1-8. Diagnosis: PTB-XL's 23 diagnostic "
        "subclasses, normal among them. Macro F1: mean over statements that the reference makes at least once.",
        "Controls: a flat or absent recording gets no findings, so the control without a signal is the commonest English report "
        f"of folds 1-8 for everybody. Nearest: the report of the most similar of {len(past)} recordings of folds 1-8 that have "
        "one, by the encoder's embedding (it was trained on them).",
        "ECG-Chat's figures are of PTB-XL fold 10 (about 2,200 recordings in millivolts), translated reports and a way to read "
        "labels out of text that was not described; ours of the recordings of the fold at hand, without millivolts: not like for "
        "like. Its METEOR has synonyms. LVOLT, HVOLT and VCLVH need millivolts, are never said here and count as missed.",
        "BERTScore: hidden states of a language model, greedily matched, no idf weights, rescaled so that 0 is the mean of "
        f"{BASELINE_PAIRS} pairs of different English reports of folds 1-8 (F1 {bert.baseline:.3f}) and 100 the same text. "
        "Chance is the row of another patient's report. ECG-Chat published none.",
        f"Numbers: of {answered} recordings the report with five questions answered, of the others the report without. "
        "Percentages are the model's probabilities and are not compared.",
    )
