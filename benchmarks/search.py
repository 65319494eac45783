"""Searching 800,000 vectors of 512 values: the index of ecglm from disk, and faiss (extra "faiss") in the same run."""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from ecglm.inference.retrieval.index import Index


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=800_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--searches", type=int, default=20)
    wanted = parser.parse_args()
    rng = np.random.default_rng(0)
    vectors = np.empty((wanted.entries, wanted.width), np.float16)
    for start in range(0, wanted.entries, 50_000):
        part = rng.standard_normal((min(50_000, wanted.entries - start), wanted.width), dtype=np.float32)
        vectors[start:start + len(part)] = part / np.linalg.norm(part, axis=1, keepdims=True)
    queries = rng.standard_normal((wanted.searches, wanted.width)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    with tempfile.TemporaryDirectory() as folder:
        names = [str(i) for i in range(wanted.entries)]
        Index.build(names, names, "benchmark", reports=vectors).save(Path(folder) / "index")
        del vectors
        start = time.perf_counter()
        index = Index.load(Path(folder) / "index")
        opened = time.perf_counter() - start
        first = _timed(lambda: index.search(queries[0], 10))
        found, times, cores = [], [], []
        for query in queries:
            wall, cpu = time.perf_counter(), time.process_time()
            found.append([hit.id for hit in index.search(query, 10)])
            times.append(time.perf_counter() - wall)
            cores.append(time.process_time() - cpu)
        print(f"{wanted.entries:,} x {wanted.width}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(f"ecglm: opened in {1000 * opened:.1f} ms, first search {first:.3f} s, then median "
              f"{statistics.median(times):.3f} s, best {min(times):.3f} s, {statistics.median(cores):.3f} s of CPU")
        matrix = np.asarray(index.vectors["reports"], np.float32)
        exact = [np.argsort(-(matrix @ query), kind="stable")[:10] for query in queries[:3]]
        same = all([str(i) for i in best] == hits for best, hits in zip(exact, found, strict=False))
        print(f"the same hits as the product in single precision: {same}")
        try:
            import faiss
        except ModuleNotFoundError:
            print('faiss: not installed (pip install "ecglm[faiss]")')
        else:
            built = _timed(lambda: index.search(queries[0], 10, backend="faiss"))
            times = [_timed(lambda q=q: index.search(q, 10, backend="faiss")) for q in queries]
            same = all([hit.id for hit in index.search(query, 10, backend="faiss")] == hits
                       for query, hits in zip(queries[:3], found, strict=False))
            print(f"faiss {faiss.__version__} IndexFlatIP: first search with building {built:.2f} s, then median "
                  f"{statistics.median(times):.3f} s, best {min(times):.3f} s; the same hits: {same}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _timed(work) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
