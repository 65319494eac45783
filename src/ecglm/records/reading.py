"""How a record was read off an image of an ECG page, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecglm.records.leads import STANDARD_12

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PageReading:
    """confidence: 0..1 for each lead. speed: mm/s and gain: mm/mV, and whether they were seen on the page (else they are the
    usual ones, assumed). layout: such as 3x4+1R. px_per_mm: resolution of the image. assumed: in words, whatever the
    page did not show. speed_from, gain_from: "text", "pulse", "asked" or "assumed". picture: the page's ink in small
    (`ecglm.paper.look`), for looking at it beside what was read."""

    confidence: Mapping[str, float]
    speed: float
    gain: float
    gain_seen: bool
    layout: str
    px_per_mm: float
    assumed: tuple[str, ...] = ()
    speed_from: str = "assumed"
    gain_from: str = "assumed"
    picture: NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)

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


@dataclass(frozen=True)
class PageLooked:
    """What stands in the place of a `PageReading` where a page could not be read back: why not (in words, and as
    `PageError.reason`), how far looking at it is to be trusted beside reading, 0..1, and the picture that is looked at."""

    why: str
    reason: str
    overall: float
    picture: NDArray[np.uint8] = field(repr=False, compare=False)

    @property
    def confidence(self) -> Mapping[str, float]:
        """No lead was read."""
        return dict.fromkeys(STANDARD_12, 0.0)

    @property
    def text(self) -> str:
        """One sentence for people."""
        return (f"looked at only: the page could not be read back ({self.why}), so nothing was measured, and looking alone is "
                f"trusted less: confidences are multiplied by {self.overall:.2f}")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"looked_at_only": True, "why": self.why, "reason": self.reason, "overall": round(self.overall, 3)}
