"""What reading a file costs, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

MAX_PEAK = 512 << 20
_READ = """
import sys, time
import numpy as np
from ecglm.errors import EcglmError
from ecglm.records import read
begin = time.process_time()
try:
    record = read(sys.argv[1])
    print(record.format if np.isfinite(record.signal).any() else "nothing but missing samples")
except EcglmError as problem:
    print(problem)
print(time.process_time() - begin)
try:
    status = open("/proc/self/status").read()
    print(int(status.split("VmHWM:")[1].split()[0]) << 10)
except OSError:
    print(0)
"""


class Cost(NamedTuple):
    """What was said (the format, or the error), seconds of processor, peak resident bytes (0: not known here)."""

    said: str
    seconds: float
    peak: int


def cost_of(path: Path) -> Cost:
    """Not by getrusage, which counts the memory of the parent before the new program starts."""
    child = subprocess.run([sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=True)
    *said, seconds, peak = child.stdout.splitlines()
    return Cost("\n".join(said), float(seconds), int(peak))
