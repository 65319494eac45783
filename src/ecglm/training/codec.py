"""The codec branch of the encoder: openecg's weights, the pooled tokens of every training recording, and the linear reading."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from ecglm.atomic import replacing
from ecglm.models.encoders.codec import CodecBranch
from ecglm.models.wheels import Wheel, obtain
from ecglm.training.wide import Labels, linear_branch

FloatArray = NDArray[np.float32]
OPENECG = Wheel("openecg", "0.11.0", "openecg", "models/codec_v6.pt",
                "4caf710737c4b9024b5b2b79b897af04c13f82f4f8e5f29b7dc4c8309e487a58", "Apache-2.0", 39)
#: Principal axes of the pooled tokens that are read: all that a thousand recordings can tell apart, and quick to fit.
_AXES = 1000
#: Inverse strength of the penalty for a statement that everybody has, and how it grows where cases are few. Chosen on
#: out-of-fold predictions.
_STRENGTH, _SCARCE = 5e-4, 0.5


def load_codec(branch: CodecBranch, run: Path, progress: bool = True) -> None:
    """Put openecg's weights into a branch: fetched once, then kept in the run folder. Raises CheckpointError."""
    kept = run / "codec.safetensors"
    if not kept.is_file():
        with tempfile.TemporaryDirectory(dir=run) as scratch:
            file = obtain(OPENECG, "openecg's codec", Path(scratch), progress)
            state: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)["model_state"]
        with replacing(kept) as temporary:
            save_file({name: state[name].contiguous() for name in branch.codec.state_dict()}, temporary)
    branch.codec.load_state_dict(load_file(kept))


def pooled_tokens(branch: CodecBranch, sig_NLT: NDArray[np.float16], run: Path, progress: bool = True) -> FloatArray:
    """pooled_NLP of all recordings (five to ten minutes on two cores), or those of an earlier run."""
    from rich.progress import track

    digest = hashlib.sha256(np.ascontiguousarray(sig_NLT).tobytes() + repr(branch.codec.config).encode())
    cache = run / f"codec-{digest.hexdigest()[:16]}.npy"
    if not cache.is_file():
        parts = [branch.pool(torch.from_numpy(sig_LT[None]).float()).numpy()
                 for sig_LT in track(sig_NLT, "Listening with the codec", disable=not progress)]
        with replacing(cache) as temporary, open(temporary, "wb") as sink:
            np.save(sink, np.concatenate(parts).astype(np.float16))
    pooled: FloatArray = np.load(cache).astype(np.float32)
    return pooled


def codec_linear(read_NQ: FloatArray, label_NC: Labels) -> tuple[FloatArray, FloatArray]:
    """Weight [C, Q] and bias [C] of the codec branch's head from what it reads and the labels of the same recordings."""
    value, vector_NN = np.linalg.eigh(read_NQ @ read_NQ.T)
    kept = np.argsort(value)[::-1][:_AXES]
    kept = kept[value[kept] > 1e-6 * value.max()]
    axis_QK = read_NQ.T @ (vector_NN[:, kept] / np.sqrt(value[kept]))
    weight_CK, bias_C = linear_branch(read_NQ @ axis_QK, label_NC, _STRENGTH, _SCARCE)
    return weight_CK @ axis_QK.T, bias_C


def codec_fit(read_NQ: FloatArray, label_NC: Labels) -> Callable[[FloatArray], FloatArray]:
    """The head as a function of what it reads."""
    weight, bias = codec_linear(read_NQ, label_NC)
    return lambda read: np.asarray(read @ weight.T + bias, np.float32)
