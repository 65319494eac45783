"""Stage 2: train connector and LoRA adapter on question-answer pairs; the language model stays frozen.

All pairs about one recording share its prefix in one sequence. Each pair sees the prefix and
itself, never another pair, through a block mask, which costs a quarter of the tokens of
separate examples and is the same computation as asking each question alone (a test shows it).
Shapes: L sequence length, P prefix length, D width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from ecglm.models.prompt import PromptFormat, answer_targets, conversation, prefix_ids
from ecglm.training.adapter import Lora, new_adapter
from ecglm.training.steps import Learning, mixed, train_steps, warm_cosine

Pair = tuple[str, str]


@dataclass(frozen=True)
class InstructTraining:
    """Optimisation of stage 2. passes: pools of questions answered by labels; lessons: pools, after those, whose answers
    are read off the heads, on findings varied by `jitter` (log-odds). scale: questions per
    attribute and answer in a pool; focus: recordings that share most of them; questions: most in a sequence;
    accumulate: sequences per optimiser step; no_ecg: share of sequences without any ECG, so that the text-only
    control is the model's own guess; dialogue: share of sequences read as one conversation."""

    passes: int = 1
    lessons: int = 2
    jitter: float = 0.7
    scale: int = 26
    focus: int = 300
    accumulate: int = 2
    questions: int = 24
    lr: float = 6e-4
    connector_lr: float = 1e-3
    warmup: int = 30
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    no_ecg: float = 0.06
    dialogue: float = 0.1
    connector_noise: float = 0.1
    save_every: int = 50
    seed: int = 0


@dataclass(frozen=True)
class Sample:
    """One training sequence: a recording's facts (None: no ECG), its connector input, questions with answers."""

    facts: str | None
    vector_F: NDArray[np.float32]
    pairs: list[Pair]
    dialogue: bool


@dataclass(frozen=True)
class Packed:
    """Token ids of one sequence with -1 where a soft token stands; block_L: 0 prefix, k the k-th pair;
    position_L; target_L: id to predict after this token, or -100."""

    ids_L: Tensor
    block_L: Tensor
    position_L: Tensor
    target_L: Tensor


def pack(tokens: Callable[[str], list[int]], form: PromptFormat, prefix: Sequence[int], pairs: Sequence[Pair],
         as_dialogue: bool = False) -> Packed:
    """One sequence: prefix, then every pair as its own block (or all pairs as one conversation)."""
    ids, block, position, target = list(prefix), [0] * len(prefix), list(range(len(prefix))), [-100] * len(prefix)
    for number, turns in enumerate([list(pairs)] if as_dialogue else [[pair] for pair in pairs], start=1):
        said, predicts = answer_targets(conversation(turns, form), tokens)
        ids += said
        target += predicts
        block += [number] * len(said)
        position += range(len(prefix), len(prefix) + len(said))
    return Packed(*(torch.tensor(x) for x in (ids, block, position, target)))


def block_mask(block_L: Tensor) -> Tensor:
    """Boolean mask_LL: causal, and a pair sees only the prefix and itself."""
    n = len(block_L)
    causal = torch.ones(n, n, dtype=torch.bool).tril()
    return causal & ((block_L[None, :] == 0) | (block_L[None, :] == block_L[:, None]))


def sequence_loss(llm: Any, packed: Packed, soft_ND: Tensor | None) -> Tensor:
    """Cross-entropy on answers; a long answer weighs by the square root of its length."""
    core = llm.get_base_model() if hasattr(llm, "get_base_model") else llm
    device = core.device
    emb = core.get_input_embeddings()(packed.ids_L.clamp(min=0).to(device))
    if soft_ND is not None:
        emb = emb.clone()
        emb[packed.ids_L == -1] = soft_ND.to(emb.dtype)
    mask = block_mask(packed.block_L).to(device)
    bias = torch.zeros(mask.shape, dtype=emb.dtype, device=device).masked_fill(~mask, torch.finfo(emb.dtype).min)
    hidden = core.model(inputs_embeds=emb.unsqueeze(0), attention_mask=bias[None, None],
                        position_ids=packed.position_L.unsqueeze(0).to(device), use_cache=False).last_hidden_state[0]
    return answers_loss(core.lm_head, hidden, packed.target_L, packed.block_L)


def answers_loss(head: Any, hidden_LD: Tensor, target_L: Tensor, block_L: Tensor) -> Tensor:
    """Cross-entropy of the targets (-100: none) after these hidden states, through the output layer; each block weighs by the
    square root of its length."""
    where, device = target_L != -100, hidden_LD.device
    logits = head(hidden_LD[where.to(device)]).float()
    each = cross_entropy(logits, target_L[where].to(device), reduction="none")
    block = block_L[where]
    length = torch.bincount(block, minlength=int(block.max()) + 1).clamp(min=1).float()
    weight = length[block].rsqrt().to(device)
    return (each * weight).sum() / weight.sum()


def train_adapter(
    model: Any, samples: Sequence[Sample], training: InstructTraining, run: Path, progress: bool = True,
) -> list[float]:
    """Train the model's connector and a new LoRA adapter in place, sample by sample; returns the loss curve.

    Resumes from `run` when it holds a resume point.
    """
    torch.manual_seed(training.seed)
    llm = new_adapter(model.load_llm(merge=False), Lora(training.lora_rank, training.lora_alpha, training.lora_targets))
    model._llm = llm
    lora = [p for p in llm.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": lora, "lr": training.lr},
                                   {"params": model.connector.parameters(), "lr": training.connector_lr}], weight_decay=0.01)
    total = math.ceil(len(samples) / training.accumulate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(warm_cosine, warmup=training.warmup, total=total, floor=0.02))
    form, n_soft = model.format, model.config.connector.n_tokens

    def loss_of(i: int) -> Tensor:
        sample, soft = samples[i], None
        prefix = prefix_ids(model.tokens, form, sample.facts, n_soft)
        packed = pack(model.tokens, form, prefix, sample.pairs, sample.dialogue)
        if sample.facts is not None:
            vector = torch.from_numpy(sample.vector_F)[None]
            soft = model.connector((vector + training.connector_noise * torch.randn_like(vector)).to(model.device))[0]
        with mixed(llm, model.device):
            return sequence_loss(llm, packed, soft)

    model.connector.train()
    losses = train_steps(Learning(("lora", lora), {"connector": model.connector}, optimizer, schedule), len(samples), loss_of,
                         run / "instruct.resume.safetensors", "Training the language adapter", accumulate=training.accumulate,
                         save_every=training.save_every, progress=progress)
    model.connector.eval()
    llm.eval()
    return losses
