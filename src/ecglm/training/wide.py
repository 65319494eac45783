"""Models without gradient descent: a logistic regression per label, and a forest for the rhythm statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from ecglm.knowledge.statements import STATEMENTS
from ecglm.models.encoders.forest import Forest, ForestConfig

FloatArray = NDArray[np.float32]
Labels = NDArray[np.uint8]
#: Features and labels to a function from features to logits.
Fit = Callable[[FloatArray, Labels], Callable[[FloatArray], FloatArray]]
RHYTHM = tuple(i for i, s in enumerate(STATEMENTS) if s.group == "rhythm")


def linear_branch(feat_NF: FloatArray, label_NC: Labels, strength: float = 0.3, scarce: float = 0.0,
                  ) -> tuple[FloatArray, FloatArray]:
    """Weight [C, F] and bias [C] of one logistic regression per label; labels never seen get the bias of one case. strength:
    inverse of the penalty; it is divided by the share of the cases to the power of `scarce`."""
    from sklearn.linear_model import LogisticRegression

    weight = np.zeros((label_NC.shape[1], feat_NF.shape[1]), np.float32)
    bias = np.full(label_NC.shape[1], -np.log(len(label_NC)), np.float32)
    for c in range(label_NC.shape[1]):
        if label_NC[:, c].sum() >= 2:
            fit = LogisticRegression(C=strength / label_NC[:, c].mean() ** scarce, max_iter=1000).fit(feat_NF, label_NC[:, c])
            weight[c], bias[c] = fit.coef_[0], fit.intercept_[0]
    return weight, bias


def grow_forest(feat_NF: FloatArray, label_NC: Labels, config: ForestConfig, seed: int = 0) -> Forest:
    """Extremely randomised trees (Geurts 2006) on the rhythm labels, as tensors."""
    from sklearn.ensemble import ExtraTreesClassifier

    grown = ExtraTreesClassifier(config.trees, min_samples_leaf=config.least_leaf, max_features=0.3, random_state=seed)
    grown.fit(feat_NF, label_NC[:, RHYTHM])
    trees = [estimator.tree_ for estimator in grown.estimators_]
    sizes = [tree.node_count for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    config = replace(config, nodes=sum(sizes), depth=max(tree.max_depth for tree in trees), labels=RHYTHM)
    forest = Forest(config)
    forest.root_T.copy_(torch.from_numpy(roots))
    for tree, root, size in zip(trees, roots.tolist(), sizes, strict=True):
        own = np.arange(size)
        leaf = tree.children_left < 0
        at = slice(root, root + size)
        forest.feature_M[at] = torch.from_numpy(np.where(leaf, 0, tree.feature))
        forest.threshold_M[at] = torch.from_numpy(np.where(leaf, 0.0, tree.threshold))
        forest.left_M[at] = torch.from_numpy(root + np.where(leaf, own, tree.children_left))
        forest.right_M[at] = torch.from_numpy(root + np.where(leaf, own, tree.children_right))
        # value [nodes, outputs, classes]: a label without any case has one class only.
        share = tree.value / tree.value.sum(2, keepdims=True)
        forest.leaf_MC[at] = torch.from_numpy(
            np.stack([share[:, k, 1] if grown.n_classes_[k] == 2 else np.full(size, float(grown.classes_[k][0]))
                      for k in range(len(RHYTHM))], axis=1))
    return forest


def linear_fit(feat_NF: FloatArray, label_NC: Labels) -> Callable[[FloatArray], FloatArray]:
    """The linear branch as a function of features."""
    weight, bias = linear_branch(feat_NF, label_NC)
    return lambda feat: np.asarray(feat @ weight.T + bias, np.float32)


def forest_logits(forest: Forest, feat_NF: FloatArray, n_labels: int) -> FloatArray:
    """Logits [N, n_labels], zero where the forest has no say."""
    logits = np.zeros((len(feat_NF), n_labels), np.float32)
    logits[:, RHYTHM] = forest(torch.from_numpy(feat_NF)).numpy()
    return logits


def out_of_fold(fit: Fit, views_KNF: Sequence[FloatArray], label_NC: Labels, fold_N: NDArray[np.int64],
                folds: Iterable[tuple[int, ...]]) -> list[FloatArray]:
    """Out-of-fold logits of a model of the features, with the teachers' folds: fitted on the first view, applied to each."""
    logits = [np.zeros(label_NC.shape, np.float32) for _ in views_KNF]
    for held_out in folds:
        out = np.isin(fold_N, held_out)
        model = fit(views_KNF[0][~out], label_NC[~out])
        for of_view, view in zip(logits, views_KNF, strict=True):
            of_view[out] = model(view[out])
    return logits
