"""How long `ecglm --help` takes, in units of `python -c pass`. The bar is 10.

    python benchmarks/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "ecglm --help": [str(Path(sys.executable).with_name("ecglm")), "--help"],
    "ecglm measure --help": [str(Path(sys.executable).with_name("ecglm")), "measure", "--help"],
    "import ecglm": [sys.executable, "-c", "import ecglm"],
}


def main(runs: int = 21) -> None:
    """Interleaved runs, so that a busy moment hits every command alike; medians."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - start)
    base = statistics.median(seconds["python -c pass"])
    for name, values in seconds.items():
        middle = statistics.median(values)
        print(f"{name:<22} {1000 * middle:7.1f} ms  {middle / base:5.1f} x")


if __name__ == "__main__":
    main()
