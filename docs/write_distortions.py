"""Write docs/distortions.md and its picture from the code. tests/paper/test_sheet.py fails when the page is out of date."""

from __future__ import annotations

from pathlib import Path

import cv2

from ecglm.paper.distort import DISTORTIONS, PRESETS, Range, Stage
from ecglm.paper.distort.sheet import sheet
from ecglm.signal.simulate import simulate

PAGE, PICTURE = Path(__file__).with_name("distortions.md"), Path(__file__).parent / "img" / "distortions.jpg"
_STAGES = {Stage.INK: "printing", Stage.MARK: "writing", Stage.PAPER: "paper", Stage.SHAPE: "geometry", Stage.LIGHT: "light",
           Stage.SENSOR: "sensor"}

_HEAD = """# Distortions of pages

Written by `make docs` from the code; do not edit. How they are used is in [render.md](render.md).

![Presets and distortions on a simulated recording](img/distortions.jpg)

A simulated recording; each distortion at a severity of 0.6; `ecglm render --gallery sheet.png` draws this sheet.

## Ranges

From the mildest to the most severe value. *Any* values have no severity and are always drawn from their whole range; ± ones have
either sign. mm are millimetres of paper.

| distortion | when | what it does | values |
|---|---|---|---|
"""


def _span(name: str, spread: Range) -> str:
    unit = f" {spread.unit}" if spread.unit else ""
    return f"{name} {'±' if spread.either else ''}{spread.mild:g} – {spread.severe:g}{unit}{' (any)' if spread.free else ''}"


def page() -> str:
    """The whole page."""
    rows = [f"| `{d.name}` | {_STAGES[d.stage]} | {d.what} | {'; '.join(_span(*item) for item in d.ranges.items())} |"
            for d in DISTORTIONS.values()]
    head, names = ["", "## Presets", "", "Chance of each distortion in percent, and the part of its range."], [*DISTORTIONS]
    for name, preset in PRESETS.items():
        uses = sorted({**preset.uses, **preset.always}.items(), key=lambda item: names.index(item[0]))
        listed = ", ".join(f"`{thing}` {100 * use.chance:g} ({use.share[0]:g}–{use.share[1]:g})" for thing, use in uses)
        clean = f" {100 * preset.clean:g} % of pages have none of these but {', '.join(preset.always)}." if preset.clean else ""
        head.append(f"\n**{name}**: {preset.what}.{clean} {listed}".rstrip() + "\n")
    return _HEAD + "\n".join(rows) + "\n" + "\n".join(head).rstrip() + "\n"


def picture() -> bytes:
    """The sheet, small enough for a repository."""
    image = cv2.cvtColor(sheet(simulate(["normal"], 1, seed=7)[0].record), cv2.COLOR_RGB2BGR)
    small = cv2.resize(image, None, fx=0.55, fy=0.55, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    PICTURE.write_bytes(picture())
