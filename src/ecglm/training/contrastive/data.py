"""Pairs of recordings and texts, and what the towers read of them. Shapes: N recordings, D values, R reports, C statements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecglm.corpus import ptbxl, reports
from ecglm.inference.adapt.space import ALL, Description, FewShotSpace
from ecglm.knowledge.report_text import distinct, render_statements, with_waveform
from ecglm.knowledge.statements import keys
from ecglm.records.leads import STANDARD_12
from ecglm.schema import Measurements
from ecglm.training.augment import lead_mask, strip_views
from ecglm.training.contrastive.recipe import ContrastiveRecipe, ContrastiveTraining
from ecglm.training.fewshot.descriptions import descriptions


class Vectors:
    """What a vector tower reads: measured values, shown now and then without some leads and never quite the same."""

    def __init__(self, described: Description) -> None:
        self.described, self.space = described, FewShotSpace.load()

    @property
    def width(self) -> int:
        """Values of a vector."""
        return int(self.whole(np.arange(1))[0].shape[1])

    def whole(self, rows: NDArray[np.int64]) -> tuple[Tensor, ...]:
        """As they are."""
        return (torch.from_numpy(self.space(self.described.rows(rows))[ALL]),)

    def augmented(self, rows: NDArray[np.int64], config: ContrastiveTraining, rng: torch.Generator) -> tuple[Tensor, ...]:
        """Another view of each."""
        described = self.described.rows(rows)
        mask = lead_mask(len(rows), len(STANDARD_12), config.augment, rng).numpy()
        shown = np.where(torch.rand(len(rows), 1, generator=rng).numpy() < config.leads, mask, 1.0) * described.mask_NL
        vector = torch.from_numpy(self.space(Description(described.value_NV, described.beat_NLK, shown.astype(np.float32)))[ALL])
        spread = config.noise * vector.std(0, keepdim=True)
        return (vector + spread * torch.randn(vector.shape, generator=rng),)


class Signals:
    """What a vit reads: prepared strips and a mask of leads; augmented: crops, gain, noise, wander, a blank, absent leads."""

    def __init__(self, sig_NLT: NDArray[np.float16], fs: float) -> None:
        self.sig_NLT, self.fs = sig_NLT, fs

    def whole(self, rows: NDArray[np.int64]) -> tuple[Tensor, ...]:
        """As they are."""
        sig = torch.from_numpy(self.sig_NLT[rows]).float()
        return sig, torch.ones(sig.shape[:2])

    def augmented(self, rows: NDArray[np.int64], config: ContrastiveTraining, rng: torch.Generator) -> tuple[Tensor, ...]:
        """Another view of each."""
        sig = strip_views(self.whole(rows)[0], config.augment, rng, self.fs)
        return sig, lead_mask(len(rows), sig.shape[1], config.augment, rng)


@dataclass(frozen=True)
class Pairs:
    """Training recordings (rows of PTB-XL) with their report ("" for none), statements and perhaps measurements; and all reports
    of the training folds with their statements, with or without a recording."""

    ecg: Vectors | Signals
    rows: NDArray[np.int64]
    report: tuple[str, ...]
    label_NC: NDArray[np.uint8]
    measured: tuple[Measurements, ...] | None
    texts: tuple[str, ...]
    text_label_RC: NDArray[np.uint8]

    def draw(self, places: NDArray[np.int64], config: ContrastiveTraining, rng: torch.Generator) -> list[str]:
        """A text for each of these recordings: its report or its statements in either language, now and then with its numbers."""
        chance = torch.rand(len(places), 3, generator=rng).tolist()
        out = []
        for place, (reported, german, numbers) in zip(places.tolist(), chance, strict=True):
            text = self.report[place] if self.report[place] and reported < config.report else \
                statements_text(self.label_NC[place], german < 0.5)
            out.append(with_waveform(text, self.measured[place]) if self.measured and numbers < config.waveform else text)
        return out

    def groups(self, places: NDArray[np.int64], drawn: list[str]) -> NDArray[np.int64]:
        """Equal numbers for texts that are no negatives of each other: equal reports, or the same statements."""
        said = [text if text == self.report[place] else "=" + self.label_NC[place].tobytes().hex()
                for place, text in zip(places.tolist(), drawn, strict=True)]
        return np.array(distinct(said), np.int64)


def statements_text(label_C: NDArray[np.uint8], german: bool) -> str:
    """A record's statements as sentences."""
    return render_statements([key for key, there in zip(keys(), label_C, strict=True) if there], "de" if german else "en")


def load_pairs(recipe: ContrastiveRecipe, vit: bool, run: Path, progress: bool) -> Pairs:
    """Read PTB-XL; recordings are described or prepared once and kept in the run folder."""
    data, table = ptbxl.load(), reports.load()
    rows = data.rows(recipe.train_folds)
    measured = None
    if vit or recipe.training.waveform:
        from ecglm.training.examples import build

        examples = build(run, progress)
        measured = tuple(examples.measurements[row] for row in rows)
    ecg = Signals(examples.sig_NLT, 125.0) if vit else \
        Vectors(descriptions([str(ecg_id) for ecg_id in data.ecg_id], "12 leads", run, progress))
    text_of = dict(zip(table.ecg_id.tolist(), table.text, strict=True))
    told = table.rows(recipe.train_folds, reported=True)
    return Pairs(ecg, rows, tuple(text_of.get(int(data.ecg_id[row]), "") for row in rows), data.labels_NC[rows], measured,
                 tuple(table.text[row] for row in told), table.label_NC[told])
