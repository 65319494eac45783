"""The geometry of a distorted page leads both ways, and the dense map agrees with it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ecglm.paper import render
from ecglm.paper.distort import DISTORTIONS, PRESETS, Stage, distort
from ecglm.paper.warp import Projective, Warp, joined
from ecglm.records.record import Record

SHAPES = [name for name, d in DISTORTIONS.items() if d.stage == Stage.SHAPE] + ["folds", "wrinkles", "resolution"]


def warp_of(record: Record, how: str, seed: int = 0) -> Warp:
    warp = render(record, dpi=100, distort=how, seed=seed).truth.warp
    assert warp is not None
    return warp


@pytest.mark.parametrize("how", [*SHAPES, ",".join(f"{name}:1" for name in SHAPES)])
def test_there_and_back_is_the_same_point(spikes: Record, how: str) -> None:
    warp = warp_of(spikes, how)
    rng = np.random.default_rng(0)
    there = rng.random((500, 2)) * warp.size
    np.testing.assert_allclose(warp.forward(warp.inverse(there)), there, atol=0.02)
    page = rng.random((500, 2)) * warp.source
    np.testing.assert_allclose(warp.inverse(warp.forward(page)), page, atol=0.05)


@pytest.mark.parametrize("shrink", [1, 2, 4])
@pytest.mark.parametrize("how", [
    "folds:1", "wrinkles:1", "curl:1,perspective:1", "folds:1,wrinkles:1,curl:1,rotation:1,perspective:1,table"])
def test_the_dense_map_is_the_inverse_to_a_third_of_a_pixel(spikes: Record, how: str, shrink: int) -> None:
    warp = render(spikes, dpi=200, distort=how, seed=3).truth.warp
    assert warp is not None
    map_x, map_y = warp.maps(shrink)
    assert map_x.shape == (-(-warp.size[1] // shrink), -(-warp.size[0] // shrink))
    y, x = np.mgrid[0:map_x.shape[0]:7, 0:map_x.shape[1]:7]
    here = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) * shrink - 0.5
    page = (np.stack([map_x[y, x].ravel(), map_y[y, x].ravel()], axis=1) + 0.5) * shrink - 0.5
    assert np.abs(warp.forward(page) - here).max() < 0.3


def test_a_warp_survives_its_json_exactly(spikes: Record) -> None:
    warp = warp_of(spikes, "folds,wrinkles,curl,rotation,perspective,cropping,resolution")
    again = Warp.from_dict(json.loads(json.dumps(warp.to_dict())))
    points = np.random.default_rng(1).random((50, 2)) * warp.source
    assert (again.forward(points) == warp.forward(points)).all()
    assert (again.source, again.size, again.px_per_mm) == (warp.source, warp.size, warp.px_per_mm)


def test_neighbouring_projective_steps_become_one() -> None:
    shift, double = Projective.of(np.array([[1, 0, 5], [0, 1, 7], [0, 0, 1.0]])), Projective.of(np.diag([2.0, 2.0, 1.0]))
    (step,) = joined([shift, double])
    np.testing.assert_allclose(step.forward(np.array([[1.0, 1.0]])), [[12.0, 16.0]])


def test_scale_is_the_pitch_of_the_grid(spikes: Record) -> None:
    truth = render(spikes, dpi=100, distort="size_and_position:1").truth
    assert truth.px_per_mm == pytest.approx(0.6 * 100 / 25.4, rel=1e-6)
    np.testing.assert_allclose(truth.pitch(np.array([[400.0, 300.0]])), truth.px_per_mm, rtol=1e-6)


@pytest.mark.parametrize("how", [name for name in PRESETS if name != "none"])
def test_no_page_leaves_the_frame_unless_it_is_cropped(spikes: Record, how: str) -> None:
    clean = render(spikes, dpi=60)
    for seed in range(12):
        truth = distort(clean, how, seed=seed).truth
        if any(applied.name == "cropping" for applied in truth.distortions):
            continue
        box = truth.grid
        assert box.left >= -1
        assert box.top >= -1
        assert box.right <= truth.width
        assert box.bottom <= truth.height
