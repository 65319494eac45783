"""`EcgProcessor`: all preprocessing between a `Record` and the encoder.

Saved as ``processor_config.json`` beside the weights, so that inference can never differ
from training. Numpy in, numpy out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import write_text
from ecglm.config import load_config
from ecglm.errors import CheckpointError, RecordError
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.schema import Measurements
from ecglm.signal import BEAT_SAMPLES, FEATURE_FS, USABLE, axis_features, measure, prepare, read_rhythm
from ecglm.signal.parts import Part, recorded_parts, unrecorded_share

#: Median beats reach the encoder at this rate (Hz); they are band-limited far below half of it.
BEAT_FS = 125.0
_BEAT_STEP = round(FEATURE_FS / BEAT_FS)
#: Samples of a median beat as the encoder gets it.
BEAT_LENGTH = len(range(0, BEAT_SAMPLES, _BEAT_STEP))


@dataclass(frozen=True)
class ProcessorConfig:
    """Rates in Hz, lengths in s. Longer records are cut into windows whose results are averaged."""

    fs: float = 125.0
    band: tuple[float, float] = (0.5, 40.0)
    leads: tuple[str, ...] = STANDARD_12
    window_s: float = 10.0
    min_s: float = 2.0
    max_s: float = 60.0


class EcgInputs(NamedTuple):
    """Encoder input of one record. sig_WLT windows, z-scored per lead; mask_L leads present; beat_WLK median beat of
    each window at BEAT_FS; feat_WF rhythm features and axis of each window; measurements of the whole record; unrecorded:
    the share of its time in which its leads were not recorded since others were (`ecglm.signal.parts`)."""

    sig_WLT: NDArray[np.float32]
    mask_L: NDArray[np.float32]
    beat_WLK: NDArray[np.float32]
    feat_WF: NDArray[np.float32]
    measurements: Measurements
    unrecorded: float = 0.0


class EcgProcessor:
    """Record to `EcgInputs`; see `ProcessorConfig`."""

    def __init__(self, config: ProcessorConfig | None = None) -> None:
        self.config = config or ProcessorConfig()

    def __call__(self, record: Record, measurements: Measurements | None = None) -> EcgInputs:
        """Raises RecordError for records shorter than `min_s` or without a known lead."""
        c = self.config
        if record.duration_s < c.min_s - 1e-6:
            raise RecordError(f"{record.source or 'record'}: {record.duration_s:.2g} s of signal; {c.min_s:g} s are needed")
        known = [lead for lead in c.leads if lead in record.leads]
        if not known:
            raise RecordError(f"{record.source or 'record'}: none of its leads ({', '.join(record.leads)}) is one of the "
                              f"12 standard leads; name them canonically")
        record = record.select(known).crop(0.0, c.max_s)
        measurements = measurements or measure(record)
        if parts := recorded_parts(record):
            return self._of_parts(record, parts, measurements)
        known = _with_signal(record) or known
        record = record.select(known)
        axis = axis_features(measurements.axis_as_trained)
        windows = list(self._windows(record))
        readable = [lead for lead in known if measurements.quality.get(lead, 1.0) >= USABLE] or known
        mask = np.array([lead in readable for lead in c.leads], np.float32)
        sig = np.stack([self._place(prepare(w, fs=c.fs, band=c.band)[0], known) for w in windows])
        rhythm = [read_rhythm(w) for w in windows]
        beat = np.stack([self._place(r.beat_LW[:, ::_BEAT_STEP], known) for r in rhythm])
        feat = np.stack([np.concatenate([r.values_F, axis]) for r in rhythm])
        return EcgInputs(sig, mask, beat, feat.astype(np.float32), measurements)

    def _of_parts(self, record: Record, parts: Sequence[Part], measurements: Measurements) -> EcgInputs:
        """One window in which the leads of all parts are laid over each other, though they were not recorded at the same time:
        the encoder compares shapes, and reads the rhythm from the strips, else from the part with the most beats."""
        rhythm: NDArray[np.float32] | None = None
        signal: dict[str, NDArray[np.float32]] = {}
        beats: dict[str, NDArray[np.float32]] = {}
        for part in sorted(parts, key=lambda p: p.duration_s, reverse=True):
            piece = part.of(record)
            read = read_rhythm(piece)
            rhythm = read.values_F if rhythm is None else rhythm
            beats |= dict(zip(part.leads, read.beat_LW[:, ::_BEAT_STEP], strict=True))
            signal |= dict(zip(part.leads, prepare(piece, fs=self.config.fs, band=self.config.band)[0], strict=True))
        known = list(signal)
        length = min(len(lead) for lead in signal.values())
        readable = [lead for lead in known if measurements.quality.get(lead, 1.0) >= USABLE] or known
        mask = np.array([lead in readable for lead in self.config.leads], np.float32)
        assert rhythm is not None
        feat = np.concatenate([rhythm, axis_features(measurements.axis_as_trained)]).astype(np.float32)
        return EcgInputs(self._place(np.stack([signal[lead][:length] for lead in known]), known)[None], mask,
                         self._place(np.stack([beats[lead] for lead in known]), known)[None], feat[None], measurements,
                         unrecorded_share(record, tuple(parts)))

    def _windows(self, record: Record) -> list[Record]:
        """The record itself up to 1.2 windows, else equal-length windows that cover it evenly."""
        window = self.config.window_s
        if record.duration_s <= 1.2 * window:
            return [record]
        count = int(np.ceil(record.duration_s / window))
        starts = np.linspace(0.0, record.duration_s - window, count)
        return [record.crop(float(start), window) for start in starts]

    def _place(self, signal_LT: NDArray[np.float32], known: list[str]) -> NDArray[np.float32]:
        """Known leads into their rows of the full lead set; absent leads stay zero."""
        full = np.zeros((len(self.config.leads), signal_LT.shape[1]), np.float32)
        full[[self.config.leads.index(lead) for lead in known]] = signal_LT
        return full

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> EcgProcessor:
        """Read ``processor_config.json`` of a checkpoint folder. Raises CheckpointError or ConfigError."""
        path = Path(folder) / "processor_config.json"
        try:
            data = json.loads(path.read_text(encoding="utf8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path}: missing or not JSON; give a checkpoint folder") from error
        return cls.from_dict(data)

    @classmethod
    def from_dict(cls, data: dict[str, object]) -> EcgProcessor:
        """Inverse of `to_dict`."""
        return cls(load_config(ProcessorConfig, {k: v for k, v in data.items() if k != "processor_class"}))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write ``processor_config.json``."""
        write_text(Path(folder) / "processor_config.json", json.dumps(self.to_dict(), indent=1) + "\n")

    def to_dict(self) -> dict[str, object]:
        """What ``processor_config.json`` holds."""
        return {"processor_class": "EcgProcessor", **asdict(self.config)}


def _with_signal(record: Record) -> list[str]:
    """Leads that are more than missing samples or a flat line: rhythm features count in how many leads a P wave is seen,
    and a lead that a device wrote without recording it must count as one that is not there."""
    known = ((lead, samples[np.isfinite(samples)]) for lead, samples in zip(record.leads, record.signal, strict=True))
    return [lead for lead, samples in known if samples.size and np.ptp(samples) > 0]
