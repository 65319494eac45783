"""20,000 damaged files of every format, read under the limits of fuzz.py, and that fuzz.py notices what breaks them.

As many of each as fit into BOX_S seconds; ECGLM_FUZZ=200000 (make fuzz) makes that many of each, however long it takes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from .fuzz import MAX_CPU_S, MAX_WAIT_S, Fuzz, Outcome
from .seeds import SEEDS

COUNT, BOX_S = 20_000, 20.0
_ASKED = os.environ.get("ECGLM_FUZZ")
_ROOT = Path(__file__).resolve().parents[2]
#: Stacks and heaps of threads count as memory.
_FEW_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


def fuzzed(program: Sequence[str], kind: str, count: int, seconds: float, folder: Path) -> Outcome:
    """What fuzz.py says of the mutants 1 to count, in a process of its own; if that ends early, of which one it died."""
    arguments = [sys.executable, *program, kind, "1", str(count), str(seconds), str(folder)]
    child = subprocess.run(arguments, capture_output=True, text=True, cwd=_ROOT, env={**os.environ, **_FEW_THREADS})
    if child.returncode == 0:
        return Outcome(**json.loads(child.stdout.splitlines()[-1]))
    if child.returncode > 0:
        pytest.fail(child.stderr)
    name = signal.Signals(-child.returncode).name
    number = int.from_bytes((folder / "number").read_bytes(), "little")
    known = {"SIGPROF": f"more than {MAX_CPU_S:g} s of processor", "SIGALRM": f"more than {MAX_WAIT_S:g} s of waiting"}
    why = known.get(name) or f"the process ended by {name} {child.stderr[-500:]}"
    return Outcome(1, number, faults=[f"{kind} {number}: {why}"])


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Outcome]]]:
    """Of every format that was asked for; as many at a time as there are processors."""
    tests = [item for item in request.session.items if getattr(item, "originalname", "") == "test_mutants"]
    kinds = [test.callspec.params["kind"] for test in tests if isinstance(test, pytest.Function)]
    count, box = (int(_ASKED), 0.0) if _ASKED else (COUNT, BOX_S)
    folder = tmp_path_factory.mktemp("fuzz")
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        program = ("-m", "tests.records.fuzz")
        yield {kind: pool.submit(fuzzed, program, kind, count, box, folder / kind) for kind in kinds}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("kind", SEEDS)
def test_mutants(outcomes: dict[str, Future[Outcome]], kind: str) -> None:
    outcome = outcomes[kind].result()
    assert not outcome.faults, "\n".join([*outcome.faults, f"see one again: python -m tests.records.fuzz {kind} NUMBER"])
    done, wanted = outcome.last - outcome.first + 1, int(_ASKED or COUNT)
    print(
        f"\n{kind}: {done} mutants, {outcome.read} read, {outcome.refused} refused, {outcome.slowest:.2f} s for the slowest "
        f"({outcome.slowest_number}), {outcome.peak >> 20} MB"
    )
    if done < wanted:
        warnings.warn(f"{kind}: {done} of {wanted} mutants were read in {BOX_S:g} s; make fuzz reads them all", stacklevel=1)
    assert min(outcome.read, outcome.refused) > 0.02 * done  # mutants get past the first checks, and are noticed


_PLANTED = """
import os, sys, warnings
from ecglm.errors import EcglmError
from tests.records import fuzz
real, calls = fuzz.read, 0
def read(path, **asked):
    global calls
    calls += 1
    if calls == 10:
        {}
    return real(path, **asked)
fuzz.read = read
fuzz.main(*sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("while True: pass", "npy 9: more than 2 s of processor"),
        ("os.abort()", "npy 9: the process ended by SIGABRT"),
        ("raise KeyError('x')", "npy 9: KeyError at <string>"),
        ("warnings.warn('x')", "npy 9: UserWarning at <string>"),
        ("raise EcglmError('no')", "npy 9: not one line about the file: 'no'"),
        ("os.close(os.open('/etc/passwd', os.O_RDONLY))", "npy 9: opened /etc/passwd"),
        ("os.path.exists(path) and open(path, 'ab').close()", "f.npy to write"),
        pytest.param("bytearray(1 << 30)", "npy 9: MemoryError", marks=pytest.mark.skipif("sys.platform != 'linux'")),
    ],
)
def test_what_breaks_a_rule_is_noticed(tmp_path: Path, planted: str, said: str) -> None:
    outcome = fuzzed(("-c", _PLANTED.format(planted)), "npy", 12, 0, tmp_path / "npy")
    assert len(outcome.faults) == 1
    assert said in outcome.faults[0]


@pytest.mark.parametrize("kind", SEEDS)
def test_a_mutant_is_made_by_its_number_alone(tmp_path: Path, kind: str) -> None:
    first, second = Fuzz(kind, tmp_path / "first"), Fuzz(kind, tmp_path / "second")
    assert first.originals == second.originals
    for number in range(1, 4 * len(first.originals)):
        assert first.mutant(number) == second.mutant(number)
