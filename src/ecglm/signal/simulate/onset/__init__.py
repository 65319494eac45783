"""Long simulated records that end in atrial fibrillation or flutter, with a known mechanism before the onset or none."""

from ecglm.signal.simulate.onset.strip import simulate_onset, stream_onset
from ecglm.signal.simulate.onset.table import MECHANISMS, MIXTURES, PARAMETERS, TARGETS

__all__ = ["MECHANISMS", "MIXTURES", "PARAMETERS", "TARGETS", "simulate_onset", "stream_onset"]
