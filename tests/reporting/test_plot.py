"""A plot marks waves where the truth of a simulated heart has them, and says why a value is missing."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

import ecglm
from ecglm.answers import Finding
from ecglm.errors import RecordError, UsageError
from ecglm.paper.marks import WAVE_COLOURS
from ecglm.records.record import Record
from ecglm.reporting.plot import MOST_S, Plot, plot
from ecglm.reporting.plot_beats import contradictions, odd_beats
from ecglm.schema import Measurement
from ecglm.signal.delineation import Delineation
from ecglm.signal.simulate import simulate
from ecglm.signal.simulate.synthesis import Simulated


class Model:
    """Gives findings, or declines, and remembers what it was given."""

    id = "model@1"

    def __init__(self, *found: Finding) -> None:
        self.found, self.given = found, []

    def findings(self, record: Record) -> tuple[Finding, ...]:
        self.given.append(record)
        if not self.found:
            raise RecordError(f"{record.source or 'record'}: flat; no findings can be given")
        return self.found


class Page(HTMLParser):
    """Elements of a page in order, as (tag, attributes), and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words, self._open = "", []
        self.feed(html)
        self.close()
        assert not self._open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in ("meta", "input"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data if self._open[-1:] not in (["script"], ["style"]) else ""

    def of(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [have for name, have in self.elements if name == tag and wanted.items() <= have.items()]


@pytest.fixture(scope="module")
def normal() -> Simulated:
    return simulate("normal", 1, seed=4, noise=False)[0]


@pytest.fixture(scope="module")
def normal_plot(normal: Simulated) -> Plot:
    return plot(normal.record)


def within(spans_S2: np.ndarray, second: float) -> bool:
    return bool(((spans_S2[:, 0] <= second) & (second <= spans_S2[:, 1])).any())


def test_tints_lie_where_the_waves_of_the_simulated_heart_are(normal: Simulated, normal_plot: Plot) -> None:
    page, plain = normal_plot.page, ecglm.render(normal.record)
    strip = page.truth.piece("II", "rhythm")
    seen, there = dict.fromkeys(WAVE_COLOURS, 0), 0
    for p, r, t in zip(normal.truth.p_peak, normal.truth.r_peak, normal.truth.t_peak, strict=True):
        if not 0.5 < r < 9.3:
            continue
        there += 1
        for name, second in (("p", p), ("qrs", r), ("t", t)):
            at = round(second * 500)
            x, y = round(float(strip.x[at])), round(float(strip.y[at] - 0.7 * page.truth.px_per_mm))
            tinted = plain.image[y - 2:y + 3, x - 3:x + 4].astype(int) * np.array(WAVE_COLOURS[name][0]) // 255
            seen[name] += int((np.abs(page.image[y - 2:y + 3, x - 3:x + 4] - tinted).max(axis=2) <= 2).mean() > 0.5)
    assert there > 6
    assert all(count >= there - 1 for count in seen.values()), seen


def test_calipers_carry_what_was_measured_and_sit_at_a_true_beat(normal: Simulated, normal_plot: Plot) -> None:
    words = {text.text for text in normal_plot.page.truth.texts}
    for name in ("pr", "qrs", "qt"):
        assert f"{name.upper()} {getattr(normal_plot.measurements, name).value:.0f} ms" in words
    assert normal_plot.beats == []


def test_a_missing_value_has_its_reason_and_no_caliper() -> None:
    done = plot(simulate("atrial_fibrillation", 1, seed=2)[0].record)
    reason = done.measurements.pr.reason
    assert reason is not None
    assert any(line == f"Not measured: P, PR, P axis ({reason})" for line in done.lines)
    assert not [text for text in done.page.truth.texts if text.text.startswith("PR ")]
    assert f"not measured: {reason}" in " ".join(Page(done.html()).words.split())


def test_a_record_without_beats_is_drawn_with_its_reason() -> None:
    done = plot(Record(np.zeros((2, 5000), np.float32), 500.0, ("I", "II")))
    assert done.lines[0] == "Not measured: anything (flat line in every lead)"
    assert done.lead_words == {"I": "flat", "II": "flat"}
    html = Page(done.html())
    assert "flat line in every lead" in html.words
    assert not html.of("rect", **{"class": "qrs"})


def delineation(qrs: list[float], types: str, p: int | None = None) -> Delineation:
    peaks = np.array(qrs)
    p_count = len(qrs) if p is None else p
    return Delineation((), dict.fromkeys(WAVE_COLOURS, ()), {
        "p": np.stack([peaks - 0.2, peaks - 0.16, peaks - 0.12], axis=1)[:p_count],
        "qrs": np.stack([peaks - 0.04, peaks, peaks + 0.05], axis=1),
        "t": np.stack([peaks + 0.2, peaks + 0.3, peaks + 0.36], axis=1)}, tuple(types))


@pytest.mark.parametrize(("times", "types", "p", "names"), [
    ([0, 1, 2, 2.6, 4, 5, 6], "NNNVNNN", None, ["PVC"]),
    ([0, 1, 2, 4, 5, 6, 7], "NNNVNNN", None, ["V"]),                      # an escape
    ([0, 0.6, 2, 2.6, 4, 4.6, 6], "NVNVNVN", None, ["PVC", "PVC", "PVC"]),  # bigeminy has no usual interval
    ([0, 1, 2, 2.6, 4, 5, 6], "NNNSNNN", None, ["PAC"]),
    ([0, 1, 2, 2.6, 4, 5, 6], "NNNSNNN", 1, ["S"]),                       # no P waves: not called atrial
    ([0, 1, 2, 3, 4, 5, 6], "NNNFNNN", None, ["F"]),
    ([0, 1, 2, 3], "", None, []),
])
def test_beats_are_named_by_class_and_time(times: list[float], types: str, p: int | None, names: list[str]) -> None:
    assert [name for _, name, _ in odd_beats(delineation(times, types, p))] == names


def test_marks_that_contradict_the_measurement_are_called_out(normal_plot: Plot) -> None:
    found = delineation([1, 2, 3, 4, 5], "NNNNN")  # PR 160, QRS 90, QT 400 ms
    right = replace(normal_plot.measurements, pr=Measurement(165.0, "ms"), qrs=Measurement(80.0, "ms"),
                    qt=Measurement(410.0, "ms"))
    assert contradictions(found, right) == []
    wrong = replace(right, qt=Measurement(500.0, "ms"), pr=Measurement(None, "ms", reason="none"))
    assert contradictions(found, wrong) == ["QT 400 ms by the marked waves, 500 ms measured"]


def test_the_html_is_one_file_whose_policy_lets_only_its_own_script_run(normal_plot: Plot) -> None:
    html = normal_plot.html()
    page = Page(html)
    assert "//" not in re.sub(r"\n *// .*", "", html).replace("<!", "")
    assert not [have for _, have in page.elements if {"src", "href", "xlink:href", "srcset"} & set(have)]
    assert "@import" not in html
    assert not [key for _, have in page.elements for key in have if key.startswith("on")]
    script = re.findall(r"<script>(.*?)</script>", html, re.S)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    policy = page.of("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    used = set(re.findall(r'byId\("(\w+)"\)', script[0]))
    assert used <= {have.get("id") for _, have in page.elements}
    assert {have["data-hide"] for have in page.of("input")} == {"p", "qrs", "t", "beats", "intervals"}


def values_of(path: str) -> dict[int, int]:
    out: dict[int, int] = {}
    for piece in path.split("M")[1:]:
        numbers = [int(n) for n in re.findall(r"-?\d+", piece)]
        at, value = numbers[:2]
        out[at] = value
        for step, change in zip(numbers[2::2], numbers[3::2], strict=True):
            at, value = at + step, value + change
            out[at] = value
    return out


def test_every_sample_of_every_lead_is_in_the_html(normal: Simulated) -> None:
    signal = normal.record.signal.copy()
    signal[3, 1000:1200] = np.nan
    page = Page(plot(replace(normal.record, signal=signal)).html())
    groups, traces = page.of("g", **{"class": "lead"}), page.of("path", **{"class": "trace"})
    assert [g["data-lead"] for g in groups] == list(normal.record.leads)
    for group, trace, row in zip(groups, traces, signal, strict=True):
        shown = values_of(trace["d"])
        np.testing.assert_array_equal(sorted(shown), np.flatnonzero(np.isfinite(row)))
        amplitude = np.array(list(shown.values())) / 1000 + int(group["data-centre"]) / 1000
        np.testing.assert_allclose(amplitude, row[np.isfinite(row)], atol=0.0016)  # thousandths, rounded twice


def test_boxes_of_the_html_hold_the_true_peaks(normal: Simulated, normal_plot: Plot) -> None:
    page = Page(normal_plot.html())
    for name, peaks in (("p", normal.truth.p_peak), ("qrs", normal.truth.r_peak), ("t", normal.truth.t_peak)):
        boxes = page.of("rect", **{"class": name})
        spans = np.array([(float(b["x"]), float(b["x"]) + float(b["width"])) for b in boxes])
        inner = peaks[(peaks > 0.3) & (peaks < 9.7)]
        assert len(boxes) >= 8 * len(inner)  # of twelve leads; in some a wave is flat
        assert np.mean([within(spans, peak) for peak in inner]) > 0.9


def test_ten_seconds_of_twelve_leads_are_a_small_file() -> None:
    assert len(plot(ecglm.read(get_testdata_file("waveform_ecg.dcm"))).html()) < 500_000  # 1 kHz, real noise


def test_names_of_leads_cannot_become_markup(normal: Simulated) -> None:
    names = ("<script>alert(1)</script>", "\" onload='x' {{ 7*7 }}")
    done = plot(Record(normal.record.signal[:2], 500.0, names))
    page = Page(done.html())
    assert len(page.of("script")) == 1
    assert [g["data-lead"] for g in page.of("g", **{"class": "lead"})] == list(names)
    assert not [key for _, have in page.elements for key in have if key.startswith("on")]
    assert done.page.image.shape[1:] == (2200, 3)


def test_a_long_recording_says_which_part_is_shown(normal: Simulated) -> None:
    long = replace(normal.record, signal=np.tile(normal.record.signal, (1, 20)))
    first = plot(long)
    assert first.record.duration_s == 60
    assert first.lines[0] == "Shown: 0:00:00 - 0:00:10 of 0:03:20; measured: 0:00:00 - 0:01:00 of 0:03:20"
    assert first.shown("x.html") == "0:00:00 - 0:01:00 of 0:03:20"
    assert "0:00:00 - 0:01:00 of 0:03:20" in Page(first.html()).words
    later = plot(long, start_s=70, duration_s=10)
    np.testing.assert_array_equal(later.record.signal, long.signal[:, 35_000:40_000])
    assert later.lines[0] == "Shown: 0:01:10 - 0:01:20 of 0:03:20"
    part = plot(long.crop(70, 5), begins_s=70.0)  # what `ecglm.read(path, start_s=70, duration_s=5)` gives
    assert part.lines[0] == "Shown: 0:01:10 - 0:01:15"
    assert Page(part.html()).of("svg")[0]["data-begins"] == "70.0"
    assert plot(normal.record).shown("x.png") == ""


@pytest.mark.parametrize(("wanted", "message"), [
    ({"start_s": 10.0}, "which lasts 10 s"), ({"start_s": -1.0}, "which lasts 10 s"), ({"duration_s": 0.0}, "which lasts 10 s"),
    ({"start_s": float("nan")}, "which lasts 10 s"),
    ({"layout": "9x9"}, "layout '9x9' is unknown"),
])
def test_what_cannot_be_shown_is_refused_in_words(normal: Simulated, wanted: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plot(normal.record, **wanted)  # type: ignore[arg-type]


def test_more_than_five_minutes_at_once_are_refused(normal: Simulated) -> None:
    long = replace(normal.record, signal=np.tile(normal.record.signal[:1], (1, 40)), leads=("I",))
    with pytest.raises(UsageError, match="at most 300 s"):
        plot(long, duration_s=MOST_S + 1)
    assert plot(long, start_s=390, duration_s=MOST_S + 1).record.duration_s == 10  # there is no more


def test_leads_are_selected_and_ordered(normal: Simulated) -> None:
    assert plot(normal.record, leads=["V1", "II"]).record.leads == ("V1", "II")
    with pytest.raises(RecordError, match="lead zz is not in this record"):
        plot(normal.record, leads=["zz"])


def test_findings_are_named_with_their_probability(normal: Simulated) -> None:
    model = Model(Finding("IRBBB", "incomplete right bundle branch block", "sub_class", 0.062, False),
                  Finding("SR", "sinus rhythm", "rhythm", 0.985, True))
    done = plot(normal.record, model=model)
    assert done.lines[-1] == "Findings: sinus rhythm 98 %, incomplete right bundle branch block 6 % (possible)"
    assert "sinus rhythm" in Page(done.html()).words
    assert "model@1" in done.html()
    long = replace(normal.record, signal=np.tile(normal.record.signal, (1, 9)))
    assert plot(long, duration_s=90, model=model).lines[-1].startswith("Findings (of the first 60 s): sinus")
    assert model.given[-1].duration_s == 60


def test_a_model_that_declines_is_quoted_without_the_path(normal: Simulated) -> None:
    done = plot(replace(normal.record, source="/home/jane_doe/ecg.dcm"), model=Model())
    assert done.lines[-1] == "Findings (record: flat; no findings can be given): none"
    assert "jane_doe" not in done.html()
    assert "no findings can be given" in Page(done.html()).words


def test_files_appear_whole_under_the_two_names(normal_plot: Plot, tmp_path: Path) -> None:
    normal_plot.save(tmp_path / "a.png")
    normal_plot.save(tmp_path / "a.HTML")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "a.HTML").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    with pytest.raises(UsageError, match=r"a\.svg: a plot is saved as \.png or \.html"):
        normal_plot.save(tmp_path / "a.svg")
    with pytest.raises(UsageError, match="cannot be written"):
        normal_plot.save(tmp_path / "a.png" / "b.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.HTML", "a.png"]


def test_plots_need_no_torch(tmp_path: Path) -> None:
    code = ("import sys, ecglm, pydicom.data as d; p = ecglm.plot(ecglm.read(d.get_testdata_file('waveform_ecg.dcm')));"
            f"p.save({str(tmp_path / 'a.html')!r}); p.save({str(tmp_path / 'a.png')!r}); assert 'torch' not in sys.modules")
    assert subprocess.run([sys.executable, "-c", code], timeout=120, check=False).returncode == 0


def test_real_recordings_of_other_kinds_are_plotted(data_dir: Path) -> None:
    ludb = plot(ecglm.read(data_dir / "ludb" / "data" / "1"))
    assert {len(waves) for waves in ludb.spans["qrs"].values()} <= {7, 8, 9}
    holter = plot(ecglm.read(data_dir / "mitdb" / "records" / "119", start_s=300, duration_s=60), begins_s=300.0)
    assert {name for _, name, _ in holter.beats} == {"PVC"}
    assert len(holter.html()) < 500_000
