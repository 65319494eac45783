"""The codec branch of the encoder: openecg's weights, the pooled tokens of every training recording, and the linear reading."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

import ecglm.models.encoders.codec as code
from ecglm.atomic import replacing
from ecglm.errors import CheckpointError
from ecglm.models.encoders.codec import CodecBranch
from ecglm.models.encoders.findings import FindingsEncoderConfig
from ecglm.models.wheels import Wheel, obtain
from ecglm.training.examples import EncoderExamples
from ecglm.training.wide import Labels, linear_branch

FloatArray = NDArray[np.float32]
#: Weight [C, Q] and bias [C] of a head.
Head = tuple[FloatArray, FloatArray]
OPENECG = Wheel("openecg", "0.11.0", "openecg", "models/codec_v6.pt",
                "4caf710737c4b9024b5b2b79b897af04c13f82f4f8e5f29b7dc4c8309e487a58", "Apache-2.0", 39)
#: Principal axes of the pooled tokens that are read: all that a thousand recordings can tell apart, and quick to fit.
_AXES = 1000
#: Inverse strength of the penalty for a statement that everybody has, and how it grows where cases are few. Chosen on
#: out-of-fold predictions.
_STRENGTH, _SCARCE = 5e-4, 0.5
#: Added to the spread of pooled tokens, so that none that hardly varies is blown up.
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class CodecStage:
    """A trained branch. logits_KRC: out-of-fold logits of the R training rows, with all leads and then as often as they are read
    without some; heads: what was fitted without some folds, with these folds."""

    branch: CodecBranch
    logits_KRC: list[FloatArray]
    heads: tuple[tuple[tuple[int, ...], Head], ...]


def train_codec(config: FindingsEncoderConfig, examples: EncoderExamples, rows: NDArray[np.int64], feat_KNF: Sequence[FloatArray],
                folds: Iterable[tuple[int, ...]], run: Path, progress: bool = True) -> CodecStage:
    """Fit the branch on these rows. feat_KNF: standardised rhythm features of all recordings, with all leads and then without
    some, as `examples.lacking` has them."""
    label, fold = examples.label_NC[rows], examples.fold_N[rows]
    branch = CodecBranch(config.codec, config.strip.fs, config.strip.n_leads, feat_KNF[0].shape[1], label.shape[1])
    load_codec(branch, run, progress)
    pooled = pooled_tokens(branch, examples.sig_NLT[rows], run, progress)
    branch.mean_LP.copy_(pooled.mean(0))
    branch.std_LP.copy_(pooled.std(0) + _LEAST_SPREAD)

    masks = [np.ones(pooled.shape[:2], np.float32), *(some.mask_NL[rows] for some in examples.lacking)]
    views = [branch.reads(pooled, torch.from_numpy(mask), torch.from_numpy(feat[rows])).numpy()
             for mask, feat in zip(masks, feat_KNF, strict=True)]
    logits, heads = [np.zeros(label.shape, np.float32) for _ in views], []
    for held_out in folds:
        out = np.isin(fold, held_out)
        weight, bias = head = codec_linear(views[0][~out], label[~out])
        heads.append((held_out, head))
        for of_view, view in zip(logits, views, strict=True):
            of_view[out] = view[out] @ weight.T + bias
    set_head(branch, codec_linear(views[0], label))
    return CodecStage(branch, logits, tuple(heads))


def set_head(branch: CodecBranch, head: Head) -> None:
    """Give a branch this head."""
    with torch.no_grad():
        for parameter, value in zip((branch.head.weight, branch.head.bias), head, strict=True):
            parameter.copy_(torch.from_numpy(value))


def load_codec(branch: CodecBranch, run: Path, progress: bool = True) -> None:
    """Put openecg's weights into a branch: fetched once, then kept in the run folder. Raises CheckpointError."""
    kept = run / "codec.safetensors"
    if not kept.is_file():
        with tempfile.TemporaryDirectory(dir=run) as scratch:
            file = obtain(OPENECG, "openecg's codec", Path(scratch), progress,
                          f", or once run `pip install --no-deps {OPENECG}`")
            state: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)["model_state"]
        with replacing(kept) as temporary:
            save_file({name: state[name].contiguous() for name in branch.codec.state_dict()}, temporary)
    try:
        branch.codec.load_state_dict(load_file(kept))
    except RuntimeError as error:
        raise CheckpointError(f"{kept}: not the codec that this recipe describes; delete it and resume") from error


def pooled_tokens(branch: CodecBranch, sig_NLT: NDArray[np.float16], run: Path, progress: bool = True) -> Tensor:
    """pooled_NLP of recordings (five to ten minutes for all of PTB-XL's on two cores), or those of an earlier run."""
    from rich.progress import track

    digest = hashlib.sha256(repr(branch.codec.config).encode() + Path(code.__file__).read_bytes())
    for part in (*branch.codec.state_dict().values(), sig_NLT):
        digest.update(np.ascontiguousarray(part).tobytes())
    cache = run / f"codec-{digest.hexdigest()[:16]}.npy"
    if not cache.is_file():
        parts = [branch.pool(torch.from_numpy(sig_LT[None]).float()).numpy()
                 for sig_LT in track(sig_NLT, "Listening with the codec", disable=not progress)]
        with replacing(cache) as temporary, open(temporary, "wb") as sink:
            np.save(sink, np.concatenate(parts).astype(np.float16))
    return torch.from_numpy(np.load(cache).astype(np.float32))


def codec_linear(read_NQ: FloatArray, label_NC: Labels) -> Head:
    """A head from what it reads and the labels of the same recordings."""
    value, vector_NN = np.linalg.eigh(read_NQ @ read_NQ.T)
    kept = np.argsort(value)[::-1][:_AXES]
    kept = kept[value[kept] > 1e-6 * value.max()]
    axis_QK = read_NQ.T @ (vector_NN[:, kept] / np.sqrt(value[kept]))
    weight_CK, bias_C = linear_branch(read_NQ @ axis_QK, label_NC, _STRENGTH, _SCARCE)
    return weight_CK @ axis_QK.T, bias_C
