"""Where data sets live: ``$ECGLM_DATA``, else a ``shared/data`` folder beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

from ecglm.errors import ReadError


def data_folder(name: str) -> Path:
    """The folder of one data set. Raises ReadError with the remedy when it is absent."""
    given = os.environ.get("ECGLM_DATA")
    roots = [Path(given)] if given else [parent / "shared" / "data" for parent in (Path.cwd(), *Path.cwd().parents)]
    for root in roots:
        if (root / name).is_dir():
            return root / name
    raise ReadError(name, "data set not found",
                    "set ECGLM_DATA to the folder that holds it (docs/data.md says what it must hold)")
