"""Statements are read out of report texts by whole words, with what is denied and what is only possible kept apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecglm.bench.studies.report_extractor import hand_made, sentences
from ecglm.knowledge.report_labels import labels, mentions, words
from ecglm.knowledge.report_language import language_of
from ecglm.knowledge.statements import STATEMENTS, keys

REPAIRED = sentences(Path(__file__).with_name("repaired_sentences.yaml"))


@pytest.mark.parametrize(("text", "want"), REPAIRED, ids=[text for text, _ in REPAIRED])
def test_sentences_that_once_were_misread_are_read_right(text: str, want: dict[str, str]) -> None:
    assert {k: v for k, v in labels(text).items() if not k.startswith("super_class") or k in want} == want


def test_the_reported_sentences_hold_forty_denials_and_the_reported_accuracy() -> None:
    assert len(sentences()) == 100
    assert not {text for text, _ in REPAIRED} & {text for text, _ in sentences()} - {"Normal ECG."}
    denials = ("no ", "not ", "kein", "ohne", "nicht", "without", "absent", "ausgeschlossen", "negative for", "can be excluded")
    denied = [text for text, want in sentences() if "absent" in want.values()
              or (not want and any(word in f"{text} ".lower() for word in denials))]
    assert len(denied) >= 40
    found = hand_made()
    assert found["right"] == 94
    assert found["said_precision"] == 1.0
    assert found["denied_recall"] == pytest.approx(41 / 44)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: s.key)
def test_our_own_names_are_read_as_what_they_are(statement) -> None:
    assert labels(statement.name)[statement.key] == "present"
    assert labels(f"No {statement.name}.").get(statement.key) in ("absent", None)


@pytest.mark.parametrize("text", ["The limits are minimal.", "Grab the lavatory mirror.", "A dim amphitheatre."])
def test_parts_of_words_are_no_statements(text: str) -> None:
    assert not mentions(text)


@pytest.mark.parametrize(("text", "key", "status"), [
    ("sinusrhythmus linksschenkelblock linkshypertrophie möglich", "sub_class:CLBBB", "present"),
    ("sinusrhythmus linksschenkelblock linkshypertrophie möglich", "sub_class:LVH", "possible"),
    ("regelmässiger rhythmus, keine p-welle erkannt linkstyp linksschenkelblock", "sub_class:CLBBB", "present"),
    ("qrs(t) abnorm    inferiorer infarkt     wahrscheinlich alt", "sub_class:IMI", "present"),
    ("inferiorer infarkt nicht auszuschliessen", "sub_class:IMI", "possible"),
    ("VORHOFFLIMMERN/-FLATTERN", "rhythm:AFIB", "present"),
    ("sinusrhythmus verdacht auf p-sinistrocardiale linkstyp", "sub_class:LAO/LAE", "possible"),
    ("no st elevation, atrial fibrillation", "rhythm:AFIB", "present"),
    ("no st elevation, st depression or q waves", "form:QWAVE", "absent"),
    ("atrial fibrillation is absent; left bundle branch block", "sub_class:CLBBB", "present"),
])
def test_a_cue_reaches_what_it_speaks_of_and_no_further(text: str, key: str, status: str) -> None:
    assert labels(text)[key] == status


def test_a_mention_that_affirms_outweighs_one_that_denies() -> None:
    assert labels("No ST elevation in I. ST elevation in V2.")["form:STE"] == "present"


def test_umlauts_abbreviations_and_points_of_numbers_do_not_split_sentences() -> None:
    assert words("Überdreht, V.a. 1.5 mV.") == ["ueberdreht", ",", "va", "15", "mv", "."]


def test_reports_of_ptbxl_name_the_rhythm_that_they_are_labelled_with(data_dir) -> None:
    from ecglm.corpus.reports import report_rows

    rows = [row for row in report_rows().values() if row.fold == 8 and language_of(row.text) in ("en", "de")][:150]
    hit = called = true = 0
    for row in rows:
        said = {key for key, status in labels(row.text).items() if status != "absent" and key.startswith("rhythm")}
        want = {key for key in keys() if key.startswith("rhythm") and row.labels[key]}
        hit, called, true = hit + len(said & want), called + len(said), true + len(want)
    assert 2 * hit / (called + true) > 0.95
