"""The evidence of a rhythm is what was measured of its beats."""

from __future__ import annotations

import re
from dataclasses import replace

import ecglm
from ecglm.answers import Finding
from ecglm.inference.rhythm_evidence import rhythm_evidence, with_rhythm_evidence
from ecglm.reporting.language import language
from ecglm.schema import Evidence
from ecglm.signal.delineation import delineate
from ecglm.signal.simulate import simulate


def share(condition: str) -> int:
    """The share of QRS complexes with a P wave that is given for a simulated rhythm; rate and spread are those measured."""
    record = simulate(condition, 1, seed=3)[0].record
    measured = ecglm.measure(record)
    (evidence,) = rhythm_evidence(measured, delineate(record))
    said = re.fullmatch(r"heart rate (\d+) bpm, RR standard deviation (\d+) ms, P wave before (\d+) % of the QRS complexes",
                        evidence.text)
    assert said is not None
    assert int(said[1]) == round(measured.heart_rate.value)
    assert int(said[2]) == round(measured.rr_sd.value)
    return int(said[3])


def test_sinus_rhythm_has_p_waves_and_fibrillation_has_not() -> None:
    assert share("normal") >= 90
    assert share("atrial_fibrillation") <= 50


def test_only_rhythm_statements_that_are_shown_get_it() -> None:
    record = simulate("normal", 1, seed=3)[0].record
    lead = (Evidence("rests most on lead", ("II",)),)
    given = (Finding("SR", "sinus rhythm", "rhythm", 0.9, True, lead),
             Finding("AFIB", "atrial fibrillation", "rhythm", 0.1, False),
             Finding("STD", "st depression", "form", 0.9, True, lead))
    first, second, third = with_rhythm_evidence(given, ecglm.measure(record), delineate(record), 0.2)
    assert [e.text.split()[0] for e in first.evidence] == ["heart", "rests"]
    assert second.evidence == ()
    assert third.evidence == lead


def test_a_share_that_the_table_contradicts_is_not_given() -> None:
    record = simulate("normal", 1, seed=3)[0].record
    measured = ecglm.measure(record)
    nothing = replace(measured, pr=replace(measured.pr, value=None, reason="no consistent P wave before the QRS"))
    (evidence,) = rhythm_evidence(nothing, delineate(record))
    assert "P wave" not in evidence.text
    assert evidence.text.startswith("heart rate")


def test_where_the_table_counts_p_waves_the_evidence_counts_the_same() -> None:
    record = simulate("normal", 1, seed=3)[0].record
    measured = ecglm.measure(record)
    reason = "P waves can be marked before only 4 of 14 QRS complexes"
    few = replace(measured, pr=replace(measured.pr, value=None, reason=reason))
    (evidence,) = rhythm_evidence(few, delineate(record))
    assert evidence.text.endswith(f", {reason}")
    assert "%" not in evidence.text
    assert language("de").phrase(evidence.text) is not None


def test_where_ventricular_beats_are_left_aside_it_is_said() -> None:
    record = simulate("normal", 1, seed=3)[0].record
    waves = delineate(record)
    ectopic = replace(waves, types=("N", "V", *["N"] * (len(waves.overall["qrs"]) - 2)))
    (evidence,) = rhythm_evidence(ecglm.measure(record), ectopic)
    assert evidence.text.endswith("of the QRS complexes that are not ventricular")
    for code in ("de", "zh"):
        assert language(code).phrase(evidence.text) is not None
