"""A forest as tensors says what the library that grew it says."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.ensemble import ExtraTreesClassifier

from ecglm.knowledge.statements import STATEMENTS
from ecglm.models.encoders.forest import SMOOTHING, Forest, ForestConfig
from ecglm.training.wide import RHYTHM, grow_forest


def test_tensors_agree_with_the_library():
    rng = np.random.default_rng(0)
    feat = rng.normal(size=(300, 9)).astype(np.float32)
    label = np.zeros((300, len(STATEMENTS)), np.uint8)
    label[:, RHYTHM[0]] = feat[:, 2] > 0.5
    label[:, RHYTHM[1]] = feat[:, 3] * feat[:, 4] > 0
    label[:, RHYTHM[2]] = 1  # a label that all have; the others none
    forest = grow_forest(feat, label, ForestConfig(trees=15), seed=4)
    reference = ExtraTreesClassifier(15, min_samples_leaf=3, max_features=0.3, random_state=4).fit(feat, label[:, RHYTHM])
    new = rng.normal(size=(64, 9)).astype(np.float32)
    got = forest(torch.from_numpy(new)).numpy()
    for k, output in enumerate(reference.predict_proba(new)[:3]):
        share = output[:, 1] if output.shape[1] == 2 else np.ones(64)
        assert np.allclose(got[:, k], np.log((share + SMOOTHING) / (1 - share + SMOOTHING)), atol=0.02)
    assert (got[:, 3:] < -5).all()


def test_a_forest_of_no_trees_says_nothing():
    assert Forest(ForestConfig())(torch.zeros(5, 9)).shape == (5, 0)
