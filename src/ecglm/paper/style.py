"""Colours of ECG paper and ink."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Style:
    """RGB of the sheet, the ruled area, its 1 mm and 5 mm lines, the trace and the print."""

    name: str
    ground: Colour
    minor: Colour
    major: Colour
    trace: Colour = (16, 16, 24)
    text: Colour = (24, 24, 30)
    sheet: Colour = (255, 255, 255)


STYLES = MappingProxyType({style.name: style for style in (
    Style("red", ground=(255, 251, 250), minor=(249, 208, 206), major=(232, 138, 136)),
    Style("brown", ground=(255, 252, 245), minor=(240, 217, 190), major=(205, 160, 112)),
    Style("blue", ground=(250, 252, 255), minor=(205, 220, 246), major=(132, 164, 222)),
    Style("green", ground=(250, 255, 250), minor=(202, 232, 206), major=(128, 188, 138)),
    Style("bw", ground=(255, 255, 255), minor=(222, 222, 222), major=(160, 160, 160), trace=(0, 0, 0), text=(0, 0, 0)),
)})
