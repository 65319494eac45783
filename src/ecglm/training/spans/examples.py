"""Beats of recordings with the rhythm of each: MIT-BIH as marked, and simulated people who go from rhythm to rhythm.

Classes: `ecglm.corpus.rhythms.CLASSES`; -1 where it is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.rhythms import Rhythms
from ecglm.records.record import Record
from ecglm.records.windows import open_windows
from ecglm.signal.holter.stream import BeatParts, beat_parts
from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate import simulate_one
from ecglm.signal.spans.features import rhythm_features

#: Simulated rhythms by class; each is drawn as often as its place in the tuple is repeated.
RHYTHMS: tuple[tuple[str, ...], ...] = (
    ("normal", "premature_atrial", "premature_atrial", "premature_ventricular", "bigeminy", "trigeminy", "sinus_arrhythmia",
     "sinus_arrhythmia", "sinus_tachycardia", "sinus_bradycardia", "sinus_pause", "av_block_2_1", "av_block_2_2", "junctional_rhythm",
     "ectopic_atrial_rhythm", "supraventricular_tachycardia", "ventricular_run", "av_block_1", "idioventricular_rhythm"),
    ("atrial_fibrillation",),
    ("atrial_flutter_2", "atrial_flutter_3", "atrial_flutter_4", "atrial_flutter_variable", "atrial_flutter_variable"),
)
"""Shapes that may be joined with them."""
SHAPES = ("", "", "", "+lbbb", "+rbbb", "+lvh")
