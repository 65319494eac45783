"""How long it takes to teach a question with 25 recordings (five answers, 12 leads, 10 s) and to answer it, and how much memory.

Everything counts: reading the files, checking, cross-validation, writing. Times of one run, beside them what one core worked.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import ecglm
from ecglm.signal.simulate import simulate, write_folder

CONDITIONS = ("brugada_1", "hyperkalaemia", "wpw", "pericarditis", "normal")
QUESTION = "Which of the five is it?"


class Watch:
    """Seconds since it was made, by the clock and of one core."""

    def __init__(self) -> None:
        self.start = time.perf_counter(), time.process_time()

    def __str__(self) -> str:
        return f"{time.perf_counter() - self.start[0]:.2f} s ({time.process_time() - self.start[1]:.2f} s of one core)"


def megabytes() -> str:
    """The most memory that was in use so far."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"


def main(shots: int = 5) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "ecg"
        write_folder(folder, CONDITIONS, shots * len(CONDITIONS), seed=1)
        rows = [f"{path.name},{QUESTION},{path.stem.split('-')[1]},{number}"
                for number, path in enumerate(sorted(folder.glob("*.npz")))]
        (folder / "support.csv").write_text("path,question,answer,patient\n" + "\n".join(rows) + "\n")
        watch = Watch()
        from ecglm.inference.adapt.teach import teach_table

        print(f"libraries {watch}, {megabytes()}")
        watch = Watch()
        lesson = teach_table(folder / "support.csv")
        size = lesson.adapter.save(Path(name) / "adapter")
        print(f"{len(rows)} recordings taught {watch}, {megabytes()}; adapter {size / 1e6:.2f} MB; "
              f"cross-validated {lesson.adapter.questions[0].estimate.text}")
        watch = Watch()
        few = ecglm.load(adapter=Path(name) / "adapter")
        print(f"model and adapter loaded {watch}, {megabytes()}")
    asked = [s.record for s in simulate(CONDITIONS, 2 * len(CONDITIONS), seed=2)]
    few.ask(asked[0], QUESTION)
    watch = Watch()
    answers = few.ask_batch([(record, QUESTION) for record in asked])
    right = sum(answer.text == CONDITIONS[number % len(CONDITIONS)] for number, answer in enumerate(answers))
    print(f"{len(asked)} answers on as many recordings {watch}; {right} right")


if __name__ == "__main__":
    main()
