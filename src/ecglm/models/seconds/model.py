"""`SecondsModel`: the parts that CAMEL adds to a causal language model, and how prompts run through it.

Shapes: N tokens of a prompt, D width of the language model, M seconds of all blocks, S samples of a second, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ecglm.errors import UsageError
from ecglm.models.seconds.config import SecondsConfig
from ecglm.models.seconds.encoder import SecondEncoder
from ecglm.models.seconds.layout import LEAD_START, SECOND, SPECIALS, TEXT, Block, Plan, lay_out, pooled
from ecglm.models.seconds.segments import Segments

#: Tokens up to which a prompt may be run at once, with a mask of all by all.
DENSE = 4096
#: Seconds that are encoded at once.
_ENCODE = 4096


class SecondsModel(nn.Module):
    """Encoder, pooling, projector and vectors of special tokens. The language model is passed to what needs it."""

    def __init__(self, config: SecondsConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = SecondEncoder(config)
        self.pool = nn.Linear(config.width, 1)  # which of the seconds that share a token counts how much
        nn.init.zeros_(self.pool.weight)
        nn.init.zeros_(self.pool.bias)
        self.project = (nn.Linear(config.width, config.hidden) if config.projector == "linear" else
                        nn.Sequential(nn.Linear(config.width, config.hidden), nn.GELU(), nn.Linear(config.hidden, config.hidden)))
        self.special = nn.Embedding(len(SPECIALS) + 1, config.hidden)  # the last one stands for a second that is unknown
        nn.init.normal_(self.special.weight, std=0.02)
        self.size = nn.Linear(2, config.hidden, bias=False)  # whether a lead's millivolts are known, and how large it is
        nn.init.zeros_(self.size.weight)

    # -- what goes in -------------------------------------------------------------------------

    def blocks(self, ecgs: Sequence[Segments]) -> list[Block]:
        """The block of each ECG, pooled to `max_tokens`."""
        out = []
        for ecg in ecgs:
            factor = pooled(len(ecg.leads), ecg.known_LT.shape[1], self.config.max_tokens)
            out.append(Block(ecg.leads, -(-ecg.known_LT.shape[1] // factor)))
        return out

    def features(self, ecg: Segments) -> Tensor:
        """Features of all seconds of an ECG, feat_LTF."""
        flat = torch.from_numpy(np.ascontiguousarray(ecg.seconds_LTS)).flatten(0, 1)
        device = self.special.weight.device
        feat = torch.cat([self.encoder(flat[i:i + _ENCODE].to(device)) for i in range(0, len(flat), _ENCODE)])
        return feat.view(*ecg.known_LT.shape, -1)

    def seconds(self, ecg: Segments) -> Tensor:
        """Tokens of an ECG, lead by lead: emb_MD."""
        feat = self.features(ecg)
        known = torch.from_numpy(ecg.known_LT).to(feat.device)
        factor = pooled(len(ecg.leads), known.shape[1], self.config.max_tokens)
        if spare := -known.shape[1] % factor:
            feat, known = nn.functional.pad(feat, (0, 0, 0, spare)), nn.functional.pad(known, (0, spare))
        feat, known = feat.view(len(feat), -1, factor, feat.shape[-1]), known.view(len(feat), -1, factor)
        some = known.any(-1)
        score = self.pool(feat).squeeze(-1).masked_fill(~known, -torch.inf)
        weight = torch.where(some[..., None], score, torch.zeros_like(score)).softmax(-1)
        token = self.project((feat * weight[..., None]).sum(2))
        token = torch.where(some[..., None], token, self.special.weight[-1].to(token.dtype))
        if self.config.positions == "time":  # nothing else tells the leads of a second apart
            rows = [SPECIALS.index(f"{lead}_start") for lead in ecg.leads]
            token = token + self.special.weight[rows][:, None]
        return token.flatten(0, 1)

    def embed(self, llm: Any, plan: Plan, ecgs: Sequence[Segments], seconds_MD: Tensor | None = None) -> Tensor:
        """emb_ND of a plan of these ECGs, in the language model's type. seconds_MD: their tokens, where they are at hand."""
        table = llm.get_input_embeddings()
        device = table.weight.device
        kind, value = (torch.from_numpy(a.copy()).to(device) for a in (plan.kind, plan.value))
        emb = table(torch.where(kind == TEXT, value, 0))
        special = self.special(torch.where((kind != TEXT) & (kind != SECOND), value, 0)).to(emb.dtype)
        emb = torch.where((kind == TEXT)[:, None], emb, special)
        if not ecgs:
            return emb
        tokens = torch.cat([self.seconds(ecg) for ecg in ecgs]) if seconds_MD is None else seconds_MD
        size = torch.from_numpy(np.concatenate([ecg.size_L for ecg in ecgs])).to(device)
        size = torch.stack([size.isfinite().float(), size.nan_to_num()], 1)
        start, at = ((kind == which).nonzero().squeeze(1) for which in (LEAD_START, SECOND))
        emb = emb.index_add(0, start, self.size(size).to(emb.dtype))
        return emb.index_copy(0, at, tokens[value[at]].to(emb.dtype))

    # -- running ------------------------------------------------------------------------------

    def run(self, llm: Any, plan: Plan, emb_ND: Tensor) -> Tensor:
        """Last hidden states hidden_ND of a whole prompt at once. Raises UsageError above DENSE tokens: use `prefill`."""
        if len(plan) > DENSE:
            raise UsageError(f"{len(plan)} tokens at once; up to {DENSE} have a mask of all by all: pool seconds "
                             f"(max_tokens), or use mask=lead_aware, which runs in chunks")
        text = text_model(llm)
        hidden: Tensor = text(
            inputs_embeds=emb_ND[None], attention_mask=_masks(text.config, plan, 0, len(plan), emb_ND),
            position_ids=_positions(plan.position, emb_ND), use_cache=False).last_hidden_state[0]
        return hidden

    @torch.inference_mode()
    def prefill(self, llm: Any, plan: Plan, emb_ND: Tensor, chunk: int | None = None) -> tuple[Any, Tensor]:
        """Run a prompt chunk by chunk: its key-value cache and the logits after its last token, logits_V."""
        if not plan.chunkable and len(plan) > DENSE:
            raise UsageError(f"mask={plan.mask}: tokens see later ones, so {len(plan)} cannot be run in chunks; "
                             f"use mask=lead_aware, or pool seconds (max_tokens)")
        pieces = plan.chunks(chunk or self.config.chunk) if plan.chunkable else [(0, len(plan))]
        if not len(plan):
            raise UsageError("an empty prompt; give a question or an ECG")
        from transformers import DynamicCache

        text, out = text_model(llm), None
        cache = DynamicCache()  # of no configuration: one that drops what is out of a sliding window would drop ECGs
        for first, upto in pieces:
            out = text(
                inputs_embeds=emb_ND[None, first:upto], attention_mask=_masks(text.config, plan, first, upto, emb_ND),
                position_ids=_positions(plan.position[first:upto], emb_ND), past_key_values=cache, use_cache=True)
        assert out is not None
        logits: Tensor = llm.get_output_embeddings()(out.last_hidden_state[0, -1:])[0].float()
        return cache, logits

    def plan(self, ecgs: Sequence[Segments], before: Sequence[Sequence[int]], after: Sequence[int],
             branches: Sequence[Sequence[int]] = ()) -> Plan:
        """Text and ECGs in turn (before[i], ecgs[i]), then `after`, then branches."""
        parts: list[Sequence[int] | Block] = []
        for text, block in zip(before, self.blocks(ecgs), strict=True):
            parts += [text, block]
        return lay_out([*parts, after], self.config, branches)


def text_model(llm: Any) -> Any:
    """The decoder of a causal language model: without output layer, adapter's shell, or the images of a multimodal one."""
    core = llm.get_base_model() if hasattr(llm, "get_base_model") else llm
    return getattr(core.model, "language_model", core.model)


def _masks(config: Any, plan: Plan, first: int, upto: int, emb: Tensor) -> Any:
    """What is added to attention scores of the tokens from `first`, [1, 1, Q, K]; by kind of layer where a model (Gemma) has
    layers with a sliding window, which see tokens of nearby positions only."""
    visible = plan.visible(slice(first, upto), upto)
    kinds = set(getattr(config, "layer_types", None) or ())
    if "sliding_attention" not in kinds:
        return _bias(visible, emb)
    near = np.abs(plan.position[first:upto, None] - plan.position[None, :upto]) < config.sliding_window
    return {"full_attention": _bias(visible, emb), "sliding_attention": _bias(visible & near, emb)}


def _bias(visible_QK: NDArray[np.bool_], emb: Tensor) -> Tensor:
    """What is added to attention scores, [1, 1, Q, K]."""
    hidden = torch.from_numpy(~visible_QK).to(emb.device)
    bias = torch.zeros(hidden.shape, dtype=emb.dtype, device=emb.device)
    return bias.masked_fill_(hidden, torch.finfo(emb.dtype).min)[None, None]


def _positions(position: NDArray[np.int64], emb: Tensor) -> Tensor:
    return torch.from_numpy(position.copy())[None].to(emb.device)
