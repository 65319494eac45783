"""How a record was read off an image of an ECG page, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PageReading:
    """confidence: 0..1 for each lead. speed: mm/s and gain: mm/mV, and whether they were seen on the page (else they are the
    usual ones, assumed). layout: such as 3x4+1R. px_per_mm: resolution of the image. assumed: in words, whatever the
    page did not show. speed_from, gain_from: "text", "pulse", "asked" or "assumed"."""

    confidence: Mapping[str, float]
    speed: float
    gain: float
    gain_seen: bool
    layout: str
    px_per_mm: float
    assumed: tuple[str, ...] = ()
    speed_from: str = "assumed"
    gain_from: str = "assumed"

    @property
    def speed_seen(self) -> bool:
        """Whether the page shows its speed, by text or by the width of its calibration pulse."""
        return self.speed_from in ("text", "pulse")

    @property
    def overall(self) -> float:
        """Confidence of the page: the middle one of its leads."""
        from statistics import median

        return float(median(self.confidence.values()))

    @property
    def text(self) -> str:
        """One sentence for people."""
        least = min(self.confidence, key=lambda lead: self.confidence[lead])
        return (f"read off an image of a page ({self.layout}, {self.speed:g} mm/s, {self.gain:g} mm/mV), confidence "
                f"{100 * self.overall:.0f} % (lowest {least}: {100 * self.confidence[least]:.0f} %)"
                + "".join(f"; {note}" for note in self.assumed))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"confidence": {lead: round(value, 3) for lead, value in self.confidence.items()},
                "overall": round(self.overall, 3), "speed_mm_s": self.speed, "speed_from": self.speed_from,
                "gain_mm_mv": self.gain, "gain_from": self.gain_from,
                "gain_seen": self.gain_seen, "layout": self.layout, "px_per_mm": round(self.px_per_mm, 2),
                "assumed": list(self.assumed)}
