"""What a few-shot study needs of PTB-XL: attributes, splits, and recordings as methods see them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecglm.bench.task import digest
from ecglm.corpus import ptbxl
from ecglm.corpus.attributes import AttributeTable, ptbxl_attributes
from ecglm.corpus.splits import FewShotSplit, attribute_splits, check_split
from ecglm.inference.adapt.space import FewShotSpace
from ecglm.models.encoders.findings import FindingsEncoderConfig
from ecglm.models.facts import measurements_text
from ecglm.records.leads import STANDARD_12
from ecglm.training.encoder import EncoderTraining
from ecglm.training.examples import EncoderExamples, build
from ecglm.training.fewshot.descriptions import LEAD_SETS, descriptions
from ecglm.training.fewshot.encode import embed, published_embedding, taught_labels, train_branches
from ecglm.training.fewshot.method import FewShotData

FloatArray = NDArray[np.float32]


@dataclass
class FewShotSetup:
    """Everything is computed when it is first asked for and kept in `run`. examples_run: where the prepared recordings are."""

    run: Path = Path("runs/fewshot")
    examples_run: Path = Path("runs/default")
    encoder: FindingsEncoderConfig = field(default_factory=FindingsEncoderConfig)
    training: EncoderTraining = field(default_factory=EncoderTraining)
    progress: bool = True

    @cached_property
    def examples(self) -> EncoderExamples:
        """Prepared recordings of PTB-XL."""
        return build(self.examples_run, self.progress)

    @cached_property
    def table(self) -> AttributeTable:
        """Attributes of PTB-XL."""
        return ptbxl_attributes([m.rr.value for m in self.examples.measurements])

    @cached_property
    def splits(self) -> list[FewShotSplit]:
        """Five, checked for leaks."""
        splits = attribute_splits(self.table)
        for split in splits:
            check_split(self.table, split, taught_labels(self.table, self.examples, split))
        return splits

    @cached_property
    def ecg_id_N(self) -> NDArray[np.int64]:
        """PTB-XL's number of every recording."""
        return np.asarray(ptbxl.load().ecg_id)

    def data(self, split: FewShotSplit | None, leads: str = "12 leads", encoder: str = "ours") -> FewShotData:
        """Recordings as methods see them. split None: by an encoder that was taught every label, on the same patients.
        encoder: "ours", which must be trained for 4 minutes per split; "label-free", the values that `ecglm adapt` uses in its
        place; "none"; or the folder of a fairseq-signals one."""
        rows = self.splits[0].train_rows
        keys = self.ecg_id_N.astype(str).tolist()
        space = FewShotSpace.fit(descriptions(keys, "12 leads", self.run, self.progress).rows(rows))
        described = descriptions(keys, leads, self.run, self.progress)
        emb = (self._embedding(split, leads) if encoder == "ours"
               else np.zeros((len(keys), 1), np.float32) if encoder in ("none", "label-free")
               else published_embedding(Path(encoder), LEAD_SETS[leads], self.run, self.progress))
        facts = tuple(measurements_text(m) for m in self.examples.measurements)
        data = FewShotData(space(described), space.baseline_S, emb, facts)
        return (replace(data, emb_NE=data.label_free_NE) if encoder == "label-free" else data).with_blank()

    def _embedding(self, split: FewShotSplit | None, leads: str) -> FloatArray:
        """emb_NE of both networks, standardised on the training patients."""
        rows = self.splits[0].train_rows
        taught = taught_labels(self.table, self.examples, split)
        name = digest([taught.keys, rows.tolist(), self.training, self.encoder])
        parts, nets, scaler = train_branches(self.encoder, self.training, self.examples, rows, taught, self.run, name,
                                             self.progress)
        keys = self.ecg_id_N.astype(str).tolist()
        described = descriptions(keys, leads, self.run, self.progress)
        count = self.examples.feat_NF.shape[1]
        feat = scaler(self.examples.feat_NF if leads == "12 leads" else described.value_NV[:, :count])
        mask = np.repeat(np.array([[lead in LEAD_SETS[leads] for lead in STANDARD_12]], np.float32), len(keys), axis=0)
        parts = [replace(part, wave_NLT=described.beat_NLK.astype(np.float16)) if part.name == "beat" else part for part in parts]
        emb = np.concatenate([embed(net, part.wave_NLT, feat, mask)[0] for part, net in zip(parts, nets, strict=True)], axis=1)
        mean, spread = emb[rows].mean(0), emb[rows].std(0) + 1e-6
        return np.asarray(np.clip((emb - mean) / spread, -5, 5), np.float32)
