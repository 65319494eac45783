"""The truth of a page seen through a warp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ecglm.paper.mask import edge
from ecglm.paper.truth import Box, LeadTruth, PageTruth
from ecglm.paper.warp import Warp


def mapped(truth: PageTruth, warp: Warp) -> PageTruth:
    """The truth of a clean page with every box, text and sample where the warp puts it."""
    middle = np.array([[(truth.grid.left + truth.grid.right) / 2, (truth.grid.top + truth.grid.bottom) / 2]])
    pitch = warp.px_per_mm * float(warp.scale(middle)[0])
    grid, *rest = _boxes([truth.grid, *truth.calibration, *(t.box for t in truth.texts), *(p.box for p in truth.pieces)], warp)
    pulses, rest = rest[:len(truth.calibration)], rest[len(truth.calibration):]
    texts, cells = rest[:len(truth.texts)], rest[len(truth.texts):]
    return replace(
        truth, width=warp.size[0], height=warp.size[1], px_per_mm=pitch, dpi=max(1, round(pitch * 25.4)), grid=grid,
        calibration=tuple(pulses), warp=warp,
        texts=tuple(replace(text, box=box) for text, box in zip(truth.texts, texts, strict=True)),
        pieces=tuple(_piece(piece, box, warp) for piece, box in zip(truth.pieces, cells, strict=True)))


def _boxes(boxes: Sequence[Box], warp: Warp) -> list[Box]:
    """The smallest upright boxes around what the warp makes of boxes, with their corners."""
    n = 8
    edges = np.stack([edge(*np.array(box.quad, np.float64), points=n) for box in boxes])
    out = []
    for around in warp.forward(edges.reshape(-1, 2)).reshape(len(boxes), 4 * n, 2):
        (left, top), (right, bottom) = around.min(axis=0), around.max(axis=0)
        a, b, c, d = ((round(float(x), 3), round(float(y), 3)) for x, y in around[::n])
        left, top, right, bottom = (round(float(v), 3) for v in (left, top, right, bottom))
        out.append(Box(left, top, right, bottom, (a, b, c, d)))
    return out


def _piece(piece: LeadTruth, box: Box, warp: Warp) -> LeadTruth:
    xy = warp.forward(np.stack([piece.x, piece.y], axis=1).astype(np.float64)).astype(np.float32)
    middle = warp.forward(np.array([[(piece.box.left + piece.box.right) / 2, piece.baseline_y]]))
    return replace(piece, box=box, baseline_y=float(middle[0, 1]), x=xy[:, 0], y=xy[:, 1])
