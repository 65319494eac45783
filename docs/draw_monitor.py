"""Draw docs/img/monitor.png: `ecglm monitor` on a simulated record with fibrillation twice, a lead off and a gap."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ecglm.inference.forecast import SHIPPED
from ecglm.inference.monitor import Levels, from_windows
from ecglm.inference.monitor.session import Session, forecaster
from ecglm.records.record import Record
from ecglm.records.windows import open_windows
from ecglm.signal.simulate import simulate_one

PICTURE = Path(__file__).parent / "img" / "monitor.png"
FS, LEADS = 125.0, ("II", "V1")
#: Rhythm and seconds, of one heart.
COURSE = (("normal", 900.0), ("premature_atrial", 600.0), ("atrial_fibrillation", 420.0), ("normal", 600.0),
          ("premature_ventricular", 480.0), ("atrial_fibrillation", 900.0), ("premature_atrial", 600.0))
LEAD_OFF_S, GAP_S = (2000.0, 2240.0), (2640.0, 2760.0)


def main() -> None:
    signal = np.concatenate([simulate_one(name, fs=FS, duration_s=long_s, leads=LEADS, seed=11).record.signal
                             for name, long_s in COURSE], axis=1)
    signal[1, round(LEAD_OFF_S[0] * FS):round(LEAD_OFF_S[1] * FS)] = np.nan
    signal[:, round(GAP_S[0] * FS):round(GAP_S[1] * FS)] = np.nan
    stream = from_windows(open_windows(Record(signal, FS, LEADS, source="simulated")), 30.0)
    asked = forecaster("any", 300.0, 600.0, None, None) if SHIPPED.exists() else None
    with Session(stream, asked, Levels(), 300.0, str(PICTURE)) as session:
        for step in session.steps():
            print(session.line(step))


if __name__ == "__main__":
    main()
