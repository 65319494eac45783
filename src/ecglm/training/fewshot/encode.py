"""An encoder for few-shot learning that was never taught a test attribute, nor a label that tells much of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ecglm.atomic import replacing
from ecglm.bench.task import digest
from ecglm.corpus import ptbxl
from ecglm.corpus.attributes import Attribute, AttributeTable, related
from ecglm.corpus.splits import FewShotSplit
from ecglm.knowledge.statements import STATEMENTS
from ecglm.models.encoders.fairseq_ecg import FS, SECONDS, FairseqEcgEncoder
from ecglm.models.encoders.findings import FindingsEncoderConfig
from ecglm.models.wheels import sha256
from ecglm.records.leads import STANDARD_12
from ecglm.signal.resample import resample
from ecglm.training.encoder import Branch, EncoderTraining, Scaler, branches, train_network
from ecglm.training.examples import EncoderExamples

FloatArray = NDArray[np.float32]


def taught_labels(table: AttributeTable, examples: EncoderExamples, split: FewShotSplit | None, minimum: int = 8,
                  ) -> AttributeTable:
    """Statements an encoder may learn: seen in at least `minimum` training recordings, not close to a test attribute
    (split None: all)."""
    label_NC = examples.label_NC.astype(np.int8)
    rows = np.arange(len(table)) if split is None else split.train_rows
    often = label_NC[rows].sum(0) >= minimum
    if split is not None:
        test_NA = table.value_NA[:, [table.keys.index(key) for key in split.test]]
        often &= ~related(test_NA, label_NC).any(0)
    kept = np.flatnonzero(often)
    return AttributeTable(tuple(Attribute(STATEMENTS[c].key, STATEMENTS[c].name, STATEMENTS[c].group) for c in kept),
                          label_NC[:, kept], table.patient_N)


@torch.no_grad()
def embed(net: torch.nn.Module, wave_NLT: NDArray[np.float16], feat_NF: FloatArray, mask_NL: FloatArray | None = None,
          ) -> tuple[FloatArray, FloatArray]:
    """emb_ND and logits_NC of whole recordings; mask_NL which leads are present, None all."""
    emb, logits = [], []
    for start in range(0, len(wave_NLT), 64):
        wave = torch.from_numpy(wave_NLT[start:start + 64]).float()
        mask = torch.ones(wave.shape[:2]) if mask_NL is None else torch.from_numpy(mask_NL[start:start + 64])
        out = net(wave, mask, torch.from_numpy(feat_NF[start:start + 64]))
        emb.append(out.emb_BD.numpy())
        logits.append(out.logits_BC.numpy())
    return np.concatenate(emb), np.concatenate(logits)


def train_branches(config: FindingsEncoderConfig, training: EncoderTraining, examples: EncoderExamples, rows: NDArray[np.int64],
                   taught: AttributeTable, run: Path, name: str, progress: bool = True,
                   ) -> tuple[list[Branch], list[torch.nn.Module], Scaler]:
    """The two networks of the shipped architecture on these rows and labels; finished ones are read from `run`."""
    scaler = Scaler.fit(examples.feat_NF[rows])
    n = len(taught.attributes)
    config = replace(config.with_features(examples.feat_NF.shape[1]), strip=replace(config.strip, n_labels=n),
                     beat=replace(config.beat, n_labels=n)).with_features(examples.feat_NF.shape[1])
    parts = list(branches(config, training, examples))
    target = taught.value_NA[rows].astype(np.float32)
    nets = [train_network(f"{part.name}-{name}", part, training, rows, scaler(examples.feat_NF), target, run, progress).eval()
            for part in parts]
    return parts, nets, scaler


@torch.no_grad()
def published_embedding(folder: Path, leads: Sequence[str], run: Path, progress: bool = True) -> FloatArray:
    """emb_NE of PTB-XL by a fairseq-signals encoder (`FairseqEcgEncoder.from_folder`), as it comes, kept in `run`. Absent leads
    are zeros."""
    from rich.progress import track

    encoder = FairseqEcgEncoder.from_folder(folder)
    data = ptbxl.load()
    cache = run / f"published-{digest([sha256(folder / 'model.safetensors'), list(leads), data.ecg_id.tolist()])}.npz"
    if cache.is_file():
        return np.asarray(np.load(cache)["emb"], np.float32)
    count, emb = round(SECONDS * FS), []
    for row in track(range(len(data)), "Encoding", disable=not progress):
        record = data.record(row)
        wave = np.zeros((len(STANDARD_12), count), np.float32)
        signal = np.nan_to_num(resample(record.signal, record.fs, FS))[:, :count]
        for lead, trace in zip(record.leads, signal, strict=True):
            if lead in leads:
                wave[STANDARD_12.index(lead), :len(trace)] = trace
        emb.append(encoder(torch.from_numpy(wave)[None])[0].numpy())
    with replacing(cache) as temporary:
        np.savez(temporary, emb=np.stack(emb))
    return np.stack(emb)
