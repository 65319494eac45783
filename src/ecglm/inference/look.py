"""Looking at a page beside reading it back, and instead of it where it cannot be read.

Reading back is weighed against looking by what both were worth on pages of training recordings (`ecglm.models.vision.judge`).
A page with an ECG's lines on ruled paper that cannot be read is looked at only; what shows none stays refused. Printed diagnoses
and numbers are read by neither.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ecglm.errors import PageError
from ecglm.models.elm import EcgLanguageModel, Encoded
from ecglm.models.vision import judge as judges
from ecglm.models.vision.judge import PageJudge
from ecglm.records.leads import STANDARD_12
from ecglm.records.reading import PageLooked, PageReading
from ecglm.records.record import Record

#: Why a page was refused although lines like those of an ECG were seen on ruled paper. For any other reason there may be none,
#: and looking would find something in every picture.
SEEN = ("layout", "unsure")
#: What a page that is only looked at counts as: a page of these leads, none of which is known. Hz and s.
_FS, _SECONDS = 100.0, 10.0


def open_page(image: str | os.PathLike[str] | bytes | NDArray[Any], **options: Any) -> Record:
    """An ECG off an image of its page, read back (`ecglm.digitize`) or, where that is refused although an ECG is there, one that
    can only be looked at. Raises PageError for what is no ECG page."""
    from ecglm.paper.digitize import digitize

    try:
        return digitize(image, **options)
    except PageError as refused:
        return only_looked(refused, image, int(options.get("page", 1)))


def only_looked(refused: PageError, image: str | os.PathLike[str] | bytes | NDArray[Any], page: int = 1) -> Record:
    """What stands for a page that could not be read back: no signal, and its picture. Raises the refusal itself where no ECG
    was seen, or one of fewer leads than the pages that the network knows."""
    from ecglm.paper.digitize.load import load_picture
    from ecglm.paper.look import picture_of

    judge = _judge()
    if refused.reason not in SEEN or not refused.twelve or judge is None:
        raise refused
    loaded = load_picture(image, page)
    why = str(refused).removeprefix(f"{refused.path}: ").split(";")[0]
    looked = PageLooked(why, refused.reason, judge.weights.trust, picture_of(loaded.image))
    blank = np.full((len(STANDARD_12), round(_FS * _SECONDS)), np.nan, np.float32)
    return Record(blank, _FS, STANDARD_12, source=loaded.name, format="image", notes=(looked.text,), reading=looked)


def _judge() -> PageJudge | None:
    """What looks at pages, None where this installation has no such weights: then nothing is looked at."""
    return PageJudge.load() if judges.DEFAULT.is_dir() else None


def weighed(model: EcgLanguageModel, encoded: Encoded, page: PageReading | PageLooked) -> Encoded:
    """What the encoder said of a page that was read back, weighed against looking at it. Nothing changes where looking has no
    say, or there is no picture."""
    judge = _judge()
    if judge is None or page.picture is None or not judge.weights.together:
        return encoded
    logits_C = judge.weights.weighed(encoded.logits_C, judge.see(page.picture)[0], page.overall)
    return _encoded(model, logits_C, encoded.connector_F, encoded.emb_D)


def seen_alone(model: EcgLanguageModel, page: PageLooked) -> Encoded:
    """What looking says of a page, as if the encoder had said it. The rhythm features are those of nobody in particular."""
    judge = PageJudge.load()
    seen_C, emb_D = judge.see(page.picture)
    features = np.zeros(model.config.connector.width_in, np.float32)
    return _encoded(model, judge.weights.looked(seen_C), features, emb_D)


def _encoded(model: EcgLanguageModel, logits_C: NDArray[np.float32], connector_F: NDArray[np.float32],
             emb_D: NDArray[np.float32]) -> Encoded:
    """The same with other log-odds."""
    from ecglm.models.encoders.findings import connector_input

    count = len(model.config.labels)
    vector = connector_F.copy()
    vector[:count] = connector_input(logits_C[None], np.zeros((1, 0), np.float32))[0]
    return Encoded(logits_C, np.asarray(expit(logits_C), np.float32), vector, emb_D)
