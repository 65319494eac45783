"""Records whose shape is known exactly, and one real recording."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from ecglm.records import read
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record


@pytest.fixture
def spikes() -> Record:
    """Twelve leads, 10 s, 500 Hz: zero, with 1 mV for 20 ms at 0.5 s of every second."""
    t = np.arange(5000) / 500
    row = np.where((t % 1.0 >= 0.5) & (t % 1.0 < 0.52), 1.0, 0.0)
    return Record(np.tile(row, (12, 1)).astype(np.float32), 500.0, STANDARD_12)


@pytest.fixture(scope="session")
def real() -> Record:
    """The 12-lead recording that pydicom ships."""
    return read(get_testdata_file("waveform_ecg.dcm"))
