"""What the vision encoder learns to say of a page: labels, and what a model of signals says of the recording that was drawn.

A page has far more to tell than its 59 labels do, and there are few recordings. So the encoder also learns the probabilities of a
teacher, a checkpoint that reads signals, and the rhythm features that the teacher was given. Of a simulated twin the labels are
all the truth there is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import replacing
from ecglm.corpus import ptbxl
from ecglm.knowledge.statements import keys
from ecglm.models.elm import EcgLanguageModel
from ecglm.training.vision.pages import Job

Floats = NDArray[np.float32]
_CHUNK = 128


@dataclass(frozen=True)
class Targets:
    """label_NC truth, 0 or 1; taught_NC the teacher's probabilities (the labels, where it did not read); feat_NF rhythm
    features, standardised, NaN where it did not read."""

    label_NC: Floats
    taught_NC: Floats
    feat_NF: Floats

    def of(self, kept_N: NDArray[np.bool_]) -> Targets:
        """Those of some pages."""
        return Targets(self.label_NC[kept_N], self.taught_NC[kept_N], self.feat_NF[kept_N])


def targets(jobs: Sequence[Job], teacher: EcgLanguageModel, seed: int, folder: Path, taught: int = 0,
            progress: bool = True) -> Targets:
    """Targets of all jobs; each recording is read once, and kept in the folder. taught: the first so many are read, 0 all."""
    from rich.progress import Progress

    # A recording is on several pages; a twin is told from others by its number.
    wanted = list(dict.fromkeys(Job(job.row, job.twin, "", job.number if job.twin else 0) for job in jobs))
    model = hashlib.sha256(json.dumps([teacher.run.get("sha256", {}), seed]).encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[NDArray[np.float32]] = []
    known = set(wanted if not taught else wanted[:taught])
    with Progress(disable=not progress) as bar:
        task = bar.add_task("Reading recordings", total=len(wanted))
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start:start + _CHUNK]
            text = json.dumps([model, part] if known.issuperset(part) else [model, part, [job in known for job in part]])
            file = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.npy"
            if not file.is_file():
                read = np.stack([_read(job, teacher, seed, job in known) for job in part])
                with replacing(file) as temporary, open(temporary, "wb") as handle:
                    np.save(handle, read)
            rows.append(np.load(file))
            bar.update(task, advance=len(part))
    place = {job: i for i, job in enumerate(wanted)}
    every = np.concatenate(rows)[[place[Job(job.row, job.twin, "", job.number if job.twin else 0)] for job in jobs]]
    count = len(keys())
    return Targets(every[:, :count], every[:, count:2 * count], every[:, 2 * count:])


def _read(job: Job, teacher: EcgLanguageModel, seed: int, known: bool) -> Floats:
    """Labels, teacher's probabilities and features of one recording, one after the other. known: the teacher is to read it."""
    import torch

    count = teacher.config.encoder.strip.n_features
    if job.twin:
        from ecglm.corpus.simulated import twin

        said = twin(job.row, seed + job.number).truth.labels
        label = np.array([key in said for key in keys()], np.float32)
    else:
        data = ptbxl.load()
        label = data.labels_NC[job.row].astype(np.float32)
    if job.twin or not known:
        return np.concatenate([label, label, np.full(count, np.nan, np.float32)])
    inputs = teacher.processor(data.record(job.row))
    with torch.no_grad():
        feat = teacher.encoder.standardise(torch.from_numpy(inputs.feat_WF).to(teacher.device)).cpu().numpy().mean(0)
    return np.concatenate([label, teacher.encode(inputs).prob_C, feat]).astype(np.float32)
