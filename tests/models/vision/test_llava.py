"""Released LLaVA-1.6 checkpoints, on reduced random clones: both layouts give what transformers' own model gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlavaNextForConditionalGeneration

from ecglm.errors import CheckpointError
from ecglm.models.vision.anyres import tiles
from ecglm.models.vision.config import TILINGS
from ecglm.models.vision.llava import is_llava, load_llava
from tests.tiny_llava import PATCH, PINPOINTS, SIDE, llava, save_clip, save_released, save_transformers


@pytest.fixture(scope="module")
def theirs() -> LlavaNextForConditionalGeneration:
    return llava()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clip(tmp_path_factory.mktemp("clip"), seed=5)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, theirs: LlavaNextForConditionalGeneration, clip: Path) -> Path:
    return save_released(tmp_path_factory.mktemp("released"), theirs, clip)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(40, 60), (60, 40), (50, 50), (20, 90), (90, 20), (30, 31)])
@pytest.mark.parametrize("layout", ["released", "transformers"])
def test_a_clone_gives_the_logits_of_transformers(
    released: Path, theirs: LlavaNextForConditionalGeneration, tmp_path: Path, layout: str, height: int, width: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ecglm.models.vision.llava.best_dtype", lambda device: torch.float32)  # whatever the processor can do
    place = released if layout == "released" else save_transformers(tmp_path / "hf", theirs)
    ours = load_llava(place, "cpu")
    ours.vision.tower.mean, ours.vision.tower.std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)  # type: ignore[assignment]
    image = picture(height, width)
    pixels = tiles(image, SIDE, TILINGS, (0.4, 0.5, 0.6), (0.2, 0.3, 0.25))
    emb, target = ours.embedded(image, [("Fast?", "yes")])
    # The same conversation as ids, with the picture's token as often as transformers wants it.
    token = theirs.config.image_token_index
    before, after = ours.beginning(), [*ours.tokens("\nFast? ASSISTANT:"), *ours.tokens("yes<|im_end|>")]
    many = len(emb) - len(before) - len(after)
    ids = torch.tensor([[*before, *([token] * many), *after]])
    with torch.no_grad():
        expected = theirs(input_ids=ids, pixel_values=pixels[None], image_sizes=torch.tensor([[height, width]])).logits[0]
        found = ours.llm(inputs_embeds=emb[None]).logits[0]
    assert torch.allclose(found, expected, atol=2e-5)
    assert target[target >= 0].tolist() == ours.tokens("yes<|im_end|>")


def test_the_picture_comes_first_whole_and_then_in_rows(released: Path) -> None:
    ours = load_llava(released, "cpu")
    each = SIDE // PATCH
    wide = ours.vision.tokens(picture(SIDE, 2 * SIDE))
    assert len(wide) == each * each + each * (2 * each + 1)  # the whole, then rows of two tiles, each with its end
    assert torch.equal(wide[each * each + 2 * each], ours.vision.newline)
    flat = ours.vision.tokens(picture(SIDE // 2, 2 * SIDE))
    assert len(flat) == each * each + (each // 2) * (2 * each + 1)  # what was padded is left out
    emb, _ = ours.embedded(picture(SIDE, 2 * SIDE), [("Fast?", "yes")])
    assert torch.allclose(emb[len(ours.beginning()):len(ours.beginning()) + len(wide)].float(), wide, atol=1e-2)


def test_a_tower_that_was_not_saved_is_the_one_that_is_named(theirs: LlavaNextForConditionalGeneration, clip: Path,
                                                             tmp_path: Path) -> None:
    bare = load_llava(save_released(tmp_path / "bare", theirs, clip, with_tower=False), "cpu")
    named = dict(bare.vision.tower.model.state_dict())
    kept = dict(theirs.model.vision_tower.state_dict())
    one = next(name for name in named if name.endswith("patch_embedding.weight"))
    other = next(name for name in kept if name.endswith("patch_embedding.weight"))
    assert not torch.equal(named[one], kept[other])
    assert bare.vision.tower.mean == (0.4, 0.5, 0.6)


def test_the_encoder_is_frozen_and_the_loss_is_on_answers(released: Path) -> None:
    ours = load_llava(released, "cpu")
    ours.llm.float()
    image = picture(40, 60)
    ours.loss(image, [("Fast?", "yes"), ("Slow?", "no")]).backward()
    assert all(p.grad is None for p in ours.vision.tower.parameters())
    assert ours.vision.project[0].weight.grad.abs().sum() > 0
    assert ours.vision.newline.grad.abs().sum() > 0
    _, target = ours.embedded(image, [("Fast?", "yes"), ("Slow?", "no")])
    assert ours.tokenizer.decode(target[target >= 0]) == "yes<|im_end|>no<|im_end|>"


def test_what_does_not_fit_is_refused(released: Path, theirs: LlavaNextForConditionalGeneration, clip: Path,
                                      tmp_path: Path) -> None:
    assert is_llava(released)
    assert not is_llava(clip)
    with pytest.raises(CheckpointError, match="no LLaVA checkpoint"):
        load_llava(clip)
    broken = save_released(tmp_path / "broken", theirs, clip)
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps(config | {"mm_projector_type": "linear"}))
    with pytest.raises(CheckpointError, match="mlp2x_gelu"):
        load_llava(broken)
    (broken / "config.json").write_text(json.dumps(config | {"image_grid_pinpoints": [[30, 30]]}))
    with pytest.raises(CheckpointError, match="multiples"):
        load_llava(broken)
    (broken / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(CheckpointError, match=r"no Llama of its config\.json"):
        load_llava(broken)
    for file in broken.glob("*.safetensors"):
        file.write_bytes(b"\xff" * 64)
    (broken / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="not readable"):
        load_llava(broken)
    assert [[a * SIDE, b * SIDE] for a, b in TILINGS] == PINPOINTS
