"""What the encoder gets of a record whose device wrote leads that it did not record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecglm.models.processor import EcgProcessor
from tests.signal.synthetic import synthetic_ecg


@pytest.mark.parametrize("nothing", [np.nan, 0.0, -3.0])
@pytest.mark.parametrize("recorded", [("I",), ("II", "V1"), ("I", "II", "V1", "V2", "V3", "V5")])
def test_leads_without_a_signal_count_as_leads_that_are_not_there(nothing: float, recorded: tuple[str, ...]) -> None:
    record = synthetic_ecg()[0]
    signal = record.signal.copy()
    signal[[lead not in recorded for lead in record.leads]] = nothing
    padded, alone = EcgProcessor()(replace(record, signal=signal)), EcgProcessor()(record.select(recorded))
    assert alone.mask_L.sum() == len(recorded)
    assert np.ptp(alone.feat_WF) > 0
    for name in ("sig_WLT", "mask_L", "beat_WLK", "feat_WF"):
        np.testing.assert_allclose(getattr(padded, name), getattr(alone, name), atol=1e-5, err_msg=name)
