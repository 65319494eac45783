"""`FewShotSpace`: what a recording looks like from several sides, each a vector of about unit length.

No label of a finding shaped any side: they are measured rhythm, intervals, wave shapes and the median beat (waves and types of
beats come from networks that learned from annotated beats). So they serve a question that
nothing was trained on, where features that a network learned for other findings mislead (docs/log.md has the numbers).
Shapes: N recordings, V raw values, D values of a side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import CheckpointError
from ecglm.models.processor import BEAT_LENGTH, EcgInputs
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.signal.features import ATRIAL_NAMES, AXIS_NAMES, FEATURE_NAMES, MIXED_NAMES, RR_NAMES, SHAPE_NAMES, WAVE_NAMES
from ecglm.signal.wave_features import NAMES as WAVE_VALUES
from ecglm.signal.wave_features import wave_features

FloatArray = NDArray[np.float32]
#: Space fitted on PTB-XL (recipes/fewshot-space.yaml), in the package.
SHIPPED = Path(__file__).with_name("space.safetensors")
#: Principal components of the median beat.
BEAT_COMPONENTS = 32
#: Standardised values are clipped here.
CLIP = 5.0

_RHYTHM = (*FEATURE_NAMES, *AXIS_NAMES)
#: Names of the raw values: rhythm features, wave shapes, then the median beat.
VALUES = (*_RHYTHM, *(f"wave:{name}" for name in WAVE_VALUES))
_RATE = ("rate", "above_100", "below_60", "rr_mean", "rr_median")
_QRS, _ST = ("q", "r", "s", "qrs_area", "r_share", "qrs_s", "r_late"), ("st_j", "st_60", "st_80", "st_slope")
_T = ("t_max", "t_min", "t_area", "t_of_qrs")


def _of_leads(leads: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"wave:{lead}_{name}" for lead in leads for name in names)


def _whole(*names: str) -> tuple[str, ...]:
    return tuple(f"wave:{name}" for name in names)


#: Sides of a recording and the values each reads; "median beat" and "everything" are added to them. The names are shown to users.
SIDES: dict[str, tuple[str, ...]] = {
    "heart rate": _RATE,
    "RR intervals": (*(n for n in RR_NAMES if n not in _RATE), *MIXED_NAMES),
    "odd beats": (*SHAPE_NAMES, *_whole("ventricular", "supraventricular", "fusion")),
    "P waves and atria": (*(n for n in WAVE_NAMES if n.startswith("p")), *ATRIAL_NAMES,
                          *_whole("p_share", "p_s", "pr_s", "pr_sd")),
    "P shape": _of_leads(STANDARD_12, ("p_max", "p_min")),
    "QRS and QT intervals": (*(n for n in WAVE_NAMES if n.startswith("q")), *_whole(
        "qrs_s", "qt_s", "qtc_s", "jt_s", "tpe_s", "qrs_sd", "qrs_t_cos", "progression")),
    "axis": (*AXIS_NAMES, *_of_leads(("I", "II", "aVF"), ("qrs_area",))),
    "QRS shape": _of_leads(STANDARD_12, _QRS),
    "ST segment": _of_leads(STANDARD_12, _ST),
    "T waves": _of_leads(STANDARD_12, _T),
    "ST and T": _of_leads(STANDARD_12, (*_ST, *_T)),
    "inferior leads": _of_leads(("II", "III", "aVF"), (*_QRS, *_ST, *_T)),
    "anterior leads": _of_leads(("V1", "V2", "V3", "V4"), (*_QRS, *_ST, *_T)),
    "lateral leads": _of_leads(("I", "aVL", "V5", "V6"), (*_QRS, *_ST, *_T)),
}
BEAT, ALL = "median beat", "everything"
NAMES = (*SIDES, BEAT, ALL)
#: Weight of rhythm features, beat and wave shapes in "everything".
_PARTS = (1.5, 1.0, 0.7)
_INDEX = {name: i for i, name in enumerate(VALUES)}


@dataclass(frozen=True)
class Description:
    """Raw values of recordings: value_NV (VALUES), beat_NLK (median beats of the 12 leads) and which leads there are, mask_NL."""

    value_NV: FloatArray
    beat_NLK: FloatArray
    mask_NL: FloatArray

    def rows(self, rows: NDArray[np.int64]) -> Description:
        """Some of the recordings."""
        return Description(self.value_NV[rows], self.beat_NLK[rows], self.mask_NL[rows])

    @staticmethod
    def join(parts: Sequence[Description]) -> Description:
        """All recordings of several descriptions."""
        return Description(*(np.concatenate([getattr(part, name) for part in parts])
                             for name in ("value_NV", "beat_NLK", "mask_NL")))


def describe(record: Record, inputs: EcgInputs) -> Description:
    """One recording (N = 1). Windows of a long one are averaged."""
    readable = record.select([lead for lead, there in zip(STANDARD_12, inputs.mask_L, strict=True) if there])
    waves = wave_features(readable.crop(0.0, 60.0))
    value = np.concatenate([inputs.feat_WF.mean(0), waves]).astype(np.float32)
    return Description(value[None], inputs.beat_WLK.mean(0)[None], inputs.mask_L[None])


def _lead_of(name: str) -> str | None:
    lead = name.removeprefix("wave:").split("_")[0]
    return lead if lead in STANDARD_12 else None


class FewShotSpace:
    """Standardisation, components of the beat, and the size of every side, fitted on recordings without labels."""

    def __init__(self, tensors: Mapping[str, FloatArray]) -> None:
        self.tensors = dict(tensors)
        lead = [_lead_of(name) for name in VALUES]
        self._lead_V = np.array([-1 if name is None else STANDARD_12.index(name) for name in lead])

    @classmethod
    def fit(cls, described: Description) -> FewShotSpace:
        """From recordings with all leads."""
        beat_NB = described.beat_NLK.reshape(len(described.beat_NLK), -1)
        mean_B: FloatArray = np.asarray(beat_NB.mean(axis=0), np.float32)
        deviation_NB = beat_NB - mean_B
        components = np.linalg.svd(deviation_NB, full_matrices=False)[2][:BEAT_COMPONENTS]
        spread_K = (deviation_NB @ components.T).std(0)
        space = cls({"mean_V": described.value_NV.mean(0), "std_V": described.value_NV.std(0) + 1e-6, "mean_B": mean_B,
                     "component_KB": components.astype(np.float16), "spread_K": spread_K + 1e-6})
        size = {name: np.float32(np.sqrt((side ** 2).sum(1).mean())) for name, side in space._raw(described).items()}
        space.tensors["size_S"] = np.array([size[name] for name in NAMES], np.float32)
        sides = space(described.rows(np.arange(min(400, len(beat_NB)))))
        space.tensors["mean_S"] = np.array([gram(sides[name], sides[name]).mean() for name in NAMES], np.float32)
        return space

    def _raw(self, described: Description) -> dict[str, FloatArray]:
        """Standardised values by side; those of absent leads are 0, the mean."""
        t = self.tensors
        there_NV = np.where(self._lead_V < 0, 1.0, described.mask_NL[:, self._lead_V])
        value = np.clip((described.value_NV - t["mean_V"]) / t["std_V"], -CLIP, CLIP) * there_NV
        deviation_NLK = described.beat_NLK - t["mean_B"].reshape(described.beat_NLK.shape[1:])
        deviation_NB = (deviation_NLK * described.mask_NL[:, :, None]).reshape(len(value), -1)
        beat = np.clip(deviation_NB @ t["component_KB"].T.astype(np.float32) / t["spread_K"], -CLIP, CLIP)
        rhythm = value[:, :len(_RHYTHM)]
        everything = [weight * part for weight, part in zip(_PARTS, (rhythm, beat, value[:, len(_RHYTHM):]), strict=True)]
        sides = {name: value[:, [_INDEX[v] for v in read]] for name, read in SIDES.items()}
        return {**sides, BEAT: beat, ALL: np.concatenate(everything, axis=1)}

    def __call__(self, described: Description) -> dict[str, FloatArray]:
        """side_ND by name, of about unit length; shorter where leads are absent."""
        return {name: np.asarray(side / size, np.float32) for (name, side), size in
                zip(self._raw(described).items(), self.tensors["size_S"], strict=True)}

    @property
    def baseline_S(self) -> FloatArray:
        """Mean similarity of two recordings, by side (NAMES)."""
        return np.asarray(self.tensors["mean_S"], np.float32)

    @property
    def fingerprint(self) -> str:
        """Tells whether values were measured for this very space."""
        digest = hashlib.sha256("\n".join((*VALUES, *NAMES)).encode())
        for name in sorted(self.tensors):
            digest.update(np.ascontiguousarray(self.tensors[name]).tobytes())
        return digest.hexdigest()[:16]

    def save(self, path: Path, about: Mapping[str, str] | None = None) -> None:
        """One safetensors file. about: its metadata, such as whose data it was fitted on."""
        from safetensors.numpy import save_file

        from ecglm.atomic import replacing

        with replacing(path) as temporary:
            save_file({name: np.ascontiguousarray(value) for name, value in self.tensors.items()}, temporary, dict(about or {}))

    @classmethod
    def load(cls, path: Path = SHIPPED) -> FewShotSpace:
        """Raises CheckpointError when the file is missing or another's."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            tensors = load_file(path)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{path}: cannot be read; install ecglm again") from error
        shapes = {"mean_V": len(VALUES), "size_S": len(NAMES), "mean_B": len(STANDARD_12) * BEAT_LENGTH}
        if any(name not in tensors or tensors[name].shape != (count,) for name, count in shapes.items()):
            raise CheckpointError(f"{path}: is not of this version of ecglm; install it again")
        return cls(tensors)


#: exp(-GAMMA/2 d^2): how fast similarity falls with distance.
GAMMA = 0.5


def gram(a_ND: FloatArray, b_MD: FloatArray) -> FloatArray:
    """Similarity_NM of recordings seen from one side, 1 for the same."""
    square = (a_ND ** 2).sum(1)[:, None] + (b_MD ** 2).sum(1) - 2 * a_ND @ b_MD.T
    return np.asarray(np.exp(-GAMMA / 2 * np.maximum(square, 0)), np.float32)
