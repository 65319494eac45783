"""Tasks that bring their own models, and the twins that the simulate-* tasks are made of."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ecglm.bench import runner
from ecglm.bench.dummy import DummyModel
from ecglm.bench.report import write_results
from ecglm.bench.task import BenchItem, TaskConfig, load_task
from ecglm.errors import UsageError
from ecglm.knowledge.statements import keys
from ecglm.registry import SUBJECTS


class Seer(DummyModel):
    def __init__(self) -> None:
        super().__init__("oracle")


class Blind(DummyModel):
    def __init__(self) -> None:
        super().__init__("majority", train_patients={"p3"})


class Fair(Blind):
    def __init__(self) -> None:
        super().__init__()
        self.train_patients = set()


def item(n: int) -> BenchItem:
    return BenchItem(str(n), f"p{n}", str(n), "", "", "findings", "", "", meta={"labels": {"form": {"STE": n % 2}}})


@pytest.fixture(autouse=True)
def subjects(monkeypatch):
    monkeypatch.setattr(SUBJECTS, "_entries", {"seer": Seer, "blind": Blind, "fair": Fair})


def task(*names: str) -> TaskConfig:
    return TaskConfig("t", 1, "Two models", "none", kind="findings", groups=("form",), metrics=("auroc",), subjects=names,
                      conditions=(), references=(), scoring=(), draws=100)


def test_the_models_of_a_task_are_run_and_printed_side_by_side(tmp_path):
    path = runner.run(task("seer", "fair"), None, tmp_path, items=[item(n) for n in range(20)])
    result = json.loads(path.read_text(encoding="utf-8"))
    assert result["findings"]["form"]["macro_auroc"]["value"] == 1.0
    assert result["others"]["dummy-majority"]["form"]["macro_auroc"]["value"] == 0.5
    write_results(tmp_path / "page.md", [path])
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| AUROC | n | dummy-oracle | dummy-majority | chance |" in page
    assert "| form STE | 10 | 1.000 [1.000, 1.000] | 0.500 [0.500, 0.500] | 0.500 |" in page


def test_every_model_of_a_task_is_checked_for_leakage(tmp_path):
    with pytest.raises(UsageError, match="p3"):
        runner.run(task("seer", "blind"), None, tmp_path, items=[item(n) for n in range(20)])


def test_a_key_that_a_task_leaves_out_does_not_change_its_hash():
    assert load_task("findings-ptbxl").hash == "ec65bc158756b27a"  # as in docs/results.md, before there were subjects


def test_a_twin_bears_the_labels_of_its_recording(data_dir, monkeypatch):
    if not (data_dir / "ptbxl").is_dir():
        pytest.skip("PTB-XL is not here")
    monkeypatch.setenv("ECGLM_DATA", str(data_dir))
    from ecglm.corpus import ptbxl
    from ecglm.corpus.simulated import features, twin

    data = ptbxl.load()
    for code in ("rhythm:AFIB", "sub_class:CLBBB", "form:PVC"):
        other_rhythm = data.labels_NC[:, keys().index("form:PAC")] == 1  # one record has one rhythm
        row = int(np.flatnonzero((data.labels_NC[:, keys().index(code)] == 1) & ~other_rhythm)[0])
        assert code in twin(row).truth.labels
        real, simulated = features(data.record(row)), features(twin(row).record)
        assert [v.shape for v in real] == [v.shape for v in simulated]
        assert np.isfinite(np.concatenate([*real, *simulated])).all()
