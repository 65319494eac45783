"""A drawn page goes in, a used, scanned or photographed one comes out, with the truth moved along.

Distortions have names, ranges and generators of their own; geometry ends in one `Warp` and one remap, tint and light in one
multiplication. `apply.distort` does it, `presets.PRESETS` mixes them.
"""

from ecglm.paper.distort import ink, marks, paper, relief, shape, table, light, sensor  # isort: skip  # noqa: F401
from ecglm.paper.distort.apply import chosen, distort
from ecglm.paper.distort.base import DISTORTIONS, Distortion, Range, Stage
from ecglm.paper.distort.presets import PRESETS, Preset

__all__ = ["DISTORTIONS", "PRESETS", "Distortion", "Preset", "Range", "Stage", "chosen", "distort"]
