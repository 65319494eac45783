"""The truth of a page seen through a warp."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecglm.paper.mask import edge
from ecglm.paper.truth import Box, LeadTruth, PageTruth, TextBox
from ecglm.paper.warp import Warp


def mapped(truth: PageTruth, warp: Warp) -> PageTruth:
    """The truth of a clean page with every box, text and sample where the warp puts it."""
    middle = np.array([[(truth.grid.left + truth.grid.right) / 2, (truth.grid.top + truth.grid.bottom) / 2]])
    pitch = warp.px_per_mm * float(warp.scale(middle)[0])
    return replace(
        truth, width=warp.size[0], height=warp.size[1], px_per_mm=pitch, dpi=max(1, round(pitch * 25.4)), grid=_box(truth.grid, warp),
        calibration=tuple(_box(box, warp) for box in truth.calibration),
        texts=tuple(TextBox(text.kind, text.text, _box(text.box, warp)) for text in truth.texts),
        pieces=tuple(_piece(piece, warp) for piece in truth.pieces), warp=warp)


def _box(box: Box, warp: Warp) -> Box:
    """The smallest upright box around what the warp makes of a box, with its corners."""
    around = warp.forward(edge(*np.array(box.quad, np.float64), points=8))
    (left, top), (right, bottom) = around.min(axis=0), around.max(axis=0)
    corners = warp.forward(np.array(box.quad, np.float64))
    a, b, c, d = ((round(float(x), 3), round(float(y), 3)) for x, y in corners)
    return Box(*(round(float(v), 3) for v in (left, top, right, bottom)), (a, b, c, d))


def _piece(piece: LeadTruth, warp: Warp) -> LeadTruth:
    xy = warp.forward(np.stack([piece.x, piece.y], axis=1).astype(np.float64)).astype(np.float32)
    middle = warp.forward(np.array([[(piece.box.left + piece.box.right) / 2, piece.baseline_y]]))
    return replace(piece, box=_box(piece.box, warp), baseline_y=float(middle[0, 1]), x=xy[:, 0], y=xy[:, 1])
