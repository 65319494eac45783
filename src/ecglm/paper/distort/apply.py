"""Choosing distortions by name or preset, doing them in the order in which they happen, and keeping the truth true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ecglm.config import closest
from ecglm.errors import UsageError
from ecglm.paper.distort.base import DISTORTIONS, Stage, generator
from ecglm.paper.distort.canvas import Canvas, put_fade, put_light, put_shape
from ecglm.paper.distort.mapped import mapped
from ecglm.paper.distort.presets import PRESETS, Use
from ecglm.paper.page import Page
from ecglm.paper.style import STYLES, Style
from ecglm.paper.truth import Applied, PageTruth
from ecglm.paper.warp import Projective, Warp, joined


def distort(page: Page, how: str | Sequence[Applied], *, seed: int = 0, style: Style | None = None) -> Page:
    """The page as it looks after it was used, scanned or photographed, with its truth moved along.

    how: a preset (`PRESETS`), names of distortions (`DISTORTIONS`) with commas between them, or both; a name may be given
    a severity from 0 to 1: "rotation:0.3,stains". Or what `PageTruth.distortions` of another page says was done to it.
    Every distortion draws its values from a generator of its own, made of the seed, the page's number and its name.
    style: needed where the page was drawn with a `Style` that is not in `STYLES`.

    The same arguments give the same pixels. Raises UsageError for unknown names and for a page that is distorted already.
    """
    truth = page.truth
    if truth.distortions or truth.warp is not None:
        raise UsageError("the page is distorted already; distort the page as it was drawn")
    ink = style or STYLES.get(truth.style)
    if ink is None:
        raise UsageError(f"style {truth.style!r} is not one of {', '.join(STYLES)}; pass the Style it was drawn with")
    done = chosen(how, seed, truth.page[0]) if isinstance(how, str) else tuple(how)
    for applied in done:
        if applied.name not in DISTORTIONS or set(applied.values) != set(DISTORTIONS[applied.name].ranges):
            raise UsageError(f"distortion {applied.name!r} with {', '.join(applied.values) or 'no values'} is unknown here")
    name = how if isinstance(how, str) else ",".join(dict.fromkeys(applied.name for applied in done)) or "none"
    if not done:
        return Page(page.image, replace(truth, distort=name, seed=seed))
    canvas = Canvas(page.image.copy(), truth, ink)
    for stage in Stage:
        for applied in (a for a in done if DISTORTIONS[a.name].stage == stage):
            DISTORTIONS[applied.name].act(canvas, applied.values, np.random.default_rng(applied.seed))
        if stage in (Stage.INK, Stage.PAPER):
            put_fade(canvas)
        elif stage == Stage.SHAPE:
            put_shape(canvas)
        elif stage == Stage.LIGHT:
            put_light(canvas)
    return Page(canvas.image, replace(_moved(canvas), distort=name, seed=seed, distortions=done))


def chosen(how: str, seed: int, page: int = 1) -> tuple[Applied, ...]:
    """What a string such as "light" or "rotation,stains:0.5" does to a page, in the order in which it happens."""
    out = []
    for name, share in sorted(_uses(how, seed, page).items(), key=lambda item: _ORDER[item[0]]):
        values, texture = DISTORTIONS[name].draw((seed, page), share)
        out.append(Applied(name, values, texture))
    return tuple(out)


def check(how: str, seed: int = 0) -> None:
    """Raises UsageError when `chosen` would."""
    _uses(how, seed, 1)


def _uses(how: str, seed: int, page: int) -> dict[str, tuple[float, float]]:
    """Name of the distortion to the share of its ranges."""
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"seed {seed!r} is not a whole number from 0 on")
    out: dict[str, tuple[float, float]] = {}
    names = [part.strip() for part in how.split(",")]
    for part in names:
        name, colon, severity = part.partition(":")
        if name in PRESETS and not colon:
            out |= _of_preset(name, seed, page)
        elif name in DISTORTIONS:
            out[name] = _severity(part, severity) if colon else (0.0, 1.0)
        else:
            raise UsageError(f"distortion {part!r} is unknown; {closest(name, [*PRESETS, *DISTORTIONS])}")
    return out


def _of_preset(name: str, seed: int, page: int) -> dict[str, tuple[float, float]]:
    preset = PRESETS[name]
    clean = generator((seed, page), "clean").random() < preset.clean
    uses = dict(preset.always) if clean else {**preset.uses, **preset.always}

    def happens(distortion: str, use: Use) -> bool:
        return bool(generator((seed, page), f"whether {distortion}").random() < use.chance)

    return {distortion: use.share for distortion, use in uses.items() if happens(distortion, use)}


def _severity(part: str, text: str) -> tuple[float, float]:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise UsageError(f"{part!r}: a severity is a number from 0 to 1, as in 'blur:0.5'")
    return value, value


_ORDER = {name: (DISTORTIONS[name].stage, index) for index, name in enumerate(DISTORTIONS)}


def _moved(canvas: Canvas) -> PageTruth:
    """The truth of the picture: everything where the geometry has put it."""
    height, width = canvas.image.shape[:2]
    truth = replace(canvas.truth, texts=(*canvas.truth.texts, *canvas.texts))
    warp = canvas.warp
    if canvas.resized != 1.0:
        before = canvas.size if warp is not None else canvas.source
        x, y = width / before[0], height / before[1]
        smaller = Projective.of(np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5], [0, 0, 1.0]]))
        steps = warp.steps if warp is not None else ()
        warp = Warp(canvas.source, (width, height), canvas.px, joined((*steps, smaller)))
    return truth if warp is None else mapped(truth, warp)
