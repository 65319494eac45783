"""`PageModel`: a vision-language model as `ecglm ask --model FOLDER page.png` uses it. It sees the picture and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.answers import Answer
from ecglm.errors import CheckpointError, UsageError
from ecglm.inference.chosen import chosen, said
from ecglm.inference.guard import check_options, check_question
from ecglm.models.vision.language import MODEL_TYPE, VisionLanguageModel
from ecglm.models.vision.llava import is_llava, load_llava
from ecglm.schema import Evidence

_MOST = 256


def page_model(folder: str | Path, device: str | None = None) -> PageModel | None:
    """The vision-language model of a folder that `ecglm train` wrote, or of a LLaVA checkpoint; None for anything else."""
    place = Path(folder).expanduser()
    if not place.is_dir():
        return None
    if is_llava(place):
        return PageModel(load_llava(place, device))
    from ecglm.models.folder import kind_of_folder

    try:
        kind = kind_of_folder(place)
    except CheckpointError:
        return None
    return PageModel(VisionLanguageModel.from_pretrained(place, device)) if kind == MODEL_TYPE else None


class PageModel:
    """Answers from pictures of pages. Nothing is read back or measured, so the evidence says only that it looked."""

    sees_pages = True

    def __init__(self, model: VisionLanguageModel) -> None:
        self.model = model

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UsageError(f"{self.id}: a vision-language model answers questions about pages and has no {name}; leave out --model "
                         "for that")

    @property
    def id(self) -> str:
        """Name and version for results and answers."""
        return self.model.name

    def ask(self, image: Any, question: str, options: Sequence[str] | None = None,
            turns: Sequence[tuple[str, str]] = ()) -> Answer:
        """Answer a question about a page (a file, its bytes, or an array ``[y, x, 3]``), behind earlier turns. Raises PageError
        for what is no picture."""
        from ecglm.paper.digitize.load import load_picture

        question, options = check_question(question), check_options(options)
        loaded = load_picture(image)
        seen = np.ascontiguousarray(loaded.image)
        evidence = (Evidence("looked at the page as a picture; nothing was read back or measured, and the confidence is not "
                             "calibrated"),)
        if options is not None:
            return chosen(options, self.model.score(seen, question, options, turns), evidence, self.id)
        reply = self.model.reply(seen, question, turns, _MOST)
        return said(reply.text, math.exp(reply.logprob), evidence, self.id)
