"""An alarm with hysteresis: raised at one probability, cleared after some steps below another."""

from __future__ import annotations

from dataclasses import dataclass

from ecglm.errors import UsageError, argument


@dataclass(frozen=True)
class Levels:
    """on: raised at this probability; off: cleared when it stays below for `steps` known steps in a row."""

    on: float = 0.5
    off: float = 0.3
    steps: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.off <= self.on <= 1:
            raise UsageError(f"{argument('off', self.off)} and {argument('on', self.on)} do not fit: 0 < off <= on <= 1")
        if self.steps < 1:
            raise UsageError(f"{argument('hold', self.steps)} must be at least 1")


class Alarm:
    """Whether it is on. A step without a probability neither raises nor clears it."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self._below = 0
        self.on = False

    def update(self, probability: float | None) -> str | None:
        """"raised", "cleared" or None after one more step."""
        if probability is None:
            return None
        if not self.on:
            self.on = probability >= self._levels.on
            self._below = 0
            return "raised" if self.on else None
        self._below = self._below + 1 if probability < self._levels.off else 0
        return self.end() if self._below >= self._levels.steps else None

    def end(self) -> str | None:
        """Clear it, for what it warned of has come or there is no signal to watch: "cleared", or None when it was not on."""
        was, self.on, self._below = self.on, False, 0
        return "cleared" if was else None
