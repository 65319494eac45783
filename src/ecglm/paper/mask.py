"""Which pixels a lead's trace covers, drawn anew from its coordinates."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.paper import raster
from ecglm.paper.truth import Box, PageTruth


def trace_mask(truth: PageTruth, lead: str, role: Literal["cell", "rhythm"] | None = None) -> NDArray[np.uint8]:
    """uint8 ``[height, width]``, 255 where the trace covers a pixel wholly; see `PageTruth.mask`."""
    pieces = [piece for piece in truth.pieces if piece.lead == lead and piece.drawn and role in (None, piece.role)]
    if not pieces:
        raise KeyError(f"lead {lead} is not drawn on this page" + (f" as {role}" if role else ""))
    mask = np.zeros((truth.height, truth.width), np.uint8)
    whole = Box(0, 0, truth.width - 1, truth.height - 1)
    width = max(1, round(raster.TRACE_MM * truth.px_per_mm))
    for piece in pieces:
        raster.trace(mask, piece.x.astype(np.float64), piece.y.astype(np.float64), (255, 255, 255), width, whole)
    ruled = np.zeros_like(mask)
    cv2.fillPoly(ruled, [np.rint(outline(truth)).astype(np.int32)], 255)
    return np.minimum(mask, ruled)


def outline(truth: PageTruth) -> NDArray[np.float64]:
    """The edge of the ruled area in the picture, ``[N, 2]``, closely sampled where it may be bent."""
    box = truth.grid
    if truth.warp is None:
        return np.array(box.quad, np.float64)
    return truth.to_picture(edge(*truth.to_page(np.array(box.quad, np.float64))))


def edge(*corners: NDArray[np.float64], points: int = 25) -> NDArray[np.float64]:
    """Points along the edge of a quadrilateral, ``[4 * points, 2]``."""
    share = np.linspace(0.0, 1.0, points, endpoint=False)[:, None]
    ring = [*corners, corners[0]]
    return np.concatenate([a + share * (b - a) for a, b in pairwise(ring)])
