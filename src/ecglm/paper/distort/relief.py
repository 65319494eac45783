"""What folding and crumpling does: light and shade of the relief, and the points it moves."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import Delaunay

from ecglm.paper.distort.base import Range, Stage, Values, distortion
from ecglm.paper.distort.canvas import RELIEF, TINT, Canvas, Field, grain, smooth
from ecglm.paper.warp import Ridges, Waves


@distortion(Stage.PAPER, "creases: many short and long sharp lines, dark and light side by side", count=Range(2, 14, whole=True),
            depth=Range(0.1, 0.4), angle=Range(0.0, 180.0, "degrees", free=True))
def creases(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """Most run near angle or across it."""
    height, width = canvas.small(RELIEF)
    change = np.zeros((height, width), np.float32)
    unit = canvas.px / RELIEF
    for _ in range(int(values["count"])):
        turn = np.radians(values["angle"] + rng.choice((0.0, 90.0)) + rng.normal(0, 12.0))
        along = np.array([np.cos(turn), np.sin(turn)])
        middle = rng.random(2) * (width, height)
        long = rng.uniform(0.15, 1.1) * width
        n = max(4, int(long / (8 * unit)))
        t = np.linspace(-0.5, 0.5, n)
        bow = np.cumsum(rng.normal(0, 0.5 * unit, n))
        line = middle + t[:, None] * long * along + (bow - np.linspace(bow[0], bow[-1], n))[:, None] * (-along[1], along[0])
        depth = values["depth"] * rng.uniform(0.4, 1.0) * np.clip(1.15 - 2 * np.abs(t), 0.15, 1) * rng.uniform(0.5, 1.0, n)
        for shift, sign, wide in ((0.0, -1.0, 0.4), (0.5, 0.6, 0.5)):
            points = np.rint((line + shift * unit * np.array([-along[1], along[0]])) * 8).astype(np.int32)
            for k in range(n - 1):
                cv2.line(change, points[k].tolist(), points[k + 1].tolist(), float(sign * depth[k]), max(1, round(wide * unit)),
                         cv2.LINE_8, 3)
    wide = cv2.resize(cv2.resize(change, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (width, height))
    change = cv2.GaussianBlur(change, (0, 0), 0.2 * unit) + 0.8 * wide
    canvas.shaded(np.asarray(1.0 + change, np.float32))


@distortion(Stage.PAPER, "folded once or more for an envelope: straight lines right across, one side darker, ink worn off",
            across=Range(0, 2, whole=True), down=Range(1, 3, whole=True), depth=Range(0.04, 0.2), shift=Range(0.3, 2.5, "mm"))
def folds(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """shift: how far the ridge of a fold seems moved, because the page does not lie flat along it."""
    (height, width), (low, narrow) = canvas.small(RELIEF), canvas.small(TINT)
    unit, slopes, gain = canvas.px / RELIEF, np.zeros((low, narrow), np.float32), np.ones((height, width), np.float32)
    worn, ridges = np.zeros((low, narrow), np.float32), []
    for upright, count in ((True, int(values["down"])), (False, int(values["across"]))):
        for k in range(count):
            share, lean = (k + 1) / (count + 1) + rng.normal(0, 0.015), rng.normal(0, 0.006)
            nx, ny = (np.cos(lean), np.sin(lean)) if upright else (np.sin(lean), np.cos(lean))
            at = share * (width if upright else height)
            sign, depth = rng.choice((-1.0, 1.0)), values["depth"] * rng.uniform(0.5, 1.0)

            def away(rows: slice, columns: slice, nx: float = nx, ny: float = ny, at: float = at, step: int = 1) -> Field:
                y, x = np.arange(rows.start, rows.stop)[:, None], np.arange(columns.start, columns.stop)
                return np.asarray((nx * (x + 0.5) * step + ny * (y + 0.5) * step - at) / unit, np.float32)  # mm

            s = away(slice(0, low), slice(0, narrow), step=TINT // RELIEF)
            slopes += 0.45 * depth * sign * np.sign(s) * np.exp(-np.abs(s) / 18.0)
            worn = np.maximum(worn, 3.0 * depth * np.exp(-np.square(s / 0.35)))
            reach = 1.5 * unit + abs(lean) * max(height, width)  # only near the line itself is there more to draw
            length = width if upright else height
            near = slice(max(0, int(at - reach)), min(length, int(at + reach) + 1))
            rows, columns = (slice(0, height), near) if upright else (near, slice(0, width))
            s = away(rows, columns)
            rough = 1.0 + 0.35 * smooth(rng, (s.shape[0], s.shape[1]), (40, 1) if upright else (1, 50))
            gain[rows, columns] += rough * depth * (0.9 * np.exp(-np.square((s - 0.35 * sign) / 0.35))
                                                    - 1.3 * np.exp(-np.square((s + 0.3 * sign) / 0.28)))
            move, turn = values["shift"] * canvas.px * rng.uniform(0.4, 1.0), rng.uniform(0, 2 * np.pi)
            ridges.append((float(nx), float(ny), float(at * RELIEF), 30.0 * canvas.px,
                           float(0.5 * move * np.cos(turn)), float(move * np.sin(turn))))
    canvas.shaded(np.asarray(gain * cv2.resize(1.0 + slopes, (width, height)), np.float32))
    canvas.faded(np.asarray(np.clip(worn * (1.0 + 0.5 * grain(rng, (low, narrow), (60, 80))), 0, 0.8), np.float32))
    canvas.shape.append(Ridges(tuple(ridges)))


@distortion(Stage.PAPER, "crumpled and smoothed out again: facets between ridges", depth=Range(0.03, 0.15),
            facet=Range(26.0, 9.0, "mm"), shift=Range(0.02, 0.12, "mm"))
def wrinkles(canvas: Canvas, values: Values, rng: np.random.Generator) -> None:
    """facet: mean size. shift: how far points are moved by each of the waves of the surface."""
    shape, unit = canvas.small(TINT), canvas.px / TINT
    shade = np.zeros(shape, np.float32)
    for size, weight in ((values["facet"], 1.0), (2.3 * values["facet"], 0.7), (0.45 * values["facet"], 0.45)):
        shade += weight * _facets(rng, shape, size * unit)
    hollow = np.clip(0.75 + 0.35 * smooth(rng, shape, (4, 5)), 0.2, 1.4)  # some parts were crumpled more than others
    gain = np.clip(1.0 + values["depth"] * (shade * hollow - 0.25), 0.4, 1.2)
    height, width = canvas.small(RELIEF)
    canvas.shaded(cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR))
    waves = []
    for _ in range(8):
        length, turn, way = rng.uniform(1.0, 3.0) * max(25.0, values["facet"]) * canvas.px, *rng.uniform(0, 2 * np.pi, 2)
        move = values["shift"] * canvas.px
        waves.append(tuple(float(v) for v in (2 * np.pi / length * np.cos(turn), 2 * np.pi / length * np.sin(turn),
                                              rng.uniform(0, 2 * np.pi), move * np.cos(way), move * np.sin(way))))
    canvas.shape.append(Waves(tuple(waves)))


def _facets(rng: np.random.Generator, shape: tuple[int, int], size: float) -> Field:
    """Shade (about 0, deviation about 1) of a surface of triangles with random heights, lit from the top left; their edges bend,
    and some of them run out into a smooth slope."""
    height, width = shape
    n = int(min(900, max(12, 1.4 * height * width / size**2)))
    points = (rng.random((n, 2)) * 1.3 - 0.15) * (width, height)
    points = np.concatenate([points, np.array([[-1, -1], [2, -1], [2, 2], [-1, 2]]) * (width, height)])
    z = 0.5 * rng.standard_normal(len(points))
    corners = Delaunay(points).simplices
    a, b, c = (np.column_stack([points[corners[:, k]] / size, z[corners[:, k]]]) for k in range(3))
    normal = np.cross(b - a, c - a)
    light = (normal @ np.array([-0.7, -0.7, 0.0])) / np.maximum(np.abs(normal[:, 2]), 0.1)
    flat = np.zeros(shape, np.float32)
    for triangle, value in zip(np.rint(points[corners] * 8).astype(np.int32), np.tanh(light), strict=True):
        cv2.fillConvexPoly(flat, triangle, float(value), cv2.LINE_AA, 3)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    cells = (height / size, width / size)
    bend = [0.1 * size * smooth(rng, shape, cells) for _ in range(2)]
    flat = cv2.remap(flat, x + bend[0], y + bend[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    tiny = cv2.resize(flat, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    slow = cv2.resize(cv2.GaussianBlur(tiny, (0, 0), max(0.6, 0.05 * size)), (width, height), interpolation=cv2.INTER_CUBIC)
    ridges = flat - cv2.GaussianBlur(flat, (0, 0), 1.5)
    sharp = np.clip(0.45 + 0.5 * smooth(rng, shape, (0.6 * cells[0], 0.6 * cells[1])), 0.05, 1)
    return np.asarray(0.7 * slow + sharp * (0.8 * (flat - slow) + 1.2 * ridges), np.float32)
