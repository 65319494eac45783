"""`PageJudge`: the vision encoder with its calibration, and what looking is worth beside reading back.

Shapes: B pages, C statements. All logits are natural log-odds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ecglm.config import load_config
from ecglm.errors import CheckpointError
from ecglm.knowledge.statements import BY_KEY, GROUPS, keys
from ecglm.models.calibration import log_odds
from ecglm.models.folder import read_kind, write_folder
from ecglm.models.vision.pagenet import PageNet, PageNetConfig

FloatArray = NDArray[np.float32]
MODEL_TYPE, FORMAT = "ecglm-vision", 1
#: The encoder that ships with the package.
DEFAULT = Path(__file__).resolve().parent.parent.parent / "checkpoints" / "vision"


@dataclass(frozen=True)
class JudgeConfig:
    """``config.json``."""

    model_type: str = MODEL_TYPE
    format: int = FORMAT
    labels: tuple[str, ...] = field(default_factory=keys)
    net: PageNetConfig = field(default_factory=PageNetConfig)


class Shares(NamedTuple):
    """How far a group of statements is moved from the base rate, in log-odds: by what was read, and more of it the surer the page
    was read; by what was seen, and more of it the less sure."""

    read: float
    sure: float
    seen: float
    doubt: float


@dataclass(frozen=True)
class Weights:
    """``calibration.json``. prevalence: base rates in the training data, by label. alone: by group, how far looking alone moves
    from them. together: by group, `Shares`; a group that is not there is judged by reading back alone. trust: how far the ranking
    of looking alone reaches that of reading back, 0 to 1."""

    prevalence: tuple[float, ...]
    alone: Mapping[str, float]
    together: Mapping[str, Shares]
    trust: float

    @property
    def prior_C(self) -> FloatArray:
        """Base rates in log-odds."""
        return log_odds(np.array(self.prevalence, np.float32))

    def looked(self, seen_C: FloatArray) -> FloatArray:
        """Log-odds of looking alone, from the network's."""
        scale = np.array([self.alone[BY_KEY[key].group] for key in keys()], np.float32)
        return np.asarray(self.prior_C + scale * (seen_C - self.prior_C), np.float32)

    def weighed(self, read_C: FloatArray, seen_C: FloatArray, confidence: float) -> FloatArray:
        """Log-odds of reading back and looking together; read_C are those of reading back, confidence that of the page."""
        out, prior = read_C.copy(), self.prior_C
        for column, key in enumerate(keys()):
            share = self.together.get(BY_KEY[key].group)
            if share is not None:
                out[..., column] = blended(read_C[..., column] - prior[column], seen_C[..., column] - prior[column], confidence,
                                           share) + prior[column]
        return out

    def to_dict(self) -> dict[str, Any]:
        """For ``calibration.json``."""
        return {"prevalence": list(self.prevalence), "alone": dict(self.alone),
                "together": {group: share._asdict() for group, share in self.together.items()}, "trust": self.trust}

    @staticmethod
    def of(data: Mapping[str, Any]) -> Weights:
        """Inverse of `to_dict`. Raises KeyError, TypeError or ValueError for anything else."""
        together = {str(group): Shares(**{k: float(v) for k, v in share.items()}) for group, share in data["together"].items()}
        weights = Weights(tuple(map(float, data["prevalence"])), {str(k): float(v) for k, v in data["alone"].items()}, together,
                          float(data["trust"]))
        if len(weights.prevalence) != len(keys()) or set(weights.alone) != set(GROUPS):
            raise ValueError("not one base rate for every statement, or not one share for every group")
        return weights


def blended(read: Any, seen: Any, confidence: Any, share: Shares) -> Any:
    """How far two ways move from the base rate together; confidence: of the page that was read, 0 to 1."""
    return (share.read + share.sure * confidence) * read + (share.seen + share.doubt * (1.0 - confidence)) * seen


class PageJudge:
    """Looks at the picture of a page (`ecglm.paper.look`)."""

    def __init__(self, config: JudgeConfig, weights: Weights, net: PageNet | None = None) -> None:
        self.config, self.weights = config, weights
        self.net = (net or PageNet(config.net)).eval()
        self.run: dict[str, Any] = {}
        self.name = "vision"

    @torch.no_grad()
    def see(self, picture: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """The network's log-odds ``[C]`` of the statements and its embedding of a picture, uint8 ``[H, W]``."""
        out = self.net(torch.from_numpy(np.ascontiguousarray(picture))[None])
        return out.logits_BC[0].numpy(), out.emb_BD[0].numpy()

    def save(self, folder: Path, run: dict[str, Any], card: str) -> None:
        """Write the checkpoint folder."""
        write_folder(folder, config=asdict(self.config), processor={}, calibration=self.weights.to_dict(),
                     tensors=self.net.state_dict(), run=run, card=card, save_adapter=None)

    @staticmethod
    def load(folder: str | Path | None = None) -> PageJudge:
        """A folder that `ecglm train recipes/pulse.yaml` made; None: the one that ships. Raises CheckpointError."""
        return _loaded(DEFAULT if folder is None else Path(folder).expanduser().resolve())


@lru_cache(maxsize=2)
def _loaded(folder: Path) -> PageJudge:
    files = read_kind(folder, MODEL_TYPE, FORMAT)
    config = load_config(JudgeConfig, files.config)
    if config.labels != keys():
        raise CheckpointError(f"{folder}: its labels are not those of this version of ecglm; train it again")
    try:
        judge = PageJudge(config, Weights.of(files.calibration))
        judge.net.load_state_dict(files.tensors)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{folder}: calibration.json holds no weights of looking ({error}); fetch it again") from error
    except RuntimeError as error:
        raise CheckpointError(f"{folder}: model.safetensors does not fit config.json; fetch it again") from error
    judge.run, judge.name = files.run, files.name
    return judge
