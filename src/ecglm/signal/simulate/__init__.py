"""Simulated ECGs with their truth: condition and seed in, records and what is true of them out.

`simulate` gives a list, `stream` one record after the other; `CONDITIONS` is the table of what there is. The heart is a
vector made of bells (`heart`), conditions change it (`conduction`, `repolarisation`), rhythms say when it is active
(`rhythms`, `ventricular`), a lead field projects it (`torso`), a recorder adds its noise (`noise`).
"""

from ecglm.signal.simulate.conditions import CONDITIONS, Condition
from ecglm.signal.simulate.folder import OnsetRequest, write_folder
from ecglm.signal.simulate.onset import MECHANISMS, TARGETS, simulate_onset, stream_onset
from ecglm.signal.simulate.request import parse, resembling, simulate, simulate_one, stream
from ecglm.signal.simulate.schedule import Event
from ecglm.signal.simulate.synthesis import Simulated
from ecglm.signal.simulate.truth import Onset, Truth

__all__ = ["CONDITIONS", "MECHANISMS", "TARGETS", "Condition", "Event", "Onset", "OnsetRequest", "Simulated", "Truth", "parse",
           "resembling", "simulate", "simulate_one", "simulate_onset", "stream", "stream_onset", "write_folder"]
