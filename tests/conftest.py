"""Fixtures for every test: where the public data sets are, if they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of public recordings: ``$ECGLM_DATA``, else ``../shared/data`` beside the repository."""
    folder = Path(os.environ.get("ECGLM_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"public data sets are not at {folder}; set ECGLM_DATA to test on them")
    return folder
