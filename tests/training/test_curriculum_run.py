"""`ecglm train recipes/camel.yaml` from end to end, on a few recordings and a tiny language model, stopped again and again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from ecglm import training
from ecglm.errors import UsageError
from ecglm.training import steps
from ecglm.training.checkpoint import load_state
from ecglm.training.curriculum import pipeline
from tests.tiny import save_tiny_base
from tests.training.interrupt import interrupted

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "camel.yaml"
FEW = ["layers=0", "recordings=40", "marked=2", "questions=3", "save_every=1", "accumulate=2", "lora={rank: 4, alpha: 8}",
       "seconds={fs: 32, context: 16, scale: robust, channels: [16, 16, 8], hidden: 32, projector: mlp, positions: time}",
       "autoencoder={steps: 8, batch: 32}", "align={epochs: 1}", "labels={sequences: 8}", "statistics={sequences: 8, mix: 0.25}",
       "dialogue={sequences: 4, mix: 0.25}", "forecast={sequences: 4, mix: 0.5}"]


def test_a_curriculum_that_is_stopped_in_three_stages_ends_as_one_that_is_not(data_dir: Path, tmp_path: Path,
                                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ptbxl", "ludb", "afpdb"):
        if not (data_dir / name).is_dir():
            pytest.skip(f"{name} is not in {data_dir}")
    monkeypatch.setattr(pipeline, "MARKED", 30)
    base = save_tiny_base(tmp_path / "base")

    def run(name: str, resume: bool = False) -> Path:
        return training.run(RECIPE, [*FEW, f"base={base}", f"run={tmp_path / name}"], resume=resume, progress=False)

    whole = run("whole")
    with pytest.raises(UsageError, match="--resume"):
        run("whole")
    for saves, stage in ((3, "labels"), (4, "statistics"), (5, "forecast")):
        interrupted(steps, lambda resume=stage != "labels": run("parts", resume), saves)
        point = load_state(tmp_path / "parts" / f"{stage}.resume.safetensors")
        assert "optimizer" in point  # the stage is not over
    parts = run("parts", resume=True)
    for file in ("model.safetensors", "adapter/adapter_model.safetensors"):
        one, other = load_file(whole / file), load_file(parts / file)
        assert one.keys() == other.keys()
        for key, value in one.items():
            assert value.allclose(other[key], atol=1e-5), key
    metrics = json.loads((parts / "run.json").read_text())["metrics"]
    assert set(metrics) >= {"autoencoder", "align", "labels", "statistics", "dialogue", "forecast"}
    assert set(metrics["forecast"]["marks"]) == {"labels", "statistics", "dialogue", "forecast"}
