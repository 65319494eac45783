"""Report texts: whole words are written out, boilerplate goes, negations stay."""

from __future__ import annotations

import csv
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecglm.config import read_yaml
from ecglm.knowledge import report_text
from ecglm.knowledge.report_text import (
    clean_report,
    distinct,
    expand,
    folded,
    prompts,
    render_statements,
    said,
    waveform_text,
)
from ecglm.knowledge.statements import keys


@pytest.mark.parametrize(("given", "wanted"), [
    ("Sinus rhythm. LVH.", "sinus rhythm. left ventricular hypertrophy."),
    ("within normal limits, minimal changes, MI", "within normal limits, minimal changes, myocardial infarction"),
    ("lbbb, rbbb", "left bundle branch block, right bundle branch block"),
    ("possible imi; no ami", "possible inferior myocardial infarction; no anterior myocardial infarction"),
    ("lv strain or ischaemia", "left ventricular strain or ischaemia"),
    ("sinusrhythmus LSB", "sinusrhythmus linksschenkelblock"),
    ("vorhofflimmern, VES, ekg path.", "vorhofflimmern, ventrikuläre extrasystole, ekg pathologisch"),
    ("sinusrhythmus infarkt alter unbest.", "sinusrhythmus infarkt alter unbestimmt"),
    ("sinusrhythmus RBBB", "sinusrhythmus rechtsschenkelblock"),
    ("path changes", "path changes"),  # "path." is German and needs its dot
    ("st-t changes in v4-6, aVL", "st-t changes in v4-6, avl"),
])
def test_abbreviations_are_written_out_as_whole_words(given, wanted):
    assert expand(given) == wanted


@settings(deadline=None)
@given(st.sampled_from(sorted(read_yaml(report_text._FOLDER / "abbreviations.yaml")["both"])), st.sampled_from(["x", "un", "7"]))
def test_no_part_of_a_word_is_ever_replaced(short, letters):
    for word in (letters + short, short.rstrip("_") + letters, f"{letters}{short.rstrip('_')}{letters}"):
        table = read_yaml(report_text._FOLDER / "abbreviations.yaml")
        if word not in {**table["both"], **table["en"], **table["de"]}:
            assert expand(word, "en") == word


def test_expanding_twice_changes_nothing():
    table = read_yaml(report_text._FOLDER / "abbreviations.yaml")
    for lang, number in (("en", 0), ("de", 1)):
        for words in [pair[number] for pair in table["both"].values()] + list(table[lang].values()):
            assert expand(words, lang) == words


@pytest.mark.parametrize("ending", ["4.46                 unbestÄtigter bericht", "4.46                 unbestÄti",
                                    "4.46                          u", "4.46 ", "4.46"])
def test_what_the_cart_appends_is_dropped_in_any_length(ending):
    assert clean_report(f"sinusrhythmus   lagetyp normal {ending}") == "sinusrhythmus lagetyp normal"


def test_numbers_that_end_a_finding_stay():
    assert clean_report("sinus rhythm. pr interval 0.24") == "sinus rhythm. pr interval 0.24"
    assert clean_report("av-block 1. grades, pq 0.22 unter digitalis") == "av-block 1. grades, pq 0.22 unter digitalis"


def test_a_report_without_content_is_empty():
    assert clean_report("trace only requested.") == ""
    assert clean_report("  ") == ""


@pytest.mark.parametrize("text", ["no definite pathology.", "inferiorer infarkt nicht sicher", "keine ischämie",
                                  "cannot exclude ischaemia", "sinus rhythm without ectopy", "ohne lvh"])
def test_negations_stay(text):
    words = ("no", "nicht", "keine", "cannot", "without", "ohne")
    negation = next(word for word in words if word in text.split())
    assert negation in clean_report(text).split()


def test_spelling_of_umlauts_and_the_last_stop_do_not_tell_texts_apart():
    assert folded("Überdrehter  Linkstyp.") == folded("ueberdrehter linkstyp")
    assert distinct(["Überdrehter Linkstyp.", "x", "ueberdrehter linkstyp"]) == [0, 1, 0]


def test_every_statement_is_said_in_two_languages_and_prompted_in_other_words():
    rendered = {said(key, lang) for key in keys() for lang in ("en", "de")}
    for key in keys():
        assert said(key, "en") != said(key, "de") or key == "sub_class:NORM"
        assert len(prompts(key)) == 3
        assert not rendered & set(prompts(key)), key


def test_rendered_statements_start_with_the_rhythm_and_say_nothing_twice():
    text = render_statements(["super_class:NORM", "super_class:CD", "sub_class:NORM", "form:PVC", "rhythm:SR"])
    assert text == "sinus rhythm. normal ecg. premature ventricular contraction."
    assert render_statements(["rhythm:AFIB", "sub_class:CLBBB"], "de") == "vorhofflimmern. linksschenkelblock."


def test_waveform_text_leaves_out_what_was_not_measured():
    from dataclasses import replace

    from pydicom.data import get_testdata_file

    import ecglm

    measured = ecglm.measure(ecglm.read(str(get_testdata_file("waveform_ecg.dcm", download=False))))
    text = waveform_text(measured)
    assert text.startswith(f"RR: {measured.rr.value:.0f} PR: {measured.pr.value:.0f} QRS:")
    assert "PR:" not in waveform_text(replace(measured, pr=replace(measured.pr, value=None, reason="no P waves")))


def test_real_reports_keep_every_word_that_is_no_abbreviation_or_boilerplate(data_dir):
    table = read_yaml(report_text._FOLDER / "abbreviations.yaml")
    short = {**table["both"], **table["en"], **table["de"]}
    with gzip.open(data_dir / "ptbxl" / "labels_all.csv.gz", "rt", encoding="utf8") as handle:
        reports = [row["report"] for row in csv.DictReader(handle) if row["report"]]
    for report in reports:
        cleaned = clean_report(report)
        for word in report.lower().split():
            bare = word.strip(".,;:()")
            appended = "unbestätigter bericht edit trace only requested".count(bare)
            if bare.isalpha() and bare not in short and f"{bare}." not in short and not appended:
                assert bare in cleaned, (report, cleaned)
