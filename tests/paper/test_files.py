"""Pages and truths survive their files; evidence marks tint the right place."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from ecglm.errors import ReadError, UsageError
from ecglm.paper import PageTruth, annotate, render
from ecglm.records.record import Record
from ecglm.schema import Evidence


def test_a_saved_png_has_the_same_pixels_and_prints_at_true_scale(real: Record, tmp_path: Path) -> None:
    page = render(real, dpi=100)
    page.save(tmp_path / "page.png")
    again = cv2.cvtColor(cv2.imread(str(tmp_path / "page.png")), cv2.COLOR_BGR2RGB)
    assert np.array_equal(again, page.image)
    data = (tmp_path / "page.png").read_bytes()
    at = data.index(b"pHYs") + 4
    assert struct.unpack(">IIB", data[at:at + 9]) == (3937, 3937, 1)  # 100 dpi in pixels per metre
    assert [file.name for file in tmp_path.iterdir()] == ["page.png"]


def test_a_saved_jpeg_names_its_resolution(real: Record, tmp_path: Path) -> None:
    render(real, dpi=100).save(tmp_path / "page.jpg")
    data = (tmp_path / "page.jpg").read_bytes()
    assert struct.unpack(">BHH", data[13:18]) == (1, 100, 100)
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (850, 1100, 3)


def test_other_extensions_are_refused_and_nothing_is_written(real: Record, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.png, \.jpg"):
        render(real, dpi=60).save(tmp_path / "page.bmp")
    assert list(tmp_path.iterdir()) == []


def test_truth_survives_its_json(spikes: Record, tmp_path: Path) -> None:
    signal = spikes.signal.copy()
    signal[0, 10:20] = np.nan
    truth = render(Record(signal, 500.0, spikes.leads)).truth
    truth.save(tmp_path / "truth.json")
    again = PageTruth.load(tmp_path / "truth.json")
    assert again.to_dict() == truth.to_dict() == json.loads((tmp_path / "truth.json").read_text())
    assert np.allclose(again.piece("V2").y, truth.piece("V2").y, atol=0.005)
    assert np.isnan(again.piece("I").y[10:20]).all()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"width": 1}', "null"])
def test_a_file_that_is_no_truth_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(ReadError, match="not a page truth"):
        PageTruth.load(tmp_path / "t.json")


def test_evidence_tints_its_lead_and_time_only(spikes: Record) -> None:
    page = render(spikes)
    marked = annotate(page, [Evidence("ST elevation 0.2 mV", ("V2",), 0.2, "mV", (5.5, 5.9))])
    changed = np.argwhere((marked.image != page.image).any(axis=2))
    cell = page.truth.piece("V2")
    second = 25 * page.truth.px_per_mm
    (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
    assert cell.box.top - 1 <= top
    assert bottom <= cell.box.bottom + 1
    assert left == pytest.approx(cell.box.left + 0.5 * second, abs=2)
    assert right >= cell.box.left + 0.9 * second - 2
    assert marked.truth.texts[-1].text == "1 ST elevation 0.2 mV"
    assert int(marked.image[..., 1].min()) <= int(page.image[..., 1].min())  # ink stays ink


def test_evidence_that_the_page_does_not_show_marks_nothing(spikes: Record) -> None:
    page = render(spikes)
    elsewhere = [Evidence("V2 is drawn from 5 to 7.5 s", ("V2",), span_s=(1.0, 1.2)), Evidence("no place at all")]
    assert np.array_equal(annotate(page, elsewhere).image, page.image)
    everywhere = annotate(page, [Evidence("irregular", span_s=(1.0, 3.0))])
    strip = page.truth.piece("II", "rhythm").box
    rows = np.flatnonzero((everywhere.image != page.image).any(axis=(1, 2)))
    assert rows.min() >= strip.top - 1
    assert rows.max() <= strip.bottom + 1


def test_hostile_captions_are_cut(spikes: Record) -> None:
    page = annotate(render(spikes), [Evidence("‮<script>" + "x" * 10_000, ("II",))])
    caption = page.truth.texts[-1].text
    assert len(caption) <= 36
    assert caption.isascii()
