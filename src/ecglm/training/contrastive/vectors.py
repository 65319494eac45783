"""What the shipped ECG tower reads of the training recordings: findings of models that never saw them, and measured values.

A tower that is trained on the findings of the shipped encoder for its own training recordings would meet a certainty that no
new patient has. So findings are cross-fitted, as for the language model (`ecglm.training.stage_encoder`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus import ptbxl
from ecglm.inference.adapt.space import ALL, FewShotSpace
from ecglm.models.encoders.findings import FindingsEncoderConfig, connector_input
from ecglm.training.encoder import EncoderTraining
from ecglm.training.examples import EncoderExamples
from ecglm.training.fewshot.descriptions import descriptions
from ecglm.training.stage_encoder import cross_fitted

FloatArray = NDArray[np.float32]


def training_vectors(config: FindingsEncoderConfig, training: EncoderTraining, examples: EncoderExamples,
                     rows: NDArray[np.int64], run: Path, progress: bool = True) -> FloatArray:
    """vec_VRD of these rows in every view: with all leads, then without some. The same as `ecglm.inference.vectors` makes of a
    record, but for findings, which come from teachers that were not trained on it."""
    crossed = cross_fitted(config, training, examples, rows, run, progress)
    feats = [crossed.scaler(examples.feat_NF[rows])] + [crossed.scaler(some.feat_NF[rows]) for some in examples.lacking]
    data = ptbxl.load()
    described = descriptions([str(ecg_id) for ecg_id in data.ecg_id], "12 leads", run, progress).rows(rows)
    space = FewShotSpace.load()
    views = []
    for fused_RC, feat_RF, mask_RL in zip(crossed.fused_VRC, feats, crossed.mask_VRL, strict=True):
        findings_RC = np.stack([crossed.table.calibrated(fused[None], mask)[0]
                                for fused, mask in zip(fused_RC, mask_RL, strict=True)])
        seen = type(described)(described.value_NV, described.beat_NLK, mask_RL)
        views.append(np.concatenate([connector_input(findings_RC, feat_RF), space(seen)[ALL]], axis=1))
    return np.stack(views).astype(np.float32)
