"""Time `ecglm.read` against the libraries for files of ECG carts: ecgdatakit (XML, SCP-ECG) and sierraecg (Philips).

    pip install ecgdatakit sierraecg
    python benchmarks/read_vendor.py FILE|FOLDER ... [--rounds 40]

Takes recordings of carts (folders are searched); other files, and those a library cannot read, are passed over for that
library. All take turns of a few calls each, so that whatever else the machine does hits them alike; times are medians of
the turns, ratios of CPU time. Each library reads the file as a user would call it: the whole record, its metadata included.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ecglm.errors import EcglmError
from ecglm.records import read

FORMATS = ("aecg", "cardiology", "muse", "scp", "sierra")


def libraries() -> dict[str, Callable[[str], Any]]:
    """Readers that are installed, by name."""
    found: dict[str, Callable[[str], Any]] = {}
    with contextlib.suppress(ImportError):
        from ecgdatakit import FileParser

        found["ecgdatakit"] = FileParser().parse
    with contextlib.suppress(ImportError):
        import sierraecg

        found["sierraecg"] = sierraecg.read_file
    return found


def reads(call: Callable[[str], Any], path: str) -> bool:
    """Whether a library takes the file at all. Its own missing dependencies are an error, not a refusal."""
    try:
        call(path)
    except ImportError:
        raise
    except Exception:  # whatever else the library raises, it cannot be timed
        return False
    return True


def turns(calls: dict[str, Callable[[str], Any]], path: str, rounds: int) -> dict[str, float]:
    """Median CPU seconds of one call of each, taken in turns of four."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(max(5, rounds // 4)):
        for name, call in calls.items():
            begin = time.process_time()
            for _ in range(4):
                call(path)
            times[name].append((time.process_time() - begin) / 4)
    return {name: statistics.median(spent) for name, spent in times.items()}


def carts(arguments: list[str]) -> list[tuple[str, str]]:
    """Format and path of every recording of a cart among the files and folders given."""
    found = []
    for argument in map(Path, arguments):
        for path in sorted(argument.rglob("*")) if argument.is_dir() else [argument]:
            if path.suffix.lower() in (".xml", ".scp") and path.is_file():
                with contextlib.suppress(EcglmError):
                    found.append((read(path).format, str(path)))
    return [(kind, path) for kind, path in found if kind in FORMATS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    peers = libraries()
    if not peers:
        raise SystemExit("neither ecgdatakit nor sierraecg is installed: pip install ecgdatakit sierraecg")
    print(f"{'format':<12}{'file':<44}{'ecglm':>9}" + "".join(f"{name:>22}" for name in peers))
    for kind, path in carts(asked.paths):
        with contextlib.redirect_stdout(io.StringIO()):
            calls = {"ecglm": read, **{name: call for name, call in peers.items() if reads(call, path)}}
            times = turns(calls, path, asked.rounds)
        row = "".join(
            f"{times[name] * 1e3:>11.1f} ms {times[name] / times['ecglm']:>6.1f}x" if name in times else f"{'-':>22}"
            for name in peers
        )
        print(f"{kind:<12}{Path(path).name[:42]:<44}{times['ecglm'] * 1e3:>6.1f} ms{row}")


if __name__ == "__main__":
    main()
