"""`ecglm train recipes/pulse.yaml` in small, on made data: from pages to a folder that looks, and to one that answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecglm import training
from ecglm.config import load_config
from ecglm.corpus import ptbxl
from ecglm.errors import ConfigError, ReadError, UsageError
from ecglm.knowledge.statements import keys
from ecglm.models.vision.config import VisionConfig
from ecglm.models.vision.judge import PageJudge
from ecglm.models.vision.language import VisionLanguageConfig, VisionLanguageModel
from ecglm.models.vision.pagenet import PageNet, PageNetConfig, squeezed
from ecglm.models.vision.towers import PageTower
from ecglm.signal.simulate import simulate
from ecglm.training.adapter import Lora
from ecglm.training.checkpoint import save_state
from ecglm.training.vision.fit import PageTraining, looked, train_pagenet, varied
from ecglm.training.vision.language import build, train
from ecglm.training.vision.lessons import Lesson, drawn, from_llava
from ecglm.training.vision.pages import Drawing, draw, jobs, pictures
from ecglm.training.vision.recipe import LanguageStage, VisionRecipe
from ecglm.training.vision.targets import Targets
from tests.tiny import save_tiny_base
from tests.tiny_checkpoint import save_tiny
from tests.tiny_llava import llava, save_clip, save_released, save_siglip

RECIPES = Path(__file__).resolve().parents[3] / "recipes"
TINY = PageNetConfig(widths=(4, 8, 8, 16), queries=2, n_labels=len(keys()), n_features=3)


@pytest.fixture(scope="module")
def made() -> ptbxl.PtbXl:
    """Twenty simulated recordings in the form of the data set, of nine folds."""
    ones = simulate(["normal", "atrial_fibrillation", "lbbb", "sinus_tachycardia"], 20, fs=250.0, seed=7)
    signal = np.stack([one.record.signal[:, :2500] for one in ones])
    scaled = (signal - signal.mean(2, keepdims=True)) / (signal.std(2, keepdims=True) + 1e-6)
    label = np.array([[key in one.truth.labels for key in keys()] for one in ones], np.uint8)
    n = len(ones)
    return ptbxl.PtbXl((scaled * 1000).astype(np.int16), label, np.arange(100, 100 + n), np.arange(n), np.arange(n) % 9 + 1,
                       np.ones((n, 6), np.float32), np.ones(n, np.float32), ("",) * n, (50,) * n, ("female",) * n)


@pytest.fixture(autouse=True)
def _data(made: ptbxl.PtbXl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ptbxl, "load", lambda: made)


def test_the_recipes_are_what_they_say() -> None:
    small = load_config(VisionRecipe, RECIPES / "pulse.yaml", [])
    assert small.validation_fold == 9
    assert 9 not in (*small.train_folds, small.weigh_fold)
    assert small.weigh_fold not in small.train_folds
    assert sum(p.numel() for p in PageNet(replace(small.net, n_features=55)).parameters()) * 4 < 6e6
    published = load_config(VisionRecipe, RECIPES / "pulse-published.yaml", []).language
    assert (published.vision.encoder, published.vision.layer, published.vision.hidden) == ("clip", -2, 4096)
    assert len(published.vision.tilings) == 5
    assert (published.lr, published.epochs, published.accumulate, published.warmup) == (2e-5, 3, 128, 0.03)
    assert published.whole
    assert published.lora.rank == 0
    with pytest.raises(ConfigError, match="sees the whole page"):
        VisionConfig(encoder="pagenet", tilings=((1, 2),))


def test_training_in_small_ends_in_a_folder_that_looks_and_goes_on_where_it_stopped(tmp_path: Path, made: ptbxl.PtbXl) -> None:
    settings = [f"run={tmp_path / 'run'}", f"teacher={save_tiny(tmp_path / 'tiny')}", "drawing.pages=1", "drawing.twins=0.2",
                "drawing.dpi=100", "net.widths=[4,8,8,16]", "training.epochs=1", "training.batch=4", "weighing.pages=2",
                "weighing.presets=[none]", f"language.base={save_tiny_base(tmp_path / 'base')}"]
    folder = training.run(RECIPES / "pulse.yaml", settings, progress=False)
    judge = PageJudge.load(folder)
    assert set(judge.run["metrics"]["validation"]) == {"none"}
    # Whoever the encoder learnt from or was weighed on is named, and nobody of the validation fold is.
    assert set(judge.run["train_patients"]) == {str(p) for p in made.patient[made.fold != 9]}
    with pytest.raises(UsageError, match="earlier run"):
        training.run(RECIPES / "pulse.yaml", settings, progress=False)
    first = (folder / "model.safetensors").read_bytes()
    drawn_before = sorted((p.name, p.stat().st_mtime_ns) for p in (tmp_path / "run" / "pages").iterdir())
    again = training.run(RECIPES / "pulse.yaml", settings, resume=True, progress=False)
    assert (again / "model.safetensors").read_bytes() == first
    assert sorted((p.name, p.stat().st_mtime_ns) for p in (tmp_path / "run" / "pages").iterdir()) == drawn_before


def test_pages_depend_on_the_seed_and_headers_on_nobody(tmp_path: Path) -> None:
    drawing = Drawing(pages=1, twins=0.0, header=1.0)
    wanted = jobs([0, 1], drawing)
    one = pictures(wanted, drawing, 3, tmp_path, progress=False)
    assert np.array_equal(one[1], draw(wanted[1], drawing, 3))
    assert np.array_equal(one, pictures(wanted, drawing, 3, tmp_path, progress=False))
    assert not np.array_equal(one[1], draw(wanted[1], drawing, 4))
    assert not np.array_equal(draw(wanted[0], drawing, 3), draw(wanted[0], drawing, 3, plain=True))


def test_the_encoder_learns_what_is_on_pages_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two kinds of pages: with a thick stroke and without. Features that are not known teach nothing."""
    rng = np.random.default_rng(0)
    page = rng.integers(0, 20, (32, 384, 512), dtype=np.uint8)
    side = np.arange(32) % 2
    for i in range(32):
        page[i, 100:300, 200:260] = 250 * side[i]
    label = np.zeros((32, len(keys())), np.float32)
    label[:, :30] = side[:, None]
    feat = np.full((32, 3), np.nan, np.float32)
    settings = PageTraining(epochs=8, batch=8, lr=1e-2, ema=0.5, soft=0.0)
    net, losses = train_pagenet(TINY, settings, page, Targets(label, label, feat), tmp_path / "a", progress=False)
    assert losses[-1] < 0.5 * losses[0]
    found = looked(net, page)[:, 0]
    assert found[side == 1].min() > found[side == 0].max()
    (tmp_path / "a" / "pagenet.safetensors").unlink()  # stopped between the last epoch and the end
    resumed, kept = train_pagenet(TINY, settings, page, Targets(label, label, feat), tmp_path / "a", progress=False)
    assert kept == losses
    assert np.array_equal(looked(resumed, page), looked(net, page))

    saved = []

    def stopping(path: Path, state: dict) -> None:
        save_state(path, state)
        saved.append(path)
        if len(saved) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("ecglm.training.vision.fit.save_state", stopping)
    with pytest.raises(KeyboardInterrupt):
        train_pagenet(TINY, settings, page, Targets(label, label, feat), tmp_path / "b", progress=False)
    resumed, kept = train_pagenet(TINY, settings, page, Targets(label, label, feat), tmp_path / "b", progress=False)
    assert kept == pytest.approx(losses, rel=1e-4)
    assert np.allclose(looked(resumed, page), looked(net, page), atol=1e-3)
    moved = varied(squeezed(torch.from_numpy(page[:4])), settings, torch.Generator().manual_seed(0))
    assert moved.shape == (4, 192, 512)
    assert float(moved.max()) <= 1.0
    assert not torch.equal(moved[0], squeezed(torch.from_numpy(page[:1]))[0])


def stage(base: Path, **more: object) -> LanguageStage:
    values = {"sequences": 8, "base": str(base), "lora": Lora(8, 32), "accumulate": 2, "save_every": 2, "no_image": 0.0,
              "lr": 2e-2, "projector_lr": 2e-2, "epochs": 10, **more}
    return LanguageStage(**values)  # type: ignore[arg-type]


def lessons() -> list[Lesson]:
    """What only the picture tells."""
    def image(value: int) -> np.ndarray:
        return np.full((40, 56, 3), value, np.uint8)

    return [Lesson(f"p{i}", lambda value=60 + 180 * (i % 2): image(value), (("Bright?", "yes" if i % 2 else "no"),))
            for i in range(8)]


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_the_answer_is_learnt_from_the_picture_and_what_is_saved_says_the_same(tmp_path: Path, kind: str) -> None:
    source = save_clip(tmp_path / "clip") if kind == "clip" else save_siglip(tmp_path / "siglip")
    vision = VisionConfig(encoder=kind, source=str(source), tilings=((1, 2), (2, 1)), hidden=32)  # type: ignore[arg-type]
    model = build(stage(save_tiny_base(tmp_path / "base"), vision=vision), 0)
    model.llm.float()
    before = {name: value.clone() for name, value in model.vision.tower.state_dict().items()}
    losses = train(model, lessons(), stage(tmp_path / "base", vision=vision), tmp_path / "run", 0, progress=False)
    assert np.mean(losses[-4:]) < np.mean(losses[:4]) - 0.2  # a random output layer cannot say anything sharply
    assert all(torch.equal(value, before[name]) for name, value in model.vision.tower.state_dict().items())
    model.save_pretrained(tmp_path / "saved", {"version": "t"}, "# card\n")
    again = VisionLanguageModel.from_pretrained(tmp_path / "saved", "cpu")
    again.llm.float()
    share, before_saving = ([one.score(lesson.image(), "Bright?", ["yes", "no"])[0] for lesson in lessons()[:2]]
                            for one in (again, model))
    assert share == pytest.approx(before_saving, abs=0.02)
    assert share[1] > share[0] + 0.002, "the bright one"
    assert {name.split(".")[0] for name in again.vision.state_dict()} == {"project", "newline"}


def test_training_goes_on_at_the_last_step(tmp_path: Path) -> None:
    base = save_tiny_base(tmp_path / "base")
    clip = VisionConfig(encoder="clip", source=str(save_clip(tmp_path / "clip")), hidden=32)
    whole = build(stage(base, vision=clip), 0)
    losses = train(whole, lessons(), stage(base, vision=clip), tmp_path / "whole", 0, progress=False)

    class Stop(Exception):
        pass

    def broken() -> np.ndarray:
        raise Stop

    model = build(stage(base, vision=clip), 0)
    calls = []

    def counted(lesson: Lesson) -> Lesson:
        def image() -> np.ndarray:
            calls.append(1)
            return broken() if len(calls) > 9 else lesson.image()

        return replace(lesson, image=image)

    with pytest.raises(Stop):
        train(model, [counted(one) for one in lessons()], stage(base, vision=clip), tmp_path / "part", 0, progress=False)
    resumed = build(stage(base, vision=clip), 0)
    assert train(resumed, lessons(), stage(base, vision=clip), tmp_path / "part", 0, progress=False) == pytest.approx(losses,
    rel=1e-3)


def test_the_small_encoder_goes_before_a_language_model_and_text_only_is_possible(tmp_path: Path) -> None:
    base = save_tiny_base(tmp_path / "base")
    config = VisionLanguageConfig(base=str(base), vision=VisionConfig(encoder="pagenet", hidden=32))
    model = VisionLanguageModel(config, device="cpu", tower=PageTower(PageNet(TINY)))
    (lesson,) = drawn(np.arange(8), 1, 3, Drawing(presets=("none",)), 0)
    assert len(lesson.pairs) == 3
    page = lesson.image()
    tokens = model.vision.tokens(page)
    assert tokens.shape == (6 * 17, 32)  # six rows of sixteen, each with its end
    with torch.no_grad():
        assert float(model.loss(page, lesson.pairs)) != pytest.approx(float(model.loss(None, lesson.pairs)), abs=1e-6)
    seen, without = (model.embedded(image, lesson.pairs)[0] for image in (page, None))
    assert len(seen) == len(without) + len(tokens)


def test_a_llava_checkpoint_is_trained_whole(tmp_path: Path) -> None:
    place = save_released(tmp_path / "released", llava(), save_clip(tmp_path / "clip"))
    one = stage(place, lora=Lora(0, 0), whole=True, epochs=1, lr=1e-3, projector_lr=1e-3)
    model = build(one, 0)
    model.llm.float()
    before = model.llm.model.layers[0].mlp.up_proj.weight.clone()
    train(model, lessons(), one, tmp_path / "run", 0, progress=False)
    assert not torch.equal(before, model.llm.model.layers[0].mlp.up_proj.weight)
    assert all(not p.requires_grad for p in model.vision.tower.parameters())
    model.save_pretrained(tmp_path / "saved", {"version": "t"}, "# card\n", whole=True)
    again = VisionLanguageModel.from_pretrained(tmp_path / "saved", "cpu")
    again.llm.float()
    with torch.no_grad():
        found, expected = (float(m.loss(lessons()[1].image(), lessons()[1].pairs)) for m in (again, model))
    assert found == pytest.approx(expected, abs=0.02)


def test_an_adapter_on_a_llava_checkpoint_is_found_again(tmp_path: Path) -> None:
    place = save_released(tmp_path / "released", llava(), save_clip(tmp_path / "clip"))
    one = stage(place, epochs=2)
    model = build(one, 0)
    model.llm.float()
    train(model, lessons(), one, tmp_path / "run", 0, progress=False)
    model.save_pretrained(tmp_path / "saved", {"version": "t"}, "# card\n")
    again = VisionLanguageModel.from_pretrained(tmp_path / "saved", "cpu")
    again.llm.float()
    with torch.no_grad():
        found, expected = (float(m.loss(lessons()[1].image(), lessons()[1].pairs)) for m in (again, model))
    assert found == pytest.approx(expected, abs=0.05)


def test_files_in_llavas_form(tmp_path: Path) -> None:
    good = {"id": "a", "image": "x/a.png", "conversations": [{"from": "human", "value": "<image>\nRhythm?"},
                                                            {"from": "gpt", "value": "sinus rhythm"}]}
    file = tmp_path / "i.json"
    file.write_text(json.dumps([good, good]))
    assert from_llava(file, tmp_path)[0].pairs == (("Rhythm?", "sinus rhythm"),)
    assert len(from_llava(file, tmp_path, 1)) == 1
    lines = tmp_path / "i.jsonl"
    lines.write_text("\n".join(json.dumps(good) for _ in range(3)))
    assert len(from_llava(lines, tmp_path)) == 3
    for bad, message in ((good | {"image": "../a.png"}, "outside"), (good | {"image": "/a.png"}, "outside"),
                         (good | {"conversations": good["conversations"][:1]}, "turns"), ({"image": "a.png"}, "LLaVA's form"),
                         (good | {"conversations": [good["conversations"][0], {"from": "gpt", "value": " "}]}, "empty answer")):
        file.write_text(json.dumps([bad]))
        with pytest.raises(ReadError, match=message):
            from_llava(file, tmp_path)
    file.write_text("{")
    with pytest.raises(ReadError, match="no JSON"):
        from_llava(file, tmp_path)
