"""R waves that are cut off where rows cross make a lead unsure, and a strip that is cut gives way to the lead's own piece."""

from __future__ import annotations

import numpy as np
import pytest

import ecglm
from ecglm.paper import render
from ecglm.paper.digitize import read
from ecglm.paper.digitize.layout import Piece
from ecglm.paper.digitize.trace import Trace
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.signal.quality import USABLE
from ecglm.signal.simulate import simulate


def crossing() -> Record:
    """R waves of .3 mV, and of 4.5 mV in V3 and V4: drawn below one another, these go through three rows. 10 s, 500 Hz."""
    t = np.arange(5000) / 500 % 1.0
    wave = np.clip(1 - np.abs(t - 0.4) / 0.02, 0, None) + 0.1 * np.exp(-0.5 * ((t - 0.7) / 0.05) ** 2)
    heights = np.array([4.5 if lead in ("V3", "V4") else 0.3 for lead in STANDARD_12])
    return Record((heights[:, None] * wave).astype(np.float32), 500.0, STANDARD_12)


def test_leads_whose_r_waves_are_cut_off_are_not_sure() -> None:
    found = ecglm.digitize(render(crossing(), layout="12x1", dpi=150).image, text=False)
    height = {lead: np.nanmax(found.lead(lead)) / np.nanmax(crossing().lead(lead)) for lead in STANDARD_12}
    assert all(found.quality[lead] < USABLE for lead in STANDARD_12 if height[lead] < 0.7)
    assert min(height[lead] for lead in ("V3", "V4")) < 0.7, "nothing was cut off: draw them higher"
    assert found.quality["I"] > 0.7


def test_a_strip_whose_r_waves_are_cut_off_gives_way_to_its_leads_own_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    def strip_alone(trace: Trace, piece: Piece, px: float) -> float:
        return 0.3 if piece.strip else 0.1

    image = render(simulate("normal", 1, seed=5)[0].record, layout="3x4+1R", dpi=150).image
    assert np.isfinite(ecglm.digitize(image, text=False).lead("II")).mean() > 0.97
    monkeypatch.setattr(read, "cut_share", strip_alone)
    found = ecglm.digitize(image, text=False)
    assert np.isfinite(found.lead("II")).mean() == pytest.approx(0.25, abs=0.02)
    assert "the rhythm strip of lead II crosses other rows" in found.notes[0]
