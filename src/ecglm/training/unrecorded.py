"""Calibration of findings for recordings whose leads were recorded one group after another, as pages show them.

From a quarter of every lead the encoder says other log-odds than from all of it, on average: of the superclasses infarction and
conduction disturbances come out too likely, the others too unlikely. Training recordings are cut as layouts of pages show them,
and what is said of them is brought to what is said of the whole recordings. Labels are not used: the networks have learned these
recordings by heart, and would look surer of their pages than they are of those of strangers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus.onpaper import shown_on
from ecglm.corpus.ptbxl import PtbXl
from ecglm.models.calibration import FindingCalibration
from ecglm.models.elm import EcgLanguageModel
from ecglm.training.calibrate import fit_unrecorded
from ecglm.training.codec import Head, set_head

#: Layouts of pages that show leads one group after another, and their strips (None: the usual ones); the recordings are cut by
#: them in turn.
LAYOUTS: tuple[tuple[str, tuple[str, ...] | None], ...] = (("3x4+1R", None), ("3x4", ()), ("6x2+1R", None), ("3x4+3R", None))

#: Every so many of the training recordings are read: two numbers a statement need no more.
_STEP = 3


def calibrated_for_pages(model: EcgLanguageModel, data: PtbXl, rows: Sequence[int] | NDArray[np.int64],
                         codec_heads: Sequence[tuple[tuple[int, ...], Head]], progress: bool = True) -> FindingCalibration:
    """The calibration of a model with its `unrecorded`, fitted on these rows of PTB-XL (a quarter of an hour). codec_heads: heads
    of the codec branch that have not learned these folds (`CodecStage`): by its own it would be surer of the whole recordings,
    which it knows, than of their pages."""
    from rich.progress import track

    model.findings_calibration = calibration = replace(model.findings_calibration, unrecorded=())
    branch, whole, cut, share = model.encoder.codec, [], [], []
    own = {name: value.clone() for name, value in branch.head.state_dict().items()}
    for number, row in enumerate(track(rows[::_STEP], "Calibrating for pages", disable=not progress)):
        set_head(branch, next(head for folds, head in codec_heads if data.fold[row] in folds))
        record = data.record(int(row))
        inputs = model.processor(shown_on(record, *LAYOUTS[number % len(LAYOUTS)]))
        whole.append(model.encode(model.processor(record)).logits_C)
        cut.append(model.encode(inputs).logits_C)
        share.append(inputs.unrecorded)
    branch.head.load_state_dict(own)
    found = fit_unrecorded(np.stack(cut), np.stack(whole), np.array(share, np.float32))
    return replace(calibration, unrecorded=tuple(map(tuple, found.tolist())))
