"""What is called present or possible, and which of two rivals is granted."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ecglm.corpus.questions import INDEX
from ecglm.corpus.truth import heads_truth
from ecglm.models.calibration import FindingCalibration, seen_together

N = len(INDEX)
SR, AFIB, PVC, NDT = (INDEX[key] for key in ("rhythm:SR", "rhythm:AFIB", "form:PVC", "form:NDT"))
NORM, CD, MI = (INDEX[f"super_class:{code}"] for code in ("NORM", "CD", "MI"))


@pytest.fixture
def calibration():
    """Training recordings: sinus rhythm or fibrillation, never both; PVC and NDT alone or together."""
    label = np.zeros((100, N), np.uint8)
    label[:80, SR], label[80:, AFIB] = 1, 1
    label[:10, PVC], label[5:20, NDT] = 1, 1
    return FindingCalibration((1.0,) * N, (0.0,) * N, (0.1,) * N, tuple(label.mean(0).tolist()), seen_together(label),
                              ((0.0,) * N,) * 4)


def probabilities(**named):
    prob = np.full(N, 0.005, np.float32)
    for key, value in named.items():
        prob[globals()[key]] = value
    return prob


def test_what_training_showed_together(calibration):
    assert set(calibration.combinations["rhythm"]) == {(SR,), (AFIB,)}
    assert set(calibration.combinations["form"]) == {(), (PVC,), (NDT,), (NDT, PVC) if NDT < PVC else (PVC, NDT)}


def test_of_two_rivals_the_more_plausible_is_present(calibration):
    both = calibration.present_C(probabilities(SR=0.75, AFIB=0.55))
    assert not both[SR]
    assert both[AFIB]  # 55 % is far above its base rate of 20 %, 75 % is below sinus rhythm's 80 %
    assert calibration.present_C(probabilities(SR=0.9, AFIB=0.3))[SR]


def test_two_sure_findings_are_never_dropped_for_being_new_together(calibration):
    present = calibration.present_C(probabilities(SR=0.99, AFIB=0.97))
    assert present[SR]
    assert present[AFIB]


def test_nothing_below_possible_is_present(calibration):
    present = calibration.present_C(probabilities(SR=0.05, AFIB=0.04))
    assert not present.any()


def test_a_normal_ecg_has_no_other_superclass(calibration):
    assert list(np.flatnonzero(calibration.present_C(probabilities(NORM=0.9, CD=0.7))[[NORM, CD, MI]])) == [0]
    assert list(np.flatnonzero(calibration.present_C(probabilities(NORM=0.6, CD=0.9))[[NORM, CD, MI]])) == [1]


def test_two_are_granted_when_open_questions_name_both(calibration):
    truth = heads_truth(calibration, probabilities(SR=0.75, AFIB=0.55, PVC=0.5, NDT=0.4)[None], [""])
    assert truth.pair(0, SR, AFIB) == (False, True)
    assert truth.pair(0, AFIB, SR) == (True, False)
    assert truth.pair(0, PVC, NDT) == (True, True)
    assert truth.has_NC[0, SR] == truth.has_NC[0, AFIB] == 1


def test_of_two_rivals_the_one_that_open_questions_name_is_chosen(calibration):
    truth = heads_truth(calibration, probabilities(SR=0.75, AFIB=0.55)[None], [""])
    assert truth.pair(0, SR, AFIB) == (False, True)  # more lift
    truth.named_NC[0, [SR, AFIB]] = 1, 0
    assert truth.pair(0, SR, AFIB) == (True, False)


def test_calibration_survives_its_file(calibration):
    assert FindingCalibration.of(calibration.to_dict()) == calibration


def test_missing_leads_move_the_calibration(calibration):
    change = np.zeros((4, N))
    change[:, AFIB] = (-0.4, -0.2, -1.0, -0.5)  # slope per share of limb and chest leads missing, then bias
    lacking = replace(calibration, missing=tuple(map(tuple, change)))
    logits = np.full(N, 2.0, np.float32)
    limb_only, chest_only, lead_ii = np.zeros((3, 12), np.float32)
    limb_only[:6] = chest_only[6:] = lead_ii[1] = 1
    for mask, expected in ((None, 2.0), (np.ones(12, np.float32), 2.0), (limb_only, 0.8 * 2 - 0.5), (chest_only, 0.6 * 2 - 1.0),
                           (lead_ii, (1 - 0.4 * 5 / 6 - 0.2) * 2 - 5 / 6 - 0.5)):
        moved = lacking.calibrated(logits, mask)
        assert moved[AFIB] == pytest.approx(expected, abs=1e-5)
        assert moved[SR] == 2.0
    assert FindingCalibration.of(json.loads(json.dumps(lacking.to_dict()))) == lacking


def test_a_missing_lead_never_turns_the_ranking_round(calibration):
    steep = replace(calibration, missing=((-3.0,) * N, *[(0.0,) * N] * 3))
    chest_only = np.r_[np.zeros(6), np.ones(6)].astype(np.float32)
    weak, strong = (steep.calibrated(np.full(N, z, np.float32), chest_only) for z in (-2.0, 2.0))
    assert (strong > weak).all()
