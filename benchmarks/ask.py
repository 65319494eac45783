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


def main(repeats: int = 5) -> None:
    from pydicom.data import get_testdata_file

    record = ecglm.read(get_testdata_file("waveform_ecg.dcm", download=False))
    records = [record.crop(start, 8.0) for start in (0.0, 0.5, 1.0, 1.5)]
    model = ecglm.load()
    fresh(model).ask(record, QUESTIONS[0])
    many = [(r, q) for r in records for q in QUESTIONS]

    def one_by_one() -> None:
        for q in QUESTIONS:
            fresh(model).ask(record, q)

    def in_turn() -> None:
        answerer = fresh(model)
        for q in QUESTIONS:
            answerer.ask(record, q)

    runs: dict[str, list[float]] = {"ten calls, prefix rebuilt": [], "ten calls, prefix kept": [], "ask_batch of 40": []}
    for _ in range(repeats):
        runs["ten calls, prefix rebuilt"].append(seconds(one_by_one))
        runs["ten calls, prefix kept"].append(seconds(in_turn))
        runs["ask_batch of 40"].append(seconds(lambda: fresh(model).ask_batch(many)))
    middle = {name: statistics.median(times) for name, times in runs.items()}
    single = middle["ten calls, prefix rebuilt"] / len(QUESTIONS)
    for name, count in (("ten calls, prefix rebuilt", 10), ("ten calls, prefix kept", 10), ("ask_batch of 40", 40)):
        each = middle[name] / count
        print(f"{name:28} {each * 1000:8.1f} ms per question   {single / each:5.1f} x")


if __name__ == "__main__":
    main()
