"""What every branch of the encoder returns."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class EncoderOutput(NamedTuple):
    """tok_BND tokens over time, emb_BD pooled embedding, logits_BC finding logits."""

    tok_BND: Tensor
    emb_BD: Tensor
    logits_BC: Tensor
