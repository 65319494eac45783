"""Reads mutants of one format in a process of its own, under limits, and says what was wrong.

    python -m tests.records.fuzz scp 1234            read mutant 1234 of SCP-ECG and leave its files here
    python -m tests.records.fuzz scp 1 20000 20 DIR  read mutants 1 to 20000, for 20 seconds at most (0: no limit)

A mutant is made by its format and number alone. Reading one may raise an EcglmError of one line about the file and
nothing else, not even a warning; it takes at most 2 s of processor (else the kernel ends the process) and 512 MB of
memory, opens nothing but the files of its folder, changes none, and expands no XML entity.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import sys
import time
import traceback
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.errors import EcglmError
from ecglm.records import Record, read
from ecglm.records.cart import CartReading

from .mutants import EXPANDED
from .seeds import SEEDS

MAX_CPU_S = 2.0
MAX_WAIT_S = 60.0  #: as for a pipe that nobody writes to; a busy machine makes 2 s of processor long
MAX_BYTES = 512 << 20
MAX_FAULTS = 10  #: different ones, after which the rest is not read
_PROGRAMS = (".py", ".pyc", ".so")
_NEVER = frozenset((
    "socket.connect", "socket.getaddrinfo", "urllib.Request", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn",
    "os.fork", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "pickle.find_class", "shutil.rmtree", "shutil.move",
))  # fmt: skip


@dataclass
class Outcome:
    """What became of mutants `first` to `last`. slowest is seconds of processor; peak bytes above the start."""

    first: int
    last: int
    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    slowest_number: int = 0
    peak: int = 0
    faults: list[str] = field(default_factory=list)


class Watch:
    """Notes what is opened outside a folder, or changed, while it is armed. An audit hook cannot be taken away again."""

    def __init__(self, folder: Path) -> None:
        self.armed = False
        self.seen: list[str] = []
        self.inside = os.path.realpath(folder) + os.sep
        sys.addaudithook(self)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.armed:
            return
        if event in _NEVER:
            self.seen.append(f"{event} {args!r}"[:200])
        elif event == "open" and not isinstance(args[0], int):
            path, mode, flags = os.fsdecode(args[0]), args[1], args[2] or 0
            if (isinstance(mode, str) and set(mode) & set("wax+")) or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self.seen.append(f"opened {path} to write"[:200])
            elif not os.path.realpath(path).startswith(self.inside) and not path.endswith(_PROGRAMS):  # a late import
                self.seen.append(f"opened {path}"[:200])


def problem_of(record: Record) -> str:
    """What no record may be, "" where all is well."""
    if record.signal.dtype != np.float32 or record.signal.ndim != 2 or 0 in record.signal.shape:
        return f"the signal is {record.signal.dtype} of shape {record.signal.shape}"
    if np.isinf(record.signal).any():
        return "the signal is infinite somewhere"
    cart = record.cart or CartReading()
    if cart.median is not None and (len(cart.median.signal) != len(cart.median.leads) or np.isinf(cart.median.signal).any()):
        return f"the median beat has shape {cart.median.signal.shape} and leads {cart.median.leads}, or is infinite somewhere"
    if EXPANDED in f"{record.leads} {record.notes} {record.meta} {cart.statements} {cart.median and cart.median.leads}":
        return "an XML entity was expanded"
    if any(not text.isprintable() for text in (*record.notes, *record.leads)):
        return f"notes or leads are not printable: {record.notes!r} {record.leads!r}"
    return ""


def _memory_ran_out(error: BaseException | None) -> bool:
    """Whether this error came of Python's about memory, however it was worded afterwards.

    That HDF5 asked in vain is no fault: it asks for what a length says before it looks for the bytes.
    """
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


class Fuzz:
    """The seeds of a format in a folder, one after another damaged and read."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.targets: list[Path] = []
        self.damaged: list[Path] = []
        for place, seed in enumerate(SEEDS[kind]):
            (folder / str(place)).mkdir(parents=True)
            target = seed.make(folder / str(place))
            self.targets.append(target)
            self.damaged.append(target.with_name(seed.damaged) if seed.damaged else target)
            read(target, **seed.asked)  # loads the libraries, too
        self.originals = [path.read_bytes() for path in self.damaged]

    def mutant(self, number: int) -> tuple[int, bytes, dict[str, Any]]:
        """Which seed, its damaged file, and arguments of read."""
        which = number % len(self.originals)
        seed, rng = SEEDS[self.kind][which], random.Random(f"ecglm {self.kind} {number}")
        data = self.originals[which]
        for _ in range(rng.choice((1, 1, 1, 2))):
            data = rng.choice(seed.grammars)(data, rng)
        asked = dict(seed.asked)
        if rng.random() < 0.2:
            asked |= {"start_s": 0.02, "duration_s": 0.03}
        if rng.random() < 0.05:
            asked["leads"] = ["II"]
        return which, data, asked

    def write(self, number: int) -> tuple[Path, dict[str, Any]]:
        which, data, asked = self.mutant(number)
        self.damaged[which].write_bytes(data)
        return self.targets[which], asked

    def check(self, number: int, watch: Watch, outcome: Outcome) -> str:
        """Read one mutant. What was wrong, "" where all is well."""
        target, asked = self.write(number)
        watch.armed = True
        begin = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, MAX_CPU_S)
        signal.setitimer(signal.ITIMER_REAL, MAX_WAIT_S)
        try:
            wrong = problem_of(read(target, **asked))
            outcome.read += 1
        except EcglmError as error:
            outcome.refused += 1
            said = str(error)
            wrong = "" if said.isprintable() and str(target.parent) in said else f"not one line about the file: {said!r}"
            if EXPANDED in said:
                wrong = f"an XML entity was expanded: {said!r}"
            if _memory_ran_out(error):
                wrong = f"more than {MAX_BYTES >> 20} MB of memory were asked for: {said!r}"
        except BaseException as error:  # whatever it is, it should not have come here
            last = traceback.extract_tb(error.__traceback__)[-1]
            wrong = f"{type(error).__name__} at {last.filename}:{last.lineno}: {str(error)[:200]!r}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            watch.armed = False
        took = time.process_time() - begin
        if took > outcome.slowest:
            outcome.slowest, outcome.slowest_number = took, number
        if watch.seen and not wrong:
            wrong = "; ".join(watch.seen[:3])
        watch.seen.clear()
        return wrong


def run(kind: str, first: int, last: int, seconds: float, folder: Path) -> Outcome:
    """Read these mutants. The number of the one that is being read stands in folder/number, should the process end."""
    fuzz, watch, outcome = Fuzz(kind, folder), Watch(folder), Outcome(first, last)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    warnings.simplefilter("error")
    base = _limit_memory()
    (folder / "number").write_bytes(bytes(8))
    different: set[str] = set()
    with (folder / "number").open("r+b") as stream, mmap.mmap(stream.fileno(), 8) as at:
        end = time.monotonic() + (seconds or float("inf"))
        for number in range(first, last + 1):
            if time.monotonic() > end:
                outcome.last = number - 1
                break
            at[:] = number.to_bytes(8, "little")
            wrong = fuzz.check(number, watch, outcome)
            if wrong and wrong[:60] not in different:
                different.add(wrong[:60])
                outcome.faults.append(f"{kind} {number}: {wrong}")
            if len(different) >= MAX_FAULTS:
                outcome.last = number
                break
    outcome.peak = max(0, _status("VmHWM") - base)
    return outcome


def _limit_memory() -> int:
    """Let the process have MAX_BYTES more of address space than now, where Linux can; its resident bytes now."""
    if sys.platform != "linux":
        return 0
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + MAX_BYTES, -1))
    return _status("VmRSS")


def _status(key: str) -> int:
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/status").read_text().split(f"{key}:")[1].split()[0]) << 10


def main(kind: str, first: str, last: str = "", seconds: str = "0", folder: str = "") -> None:
    if last:
        print(json.dumps(asdict(run(kind, int(first), int(last), float(seconds), Path(folder)))))
        return
    fuzz = Fuzz(kind, Path(f"fuzz_{kind}_{first}"))
    target, asked = fuzz.write(int(first))
    print(f"{target} ({SEEDS[kind][int(target.parent.name)].name}), read with {asked or 'nothing else'}")
    print(read(target, **asked))


if __name__ == "__main__":
    main(*sys.argv[1:])
