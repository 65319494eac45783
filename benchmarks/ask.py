"""How much sharing pays: ten questions on one recording, and many questions on several, against one at a time.

Prints ratios of one run (medians of interleaved repeats); absolute times depend on the machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import ecglm
from ecglm.inference.answer import Answerer

QUESTIONS = (
    "What is the rhythm?", "What is the heart rate?", "Is there atrial fibrillation?", "What is the PR interval?",
    "Is the QRS wide?", "What is the heart axis?", "Is this ECG normal?", "Is there left bundle branch block?",
    "What diagnostic symptoms does this ECG show?", "Is there ST depression?",
)


def fresh(model: ecglm.Model) -> Answerer:
    """An answerer that remembers nothing but the loaded language model."""
    answerer = Answerer(model.elm)
    answerer._engine = model.answerer.engine
    return answerer


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(repeats: int = 3) -> None:
    from pydicom.data import get_testdata_file

    record = ecglm.read(get_testdata_file("waveform_ecg.dcm", download=False))
    records = [record.crop(start, 8.0) for start in (0.0, 0.5, 1.0, 1.5)]
    model = ecglm.load()
    fresh(model).ask(record, QUESTIONS[0])
    many = [(r, q) for r in records for q in QUESTIONS]
    apart = [(record.crop(0.05 * i, 9.0), "What is the rhythm?") for i in range(16)]

    def one_by_one() -> None:
        for q in QUESTIONS:
            fresh(model).ask(record, q)

    def in_turn() -> None:
        answerer = fresh(model)
        for q in QUESTIONS:
            answerer.ask(record, q)

    runs: dict[str, list[float]] = {"ten calls, prefix rebuilt": [], "ten calls, prefix kept": [], "ask_batch of 40": [],
                                    "16 recordings, one call each": [], "16 recordings, ask_batch": []}
    for _ in range(repeats):
        runs["ten calls, prefix rebuilt"].append(seconds(one_by_one))
        runs["ten calls, prefix kept"].append(seconds(in_turn))
        runs["ask_batch of 40"].append(seconds(lambda: fresh(model).ask_batch(many)))
        runs["16 recordings, one call each"].append(seconds(lambda: [fresh(model).ask(r, q) for r, q in apart]))
        runs["16 recordings, ask_batch"].append(seconds(lambda: fresh(model).ask_batch(apart)))
    middle = {name: statistics.median(times) for name, times in runs.items()}
    first, second = "ten calls, prefix rebuilt", "16 recordings, one call each"
    rows = ((first, 10, first, 10), ("ten calls, prefix kept", 10, first, 10), ("ask_batch of 40", 40, first, 10),
            (second, 16, second, 16), ("16 recordings, ask_batch", 16, second, 16))
    for name, count, against, number in rows:
        each, base = middle[name] / count, middle[against] / number
        print(f"{name:30} {each * 1000:8.1f} ms per question   {base / each:5.1f} x")


if __name__ == "__main__":
    main()
