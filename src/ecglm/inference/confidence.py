"""From the probability of the generated text to the probability of being right."""

from __future__ import annotations

import math
from typing import Any


def answer_kind(text: str) -> str:
    """How answers are grouped for calibration: verify (yes, no), number, or open."""
    low = text.strip().lower()
    if low in ("yes", "no"):
        return "verify"
    return "number" if any(c.isdigit() for c in low) else "open"


def log_odds(probability: float) -> float:
    """Log-odds, finite."""
    p = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


def sigmoid(log_odds: float) -> float:
    """The probability of log-odds."""
    return 1.0 / (1.0 + math.exp(-log_odds))


def calibrated_confidence(calibration: dict[str, Any], text: str, probability: float) -> float:
    """Platt scaling by kind of answer (``answers`` of calibration.json, fitted on held-out recordings)."""
    slope, bias = calibration.get("answers", {}).get(answer_kind(text), (1.0, 0.0))
    return sigmoid(slope * log_odds(probability) + bias)
