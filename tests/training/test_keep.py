"""Half of a checkpoint that is there, with another half: its adapter, or its encoder with what its teachers said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from ecglm.errors import CheckpointError
from ecglm.models.elm import EcgLanguageModel, OutOfFold
from ecglm.training import stage_language
from ecglm.training.examples import EncoderExamples
from ecglm.training.recipe import Recipe
from ecglm.training.stage_encoder import keep_encoder
from tests.tiny_checkpoint import tiny_model

NOTHING = cast("Any", None)  # of stage and examples, which only the answers need


def test_connector_and_adapter_are_those_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tiny_model(tmp_path / "kept")
    kept.adapter = tmp_path / "adapter"
    kept.adapter.mkdir()
    (kept.adapter / "adapter_config.json").write_text("{}")
    kept.save_pretrained(tmp_path / "folder", {"version": "0.6", "metrics": {"language": {"questions": 7}}})
    made = EcgLanguageModel(kept.config, kept.calibration)
    assert not torch.equal(next(made.connector.parameters()), next(kept.connector.parameters()))
    monkeypatch.setattr(stage_language, "Pools", lambda *_: None)
    monkeypatch.setattr(stage_language, "calibrate_answers", lambda *_: ({"open": (2.0, 1.0)}, {"open": {"n": 3}}))
    said = stage_language.keep_language(Recipe(adapter_from=str(tmp_path / "folder")), made, NOTHING, NOTHING, progress=False)
    assert said == {"questions": 7, "calibration": {"open": {"n": 3}}, "adapter_from": "0.6"}
    assert made.calibration["answers"] == {"open": (2.0, 1.0)}
    assert torch.equal(next(made.connector.parameters()), next(kept.connector.parameters()))
    assert made.adapter == tmp_path / "folder" / "adapter"


def test_an_adapter_for_another_recipe_is_refused(tmp_path: Path) -> None:
    kept = tiny_model(tmp_path / "kept")
    kept.save_pretrained(tmp_path / "folder", {"version": "0.6"})
    other = replace(kept.config, connector=replace(kept.config.connector, n_tokens=4))
    for config in (kept.config, other):  # without an adapter, and with another connector
        with pytest.raises(CheckpointError, match="its adapter is not one for this recipe; leave out adapter_from"):
            stage_language.keep_language(Recipe(adapter_from=str(tmp_path / "folder")),
                                         EcgLanguageModel(config, kept.calibration), NOTHING, NOTHING)


def examples(features: int, labels: int) -> EncoderExamples:
    """Noise: a recording of each fold, then one of each again."""
    rng = np.random.default_rng(0)
    sig, beat = rng.normal(size=(18, 12, 250)).astype(np.float16), rng.normal(size=(18, 12, 140)).astype(np.float16)
    return EncoderExamples(sig, beat, rng.normal(size=(18, features)).astype(np.float32),
                           rng.integers(0, 2, (18, labels)).astype(np.uint8), np.arange(18) % 9 + 1, (), ())


def test_an_encoder_is_kept_with_what_its_teachers_said(tmp_path: Path) -> None:
    kept = tiny_model(tmp_path / "kept")
    given = examples(kept.encoder.mean_F.numel(), len(kept.config.labels))
    rows, ecg_id = np.flatnonzero(given.fold_N < 9), np.arange(100, 118)
    logits = torch.randn(len(rows), len(kept.config.labels)).half()
    kept.out_of_fold = OutOfFold(logits, torch.from_numpy(ecg_id[rows]))
    kept.save_pretrained(tmp_path / "folder", {"version": "0.7", "metrics": {"encoder": {"validation": {"form": 0.8}}}})
    EcgLanguageModel.from_pretrained(tmp_path / "folder").save_pretrained(tmp_path / "again")
    stage = keep_encoder(Recipe(encoder_from=str(tmp_path / "again")), given, ecg_id)
    np.testing.assert_array_equal(stage.logits_RC, logits.float())
    np.testing.assert_array_equal(stage.rows, rows)
    assert all(torch.equal(a, b) for a, b in zip(stage.encoder.parameters(), kept.encoder.parameters(), strict=True))
    assert stage.calibration == kept.findings_calibration
    assert stage.metrics == {"validation": {"form": 0.8}}
    assert stage.feat_RF.shape == (16, given.feat_NF.shape[1])
    assert np.abs(stage.feat_RF).max() <= 5.0
    with pytest.raises(CheckpointError, match="its encoder learned from other recordings; leave out encoder_from"):
        keep_encoder(Recipe(encoder_from=str(tmp_path / "again")), given, ecg_id + 1)


def test_an_encoder_without_its_teachers_is_refused(tmp_path: Path) -> None:
    kept = tiny_model(tmp_path / "kept")
    kept.save_pretrained(tmp_path / "folder", {"version": "0.6"})
    given = examples(kept.encoder.mean_F.numel(), len(kept.config.labels))
    with pytest.raises(CheckpointError, match="does not keep what its teachers said; leave out encoder_from"):
        keep_encoder(Recipe(encoder_from=str(tmp_path / "folder")), given, np.arange(18))
