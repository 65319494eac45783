"""An encoder for an adapter that is there: connector and adapter are taken, confidence is fitted anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from ecglm.errors import CheckpointError
from ecglm.models.elm import EcgLanguageModel
from ecglm.training import stage_language
from ecglm.training.recipe import Recipe
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
