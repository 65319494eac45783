"""How long it takes to teach a question with 25 recordings (five answers, 12 leads, 10 s) and to answer it, and how much memory.

Everything counts: reading the files, checking, cross-validation, writing. Times of one run; loading the libraries apart.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import ecglm
from ecglm.signal.simulate import simulate, write_folder

CONDITIONS = ("brugada_1", "hyperkalaemia", "wpw", "pericarditis", "normal")


def main(shots: int = 5) -> None:
    start = time.perf_counter()
    from ecglm.inference.adapt.teach import teach_table  # with torch, which other questions need

    model = ecglm.load()
    loaded = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_folder(folder / "ecg", CONDITIONS, shots * len(CONDITIONS), seed=1)
        rows = [f"{path.name},Which of the five is it?,{path.stem.split('-')[1]},{number}"
                for number, path in enumerate(sorted((folder / "ecg").glob("*.npz")))]
        table = folder / "ecg" / "support.csv"
        table.write_text("path,question,answer,patient\n" + "\n".join(rows) + "\n")
        begin = time.perf_counter()
        lesson = teach_table(table)
        size = lesson.adapter.save(folder / "adapter")
        taught = time.perf_counter()
        few = ecglm.load(adapter=folder / "adapter")
        opened = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    asked = [(s.record, "Which of the five is it?") for s in simulate(CONDITIONS, 10, seed=2)]
    first = time.perf_counter()
    answers = few.ask_batch(asked)
    each = (time.perf_counter() - first) / len(asked)
    right = sum(answer.text == CONDITIONS[number % len(CONDITIONS)] for number, answer in enumerate(answers))
    print(f"libraries and {model.id} {loaded - start:.1f} s, {before / 1024:.0f} MB")
    print(f"{len(rows)} recordings taught in {taught - begin:.1f} s; peak memory {peak / 1024:.0f} MB; adapter {size / 1e6:.2f} MB")
    print(f"adapter loaded in {opened - taught:.2f} s; one answer {1000 * each:.0f} ms; {right} of {len(asked)} right; "
          f"cross-validated {lesson.adapter.questions[0].estimate.text}")


if __name__ == "__main__":
    main()
