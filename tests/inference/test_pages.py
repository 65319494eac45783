"""Vision-language checkpoints behind `ecglm.load` and `ecglm ask --model`: they see the picture, and say that nothing was
measured."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import ecglm
from ecglm.bench.ecgbench.load import Case
from ecglm.bench.ecgbench.subject import Looking, find_subject
from ecglm.bench.ecgbench.subsets import SUBSETS
from ecglm.cli import main
from ecglm.errors import PageError, UsageError
from ecglm.inference.model import whole
from ecglm.inference.pages import PageModel, page_model
from tests.tiny_llava import llava, save_clip, save_released


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("llava")
    return save_released(place / "model", llava(), save_clip(place / "clip"))


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (130, 190, 3), dtype=np.uint8)


def test_options_are_weighed_by_what_the_model_would_say(folder: Path) -> None:
    model = ecglm.load(folder, device="cpu")
    assert isinstance(model, PageModel)
    model.model.llm.float()
    answer = model.ask(picture(0), "Is it fast?", ["yes", "no", "maybe"])
    share = dict(answer.probabilities)
    assert sum(share.values()) == pytest.approx(1.0)
    assert answer.text == max(share, key=share.__getitem__)
    logs = {option: _log(model, picture(0), option) for option in share}
    assert np.log(share["yes"] / share["no"]) == pytest.approx(logs["yes"] - logs["no"], abs=1e-3)
    assert dict(model.ask(picture(1), "Is it fast?", ["yes", "no", "maybe"]).probabilities) != share
    assert "nothing was read back or measured" in answer.evidence[0].text


def _log(model: PageModel, image: np.ndarray, option: str) -> float:
    """Log-probability of an answer, token by token, each from a run of its own."""
    ids = model.model.tokens(option + model.model.format.stop)
    emb, _ = model.model.embedded(image, [("Is it fast?", "")])
    table, total = model.model.llm.get_input_embeddings(), 0.0
    with torch.no_grad():
        for token in ids:
            total += float(model.model.llm(inputs_embeds=emb[None]).logits[0, -1].log_softmax(-1)[token])
            emb = torch.cat([emb, table(torch.tensor([token]))])
    return total


def test_ecgbench_shows_it_the_page(folder: Path, tmp_path: Path) -> None:
    """The picture and every turn as published; a picture that cannot be read is a question without an answer."""
    subject = find_subject(str(folder), tmp_path / "transcript")
    assert isinstance(subject, Looking)
    assert subject.id.endswith("page looked at")
    png = cv2.imencode(".png", picture(0)[..., ::-1])[1].tobytes()
    of = next(iter(SUBSETS.values()))
    first = subject.reply(Case("1", png, ("Is it fast?", "And now?"), ("yes", "no")), of)
    model = ecglm.load(folder, device="cpu")
    said = model.ask(picture(0), "Is it fast?").text
    assert first.texts == (said, model.ask(picture(0), "And now?", turns=(("Is it fast?", said),)).text)
    broken = subject.reply(Case("2", b"no picture", ("Is it fast?",), ("yes",)), of)
    assert broken.texts == ("",)
    assert broken.failed


def test_what_it_cannot_do_is_refused(folder: Path, tmp_path: Path) -> None:
    model = ecglm.load(folder, device="cpu")
    with pytest.raises(UsageError, match="vision-language model only answers"):
        whole(model)
    with pytest.raises(UsageError, match="has no findings"):
        model.findings(None)
    with pytest.raises(PageError):
        model.ask(b"no picture", "Is it fast?")
    assert page_model(tmp_path) is None
    assert page_model(tmp_path / "none") is None


def test_the_command_asks_about_pictures(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.png"
    cv2.imwrite(str(file), picture(0))
    assert main(["ask", "--model", str(folder), "--json", "--options", "yes,no", str(file), "Fast?"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["answer"] in ("yes", "no")
    assert set(said["probabilities"]) == {"yes", "no"}
