"""A fitted forest of decision trees as tensors: saved with the other weights, evaluated without the library that grew it.

Shapes: B batch, F features, T trees, M nodes of all trees together, C labels of the forest.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

#: Shares of trees become log-odds after this is added to both sides: no forest is ever certain.
SMOOTHING = 0.003


@dataclass(frozen=True)
class ForestConfig:
    """trees and least samples of a leaf are chosen before growing; nodes (of all trees) and depth are what it grew to.
    labels: positions, among all labels, of those that the forest judges."""

    trees: int = 120
    least_leaf: int = 3
    nodes: int = 0
    depth: int = 0
    labels: tuple[int, ...] = ()


class Forest(nn.Module):
    """Standardised feat_BF to log-odds [B, C] of the mean leaf probability. A leaf's children are itself."""

    feature_M: Tensor
    threshold_M: Tensor
    left_M: Tensor
    right_M: Tensor
    leaf_MC: Tensor
    root_T: Tensor

    def __init__(self, config: ForestConfig) -> None:
        super().__init__()
        self.config = c = config
        self.register_buffer("feature_M", torch.zeros(c.nodes, dtype=torch.int16))
        self.register_buffer("threshold_M", torch.zeros(c.nodes))
        self.register_buffer("left_M", torch.zeros(c.nodes, dtype=torch.int32))
        self.register_buffer("right_M", torch.zeros(c.nodes, dtype=torch.int32))
        self.register_buffer("leaf_MC", torch.zeros(c.nodes, len(c.labels), dtype=torch.float16))
        self.register_buffer("root_T", torch.zeros(c.trees if c.nodes else 0, dtype=torch.int32))

    def forward(self, feat_BF: Tensor) -> Tensor:
        node_BT = self.root_T.long().expand(len(feat_BF), -1)
        for _ in range(self.config.depth):
            value = feat_BF.gather(1, self.feature_M[node_BT].long())
            node_BT = torch.where(value <= self.threshold_M[node_BT], self.left_M[node_BT], self.right_M[node_BT]).long()
        share = self.leaf_MC[node_BT].float().mean(1)
        return torch.log((share + SMOOTHING) / (1 - share + SMOOTHING))
