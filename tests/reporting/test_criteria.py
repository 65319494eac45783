"""Criteria of single leads: which leads are neighbours, and when a wave counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ecglm.answers import Finding
from ecglm.knowledge.lead_criteria import CONTIGUOUS, q_counts
from ecglm.reporting import Report
from ecglm.reporting.criteria import criteria
from ecglm.schema import LeadValues, Measurement
from tests.reporting.conftest import measurements

Make = Callable[..., Report]


def lead(**heights: float) -> LeadValues:
    """A lead whose waves have these heights (mV) and durations (ms)."""
    names = ("p", "q", "r", "s", "r_prime", "t", "st_j", "st_j60", "st_j80", "q_duration", "r_duration", "s_duration")
    unit = {name: "ms" if name.endswith("duration") else "mV" for name in names}
    none = {name: "no Q wave" if name == "q" else "there is none" for name in names}
    return LeadValues(**{name: Measurement(heights[name], unit[name]) if name in heights
                         else Measurement(None, unit[name], reason=none[name]) for name in names})


def came_out(make: Make, code: str, **leads: LeadValues) -> tuple[str, ...] | None:
    """The leads that meet the first criterion of a code; None where it could not be judged."""
    report = make(measurements=replace(measurements(), by_lead=leads))
    first = criteria(Finding(code, code, "form", 0.9, True), report)[0]
    assert first.met is (None if first.met is None else bool(first.leads))
    return None if first.met is None else tuple(name for name, _ in first.leads)


def test_neighbours_are_of_one_wall() -> None:
    assert frozenset(("I", "aVL")) in CONTIGUOUS
    assert frozenset(("II", "III")) in CONTIGUOUS
    assert frozenset(("I", "II")) not in CONTIGUOUS  # aVR stands between them
    assert frozenset(("V6", "I")) not in CONTIGUOUS


def test_st_needs_two_leads_of_one_wall(make: Make) -> None:
    up, flat = lead(st_j=0.15), lead(st_j=0.0)
    assert came_out(make, "STE", I=up, II=up) == ()
    assert came_out(make, "STE", II=up, III=up, aVF=flat) == ("II", "III")
    assert came_out(make, "STE", V1=up) is None


@pytest.mark.parametrize(("r", "s", "t", "counts"), [
    (1.0, 0.3, -0.11, True), (1.0, 0.3, -0.1, False), (0.3, 1.0, -0.4, False), (0.5, 0.0, -0.3, True)])
def test_t_inversion_is_more_than_a_millimetre_where_r_exceeds_s(make: Make, r: float, s: float, t: float, counts: bool) -> None:
    wave = lead(r=r, s=-s, t=t) if s else lead(r=r, t=t)
    assert came_out(make, "INVT", V4=wave, V5=wave) == (("V4", "V5") if counts else ())


@pytest.mark.parametrize(("name", "wave", "counts"), [
    ("II", lead(q=-0.12, q_duration=31, r=0.8), True), ("II", lead(q=-0.12, q_duration=25, r=0.8), False),
    ("II", lead(q=-0.05, q_duration=35, r=0.8), False), ("V2", lead(q=-0.05, q_duration=22, r=0.3), True),
    ("V2", lead(q=-0.05, q_duration=20, r=0.3), False), ("V4", lead(q=-0.05, q_duration=22, r=0.3), False),
    ("V1", lead(q=-0.9, q_duration=60), True), ("V5", lead(r=1.0), False)])
def test_a_q_wave_counts_by_its_lead(name: str, wave: LeadValues, counts: bool) -> None:
    assert q_counts(name, wave) is counts


def test_pre_excitation_asks_for_a_qrs_above_120(make: Make) -> None:
    report = make(measurements=measurements(pr=Measurement(110.0, "ms"), qrs=Measurement(118.0, "ms")))
    short, wide = criteria(Finding("WPW", "WPW", "sub_class", 0.9, True), report)
    assert (short.what, short.relation, short.limit, short.met) == ("pr", "<", 120, True)
    assert (wide.what, wide.relation, wide.limit, wide.met) == ("qrs", ">", 120, False)


def test_a_narrow_qrs_is_not_asked_of_a_fascicular_block_beside_right_bundle_branch_block(make: Make) -> None:
    fascicle = Finding("LAFB/LPFB", "left fascicular block", "sub_class", 0.6, True)
    for present in (True, False):
        bundle = Finding("CRBBB", "complete right bundle branch block", "sub_class", 0.9, present)
        shown = criteria(fascicle, make(findings=(fascicle, bundle)))
        assert [c.what for c in shown] == ([] if present else ["qrs"])
