"""Evidence of single beats → features of the rhythm around each of them, over windows of beats on either side.

Shapes: B beats, W places of a window, F features.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecglm.signal.missing import FloatArray
from ecglm.signal.spans.evidence import Evidence

#: Beats on either side of each.
AROUND = (4, 10, 25)
#: Intervals (s) outside these are none of a rhythm; what changes by more than a share from beat to beat, and pairs of intervals
#: that differ by less, are counted.
RR_S, CHANGED, SAME = (0.2, 3.0), 0.1, 0.04
#: A P wave is there when its probability exceeds this.
P_THERE = 0.4
#: Beats that are computed at once: bounds the memory of a day.
PART = 20000


def rhythm_features(times_B: FloatArray, kinds_B: NDArray[np.str_], p_B3: NDArray[np.floating], gaps_G2: FloatArray,
                    seen: Evidence) -> FloatArray:
    """Features ``[B, F]`` of beats at times (s) with their AAMI classes and P waves (`holter.atrial.p_before`); gaps (s): where
    nothing could be seen. The order is fixed, the trees know them by number."""
    if not len(times_B):
        return np.empty((0, 0))
    reach = max(AROUND)
    parts = []
    for first in range(0, len(times_B), PART):
        low, high = max(0, first - reach - 4), min(len(times_B), first + PART + reach + 4)
        some = _features(times_B[low:high], kinds_B[low:high], p_B3[low:high], gaps_G2, seen.at(slice(low, high)))
        parts.append(some[first - low: min(first + PART, len(times_B)) - low])
    return np.concatenate(parts)


def _features(times_B: FloatArray, kinds_B: NDArray[np.str_], p_B3: NDArray[np.floating], gaps_G2: FloatArray, seen: Evidence,
              ) -> FloatArray:
    rr = _intervals(times_B, kinds_B, gaps_G2)
    usual = ~np.isin(kinds_B, ("V", "F"))
    change = {lag: _changes(rr, lag) for lag in (1, 2, 3)}
    there_p, p_s, pr_s = np.asarray(p_B3, float).T
    there = np.where(there_p > P_THERE, pr_s, np.nan)
    p, alike, between = (np.where(usual, value, np.nan) for value in (there_p, seen.alike, seen.between))
    columns: list[FloatArray] = []
    for around in AROUND:
        rr_BW = np.sort(_around(rr, around), axis=1)
        columns.append(np.minimum.reduce([_quantile(np.sort(_around(one, around), axis=1), 0.5) for one in change.values()]))
        columns.append((_quantile(rr_BW, 0.75) - _quantile(rr_BW, 0.25)) / _quantile(rr_BW, 0.5))
        columns += [_mean(np.minimum(change[1], 1), around), _mean(change[1] > CHANGED, around, ~np.isnan(change[1]))]
        columns.append(_pairs(rr_BW))
        columns += [_mean(p, around), _mean(p > P_THERE, around, ~np.isnan(p)), _mean(alike, around), _mean(between, around)]
        pr_BW = np.sort(_around(there, around), axis=1)
        columns.append(_quantile(pr_BW, 0.75) - _quantile(pr_BW, 0.25))
        columns.append(_mean((kinds_B == "V").astype(float), around))
    middle = AROUND[1]
    rr_BW = np.sort(_around(rr, middle), axis=1)
    columns += [_quantile(rr_BW, 0.5), _quantile(np.sort(_around(there, middle), axis=1), 0.5), _mean(p_s, middle),
                _mean((kinds_B == "S").astype(float), middle)]
    for name in ("peak", "flutter", "fibrillation", "level"):
        columns.append(_mean(getattr(seen, name), middle))
    columns += [seen.hz_long, seen.peak_long, seen.flutter_long, _times_of(seen.hz_long, columns[-8]), rr, change[1], there_p,
                seen.alike]
    return np.nan_to_num(np.column_stack(columns), nan=-1.0, posinf=-1.0, neginf=-1.0)


def _times_of(hz: FloatArray, rr: FloatArray) -> FloatArray:
    """How far the number of atrial waves in an interval is from a whole number, 0 .. .5."""
    waves = hz * rr
    out: FloatArray = abs(waves - np.round(waves))
    return out


def _intervals(times_B: FloatArray, kinds_B: NDArray[np.str_], gaps_G2: FloatArray) -> FloatArray:
    """The interval before each beat, NaN where a gap lies in it or a ventricular beat begins or ends it."""
    rr = np.diff(times_B, prepend=np.nan)
    wide = kinds_B == "V"
    gap = np.searchsorted(gaps_G2[:, 0], times_B)
    other = np.r_[True, wide[:-1]] | wide | np.r_[True, gap[1:] != gap[:-1]] | (rr < RR_S[0]) | (rr > RR_S[1])
    out: FloatArray = np.where(other, np.nan, rr)
    return out


def _changes(rr: FloatArray, lag: int) -> FloatArray:
    """Change of each interval from the one so many before, as a share of the shorter."""
    earlier = np.r_[np.full(min(lag, len(rr)), np.nan), rr[:-lag]] if len(rr) > lag else np.full(len(rr), np.nan)
    out: FloatArray = abs(rr - earlier) / np.minimum(rr, earlier)
    return out


def _around(values_B: FloatArray, around: int) -> FloatArray:
    """The values around each ``[B, W]``, NaN beyond the ends."""
    padded = np.pad(values_B, around, constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * around + 1)


def _quantile(sorted_BW: FloatArray, share: float) -> FloatArray:
    """Of what is known in sorted rows, whose NaN are last."""
    last = np.isfinite(sorted_BW).sum(axis=1) - 1
    at = np.round(share * np.maximum(last, 0)).astype(np.int64)
    out: FloatArray = np.take_along_axis(sorted_BW, at[:, None], axis=1)[:, 0]
    return out


def _mean(values_B: FloatArray, around: int, known: NDArray[np.bool_] | None = None) -> FloatArray:
    """Mean of what is known around each; NaN where nothing is."""
    there = np.isfinite(values_B) if known is None else known
    totals = []
    for one in (np.where(there, values_B, 0.0), there.astype(float)):
        total = np.r_[0.0, np.cumsum(one)]
        at = np.arange(len(one))
        totals.append(total[np.minimum(at + around + 1, len(one))] - total[np.maximum(at - around, 0)])
    out: FloatArray = np.divide(totals[0], totals[1], out=np.full(len(values_B), np.nan), where=totals[1] > 0)
    return out


def _pairs(sorted_BW: FloatArray) -> FloatArray:
    """Share of neighbours in size that differ by less than SAME: near 1 where intervals come again."""
    step = np.diff(sorted_BW, axis=1) / sorted_BW[:, :-1]
    there = np.isfinite(step)
    width = sorted_BW.shape[1] // 5 + 1
    # An interval comes again when the fifth of all that are next to it in size lie close to it.
    far = sorted_BW[:, width:] / sorted_BW[:, :-width] - 1
    known = np.isfinite(far)
    count = known.sum(axis=1)
    close = (np.where(known, far, np.inf) < SAME * 2).sum(axis=1)
    return np.divide(close, count, out=np.full(len(count), np.nan), where=(count > 0) & there.any(axis=1))
