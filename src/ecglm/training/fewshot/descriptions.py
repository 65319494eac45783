"""Recordings as few-shot learning sees them, read once per set of leads and kept in the run folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from ecglm.atomic import replacing
from ecglm.corpus.external import bench_record
from ecglm.inference.adapt.space import Description, describe
from ecglm.models.processor import EcgProcessor
from ecglm.records.leads import CHEST_LEADS, STANDARD_12
from ecglm.training.examples import code_hash

#: Sets of leads that are studied.
LEAD_SETS: dict[str, tuple[str, ...]] = {
    "12 leads": STANDARD_12, "limb leads": tuple(lead for lead in STANDARD_12 if lead not in CHEST_LEADS),
    "II and V5": ("II", "V5"), "II": ("II",)}


def _one(job: tuple[str, tuple[str, ...]]) -> Description:
    key, leads = job
    record = bench_record(key)
    record = record.select([lead for lead in leads if lead in record.leads])
    return describe(record, EcgProcessor()(record))


def descriptions(keys: Sequence[str], leads: str, run: Path, progress: bool = True) -> Description:
    """Of recordings by `bench_record` key, seen with a set of LEAD_SETS; about 0.1 s each the first time."""
    from rich.progress import track

    digest = hashlib.sha256("\n".join([code_hash(), *LEAD_SETS[leads], *keys]).encode()).hexdigest()[:16]
    cache = run / f"descriptions-{digest}.npz"
    if cache.is_file():
        z = np.load(cache)
        return Description(z["value"], z["beat"], z["mask"])
    bench_record(keys[0])  # PTB-XL is loaded once, before the workers are forked
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
        jobs = pool.map(_one, [(key, LEAD_SETS[leads]) for key in keys], chunksize=16)
        found = Description.join(list(track(jobs, f"Reading {leads}", total=len(keys), disable=not progress)))
    run.mkdir(parents=True, exist_ok=True)
    with replacing(cache) as temporary:
        np.savez(temporary, value=found.value_NV, beat=found.beat_NLK.astype(np.float32), mask=found.mask_NL)
    return found
