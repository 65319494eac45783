"""MATLAB 7.3 files → Record: HDF5 behind a block of 512 bytes, arrays transposed, texts as numbers, cells as references.

What is read and refused of HDF5 is what hdf5.py reads and refuses. Format: as MATLAB's save -v7.3 writes it
(attribute MATLAB_class of every variable; MathWorks describes no more than that it is HDF5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError
from ecglm.records.arrays import FS_KEYS, LEAD_KEYS, SIGNAL_KEYS, UNIT_KEYS, describe
from ecglm.records.channels import clean
from ecglm.records.hdf5 import FAILURES, check_kind, check_small, datasets_of, in_header, is_elsewhere, samples
from ecglm.records.mat import rows_of_text
from ecglm.records.record import Record
from ecglm.records.request import MAX_CHANNELS, Request

_CLASS = "MATLAB_class"
_CLASS_TYPES = [f"S{n}" for n in range(1, 33)]
_MAX_LETTERS = 1000  # of a name in a cell


def read_mat73(request: Request) -> Record:
    """A file with one matrix of samples named as in older MATLAB files. Raises ReadError."""
    path = request.path
    h5py = request.library("h5py", "MATLAB 7.3")
    try:
        with h5py.File(path, "r", locking=False) as file:
            # An empty variable is two numbers, its shape.
            datasets = {key: item for key, item in datasets_of(h5py, file, path).items() if "MATLAB_empty" not in item.attrs}
            name = next((key for key in SIGNAL_KEYS if key in datasets), None)
            if name is None:
                listed = clean(", ".join(datasets), 80) or "nothing"
                raise ReadError(
                    path,
                    f"it has no matrix named {', '.join(SIGNAL_KEYS[:5])} (it has {listed})",
                    "rename the variable in MATLAB",
                )
            check_kind(datasets[name], path)
            data = samples(datasets[name], None, path).T
            found = _about(h5py, file, datasets, path)
    except FAILURES as problem:
        raise ReadError(
            path,
            f"it is not a usable MATLAB file ({clean(str(problem).replace(path, ''), 80)})",
            "it is damaged; save it again with save -v7",
        ) from None
    if data.ndim == 2 and 1 in data.shape:
        data = data.reshape(-1)
    return describe(request, data, found, "mat")


def _about(h5py: Any, file: Any, datasets: Mapping[str, Any], path: str) -> dict[str, NDArray[Any]]:
    """Rate, leads and unit: numbers, texts and cells of texts; whatever else goes by these names is left out."""
    found: dict[str, NDArray[Any]] = {}
    for key in (*FS_KEYS, *LEAD_KEYS, *UNIT_KEYS):
        dataset = datasets.get(key)
        if dataset is None or is_elsewhere(dataset):
            continue
        if h5py.check_ref_dtype(dataset.dtype) is h5py.Reference:
            texts = _cell(h5py, file, dataset, path)
            if texts:
                found[key] = np.array(texts)
        elif dataset.dtype.kind in "iuf" and dataset.ndim == 2:
            check_small(path, key, dataset.shape, dataset.dtype)
            values = samples(dataset, None, path).T
            found[key] = np.array(rows_of_text(values)) if _is_text(dataset) else values
    return found


def _cell(h5py: Any, file: Any, dataset: Any, path: str) -> list[str]:
    """The texts of a cell array, none where one of its cells is something else."""
    if (dataset.id.get_offset() is None and not in_header(dataset)) or not 0 < dataset.size <= MAX_CHANNELS:
        return []
    texts: list[str] = []
    for reference in dataset[()].reshape(-1):
        item = file[reference]
        if not isinstance(item, h5py.Dataset) or is_elsewhere(item) or not _is_text(item) or item.size > _MAX_LETTERS:
            return []
        rows = rows_of_text(samples(item, None, path).T)
        if len(rows) != 1:
            return []
        texts += rows
    return texts


def _is_text(dataset: Any) -> bool:
    """Whether these numbers are letters."""
    if dataset.dtype.kind != "u" or dataset.ndim != 2 or "MATLAB_empty" in dataset.attrs or _CLASS not in dataset.attrs:
        return False
    stated = dataset.attrs.get_id(_CLASS)
    return stated.shape == () and stated.dtype.str[1:] in _CLASS_TYPES and bool(dataset.attrs[_CLASS] == b"char")
