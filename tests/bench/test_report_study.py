"""The study of reports: which text is judged, its controls, and the whole of it on a few recordings."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.answers import Finding
from ecglm.bench import bertscore
from ecglm.bench.studies.neighbours import nearest
from ecglm.bench.studies.report import PUBLISHED, check_patients, commonest, diagnosis_text, run, sections
from ecglm.corpus.ptbxl import PtbXl, load
from ecglm.corpus.reports import ReportRow, report_rows, statement_text
from ecglm.errors import UsageError
from ecglm.knowledge.report_labels import labels
from ecglm.knowledge.statements import keys
from ecglm.reporting import Report
from tests.signal.synthetic import synthetic_ecg

NONE = dict.fromkeys(keys(), 0)


def test_the_diagnosis_is_judged_without_numbers_and_probabilities() -> None:
    report = Report.of(synthetic_ecg()[0], findings=[
        Finding("SR", "sinus rhythm", "rhythm", 0.97, True), Finding("AVB", "av block", "sub_class", 0.3, False),
        Finding("LAFB/LPFB", "left fascicular block", "sub_class", 0.6, True)])
    assert diagnosis_text(report) == "Sinus rhythm. Left fascicular block."
    assert "av block" in sections(report)["Pathological Analysis"].lower()


def test_a_report_without_findings_says_no_statement() -> None:
    assert not labels(diagnosis_text(Report.of(synthetic_ecg()[0])))


def test_labels_become_sentences_that_the_extractor_reads_back() -> None:
    text = statement_text(NONE | {"rhythm:AFIB": 1, "sub_class:CLBBB": 1, "form:PVC": 1, "super_class:CD": 1})
    assert text == "Atrial fibrillation. Complete left bundle branch block. Ventricular premature complex."
    assert statement_text(NONE) == "No statement."
    assert labels(statement_text(NONE | {"sub_class:NORM": 1}))["sub_class:NORM"] == "present"


def test_the_commonest_report_is_english_and_of_the_training_folds() -> None:
    texts = ["normal ecg.", "sinus rhythm.", "sinus rhythm.", *["sinusrhythmus lagetyp normal"] * 5]
    known = {n: ReportRow(n, n, 1, text, NONE) for n, text in enumerate(texts)}
    known |= {n: ReportRow(n, n, 9, "normal ecg.", NONE) for n in range(90, 99)}
    assert commonest(known) == "sinus rhythm."


def test_a_neighbour_is_the_most_similar_that_is_allowed() -> None:
    near = np.array([[0.9, 0.5, 0.7], [0.1, 0.2, 0.0]], np.float32)
    assert nearest(near, np.array([False, True, True])).tolist() == [2, 1]
    with pytest.raises(ValueError, match="allowed"):
        nearest(near, np.zeros(3, bool))


def test_recordings_of_trained_patients_are_refused(data_dir) -> None:
    data = load()
    with pytest.raises(UsageError, match="test on fold 9"):
        check_patients(data, [int(row) for row in data.rows((8,))], [])


def test_the_whole_study_on_a_few_recordings(data_dir, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    known, every = report_rows(), PtbXl.rows

    def few(self: PtbXl, folds: tuple[int, ...]):
        rows = [row for row in every(self, folds) if known[int(self.ecg_id[row])].text]
        return np.array(rows[:6] if folds == (9,) else rows[::60])

    monkeypatch.setattr(PtbXl, "rows", few)
    monkeypatch.setattr(bertscore, "BASELINE_PAIRS", 6)  # of 500, each of two texts through a language model
    study = run(seed=0, draws=100, progress=False, answered=0, folder=str(tmp_path))
    assert study.n_items == 6
    assert all(one["ungrounded"] == [] for one in study.values["grounding"])
    titles = [table.title for table in study.tables]
    assert [title.split(" (")[0] for title in titles[:2]] == [
        "Clinical efficacy against PTB-XL labels", "Clinical efficacy against statements of PTB-XL's report"]
    rows = [row for row in study.tables[0].rows if row[0] == "rhythm"]
    assert [row[1] for row in rows] == ["report", "commonest report", "other patient's report", "nearest recording's report",
                                        "ECG-Chat, published, other data"]
    assert rows[-1][4].startswith(f"{PUBLISHED['rhythm']:.1f}")
    assert list(tmp_path.glob("embeddings-*.npy"))
    overlap = [table for table in study.tables if table.title.startswith("Overlap")]
    assert [table.head[-1] for table in overlap] == ["BERTScore F1 (smollm2-135m, layer 20)"] * 2
    assert 0 < study.values["bertscore_baseline"] < 1
