"""Contrastive and captioning losses: golden values, equal texts, and the same gradients from two processes as from one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from ecglm.models.ecgtext import EcgTextModel
from ecglm.models.ecgtext.config import DecoderConfig, EcgTextConfig, TextConfig, VectorConfig
from ecglm.models.ecgtext.tokens import TextTokens
from ecglm.models.ecgtext.towers import PAD
from ecglm.training.objectives.caption import caption_loss
from ecglm.training.objectives.contrastive import info_nce, sig_lip

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ["sinus rhythm. normal ecg.", "atrial fibrillation.", "sinus rhythm. normal ecg.", "left bundle branch block."]
HARD = ["sinus tachycardia.", "right bundle branch block.", "atrial flutter.", "low voltage."]
GROUPS = torch.tensor([0, 1, 0, 2])
HARD_GROUPS = torch.tensor([3, 4, 5, 6])


def tiny_towers() -> EcgTextModel:
    torch.manual_seed(0)
    config = EcgTextConfig(embed=8, vector=VectorConfig(inputs=5, hidden=16, tokens=2, width=16, dropout=0),
                           text=TextConfig(context=16, width=16, layers=1, heads=2, dropout=0),
                           decoder=DecoderConfig(width=16, layers=1, heads=2, dropout=0))
    return EcgTextModel(config, TextTokens.learn(TEXTS + HARD, 120))


def batch(rank: int, count: int):
    """A process's share of four pairs and four negatives."""
    torch.manual_seed(1)
    vectors = torch.randn(4, 5)
    share = slice(rank * 4 // count, (rank + 1) * 4 // count)
    tokens = TextTokens.learn(TEXTS + HARD, 120)
    ids = tokens(TEXTS[share] + HARD[share], 16)
    return vectors[share], ids, torch.cat([GROUPS[share], HARD_GROUPS[share]])


def contrastive(out, groups, objective):
    return info_nce(out.ecg_BE, out.text_TE, groups, out.scale) + 0 * out.bias if objective == "info_nce" else \
        sig_lip(out.ecg_BE, out.text_TE, groups, out.scale, out.bias)


def contrastive_loss(model, part, objective):
    """Of all processes, since every one holds the whole loss."""
    vectors, ids, groups = part
    with torch.no_grad():
        return contrastive(model((vectors,), ids), groups, objective)


def total_loss(model, part, objective, backward=None):
    vectors, ids, groups = part
    out = model((vectors,), ids)
    loss = contrastive(out, groups, objective) + 2.0 * caption_loss(out.caption_BNV, ids[: len(vectors)], PAD)
    if backward is not None:
        backward(loss)
    return loss


def unit(rows: int, seed: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(rows, 6, generator=torch.Generator().manual_seed(seed)), dim=1)


def test_info_nce_is_that_of_clip_when_all_texts_differ():
    ecg, text, scale = unit(5, 0), unit(5, 1), torch.tensor(7.0)
    logits = (scale * ecg @ text.T).numpy().astype(np.float64)

    def rows(x):
        return -np.mean(np.diag(x) - np.log(np.exp(x).sum(1)))

    wanted = (rows(logits) + rows(logits.T)) / 2
    for same in ("positive", "ignore", "negative"):
        assert float(info_nce(ecg, text, torch.arange(5), scale, same)) == pytest.approx(wanted, rel=1e-5)


def test_sig_lip_is_its_formula():
    ecg, text, scale, bias = unit(4, 2), unit(4, 3), torch.tensor(9.0), torch.tensor(-3.0)
    z = 2 * np.eye(4) - 1
    logits = (scale * ecg @ text.T + bias).numpy().astype(np.float64)
    wanted = np.log1p(np.exp(-z * logits)).sum() / 4
    assert float(sig_lip(ecg, text, torch.arange(4), scale, bias)) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("loss", [lambda *a: info_nce(*a[:4], a[5]), sig_lip])
def test_an_equal_text_is_a_negative_only_where_it_is_meant_to_be(loss):
    """Two recordings with one report, drawn towards it: as published this costs, with groups it does not."""
    ecg = torch.nn.functional.normalize(torch.tensor([[1.0, 0], [1, 0], [0, 1]]), dim=1)
    group, scale, bias = torch.tensor([0, 0, 1]), torch.tensor(50.0), torch.tensor(-25.0)
    as_published, ignored, positive = (float(loss(ecg, ecg.clone(), group, scale, bias, same))
                                       for same in ("negative", "ignore", "positive"))
    assert ignored < 1e-3
    assert as_published > 0.4
    assert positive <= as_published + 1e-6
    pulled = ecg.clone().requires_grad_()
    loss(pulled, ecg, group, scale, bias, "ignore").backward()
    assert pulled.grad.abs().max() < 1e-2  # nothing pushes the two apart


def test_hard_negatives_cost_where_they_are_near():
    ecg, text = unit(3, 4), unit(3, 4)
    near, far = text[:1] + 0.01, -text[:1]
    scale = torch.tensor(20.0)
    losses = [float(info_nce(ecg, torch.cat([text, extra]), torch.arange(4), scale)) for extra in (near, far)]
    assert losses[0] > losses[1] + 0.1
    assert losses[1] == pytest.approx(float(info_nce(ecg, text, torch.arange(3), scale)), abs=1e-4)


def test_caption_loss_ignores_padding_and_is_log_vocabulary_for_no_knowledge():
    ids = torch.tensor([[1, 5, 6, 2], [1, 7, 2, PAD]])
    assert float(caption_loss(torch.zeros(2, 3, 11), ids, PAD)) == pytest.approx(np.log(11), rel=1e-5)
    changed = torch.zeros(2, 3, 11)
    changed[1, 2] = torch.randn(11)
    assert float(caption_loss(changed, ids, PAD)) == pytest.approx(np.log(11), rel=1e-5)


@pytest.mark.parametrize("objective", ["info_nce", "sig_lip"])
def test_two_processes_end_with_the_loss_and_the_gradients_of_one(objective, tmp_path):
    model = tiny_towers()
    whole = float(contrastive_loss(model, batch(0, 1), objective))
    total_loss(model, batch(0, 1), objective, lambda loss: loss.backward())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    jobs = [subprocess.Popen([sys.executable, "-m", "tests.training.gloo", str(tmp_path), objective], cwd=ROOT, env={
        **os.environ, "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}) for rank in (0, 1)]
    assert [job.wait(timeout=300) for job in jobs] == [0, 0]
    for rank in (0, 1):
        with safe_open(tmp_path / f"{rank}.safetensors", framework="pt") as handle:
            assert handle.metadata()["processes"] == "2"
            assert float(handle.metadata()["loss"]) == pytest.approx(whole, rel=1e-5)
        shared = load_file(tmp_path / f"{rank}.safetensors")
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                torch.testing.assert_close(shared[name], parameter.grad, atol=1e-5, rtol=1e-4, msg=lambda m, n=name: f"{n}: {m}")
