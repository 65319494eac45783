"""The study of narratives on a few recordings, with a writer whose sentences are known."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ecglm.bench.studies.report_narrative import run
from ecglm.corpus.ptbxl import PtbXl
from ecglm.inference.narrative import Narrator


def test_who_repeats_the_prompt_is_believed_and_who_invents_is_not(data_dir, monkeypatch: pytest.MonkeyPatch) -> None:
    every = PtbXl.rows
    monkeypatch.setattr(PtbXl, "rows", lambda self, folds: every(self, folds)[:4 if folds == (9,) else None])
    monkeypatch.setattr(Narrator, "__init__", lambda self, model: None)

    def write(self: Narrator, facts: Sequence[str], most_tokens: int = 0) -> list[str]:
        invented = "There is torsade de pointes. It is a good ECG."
        return [text.splitlines()[-1] if "is present." in text else invented for text in facts]

    monkeypatch.setattr(Narrator, "write", write)
    study = run(seed=0, draws=100, progress=False, recordings=4)
    assert study.n_items == 4
    without, driven = study.tables[0].rows
    assert without[1] == "8"
    assert without[2].startswith("100.0")
    assert float(driven[2].split()[0]) < 35  # a likeliest rhythm that is not held present is taken out
    scores = {row[0]: row[1:] for row in study.tables[1].rows}
    assert scores["written with the diagnosis-driven prompt"] == scores["the diagnosis-driven prompt itself"]
    assert all(cell.startswith(("0.0", "–")) for cell in scores["kept of it, without"])
