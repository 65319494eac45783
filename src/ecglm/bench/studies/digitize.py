"""Pages drawn from real millivolt recordings, distorted, and read back: signal-to-noise ratio, rate, QRS, refusals, time.

The ratio is that of the PhysioNet Challenge 2024 (digitisation; Reyna et al.), lead by lead, 10 log10(sum x² / sum (x - y)²)
over what is drawn of the lead, x without its own mean, as a page has no zero line; y is shifted vertically to the best fit, and
in time by at most SHIFT_S. A lead that was not read counts as 0 dB; a page that was refused is counted as refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.bench.stats import Bootstrap, interval
from ecglm.bench.study import Study, Table
from ecglm.bench.task import digest
from ecglm.corpus.folder import data_folder
from ecglm.errors import PageError
from ecglm.paper import Page, render
from ecglm.paper.digitize import digitize
from ecglm.records import read
from ecglm.records.record import Record
from ecglm.signal import measure

Floats = NDArray[np.float64]
PRESETS = ("none", "light", "scan", "heavy", "photo")
LAYOUTS = ("3x4", "12x1", "6x2", "3x4+3R")
#: Largest shift in time, s: more than any cart's column of pixels, less than a beat.
SHIFT_S = 0.2
#: How far rate and QRS duration may be from those of the recording itself.
RATE_BPM, QRS_MS = 2.0, 10.0


@dataclass(frozen=True)
class _Outcome:
    """One page: ratio (dB) of each of its leads, None when it was refused; differences of rate and QRS, NaN where one of the
    two could not be measured, None where the recording itself has none; the page's confidence and seconds."""

    ratios: tuple[float, ...] | None
    unshifted: float
    rate: float | None
    qrs: float | None
    confidence: float
    seconds: float


def half(which: str) -> Iterator[tuple[str, Record]]:
    """Recordings of LUDB and Challenge 2021: "development" (even number or place), on which parameters were chosen, or "test"."""
    wanted = 0 if which == "development" else 1
    folder = data_folder("ludb") / "data"
    for number in sorted(int(path.stem) for path in folder.glob("*.hea")):
        if number % 2 == wanted:
            yield f"ludb {number}", read(folder / f"{number}.hea")
    for place, path in enumerate(sorted((data_folder("challenge2021") / "records").glob("*.hea"))):
        if place % 2 == wanted:
            yield f"challenge2021 {path.stem}", read(path)


def run(seed: int, draws: int, progress: bool, part: str = "test", each: int = 40) -> Study:
    """`each` recordings, drawn of both sources in turn, in every preset."""
    from rich.progress import track

    records = _mixed(list(half(part)), each, seed)
    outcomes: dict[str, list[_Outcome]] = {}
    jobs = [(preset, number) for preset in PRESETS for number in range(len(records))]
    for preset, number in track(jobs, "Pages", disable=not progress):
        record = records[number][1]
        page = render(record, layout=LAYOUTS[number % len(LAYOUTS)], distort=preset, seed=seed + number)
        outcomes.setdefault(preset, []).append(_outcome(record, page))
    boot = Bootstrap([name for name, _ in records], draws, seed)
    rows = [_row(preset, outcomes[preset], boot, draws, seed) for preset in PRESETS]
    head = ("preset", "median SNR, dB", "without a shift in time", "worst tenth, dB", f"within {RATE_BPM:g} bpm",
            f"QRS within {QRS_MS:g} ms", "refused", "s per page", "confidence, 10 dB or more / less")
    values = {preset: {"ratios": [None if o.ratios is None else [round(r, 2) for r in o.ratios] for o in done],
                       "rate": [_known(o.rate) for o in done], "qrs": [_known(o.qrs) for o in done],
                       "confidence": [round(o.confidence, 3) for o in done]} for preset, done in outcomes.items()}
    notes = (f"{part} half, {len(records)} recordings, layouts {', '.join(LAYOUTS)} in turn; shares are of the pages that were "
             "read and whose recording has the measurement; a page on which it cannot be measured counts against them.",)
    return Study([Table("Pages read back", head, rows)], len(records), len(records), digest([name for name, _ in records]), notes,
                 values)


def _mixed(records: list[tuple[str, Record]], each: int, seed: int) -> list[tuple[str, Record]]:
    """So many, drawn of both sources in turn as long as they last: in order, those of one hospital or device would come first."""
    rng = np.random.default_rng(seed)
    sources = [[item for item in records if item[0].startswith(name)] for name in ("ludb", "challenge2021")]
    sources = [[source[i] for i in rng.permutation(len(source))] for source in sources]
    out: list[tuple[str, Record]] = []
    while len(out) < each and any(sources):
        for source in sources:
            if source and len(out) < each:
                out.append(source.pop(0))
    return out


def _outcome(record: Record, page: Page) -> _Outcome:
    start = time.process_time()
    try:
        read_back = digitize(page.image, text=False)  # the same wherever it runs
    except PageError:
        return _Outcome(None, np.nan, None, None, 0.0, time.process_time() - start)
    seconds = time.process_time() - start
    pairs = [ratio(*_drawn(record, page, read_back, lead), record.fs) for lead in page.truth.leads]
    shown = record.crop(page.truth.start_s, page.truth.duration_s)
    before, after = measure(shown), measure(read_back)

    def difference(a: float | None, b: float | None) -> float | None:
        return None if a is None else np.nan if b is None else float(b - a)

    return _Outcome(tuple(best for best, _ in pairs), float(np.median([plain for _, plain in pairs])),
                    difference(before.heart_rate.value, after.heart_rate.value),
                    difference(before.qrs.value, after.qrs.value), float(np.median(list(read_back.quality.values()))), seconds)


def _drawn(record: Record, page: Page, read_back: Record, lead: str) -> tuple[Floats, Floats]:
    """What is drawn of a lead (NaN elsewhere), and what was read of it, at the recording's rate from the start of the page."""
    first = round(page.truth.start_s * record.fs)
    count = round(page.truth.duration_s * record.fs)
    x = np.full(count, np.nan)
    for piece in page.truth.pieces:
        if piece.lead == lead and piece.drawn:
            a, b = piece.samples
            x[a - first:b - first] = record.lead(lead)[a:b]
    if lead not in read_back.leads:
        return x, np.full(count, np.nan)
    return x, np.interp(np.arange(count) / record.fs, np.arange(read_back.n_samples) / read_back.fs,
                        read_back.lead(lead).astype(float), right=np.nan)


def ratio(x: Floats, y: Floats, fs: float) -> tuple[float, float]:
    """Signal-to-noise ratio (dB) of y against x ``[time]``, NaN where nothing is known, at the best shift in time and without
    one. What is missing of y counts as its mean."""
    known = np.isfinite(x)
    if not known.any() or not np.isfinite(y).any():
        return 0.0, 0.0
    power = float(np.sum((x[known] - x[known].mean()) ** 2))

    def at(shift: int) -> float:
        moved = np.roll(y, shift)
        both = known & np.isfinite(moved)
        if both.sum() < 0.5 * known.sum():
            return 0.0
        error = np.where(both, x - moved, np.nan)[known]
        error = error - np.nanmean(error)
        gone = np.isnan(error)
        error[gone] = (x[known] - x[known].mean())[gone]
        return 10 * float(np.log10(max(power, 1e-12) / max(float(np.sum(error ** 2)), 1e-12)))

    reach = round(SHIFT_S * fs)
    return max(at(shift) for shift in range(-reach, reach + 1)), at(0)


def _known(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(value, 1)


def _row(preset: str, done: list[_Outcome], boot: Bootstrap, draws: int, seed: int) -> list[str]:
    good = [o for o in done if o.ratios is not None]
    refused = boot.mean([o.ratios is None for o in done])
    if not good:
        return [preset, *["–"] * 5, f"{100 * refused.value:.0f} %", "–", "–"]
    every = [np.array(o.ratios) for o in good]
    pick = np.random.default_rng(seed).integers(0, len(every), (draws, len(every)))
    middle = interval(float(np.median(np.concatenate(every))),
                      np.array([np.median(np.concatenate([every[i] for i in chosen])) for chosen in pick]))
    shares = []
    for limit, values in ((RATE_BPM, [o.rate for o in good]), (QRS_MS, [o.qrs for o in good])):
        there = [value for value in values if value is not None]
        shares.append(f"{100 * np.mean([abs(v) <= limit for v in there]):.0f} % of {len(there)}" if there else "–")
    medians = np.array([np.median(leads) for leads in every])
    sure = np.array([o.confidence for o in good])
    split = " / ".join(f"{np.median(sure[group]):.2f}" if group.any() else "–" for group in (medians >= 10, medians < 10))
    return [preset, f"{middle.value:.1f} [{middle.low:.1f}, {middle.high:.1f}]", f"{np.median([o.unshifted for o in good]):.1f}",
            f"{np.percentile(np.concatenate(every), 10):.1f}", *shares, f"{100 * refused.value:.0f} %",
            f"{np.mean([o.seconds for o in done]):.1f}", split]
