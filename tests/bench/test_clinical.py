"""Precision, recall and F1 of statements, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.bench.clinical import efficacy, group_keys, labelled, said
from ecglm.bench.stats import Bootstrap

BOOT = Bootstrap(["a", "b", "b", "c"], 300, 0)


def test_micro_and_macro_by_hand() -> None:
    true = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], bool)
    called = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [0, 1, 0]], bool)
    # hits 2, called 4, true 3; F1 of the first 2·1/(1+2), of the second 2·1/(2+1); the third is in no reference
    found = efficacy(called, true, BOOT)
    assert found.precision.value == pytest.approx(2 / 4)
    assert found.recall.value == pytest.approx(2 / 3)
    assert found.micro_f1.value == pytest.approx(4 / 7)
    assert found.macro_f1.value == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert found.micro_f1.low < 4 / 7 < found.micro_f1.high


def test_nothing_said_has_no_precision_and_no_recall() -> None:
    found = efficacy(np.zeros((4, 2), bool), np.ones((4, 2), bool), BOOT)
    assert np.isnan(found.precision.value)
    assert (found.recall.value, found.micro_f1.value, found.macro_f1.value) == (0.0, 0.0, 0.0)


def test_texts_and_label_rows_come_in_the_same_columns() -> None:
    keys = group_keys("rhythm")
    assert said(["Atrial fibrillation. No sinus rhythm.", "Possible atrial flutter."], "rhythm").tolist() == [
        [key == "rhythm:AFIB" for key in keys], [key == "rhythm:AFLT" for key in keys]]
    assert not said(["Possible atrial flutter."], "rhythm", sure=True).any()
    row = dict.fromkeys(keys, "0") | {"rhythm:AFIB": "1"}
    assert labelled([row], "rhythm").tolist() == [[key == "rhythm:AFIB" for key in keys]]
