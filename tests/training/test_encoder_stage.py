"""The stage that makes the encoder: what it reports is what the encoder says; openecg's weights are fetched once and checked."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ecglm.bench.metrics import auroc
from ecglm.errors import CheckpointError
from ecglm.knowledge.statements import STATEMENTS
from ecglm.models import wheels
from ecglm.models.encoders.beatnet import BeatNetConfig
from ecglm.models.encoders.codec import CodecBranch, LeadCodec
from ecglm.models.encoders.findings import FindingsEncoderConfig
from ecglm.models.encoders.forest import ForestConfig
from ecglm.models.encoders.resnet1d import ResNet1dConfig
from ecglm.training import codec
from ecglm.training.encoder import EncoderTraining
from ecglm.training.examples import EncoderExamples, Lacking
from ecglm.training.recipe import Recipe
from ecglm.training.stage_encoder import train_encoder
from tests.tiny_checkpoint import TINY_CODEC

COUNT, LABELS, FEATURES = 90, len(STATEMENTS), 4
CONFIG = FindingsEncoderConfig(
    ResNet1dConfig(n_features=FEATURES, n_labels=LABELS, stem=8, widths=(8, 8, 8, 8), feature_width=8),
    BeatNetConfig(n_features=FEATURES, n_labels=LABELS, width=8, hidden=8, feature_width=8), ForestConfig(trees=3), TINY_CODEC)
RECIPE = Recipe(encoder=CONFIG, encoder_training=EncoderTraining(epochs=2, beat_epochs=2, batch=16, teachers=1))
POPEN = subprocess.Popen


def examples() -> EncoderExamples:
    """Noise whose first statement shows in the last lead, by its colour."""
    rng = np.random.default_rng(0)
    label = (rng.random((COUNT, LABELS)) < 0.4).astype(np.uint8)
    sig = rng.normal(size=(COUNT, 12, 250)).astype(np.float32)
    sig[label[:, 0] == 1, 11] = sig[label[:, 0] == 1, 11].cumsum(-1)
    beat, feat = rng.normal(size=(COUNT, 12, 140)).astype(np.float16), rng.normal(size=(COUNT, FEATURES)).astype(np.float32)
    mask = (rng.random((COUNT, 12)) < 0.7).astype(np.float32)
    return EncoderExamples(sig.astype(np.float16), beat, feat, label, np.arange(COUNT) % 9 + 1, (), (Lacking(mask, beat, feat),))


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return dict(LeadCodec(TINY_CODEC).state_dict())


def test_the_encoder_says_what_its_stage_reports(tmp_path: Path) -> None:
    save_file(weights(), tmp_path / "codec.safetensors")
    given = examples()
    stage = train_encoder(RECIPE, given, tmp_path, progress=False)
    at = stage.valid_rows
    parts = (torch.from_numpy(given.sig_NLT[at]).float(), torch.ones(len(at), 12), torch.from_numpy(given.beat_NLK[at]).float(),
             torch.from_numpy(given.feat_NF[at]))
    with torch.no_grad():
        said = stage.encoder(*parts).logits_BC.numpy()
        known = stage.encoder(*parts, stage.encoder.codec.pool(parts[0])).logits_BC.numpy()
    np.testing.assert_allclose(stage.calibration.probability(said), stage.valid_prob_RC, atol=1e-5)
    np.testing.assert_array_equal(said, known)
    assert set(stage.metrics["fusion"]["form"]) == {"strip", "beat", "linear", "forest", "codec"}
    assert (stage.encoder.fuse_KC >= 0).all()


def test_the_codec_reads_what_is_planted_and_keeps_its_weights(tmp_path: Path) -> None:
    save_file(weights(), tmp_path / "codec.safetensors")
    given, rows = examples(), np.arange(COUNT)
    folds = ((1, 2, 3), (4, 5, 6), (7, 8, 9))
    feats = [given.feat_NF] * 2
    stage, again = (codec.train_codec(CONFIG, given, rows, feats, folds, tmp_path, progress=False) for _ in range(2))
    truth = given.label_NC[:, 0] == 1
    whole, lacking = (float(auroc(truth, logits[:, 0])) for logits in stage.logits_KRC)
    assert whole > 0.99
    assert 0.7 < lacking < 0.99  # a third of the recordings lack the lead that shows it
    np.testing.assert_array_equal(stage.branch.head.weight.detach(), again.branch.head.weight.detach())
    assert all(torch.equal(value, weights()[name]) for name, value in stage.branch.codec.state_dict().items())
    assert [held_out for held_out, _ in stage.heads] == list(folds)
    assert not np.array_equal(stage.heads[0][1][0], stage.branch.head.weight.detach())


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A package index that has a wheel with the codec; the commands that were run."""
    torch.save({"model_state": weights() | {"head.weight": torch.ones(3)}}, tmp_path / "codec.pt")
    wheel = replace(codec.OPENECG, module="no_such_module_is_installed", sha256=wheels.sha256(tmp_path / "codec.pt"))
    monkeypatch.setattr(codec, "OPENECG", wheel)
    with zipfile.ZipFile(tmp_path / "index.whl", "w") as archive:
        archive.write(tmp_path / "codec.pt", f"openecg/{wheel.file}")
    commands: list[list[str]] = []

    def run(command: list[str], **how: object) -> object:
        commands.append(command)
        copy = f"import shutil; shutil.copy({str(tmp_path / 'index.whl')!r}, {command[command.index('--dest') + 1]!r})"
        return POPEN([sys.executable, "-c", copy], **how)

    monkeypatch.setattr(wheels.subprocess, "Popen", run)
    return commands


def test_the_codec_is_fetched_once(index: list[list[str]], tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for _ in range(2):
        branch = CodecBranch(TINY_CODEC, 125.0, 12, 0, LABELS)
        codec.load_codec(branch, run, progress=False)
        assert torch.equal(branch.codec.conv_tok.weight, weights()["conv_tok.weight"])
    assert [command[-1] for command in index] == ["openecg==0.11.0"]
    assert [path.name for path in run.iterdir()] == ["codec.safetensors"]


def test_another_codec_in_the_wheel_is_refused(index: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "OPENECG", replace(codec.OPENECG, sha256="0" * 64))
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(CheckpointError, match=r"checksum of .* differs .* fetch it again"):
        codec.load_codec(CodecBranch(TINY_CODEC, 125.0, 12, 0, LABELS), run, progress=False)
    assert not list(run.iterdir())
