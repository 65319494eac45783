"""The contrastive loop on a small made-up world: it learns, resumes exactly, and batches keep what belongs together."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecglm.knowledge.report_text import render_statements
from ecglm.knowledge.statements import keys
from ecglm.models.ecgtext.config import EcgTextConfig, TextConfig, VectorConfig
from ecglm.training.contrastive import fit as loop
from ecglm.training.contrastive.data import Pairs, statements_text
from ecglm.training.contrastive.fit import HardTexts, _PairStage, fit
from ecglm.training.contrastive.recipe import ContrastiveTraining
from ecglm.training.contrastive.train import new_model
from tests.training.interrupt import interrupted

CODES = ("rhythm:AFIB", "rhythm:SBRAD", "sub_class:CLBBB", "sub_class:IMI", "form:PVC", "form:LVOLT")


class MadeVectors:
    """A recording is which of six findings it has, and noise."""

    def __init__(self, vector_ND: np.ndarray) -> None:
        self.vector = torch.from_numpy(vector_ND)

    def whole(self, rows):
        return (self.vector[rows],)

    def augmented(self, rows, config, rng):
        return (self.vector[rows] + 0.1 * torch.randn(len(rows), self.vector.shape[1], generator=rng),)


def world(count: int = 96) -> Pairs:
    rng = np.random.default_rng(0)
    has = rng.random((count, len(CODES))) < 0.35
    label = np.zeros((count, len(keys())), np.uint8)
    for column, code in enumerate(CODES):
        label[:, keys().index(code)] = has[:, column]
    vector = np.concatenate([2 * has - 1, rng.standard_normal((count, 4))], axis=1).astype(np.float32)
    texts = [render_statements([c for c, h in zip(CODES, row, strict=True) if h]) or "no abnormality." for row in has]
    report = tuple(text if i % 3 else "" for i, text in enumerate(texts))
    return Pairs(MadeVectors(vector), np.arange(count), report, label, None, tuple(texts), label)


def small(pairs: Pairs, config: ContrastiveTraining):
    text = TextConfig(vocabulary=200, context=48, width=16, layers=1, heads=2, dropout=0.0)
    vector = VectorConfig(inputs=10, hidden=32, tokens=2, width=16, dropout=0.1)
    return new_model(EcgTextConfig(embed=16, vector=vector, text=text), pairs, config)


CONFIG = ContrastiveTraining(epochs=12, first_epochs=3, batch=32, lr=1e-2, hard=8, caption=0.0)


def test_after_training_recordings_find_what_is_true_of_them(tmp_path):
    pairs = world()
    model = small(pairs, CONFIG)
    fit(model, pairs, CONFIG, tmp_path, progress=False)
    ecg = model.encode_ecg(*pairs.ecg.whole(np.arange(len(pairs.rows)))).numpy()
    text = model.encode_text(list(pairs.texts)).numpy()
    best = (ecg @ text.T).argmax(1)
    right = np.mean([pairs.texts[b] == pairs.texts[i] for i, b in enumerate(best)])
    chance = np.mean([pairs.texts.count(t) for t in pairs.texts]) / len(pairs.texts)
    assert right > 6 * chance


@pytest.mark.parametrize("saves", [1, 3])  # in the texts, in the pairs
def test_an_interrupted_run_ends_with_the_same_weights(tmp_path, saves):
    pairs, config = world(), ContrastiveTraining(epochs=3, first_epochs=2, batch=32, hard=4, caption=0.0)
    whole = small(pairs, config)
    fit(whole, pairs, config, tmp_path / "whole", progress=False)
    interrupted(loop, lambda: fit(small(pairs, config), pairs, config, tmp_path / "parts", progress=False), saves)
    resumed = small(pairs, config)
    fit(resumed, pairs, config, tmp_path / "parts", progress=False)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], tensor, msg=name)


def test_hard_negatives_have_other_statements():
    pairs = world()
    hard = HardTexts.find(small(pairs, CONFIG).eval(), pairs)
    for row in range(len(pairs.texts)):
        others = hard.near_RK[row]
        assert (pairs.text_label_RC[others] != pairs.text_label_RC[row]).any(1).all()


def test_texts_of_a_batch_share_a_group_when_they_say_the_same():
    pairs, config = world(), CONFIG
    stage = _PairStage(config, pairs)
    model = small(pairs, config)
    stage.start(model.eval())
    rng = torch.Generator().manual_seed(0)
    order = np.arange(32)
    _, ids, label, group = stage.batch(model, order, slice(0, 32), rng)
    assert len(ids) == len(label) == len(group) == 40
    for i in range(40):
        for j in range(i):
            if torch.equal(ids[i], ids[j]) and max(i, j) < 32 and bool(pairs.report[i]) == bool(pairs.report[j]):
                assert group[i] == group[j] or not torch.equal(label[i], label[j])
            if group[i] == group[j] and i < 32 and j < 32:
                assert torch.equal(label[i], label[j])


def test_the_two_halves_of_a_batch_are_the_whole():
    """What two processes get, together, is what one gets."""
    pairs, stage_model = world(), small(world(), CONFIG)
    stage = _PairStage(CONFIG, pairs)
    stage.start(stage_model.eval())
    order = np.arange(32)
    whole = stage.batch(stage_model, order, slice(0, 32), torch.Generator().manual_seed(3))
    halves = [stage.batch(stage_model, order, slice(*part), torch.Generator().manual_seed(3)) for part in ((0, 16), (16, 32))]
    assert torch.equal(torch.cat([half[0][0] for half in halves]), whole[0][0])
    own, hard = ([half[3][:16] for half in halves], [half[3][16:] for half in halves])
    assert torch.equal(torch.cat([*own, *hard]), whole[3])


def test_statements_are_drawn_where_there_is_no_report_and_in_both_languages():
    pairs = world()
    rng = torch.Generator().manual_seed(0)
    bare = np.array([i for i, text in enumerate(pairs.report) if not text and pairs.label_NC[i].any()])
    drawn = {text for _ in range(6) for text in pairs.draw(bare, CONFIG, rng)}
    for place in bare[:5]:
        assert {statements_text(pairs.label_NC[place], german) for german in (True, False)} <= drawn
