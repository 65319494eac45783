"""`Index`: unit vectors of reports and recordings in a folder, memory-mapped, searched by an exact product.

Vectors are kept in half precision. A search multiplies them all in half precision, which is memory-bound and thus fast, and
scores the best of these again in double precision: the result is that of the exact product unless more than SPARE others
lie within the rounding of half precision (about 0.001 of similarity) of the k-th. `backend="faiss"` is the peer (extra "faiss").
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import replacing_folder
from ecglm.errors import CheckpointError, UsageError

FORMAT = 1
SPARE = 200
#: Bytes of a line of entries that are read; a report is far shorter.
MAX_ENTRY = 1_000_000
Side = Literal["reports", "recordings"]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Hit:
    """An entry found: its id, cosine similarity, text ("" where it has none)."""

    id: str
    score: float
    text: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"id": self.id, "score": round(self.score, 4), "text": self.text}


class Index:
    """Entries with an id and a text, and unit vectors of their reports, their recordings, or both. vectors: [N, E] by side;
    a row of zeros is an entry that lacks that side. model: whose towers made the vectors."""

    def __init__(self, vectors: dict[Side, NDArray[np.float16]], entries: Entries, model: str) -> None:
        self.vectors, self.entries, self.model = vectors, entries, model
        self._faiss: dict[Side, Any] = {}

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def width(self) -> int:
        """Width of the space."""
        return int(next(iter(self.vectors.values())).shape[1])

    @classmethod
    def build(cls, ids: Sequence[str], texts: Sequence[str], model: str, reports: Floats | None = None,
              recordings: Floats | None = None) -> Index:
        """In memory. Raises UsageError when nothing is given or lengths differ."""
        given: dict[Side, Floats | None] = {"reports": reports, "recordings": recordings}
        vectors = {side: value.astype(np.float16) for side, value in given.items() if value is not None}
        if not vectors or not len(ids):
            raise UsageError("an index needs at least one report or recording")
        if any(len(value) != len(ids) or len(texts) != len(ids) for value in vectors.values()):
            raise UsageError("ids, texts and vectors of an index must be of one length")
        return cls(vectors, Entries.of(list(zip(ids, texts, strict=True))), model)

    def search(self, vector_E: Floats, k: int = 5, side: Side = "reports",
               backend: Literal["exact", "faiss"] = "exact") -> list[Hit]:
        """The k best entries of a side, best first. Raises UsageError when the index lacks that side, was made with
        vectors of another width, or k is not positive."""
        if side not in self.vectors:
            raise UsageError(f"this index holds no {side}; it holds {' and '.join(self.vectors)}")
        if vector_E.shape != (self.width,):
            raise UsageError(f"this index holds vectors of {self.width} values, the query has {vector_E.shape[-1]}; "
                             "build it again")
        if k < 1:
            raise UsageError("k must be at least 1")
        found = self._with_faiss(vector_E, k, side) if backend == "faiss" else exact(self.vectors[side], vector_E, k)
        return [Hit(self.entries[row][0], score, self.entries[row][1]) for row, score in found]

    def _with_faiss(self, vector_E: Floats, k: int, side: Side) -> list[tuple[int, float]]:
        try:
            import faiss
        except ModuleNotFoundError as error:
            raise UsageError('faiss is not installed; pip install "ecglm[faiss]"') from error
        if side not in self._faiss:
            self._faiss[side] = faiss.IndexFlatIP(self.width)
            self._faiss[side].add(np.asarray(self.vectors[side], np.float32))
        score, row = self._faiss[side].search(vector_E[None].astype(np.float32), min(k, len(self)))
        return [(int(r), float(s)) for r, s in zip(row[0], score[0], strict=True) if self.vectors[side][r].any()]

    def save(self, folder: str | Path) -> int:
        """Write the folder, replacing an index that is there; bytes written. Raises UsageError where another folder stands."""
        folder = Path(folder)
        if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / "index.json").is_file())):
            raise UsageError(f"{folder}: exists and is not an index; choose another output")
        with replacing_folder(folder) as scratch:
            for side, value in self.vectors.items():
                np.save(scratch / f"{side}.npy", value, allow_pickle=False)
            self.entries.save(scratch)
            about = {"format": FORMAT, "model": self.model, "entries": len(self), "width": self.width,
                     "sides": list(self.vectors)}
            (scratch / "index.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf8")
            return sum(path.stat().st_size for path in scratch.iterdir())

    @classmethod
    def load(cls, folder: str | Path) -> Index:
        """Open without reading the vectors. Raises CheckpointError when it is damaged or of another version."""
        folder = Path(folder)
        try:
            about = json.loads((folder / "index.json").read_text(encoding="utf8"))
            if about.get("format") != FORMAT:
                raise CheckpointError(f"{folder}: an index of another version; build it again with `ecglm index`")
            entries = Entries.open(folder)
            vectors: dict[Side, NDArray[np.float16]] = {}
            for side in ("reports", "recordings"):
                if side in about["sides"]:
                    vectors[side] = np.load(folder / f"{side}.npy", mmap_mode="c", allow_pickle=False)
            if not vectors or any(v.shape != (len(entries), about["width"]) or v.dtype != np.float16 for v in vectors.values()):
                raise CheckpointError(f"{folder}: its parts do not fit together; build it again with `ecglm index`")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
            raise CheckpointError(f"{folder}: not an index ({error}); build one with `ecglm index`") from error
        return cls(vectors, entries, str(about.get("model", "")))


class Entries:
    """(id, text) by row: JSON lines and where each begins, read one by one from disk."""

    def __init__(self, lines: Any, starts: NDArray[np.int64]) -> None:
        self._lines, self._starts = lines, starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, row: int) -> tuple[str, str]:
        start, stop = int(self._starts[row]), int(self._starts[row + 1])
        if not 0 <= start < stop <= len(self._lines) or stop - start > MAX_ENTRY:
            raise CheckpointError(f"entry {row} of the index is damaged; build it again with `ecglm index`")
        try:
            name, text = json.loads(bytes(self._lines[start:stop]))
        except (ValueError, TypeError) as error:
            raise CheckpointError(f"entry {row} of the index is damaged; build it again with `ecglm index`") from error
        return str(name), str(text)

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> Entries:
        """In memory."""
        lines = [json.dumps(pair).encode() + b"\n" for pair in pairs]
        starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int64)
        return cls(np.frombuffer(b"".join(lines), np.uint8), starts)

    def save(self, folder: Path) -> None:
        """``entries.jsonl`` and ``starts.npy``."""
        (folder / "entries.jsonl").write_bytes(self._lines.tobytes())
        np.save(folder / "starts.npy", self._starts, allow_pickle=False)

    @classmethod
    def open(cls, folder: Path) -> Entries:
        """Memory-mapped."""
        starts = np.load(folder / "starts.npy", mmap_mode="r", allow_pickle=False)
        if starts.dtype != np.int64 or starts.ndim != 1 or len(starts) < 2:
            raise ValueError("starts.npy is no list of places")
        return cls(np.memmap(folder / "entries.jsonl", np.uint8, "r"), starts)


def exact(matrix_NE: NDArray[np.float16], vector_E: Floats, k: int) -> list[tuple[int, float]]:
    """(row, similarity) of the k best rows that are not zero, best first; equal scores by row."""
    import torch

    rough = (torch.from_numpy(matrix_NE) @ torch.from_numpy(vector_E).half()).float()
    candidates = np.sort(torch.topk(rough, min(len(matrix_NE), k + SPARE)).indices.numpy())
    taken = matrix_NE[candidates].astype(np.float64)
    score = taken @ vector_E.astype(np.float64)
    score[~taken.any(1)] = -np.inf
    order = np.argsort(-score, kind="stable")[:k]
    return [(int(candidates[i]), float(score[i])) for i in order if np.isfinite(score[i])]
