"""Draw docs/img/monitor.png: `ecglm monitor` on one simulated person, without an onset and then before and in fibrillation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ecglm.inference.forecast import SHIPPED
from ecglm.inference.monitor import Levels, from_windows
from ecglm.inference.monitor.session import BASE_RATE, Session, forecaster
from ecglm.records.record import Record
from ecglm.records.windows import open_windows
from ecglm.signal.simulate import simulate_onset

PICTURE = Path(__file__).parent / "img" / "monitor.png"
FS, LEADS = 125.0, ("II", "V1")
#: Parts of 30 minutes: what comes, and by which mechanism. The onset is 25 minutes into the second.
PARTS, PART_S, ONSET_S, SEED = (("sinus", "none"), ("af", "rising_ectopy")), 1800.0, 1500.0, 4
LEAD_OFF_S, GAP_S = (700.0, 940.0), (1200.0, 1320.0)


def main() -> None:
    signal = np.concatenate([simulate_onset(
        target, mechanism, fs=FS, duration_s=PART_S, onset_s=None if target == "sinus" else ONSET_S, leads=LEADS,
        seed=SEED)[0].record.signal for target, mechanism in PARTS], axis=1)
    signal[1, round(LEAD_OFF_S[0] * FS):round(LEAD_OFF_S[1] * FS)] = np.nan
    signal[:, round(GAP_S[0] * FS):round(GAP_S[1] * FS)] = np.nan
    stream = from_windows(open_windows(Record(signal, FS, LEADS, source="simulated")), 30.0)
    asked = forecaster("any", 300.0, 600.0, BASE_RATE, None) if SHIPPED.exists() else None
    with Session(stream, asked, Levels(), 300.0, str(PICTURE)) as session:
        for step in session.steps():
            print(session.line(step))


if __name__ == "__main__":
    main()
