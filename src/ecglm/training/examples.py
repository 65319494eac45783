"""Every training record as arrays, prepared once and cached in the run folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import replacing
from ecglm.corpus import ptbxl
from ecglm.models.processor import EcgInputs, EcgProcessor
from ecglm.records.leads import STANDARD_12
from ecglm.schema import Measurements
from ecglm.training.augment import user_masks

#: How often every record is read without some of its leads.
LACKING_ROUNDS = 2


class Lacking(NamedTuple):
    """What is left of every record without some of its leads, which ones in mask_NL: beats and features as above."""

    mask_NL: NDArray[np.float32]
    beat_NLK: NDArray[np.float16]
    feat_NF: NDArray[np.float32]


@dataclass(frozen=True)
class EncoderExamples:
    """sig_NLT prepared signals and beat_NLK median beats (float16), feat_NF rhythm features, label_NC, fold_N, and the
    measurements of each record. lacking: the same records read without some of their leads."""

    sig_NLT: NDArray[np.float16]
    beat_NLK: NDArray[np.float16]
    feat_NF: NDArray[np.float32]
    label_NC: NDArray[np.uint8]
    fold_N: NDArray[np.int64]
    measurements: tuple[Measurements, ...]
    lacking: tuple[Lacking, ...]


def data_hash(data: ptbxl.PtbXl) -> str:
    """Hash of signals, labels and folds."""
    digest = hashlib.sha256()
    for array in (data.counts_NLT, data.labels_NC, data.fold, data.ecg_id):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def code_hash() -> str:
    """Hash of the code that turns a record into inputs: another version must not find this cache."""
    import ecglm.models.processor as processor
    import ecglm.signal as signal

    files = [*sorted(Path(str(signal.__file__)).parent.glob("*.py")), Path(processor.__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _prepare(row: int) -> EcgInputs:
    return EcgProcessor()(ptbxl.load().record(row))


def _prepare_lacking(job: tuple[int, NDArray[np.float32]]) -> EcgInputs:
    row, mask_L = job
    record = ptbxl.load().record(row)
    return EcgProcessor()(record.select([lead for lead, there in zip(STANDARD_12, mask_L, strict=True) if there]))


def _lacking(inputs: Sequence[EcgInputs]) -> Lacking:
    return Lacking(np.stack([i.mask_L for i in inputs]), np.stack([i.beat_WLK[0] for i in inputs]).astype(np.float16),
                   np.stack([i.feat_WF[0] for i in inputs]))


def build(run: Path, progress: bool = True) -> EncoderExamples:
    """Prepare all PTB-XL records (a quarter of an hour on two cores), or read the cache of an earlier run."""
    from rich.progress import track

    data = ptbxl.load()
    processor = EcgProcessor()
    parts = (data_hash(data), json.dumps(processor.to_dict()), code_hash(), str(LACKING_ROUNDS))
    key = hashlib.sha256("".join(parts).encode()).hexdigest()[:16]
    cache = run / f"examples-{key}.npz"
    if cache.is_file():
        z = np.load(cache)
        measured = tuple(Measurements.of(m) for m in json.loads(str(z["measurements"])))
        lacking = tuple(map(Lacking, z["lacking_mask"], z["lacking_beat"], z["lacking_feat"]))
        return EncoderExamples(z["sig"], z["beat"], z["feat"], data.labels_NC, data.fold, measured, lacking)
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:  # forked workers share the loaded signals
        jobs = pool.map(_prepare, range(len(data)), chunksize=16)
        inputs = list(track(jobs, "Preparing recordings", total=len(data), disable=not progress))
        rounds = []
        for number in range(LACKING_ROUNDS):
            masks = user_masks(len(data), np.random.default_rng(number))
            jobs = pool.map(_prepare_lacking, enumerate(masks), chunksize=16)
            rounds.append(_lacking(list(track(jobs, "... without some leads", total=len(data), disable=not progress))))
    examples = EncoderExamples(
        np.stack([i.sig_WLT[0] for i in inputs]).astype(np.float16), np.stack([i.beat_WLK[0] for i in inputs]).astype(np.float16),
        np.stack([i.feat_WF[0] for i in inputs]), data.labels_NC, data.fold, tuple(i.measurements for i in inputs), tuple(rounds))
    run.mkdir(parents=True, exist_ok=True)
    with replacing(cache) as temporary:
        np.savez(temporary, sig=examples.sig_NLT, beat=examples.beat_NLK, feat=examples.feat_NF,
                 lacking_mask=np.stack([r.mask_NL for r in rounds]), lacking_beat=np.stack([r.beat_NLK for r in rounds]),
                 lacking_feat=np.stack([r.feat_NF for r in rounds]),
                 measurements=np.array(json.dumps([asdict(replace(m, by_lead={})) for m in examples.measurements])))
    return examples
