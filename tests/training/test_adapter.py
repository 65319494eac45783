"""The adapter learns what it is shown, repeatably, and goes on where it was interrupted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ecglm.models.prompt import prefix_ids
from ecglm.training import steps
from ecglm.training.instruct import InstructTraining, Sample, pack, sequence_loss, train_adapter
from tests.tiny_checkpoint import tiny_model
from tests.training.interrupt import interrupted

TRAINING = InstructTraining(accumulate=2, warmup=2, lr=0.02, connector_lr=0.02, lora_rank=4, lora_alpha=8, save_every=2)


def samples(model, count):
    """The soft prompt alone says which of two answers is right."""
    out = []
    for i in range(count):
        vector = np.full(model.config.connector.width_in, 2.0 * (i % 2) - 1, np.float32)
        pairs = [("Is it?", "yes" if i % 2 else "no"), ("PR?", "160 ms")]
        out.append(Sample("Facts." if i % 5 else None, vector, pairs, dialogue=i % 7 == 0))
    return out


def train(folder, count, base, training=TRAINING):
    model = tiny_model(base)
    losses = train_adapter(model, samples(model, count), training, folder, progress=False)
    return model, losses, {k: v.detach().clone() for k, v in (*model._llm.named_parameters(), *model.connector.named_parameters())
                           if v.requires_grad}


def test_it_learns_to_answer_from_the_soft_prompt(tmp_path):
    slow = replace(TRAINING, lr=0.003, connector_lr=0.003)  # at higher rates it hangs on the processor whether it learns
    model, losses, _ = train(tmp_path, 320, tmp_path, slow)
    assert np.mean(losses[-10:]) < np.mean(losses[:5]) - 0.2
    prefix = prefix_ids(model.tokens, model.format, "Facts.", model.config.connector.n_tokens)
    for sample in samples(model, 2):
        soft = model.soft_prompt(sample.vector_F[None])[0].detach()
        loss = {}
        for answer in ("yes", "no"):
            packed = pack(model.tokens, model.format, prefix, [("Is it?", answer)])
            loss[answer] = float(sequence_loss(model._llm, packed, soft).detach())
        right, wrong = ("yes", "no") if sample.vector_F[0] > 0 else ("no", "yes")
        assert loss[right] < loss[wrong]


def test_an_interrupted_training_ends_the_same(tmp_path):
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    _, losses, whole = train(tmp_path / "whole", 13, tmp_path)
    interrupted(steps, lambda: train(tmp_path / "broken", 13, tmp_path))
    _, again, resumed = train(tmp_path / "broken", 13, tmp_path)
    assert again == losses
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
