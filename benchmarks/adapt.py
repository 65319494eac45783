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
        begin, worked = time.perf_counter(), time.process_time()
        lesson = teach_table(table)
        size = lesson.adapter.save(folder / "adapter")
        taught, worked = time.perf_counter(), time.process_time() - worked
        few = ecglm.load(adapter=folder / "adapter")
        opened = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    asked = [(s.record, "Which of the five is it?") for s in simulate(CONDITIONS, 10, seed=2)]
    first, worked_first = time.perf_counter(), time.process_time()
    answers = few.ask_batch(asked)
    each, core = ((now - then) / len(asked) for now, then in ((time.perf_counter(), first), (time.process_time(), worked_first)))
    right = sum(answer.text == CONDITIONS[number % len(CONDITIONS)] for number, answer in enumerate(answers))
    print(f"libraries and {model.id} {loaded - start:.1f} s, {before / 1024:.0f} MB")
    print(f"{len(rows)} recordings taught in {taught - begin:.1f} s ({worked:.1f} s of one core); "
          f"peak memory {peak / 1024:.0f} MB; adapter {size / 1e6:.2f} MB")
    print(f"adapter loaded in {opened - taught:.2f} s; one answer {1000 * each:.0f} ms ({1000 * core:.0f} of one core); "
          f"{right} of {len(asked)} right; "
          f"cross-validated {lesson.adapter.questions[0].estimate.text}")


if __name__ == "__main__":
    main()
