"""Confidence of answers that name findings is by their probabilities."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ecglm.inference.support import shares, support
from ecglm.inference.topics import topics
from ecglm.knowledge.statements import keys
from ecglm.models.calibration import FindingCalibration
from ecglm.models.facts import UNSPOKEN

RHYTHMS = [key for key in keys() if key.startswith("rhythm:") and key not in UNSPOKEN]


def read_off(prevalence: float, either: tuple[float, float] = (1.0, 0.0), **probability: float,
             ) -> tuple[Any, FindingCalibration]:
    """A reading whose findings have .01 where nothing else is given, and a calibration."""
    every = {key: probability.get(key.split(":")[1], 0.01) for key in keys()}
    findings = [SimpleNamespace(group=key.split(":")[0], code=key.split(":")[1], probability=p) for key, p in every.items()]
    encoded = SimpleNamespace(prob_C=np.array([*every.values()], np.float32))
    of_each = dict.fromkeys(("slope", "bias", "possible", "prevalence"), (prevalence,) * len(every))
    return SimpleNamespace(findings=findings, encoded=encoded), FindingCalibration(
        **of_each, combinations={}, missing=(), either=either)


def sure(question: str, answer: str, prevalence: float = 0.5, either: tuple[float, float] = (1.0, 0.0), **probability: float,
         ) -> float | None:
    return support(topics(question), answer, *read_off(prevalence, either, **probability))


def test_a_group_is_as_sure_as_all_of_it() -> None:
    """What is named must be there, and nothing else of the group."""
    alone = 0.9 * 0.99 ** (len(RHYTHMS) - 1)
    assert sure("What is the rhythm?", "atrial fibrillation", AFIB=0.9) == pytest.approx(alone)
    both = 0.9 * 0.7 * 0.99 ** (len(RHYTHMS) - 2)
    assert sure("What is the rhythm?", "atrial fibrillation, sinus tachycardia", AFIB=0.9, STACH=0.7) == pytest.approx(both)
    assert sure("Which rhythm-related symptoms does this ECG show?", "none") == pytest.approx(0.99 ** len(RHYTHMS))
    assert sure("Which extrasystoles are there?", "none", PVC=0.2, PAC=0.1) == pytest.approx(0.8 * 0.9)


def test_one_or_the_other_takes_each_for_as_common_as_its_absence() -> None:
    question = "Sinus bradycardia or atrial fibrillation?"  # its words also ask for a rate
    assert sure(question, "atrial fibrillation", AFIB=0.9, SBRAD=0.2) == pytest.approx(0.9 * 0.8)
    assert sure(question, "both", AFIB=0.9, SBRAD=0.2) == pytest.approx(0.9 * 0.2)
    assert sure(question, "none", AFIB=0.9, SBRAD=0.2) == pytest.approx(0.1 * 0.8)
    rare = sure(question, "atrial fibrillation", prevalence=0.1, AFIB=0.5, SBRAD=0.1)
    assert rare == pytest.approx(0.9 * 0.5)  # .5 where a tenth have it is 9 : 1, .1 is as much as nothing known
    bolder = sure(question, "none", either=(2.0, 0.5), AFIB=0.5, SBRAD=0.5)
    assert bolder == pytest.approx(1 / (1 + 9 * np.exp(-0.5)))  # odds of 1 : 3, squared, and half a unit more
    assert sure(question, "sinus rhythm", AFIB=0.9, SBRAD=0.2, SR=0.3) == pytest.approx(0.1 * 0.8 * 0.3)  # not what was asked


def test_options_share_by_the_odds_of_their_findings() -> None:
    reading, calibration = read_off(0.5, AFIB=0.9, SBRAD=0.2)
    assert shares(("atrial fibrillation", "sinus bradycardia"), reading, calibration) == pytest.approx((9 / 9.25, 0.25 / 9.25))
    assert shares(("atrial fibrillation", "something else"), reading, calibration) is None
    assert shares(("AF", "atrial fibrillation"), reading, calibration) is None


@pytest.mark.parametrize(("question", "answer"), [
    ("Is there atrial fibrillation?", "yes"), ("What is the heart rate?", "72 bpm"), ("What is the axis?", "normal heart axis"),
    ("How severe is the left bundle branch block?", "severe"), ("What is the rhythm?", "fast and loud"),
    ("What is the rhythm?", "it does not show atrial fibrillation"), ("Which diagnoses does this ECG show?", "both")])
def test_other_answers_rest_on_their_text(question: str, answer: str) -> None:
    assert sure(question, answer, AFIB=0.9) is None
