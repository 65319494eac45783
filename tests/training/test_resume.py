"""A training that was interrupted ends with the weights of one that was not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ecglm.errors import CheckpointError
from ecglm.models.encoders.beatnet import BeatNetConfig
from ecglm.models.encoders.findings import FindingsEncoderConfig
from ecglm.models.encoders.resnet1d import ResNet1dConfig
from ecglm.training import encoder
from ecglm.training.checkpoint import load_state, save_state
from ecglm.training.encoder import EncoderTraining, Job, branches, cross_fit, predict, teachers, train_network, train_side_by_side
from ecglm.training.examples import EncoderExamples
from tests.training.interrupt import interrupted

CONFIG = ResNet1dConfig(n_features=4, n_labels=3, stem=8, widths=(8, 8, 8, 8), feature_width=8)
TRAINING = EncoderTraining(epochs=3, beat_epochs=3, batch=8)


BEAT = BeatNetConfig(n_features=4, n_labels=3, width=8, hidden=8, feature_width=8)
RNG = np.random.default_rng(0)
EXAMPLES = EncoderExamples(RNG.normal(size=(24, 12, 500)).astype(np.float16), RNG.normal(size=(24, 12, 140)).astype(np.float16),
                           RNG.normal(size=(24, 4)).astype(np.float32), RNG.integers(0, 2, (24, 3)).astype(np.uint8),
                           np.zeros(24, np.int64), (), ())
BRANCHES = {branch.name: branch for branch in branches(FindingsEncoderConfig(CONFIG, BEAT), TRAINING, EXAMPLES)}


def train(branch, run, training=TRAINING):
    return train_network("net", BRANCHES[branch], training, np.arange(24), EXAMPLES.feat_NF, EXAMPLES.label_NC.astype(np.float32),
                         run, progress=False)


@pytest.mark.parametrize("branch", BRANCHES)
def test_resumed_weights_are_bit_identical(branch, tmp_path):
    whole = train(branch, tmp_path / "whole")
    interrupted(encoder, lambda: train(branch, tmp_path / "broken"))
    resumed = train(branch, tmp_path / "broken")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert not list((tmp_path / "broken").glob("*resume*"))


def test_a_finished_network_is_loaded_not_trained_again(tmp_path):
    first = train("strip", tmp_path)
    again = train("strip", tmp_path, EncoderTraining(seed=1, batch=8))
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), again.state_dict().values(), strict=True))


def test_networks_side_by_side_are_those_of_one_after_another(tmp_path):
    jobs = [Job(name, BRANCHES[name], TRAINING, np.arange(24), EXAMPLES.label_NC.astype(np.float32)) for name in BRANCHES]
    train_side_by_side(jobs, EXAMPLES.feat_NF, tmp_path / "beside", progress=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for job in jobs:
            alone = job.train(EXAMPLES.feat_NF, tmp_path / "alone", progress=False).state_dict()
            for name, value in load_file(tmp_path / "beside" / f"{job.name}.safetensors").items():
                assert torch.equal(value, alone[name]), (job.name, name)
    finally:
        torch.set_num_threads(threads)


def test_teachers_never_saw_the_folds_that_they_predict(tmp_path):
    fold = np.repeat([1, 2, 3, 4, 5, 6, 7, 8], 3)
    some = replace(EXAMPLES, fold_N=fold)
    rows = np.arange(3, 24)
    jobs = teachers(BRANCHES["beat"], some, rows, replace(TRAINING, teachers=2))
    assert [set(fold[job.rows]) & set(held_out) for held_out, alike in jobs.items() for job in alike] == [set()] * 8
    assert all(job.training.seed == seed for alike in jobs.values() for seed, job in enumerate(alike))
    few = {held_out: alike[:1] for held_out, alike in jobs.items()}
    logits = cross_fit(few, BRANCHES["beat"].wave_NLT, fold, rows, EXAMPLES.feat_NF, tmp_path)
    first = few[(1, 2)][0].train(EXAMPLES.feat_NF, tmp_path)
    np.testing.assert_allclose(logits[:3], predict(first, EXAMPLES.beat_NLK[3:6], EXAMPLES.feat_NF[3:6]), atol=1e-6)


def test_state_round_trip_keeps_structure_and_key_types(tmp_path):
    state = {"a": [1, 2.5, None, torch.arange(3)], "b": {0: {"x": torch.ones(2)}, "k": "text"}}
    save_state(tmp_path / "s.safetensors", state)
    again = load_state(tmp_path / "s.safetensors")
    assert again["a"][:3] == [1, 2.5, None]
    assert again["b"]["k"] == "text"
    assert torch.equal(again["b"][0]["x"], torch.ones(2))


def test_a_damaged_resume_point_says_what_to_do(tmp_path):
    save_state(tmp_path / "s.safetensors", {"a": torch.ones(3)})
    (tmp_path / "s.safetensors").write_bytes((tmp_path / "s.safetensors").read_bytes()[:20])
    with pytest.raises(CheckpointError, match="damaged resume point; delete it"):
        load_state(tmp_path / "s.safetensors")
