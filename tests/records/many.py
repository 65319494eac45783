"""HDF5 files in the layout of the CODE data sets and of MATLAB 7.3, and Parquet tables, written with h5py and pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow
import pyarrow.parquet

RELATIONS = {"aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}


def twelve(n_samples: int, order: tuple[str, ...] = ("aVR", "aVL", "aVF"), seed: int = 0) -> np.ndarray:
    """Float32 ``[time, lead]`` in which Einthoven's and Goldberger's relations hold."""
    rng = np.random.default_rng(seed)
    one, two = np.sin(np.arange(n_samples) / rng.uniform(5, 9)), rng.normal(0, 0.5, n_samples) + 0.1
    limb = [one, two, two - one, *(a * one + b * two for a, b in (RELATIONS[lead] for lead in order))]
    return np.stack([*limb, *rng.normal(0, 1, (6, n_samples))], axis=1).astype(np.float32)


def code_file(
    path: Path, n_records: int, padding: int = 648, samples: int = 2800, order: tuple[str, ...] = ("aVR", "aVL", "aVF"),
    ids: bool = True, **storage: Any,
) -> Path:  # fmt: skip
    """`tracings` and `exam_id` (1000, 1001, ...)."""
    rows = [np.pad(twelve(samples, order, seed), ((padding, padding), (0, 0))) for seed in range(n_records)]
    with h5py.File(path, "w") as file:
        file.create_dataset("tracings", data=np.stack(rows), **storage)
        if ids:
            file["exam_id"] = np.arange(1000, 1000 + n_records)
    return path


def mat73_file(path: Path, variables: dict[str, Any], **storage: Any) -> Path:
    """Matrices, texts and lists of texts as save -v7.3 writes them; storage is that of matrices."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            _matlab(file, name, value, storage)
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 .".ljust(116) + bytes(8) + b"\0\2IM")
    return path


def _matlab(file: Any, name: str, value: Any, storage: dict[str, Any]) -> Any:
    if isinstance(value, list):
        cells = [_matlab(file, f"#refs#/{name}{place}", text, {}).ref for place, text in enumerate(value)]
        dataset, kind = file.create_dataset(name, (len(cells), 1), h5py.ref_dtype, data=np.array([cells], object).T), "cell"
    elif isinstance(value, str):
        rows = value.split("\n")
        letters = [[ord(letter) for letter in row] for row in rows]
        dataset, kind = file.create_dataset(name, data=np.array(letters, "<u2").T), "char"
        dataset.attrs["MATLAB_int_decode"] = 2
    else:
        array = np.atleast_2d(value)
        kind = {"f8": "double", "f4": "single", "i2": "int16"}[array.dtype.str[1:]]
        data = array.T if array.size else np.array(array.shape, "u8")
        dataset = file.create_dataset(name, data=data, **(storage if array.size > 1 else {}))
        if not array.size:
            dataset.attrs["MATLAB_empty"] = np.uint8(1)
    dataset.attrs["MATLAB_class"] = np.bytes_(kind)
    return dataset


def parquet_file(path: Path, n_samples: int, metadata: dict[str, str] | None = None, **options: Any) -> Path:
    """Columns time (500 Hz), II, V1 (uV) and a text."""
    rng = np.random.default_rng(0)
    table = pyarrow.table(
        {
            "time": np.arange(n_samples) / 500,
            "II": rng.normal(size=n_samples),
            "V1 (uV)": pyarrow.array(rng.normal(0, 500, n_samples), mask=np.arange(n_samples) == 3),
            "label": ["N"] * n_samples,
        }
    )
    if metadata is not None:
        table = table.replace_schema_metadata(metadata)
    pyarrow.parquet.write_table(table, path, **options)
    return path
