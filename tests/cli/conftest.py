"""A reader without files for a model without weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ecglm
from ecglm.errors import EcglmError
from ecglm.records.record import Record
from tests.cli.fake_model import FakeModel


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    fake = FakeModel()
    rng = np.random.default_rng(0)

    def read(path: str, **wanted: Any) -> Record:
        fake.read_with = wanted
        if path == "bad.dcm":
            raise EcglmError("bad.dcm: is truncated; copy it again")
        return Record(rng.normal(size=(2, 1000)).astype(np.float32), 500.0, ("I", "II"), source=path)

    monkeypatch.setitem(vars(ecglm), "read", read)
    monkeypatch.setitem(vars(ecglm), "load", lambda model=None, adapter=None: fake)
    return fake
