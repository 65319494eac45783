"""The exported trees say what scikit-learn's say."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from ecglm.training.beat_types import exported


def test_exported_trees_score_as_the_model_does():
    rng = np.random.default_rng(0)
    feat = rng.normal(size=(600, 7))
    kind = (feat[:, 0] > 0).astype(int) + (feat[:, 1] > 0.5) + (feat[:, 2] * feat[:, 0] > 1)
    model = HistGradientBoostingClassifier(max_iter=12, max_leaf_nodes=9, random_state=0, early_stopping=False).fit(feat, kind)
    assert len(model.classes_) == 4
    fresh = rng.normal(size=(200, 7))
    assert np.allclose(exported(model).scores(fresh), model.decision_function(fresh))
