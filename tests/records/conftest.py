"""Fixtures of the readers' tests: where recordings of real carts are, if they are."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def carts_dir(data_dir: Path) -> Path:
    """The sample files of vendors within the public data sets; their licences keep them out of the repository."""
    folder = data_dir / "vendor"
    if not folder.is_dir():
        pytest.skip(f"sample files of vendors are not at {folder}")
    return folder
