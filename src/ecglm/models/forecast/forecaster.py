"""`Forecaster`: the checkpoint folder of a forecaster, and what it says of a window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.errors import CheckpointError
from ecglm.models.folder import read_folder, write_folder
from ecglm.models.forecast.calibration import EVENTS, Calibration
from ecglm.models.forecast.course import course, names
from ecglm.models.forecast.network import Network
from ecglm.models.forecast.steps import STEP_S, step_features
from ecglm.signal.holter import BeatSeries
from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.onset import MECHANISMS

SHIPPED = Path(__file__).resolve().parents[2] / "checkpoints" / "forecast"
MODEL_TYPE = "ecglm-forecaster"


@dataclass(frozen=True, eq=False)
class Forecaster:
    """A trained forecaster. id: name and version."""

    id: str
    network: Network
    calibration: Calibration

    def probabilities(self, series: BeatSeries, horizon_s: float) -> FloatArray:
        """Of each of CLASSES ``[3]`` after a stretch that `BeatSeries.cut` made."""
        out: FloatArray = self.network.probabilities(course(step_features(series), horizon_s))[0]
        return out

    def signs(self, series: BeatSeries, horizon_s: float) -> dict[str, float]:
        """Probability of each mechanism of `signal.simulate.onset` before such an onset, "none" among them."""
        found = self.network.signs(course(step_features(series), horizon_s))[0]
        return dict(zip(MECHANISMS, found.tolist(), strict=True))

    @staticmethod
    def load(folder: str | Path = SHIPPED) -> Forecaster:
        """From a checkpoint folder. Raises CheckpointError."""
        return _load(Path(folder).expanduser())

    def save(self, folder: str | Path, run: dict[str, Any], card: str) -> None:
        """Write a checkpoint folder. run: what run.json holds beside the checksums. Raises CheckpointError when it would replace
        something else."""
        from torch import from_numpy

        name, _, version = self.id.partition(" ")
        bounds = {f"bounds.{event}": self.calibration.bounds[event] for event in EVENTS}
        arrays = {**self.network.to_arrays(), **bounds, "least": self.calibration.least}
        write_folder(
            Path(folder), config={"model_type": MODEL_TYPE, "name": name, "version": version},
            processor={"step_s": STEP_S, "numbers": list(names())}, calibration=self.calibration.to_dict(),
            tensors={key: from_numpy(np.ascontiguousarray(value, np.float32)) for key, value in arrays.items()}, run=run,
            card=card, save_adapter=None)


@lru_cache(maxsize=4)
def _load(folder: Path) -> Forecaster:
    found = read_folder(folder)
    if found.config.get("model_type") != MODEL_TYPE:
        raise CheckpointError(f"{folder}: is no forecaster but {found.config.get('model_type')!r}; give one that "
                              "`ecglm train recipes/forecaster.yaml` made")
    if found.processor != {"step_s": STEP_S, "numbers": list(names())}:
        raise CheckpointError(f"{folder}: was made for other features than this version computes; train it again")
    arrays = {name: tensor.numpy() for name, tensor in found.tensors.items()}
    try:
        told = found.calibration
        calibration = Calibration(tuple(told["windows_s"]), tuple(told["horizons_s"]),
                                  {event: arrays.pop(f"bounds.{event}") for event in EVENTS}, arrays.pop("least"),
                                  tuple(told["rates"]))
        return Forecaster(f"{found.config['name']} {found.config['version']}", Network.of(arrays), calibration)
    except KeyError as error:
        raise CheckpointError(f"{folder}: lacks {error}; the folder is damaged, fetch it again") from error
