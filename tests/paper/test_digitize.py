"""A drawn page is read back as the recording it was drawn from, or refused with the reason."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import ecglm
from ecglm.bench.studies.digitize import ratio
from ecglm.cli import main
from ecglm.errors import PageError
from ecglm.paper import render
from ecglm.paper.digitize import overlay, read_page
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.signal.simulate import simulate


@cache
def sinus() -> Record:
    """A clean simulated recording, 12 leads, 10 s."""
    return simulate("normal", 1, seed=5)[0].record


@cache
def page_image(layout: str = "3x4", gain: float = 10.0, style: str = "red") -> NDArray[np.uint8]:
    return render(sinus(), layout=layout, gain=gain, style=style).image


def decibels(found: Record, layout: str) -> float:
    """Median over leads of the signal-to-noise ratio on what is drawn."""
    truth, record, out = render(sinus(), layout=layout).truth, sinus(), []
    for lead in truth.leads:
        x = np.full(record.n_samples, np.nan)
        for piece in truth.pieces:
            if piece.lead == lead:
                x[slice(*piece.samples)] = record.lead(lead)[slice(*piece.samples)]
        times = np.arange(record.n_samples) / record.fs
        y = np.interp(times, np.arange(found.n_samples) / found.fs, found.lead(lead).astype(float), right=np.nan)
        out.append(ratio(x, y, record.fs)[0])
    return float(np.median(out))


@pytest.mark.parametrize("layout", ["3x4", "6x2", "12x1", "3x4+3R"])
def test_a_drawn_page_is_read_back(layout: str) -> None:
    found = ecglm.digitize(page_image(layout))
    assert found.leads == STANDARD_12
    assert found.unit == "mV"
    assert found.duration_s == pytest.approx(10.0, abs=0.02)
    assert decibels(found, layout) > 18
    assert min(found.quality.values()) > 0.7


def test_what_a_page_does_not_show_is_missing() -> None:
    found = ecglm.digitize(page_image("3x4"))
    shown = {lead: np.isfinite(found.lead(lead)).mean() for lead in found.leads}
    assert shown["II"] > 0.98  # the rhythm strip
    assert shown["V6"] == pytest.approx(0.25, abs=0.02)
    assert np.isnan(found.lead("I")[-1000:]).all()
    assert np.isnan(found.lead("V6")[:3500]).all()


def test_leads_of_a_row_follow_one_another_without_a_gap() -> None:
    found = ecglm.digitize(page_image("3x4"))
    shown = np.isfinite(np.stack([found.lead(lead) for lead in ("I", "aVR", "V1", "V4")]))
    assert (shown.sum(axis=0) == 1).mean() > 0.999


@pytest.mark.parametrize("style", ["blue", "green", "brown", "bw"])
def test_the_colour_of_the_paper_does_not_matter(style: str) -> None:
    assert decibels(ecglm.digitize(page_image(style=style)), "3x4") > 18


@pytest.mark.parametrize("gain", [5.0, 20.0])
def test_the_calibration_pulse_gives_the_gain(gain: float) -> None:
    found = ecglm.digitize(page_image(gain=gain))
    assert found.reading is not None
    assert found.reading.gain == gain
    assert found.reading.gain_seen
    assert np.nanmax(found.lead("II")) == pytest.approx(np.max(sinus().lead("II")) - np.median(sinus().lead("II")), rel=0.12)


def test_rate_and_qrs_are_those_of_the_recording() -> None:
    before, after = ecglm.measure(sinus()), ecglm.measure(ecglm.digitize(page_image("12x1")))
    assert after.heart_rate.value == pytest.approx(before.heart_rate.value, abs=2)
    assert after.qrs.value == pytest.approx(before.qrs.value, abs=10)


def test_perspective_and_rotation_are_undone() -> None:
    image = page_image("3x4")
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = np.array([[210, 190], [2020, 260], [1950, 1540], [160, 1480]], np.float32)
    photo = cv2.warpPerspective(image, cv2.getPerspectiveTransform(corners, seen), (width, height), borderValue=(70, 60, 50))
    found = ecglm.digitize(photo)
    assert found.leads == STANDARD_12
    assert decibels(found, "3x4") > 12


def test_names_that_the_user_gives_are_taken() -> None:
    one = sinus().select(["V2"])
    found = ecglm.digitize(render(one).image, leads=["V2"])
    assert found.leads == ("V2",)
    with pytest.raises(PageError, match="2 lead names are given, and the page shows 1 rows"):
        ecglm.digitize(render(one).image, leads=["V2", "V3"])


def blank() -> NDArray[np.uint8]:
    return np.full((900, 1200, 3), 255, np.uint8)


def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (900, 1200, 3), dtype=np.uint8)


def text() -> NDArray[np.uint8]:
    image = blank()
    for row in range(20):
        cv2.putText(image, "The patient was seen in the clinic on the usual day.", (60, 60 + 40 * row), cv2.FONT_HERSHEY_COMPLEX,
                    0.9, (0, 0, 0), 2)
    return image


def chart() -> NDArray[np.uint8]:
    """A growth chart on ruled paper."""
    image = np.ascontiguousarray(render(Record(np.zeros((12, 5000), np.float32), 500.0, STANDARD_12)).image[:1000, :1600])
    x = np.arange(150, 1500)
    points = np.stack([x, 900 - 0.35 * (x - 150)], axis=1).astype(np.int32)
    cv2.polylines(image, [points], False, (10, 10, 10), 3)
    return image


def ruled() -> NDArray[np.uint8]:
    """ECG paper with nothing on it."""
    empty = Record(np.full((12, 5000), np.nan, np.float32), 500.0, STANDARD_12)
    return np.ascontiguousarray(render(empty).image[250:1600, 250:])


@pytest.mark.parametrize("picture", [blank, noise, text, chart, ruled])
def test_what_is_no_ecg_page_is_refused(picture) -> None:
    with pytest.raises(PageError) as caught:
        ecglm.digitize(picture())
    assert caught.value.reason in ("grid", "traces", "layout", "unsure")
    assert "; " in str(caught.value)  # says what to do


def test_a_page_without_a_grid_has_no_scale() -> None:
    image = page_image()
    bare = np.where(image.max(axis=2, keepdims=True) > 120, 255, image).astype(np.uint8)
    with pytest.raises(PageError) as caught:
        ecglm.digitize(bare)
    assert caught.value.reason in ("grid", "traces", "size", "layout")


def test_a_page_too_coarse_is_refused() -> None:
    with pytest.raises(PageError):
        ecglm.digitize(cv2.resize(page_image(), (420, 325), interpolation=cv2.INTER_AREA))


def test_the_overlay_lies_on_the_ink() -> None:
    image = page_image()
    drawn = overlay(read_page(image))
    assert drawn.shape == image.shape
    changed = (drawn != image).any(axis=2)
    ink = cv2.dilate((image.max(axis=2) < 110).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    coloured = changed & (np.ptp(drawn.astype(int), axis=2) > 60)
    piece = render(sinus()).truth.piece("V6")
    trace = np.zeros_like(changed)
    trace[int(piece.y.min()) - 3:int(piece.y.max()) + 3, int(piece.x[20]):int(piece.x[-20])] = True
    assert (coloured & trace).sum() > 300
    assert (ink & coloured & trace).sum() > 0.9 * (coloured & trace).sum()


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, out, seen = tmp_path / "page.png", tmp_path / "ecg.csv", tmp_path / "seen.png"
    render(sinus()).save(image)
    assert main(["digitize", str(image), "-o", str(out), "--overlay", str(seen), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["reading"]["layout"] == "3x4+1R"
    assert set(said["reading"]["confidence"]) == set(STANDARD_12)
    assert ecglm.read(out).leads == STANDARD_12
    assert seen.stat().st_size > 10_000
    assert main(["info", str(image), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["format"] == "image"
    assert said["reading"]["overall"] > 0.7
    assert main(["measure", str(image), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["heart_rate_bpm"] == pytest.approx(ecglm.measure(sinus()).heart_rate.value, abs=3)


def test_a_refused_page_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, out = tmp_path / "text.png", tmp_path / "ecg.csv"
    cv2.imwrite(str(image), text())
    assert main(["digitize", str(image), "-o", str(out)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "text.png" in captured.err
    assert not out.exists()


def test_a_stretch_and_leads_of_a_page_are_read_as_of_a_recording(tmp_path: Path) -> None:
    image = tmp_path / "page.png"
    render(sinus()).save(image)
    part = ecglm.read(image, start_s=2.0, duration_s=4.0, leads=["II"])
    assert part.leads == ("II",)
    assert part.duration_s == pytest.approx(4.0, abs=0.01)
    assert list(part.quality) == ["II"]
