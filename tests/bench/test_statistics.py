"""Statistics grounding: what counts as true, how numbers are read out of answers, and the errors of a model that is known."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm.answers import Answer
from ecglm.bench.studies.statistics import LEAD, QUANTITIES, Errors, _ask, number, true_values
from ecglm.corpus.ludb import Marked
from ecglm.signal import measure
from ecglm.signal.simulate import simulate_one


@pytest.fixture(scope="module")
def marked() -> Marked:
    """A simulated recording with marks in every lead, as its truth has them."""
    made = simulate_one("normal", seed=3, noise=False)
    truth, leads = made.truth, made.record.leads
    marks = {"p": np.stack([truth.p_on, truth.p_peak, truth.p_off], 1),
             "qrs": np.stack([truth.qrs_on, truth.r_peak, truth.qrs_off], 1),
             "t": np.stack([truth.qrs_off + 0.1, truth.t_peak, truth.t_off], 1)}
    return Marked("1", made.record, {wave: (np.array(found)[1:-1],) * len(leads) for wave, found in marks.items()}, {})


def test_true_values_are_those_of_the_marks_and_near_what_is_measured(marked: Marked) -> None:
    truth = true_values(marked)
    found = measure(marked.record)
    assert truth["heart_rate"] == pytest.approx(60_000 / truth["rr"])
    for key, tolerance in (("rr", 10), ("heart_rate", 1), ("pr", 16), ("qrs", 16), ("qtc", 35)):
        assert QUANTITIES[key].of(found) == pytest.approx(truth[key], abs=tolerance)
    assert QUANTITIES["amplitude"].of(found) == pytest.approx(truth["amplitude"], rel=0.15)


def test_numbers_are_read_and_declined_answers_are_none() -> None:
    def said(text: str, abstained: bool = False) -> float | None:
        return number(Answer(text, 0.9, abstained, (), "model"))

    assert said("162 ms") == 162
    assert said("PR interval 162.5 ms, normal") == 162.5
    assert said("\N{MINUS SIGN}0.4 mV") == -0.4
    assert said(f"V1 is not asked about, {LEAD} is: 1.2 mV") == 1.2
    assert said("162 ms", abstained=True) is None
    assert said("not measured") is None


class Fixed:
    """Says the true rate of a recording with signal plus 3, nothing else, and nothing without signal."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def ask(self, record, question: str) -> Answer:
        known = question == QUANTITIES["heart_rate"].question and bool(np.any(record.signal))
        return Answer(f"{self.rate + 3:.3f} /min" if known else "", 1.0, not known, (), "fixed")


def test_a_model_that_is_three_too_high_has_that_error(marked: Marked) -> None:
    truths = {"1": true_values(marked)}
    ways: dict[tuple[str, str], Errors] = {}
    _ask(Fixed(truths["1"]["heart_rate"]), [marked], truths, ways)
    rmse, middle, given = ways["heart_rate", "ask, against marks"].cells(100, 0)
    assert rmse.startswith("3.0 [3.0, 3.0]")
    assert (middle, given) == ("3.0", "1 of 1")
    assert ways["pr", "ask, against marks"].cells(100, 0)[2] == "0 of 1"
    assert ways["heart_rate", "ask without signal, against marks"].cells(100, 0)[2] == "0 of 1"
    assert len(ways["heart_rate", "ask, against measure"].values) == 1


def test_interval_covers_recordings_that_differ() -> None:
    errors = Errors()
    for value in (1.0, -2.0, 4.0, None, 0.5):
        errors.add(value, 0.0)
    rmse = float(np.sqrt(np.mean(np.square([1, 2, 4, 0.5]))))
    cell = errors.cells(400, 1)[0]
    low, high = (float(x) for x in cell.split("[")[1].strip("]").split(", "))
    assert cell.startswith(f"{rmse:.1f}")
    assert low < rmse < high
    assert errors.cells(400, 1)[2] == "4 of 5"
