"""Named mixtures of distortions: how often each happens, and from which part of its range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Use:
    """chance: how often. share: the part of its ranges, 0 the mild end and 1 the severe one."""

    chance: float = 1.0
    share: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Preset:
    """what: one line. uses: by name of the distortion. clean: how many pages are left as they were drawn, except for `always`."""

    what: str
    uses: Mapping[str, Use]
    clean: float = 0.0
    always: Mapping[str, Use] = field(default_factory=dict)


PRESETS: Mapping[str, Preset] = MappingProxyType({
    "none": Preset("as it is drawn", {}),
    "light": Preset("a careful scan of a good print", {
        "skew": Use(0.7, (0, 0.4)), "background_colour": Use(0.4, (0, 0.3)), "yellowing": Use(0.3, (0, 0.3)),
        "fading": Use(0.2, (0, 0.2)), "creases": Use(0.3, (0, 0.25)), "shading": Use(0.5, (0, 0.4)), "blur": Use(0.5, (0, 0.25)),
        "gaussian_noise": Use(0.6, (0, 0.2)), "resolution": Use(0.3, (0, 0.2)), "jpeg": Use(0.6, (0, 0.3))}),
    "scan": Preset("a flat-bed or feeder scan of a page from a file", {
        "fading": Use(0.3, (0, 0.4)), "printer_rows": Use(0.15, (0, 0.5)), "handwriting": Use(0.25, (0, 0.6)),
        "stamps": Use(0.2, (0, 0.5)), "yellowing": Use(0.35, (0, 0.5)), "background_colour": Use(0.2, (0, 0.5)),
        "folds": Use(0.3, (0, 0.5)), "creases": Use(0.4, (0, 0.5)), "skew": Use(0.9, (0, 1)), "scanner_lid": Use(0.35),
        "close_up": Use(0.1), "cropping": Use(0.15, (0, 0.3)), "blur": Use(0.6, (0, 0.3)), "resolution": Use(0.4, (0, 0.5)),
        "photocopy": Use(0.15, (0, 0.6)), "scanner_streaks": Use(0.3, (0, 0.6)), "gaussian_noise": Use(0.8, (0, 0.25)),
        "jpeg": Use(0.8, (0, 0.6))}),
    "photo": Preset("a page on a table, photographed by hand", {
        "handwriting": Use(0.15, (0, 0.5)), "stamps": Use(0.1, (0, 0.5)), "folds": Use(0.35, (0, 0.6)),
        "wrinkles": Use(0.35, (0, 0.6)), "curl": Use(0.6, (0, 0.8)), "close_up": Use(0.35), "table": Use(0.85),
        "rotation": Use(0.8, (0, 0.5)), "perspective": Use(1.0, (0, 0.8)),
        "uneven_light": Use(0.9, (0, 0.8)), "shading": Use(0.6), "shadow": Use(0.5), "colour_cast": Use(0.8, (0, 0.8)),
        "underexposure": Use(0.4, (0, 0.6)), "moire": Use(0.2), "blur": Use(0.7, (0, 0.5)), "motion_blur": Use(0.15, (0, 0.4)),
        "resolution": Use(0.5, (0, 0.5)), "shot_noise": Use(0.9, (0, 0.6)), "jpeg": Use(1.0, (0.1, 0.7))}),
    "heavy": Preset("an old page that was used hard", {
        "missing_grid": Use(0.02), "fading": Use(0.6, (0.1, 0.8)), "broken_lines": Use(0.5, (0, 0.8)), "printer_rows": Use(0.2),
        "handwriting": Use(0.5), "stamps": Use(0.4), "yellowing": Use(0.6, (0.2, 1)), "background_colour": Use(0.3, (0.2, 1)),
        "stains": Use(0.5), "creases": Use(0.7, (0.2, 1)), "folds": Use(0.5, (0.2, 1)), "wrinkles": Use(0.6, (0.2, 0.9)),
        "curl": Use(0.3, (0, 0.7)), "aspect_ratio": Use(0.3), "size_and_position": Use(0.2, (0, 0.6)),
        "rotation": Use(0.7, (0, 0.7)),
        "perspective": Use(0.3, (0, 0.6)), "scanner_lid": Use(0.7), "cropping": Use(0.2),
        "uneven_light": Use(0.5, (0.2, 0.9)), "shading": Use(0.6, (0.2, 1)),
        "shadow": Use(0.3), "blur": Use(0.6, (0, 0.6)), "resolution": Use(0.4, (0, 0.6)), "scanner_streaks": Use(0.3),
        "gaussian_noise": Use(0.7, (0.1, 0.8)), "shot_noise": Use(0.2, (0, 0.7)), "jpeg": Use(0.8, (0.2, 0.9))}),
    # What PULSE's appendix C lists, half of the pages clean and 2 % without a grid; it gives no ranges and no other chances.
    "pulse": Preset("the published mixture of PULSE: augmented to clean 1 : 1, no grid on 2 %", {
        "wrinkles": Use(0.5, (0, 0.8)), "creases": Use(0.5, (0, 0.8)), "rotation": Use(0.5), "resolution": Use(0.5),
        "background_colour": Use(0.4), "yellowing": Use(0.3), "gaussian_noise": Use(0.5), "aspect_ratio": Use(0.4),
        "size_and_position": Use(0.4)}, clean=0.5, always={"missing_grid": Use(0.02)}),
})
