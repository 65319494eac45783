"""Data sets to training and test items: labels, patient-safe splits, questions, instructions."""

from __future__ import annotations

from ecglm.corpus.folder import data_folder
from ecglm.errors import ReadError

#: What ecglm can use, with the licence of the data.
LICENCES = {
    "ptbxl": "CC BY 4.0", "ecgqa": "CC BY 4.0", "ludb": "ODC-By 1.0", "mitdb": "ODC-By 1.0", "afpdb": "ODC-By 1.0",
    "cpsc2021": "CC BY 4.0", "challenge2021": "CC BY 4.0",
}


def datasets() -> list[dict[str, str | None]]:
    """name, licence and folder (None when absent) of every data set ecglm can use."""
    out: list[dict[str, str | None]] = []
    for name, licence in LICENCES.items():
        try:
            path: str | None = str(data_folder(name))
        except ReadError:
            path = None
        out.append({"name": name, "path": path, "licence": licence})
    return out
