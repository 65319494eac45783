"""Running over many batches of items: in this process, in a pool of processes, or with Ray Data on a cluster."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

import cv2

from ecglm.errors import ConfigError, UsageError

#: What an engine does with a batch: (batch number, indices) to that number and the rows of the manifest.
Batch = tuple[int, tuple[int, ...]]
Work = Callable[[Batch], tuple[int, list[dict[str, Any]]]]
Done = Iterator[tuple[int, list[dict[str, Any]]]]


def local(work: Work, batches: Sequence[Batch], workers: int) -> Done:
    """A pool of fresh processes, or this one when one worker is enough; results in the order in which they are done."""
    if workers == 1 or len(batches) == 1:
        yield from map(work, batches)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_one_thread) as pool:
        waiting = {pool.submit(work, batch) for batch in batches}
        try:
            for done in as_completed(waiting):
                yield done.result()
        except BrokenProcessPool as error:
            raise UsageError("a worker was killed (memory?); use fewer --workers and --resume") from error
        finally:
            pool.shutdown(cancel_futures=True)


def ray(work: Work, batches: Sequence[Batch], workers: int) -> Done:
    """Ray Data, on the cluster of RAY_ADDRESS or else on this machine; all of its machines must see the folder of the corpus."""
    try:
        import ray as cluster
        import ray.data as data
    except ImportError:
        raise ConfigError("engine ray: Ray is not installed; pip install 'ecglm[ray]'") from None
    started = not cluster.is_initialized()
    if started:
        given = os.environ.get("RAY_ADDRESS")
        own: dict[str, Any] = {} if given else {"num_cpus": workers, "include_dashboard": False}
        cluster.init(address=given, log_to_driver=False, logging_level="ERROR", **own)
    data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        rows = data.from_items([{"number": number, "indices": list(indices)} for number, indices in batches],
                               override_num_blocks=len(batches))
        for done in rows.map(_of_row, fn_args=(work,), num_cpus=1, concurrency=None).iter_rows():
            yield int(done["number"]), json.loads(done["rows"])
    finally:
        if started:
            cluster.shutdown()


ENGINES: dict[str, Callable[[Work, Sequence[Batch], int], Done]] = {"local": local, "ray": ray}


def _one_thread() -> None:
    cv2.setNumThreads(1)


def _of_row(row: dict[str, Any], work: Work) -> dict[str, Any]:
    """A row of Ray's, done; rows of the manifest travel as text, because their columns differ."""
    _one_thread()
    number, rows = work((int(row["number"]), tuple(int(index) for index in row["indices"])))
    return {"number": number, "rows": json.dumps(rows)}
