"""The published files of a subset as cases: JSON lists of conversations with image paths, and the parquet of the hub.

Faults of the files that are repaired here: keys "No" and "conversation" of the scorer beside "id" and "conversations" of the
exporter; conversations held as JSON text; gold answers of ECG-QA as a string or as a list; numbers for ids; ids that repeat;
"<image>" within the words; images as paths, as {"bytes", "path"} or not at all. Files are data of strangers: sizes are bounded,
and an image path that leads out of the folder is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecglm.bench.ecgbench.subsets import WHERE, Subset
from ecglm.errors import ReadError, UsageError

MAX_JSON = 256_000_000
MAX_IMAGE = 64_000_000
_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


@dataclass(frozen=True)
class Case:
    """One item. image: a file that need not exist, the bytes of one, or None. questions: what the user says, turn by turn;
    gold: the reference to each, as the file holds it (a list only for ECG-QA)."""

    id: str
    image: Path | bytes | None
    questions: tuple[str, ...]
    gold: tuple[str | tuple[str, ...], ...]

    def image_bytes(self) -> bytes:
        """The image file. Raises ReadError when it is not there or too large."""
        if isinstance(self.image, bytes):
            return self.image
        if self.image is None:
            raise ReadError(self.id, "the item has no image", "fetch the images of ECGBench too")
        try:
            if self.image.stat().st_size > MAX_IMAGE:
                raise ReadError(self.image, f"larger than {MAX_IMAGE:,} bytes", "give the published image")
            return self.image.read_bytes()
        except OSError as error:
            raise ReadError(self.image, f"the image cannot be read ({error.strerror})", f"fetch the images ({WHERE})") from None


def load_cases(of: Subset, folder: str | Path) -> list[Case]:
    """All cases of a subset. Raises UsageError with the place to get them when there is no file, ReadError for a bad one."""
    root = Path(folder) if folder else None
    files = [] if root is None or not root.is_dir() else _files(root, of.name)
    if root is None or not files:
        where = "no folder was given" if root is None else f"{root} holds no {of.name}.json and no parquet of it"
        raise UsageError(
            f"ecgbench-pulse/{of.name}: {where}; fetch it with `hf download PULSE-ECG/ECGBench --repo-type dataset "
            f"--local-dir DIR` ({WHERE}) and give --data DIR"
        )
    cases: list[Case] = []
    seen: dict[str, int] = {}
    for path in files:
        for number, item in enumerate(_items(path)):
            case = _case(path, root, item, len(cases), number)
            seen[case.id] = seen.get(case.id, 0) + 1
            cases.append(
                case if seen[case.id] == 1 else Case(f"{case.id}#{seen[case.id]}", case.image, case.questions, case.gold)
            )
    if not cases:
        raise ReadError(files[0], "no items in it", f"fetch it again ({WHERE})")
    return cases


def _files(root: Path, name: str) -> list[Path]:
    for pattern in (
        f"{name}.json",
        f"{name}.jsonl",
        f"{name}/{name}.json",
        f"{name}/*.parquet",
        f"data/{name}-*.parquet",
        f"{name}-*.parquet",
        f"{name}.parquet",
    ):
        found = sorted(root.glob(pattern))
        if found:
            return found
    return []


def _items(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix == ".parquet":
        yield from _parquet(path)
        return
    try:
        if path.stat().st_size > MAX_JSON:
            raise ReadError(path, f"larger than {MAX_JSON:,} bytes", "give the published file")
        text = path.read_text(encoding="utf-8")
        data = [json.loads(line) for line in text.splitlines() if line.strip()] if path.suffix == ".jsonl" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ReadError(path, f"not JSON ({type(error).__name__})", f"fetch it again ({WHERE})") from None
    if isinstance(data, Mapping):
        data = next((v for v in data.values() if isinstance(v, list)), None)
    if not isinstance(data, list) or not all(isinstance(item, Mapping) for item in data):
        raise ReadError(path, "not a list of conversations", f"fetch it again ({WHERE})")
    yield from data


def _parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise UsageError(f"{path}: parquet needs pyarrow; run `pip install 'ecglm[formats]'`") from None
    try:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=64):
            yield from batch.to_pylist()
    except Exception as error:  # pyarrow has its own errors, and a damaged file raises any of them
        raise ReadError(path, f"not a parquet file ({type(error).__name__})", f"fetch it again ({WHERE})") from None


def _case(path: Path, root: Path, item: Mapping[str, Any], count: int, number: int) -> Case:
    turns = _turns(path, number, _first(item, "conversations", "conversation", "messages"))
    questions = tuple(_words(text) for role, text in turns if role == "user")
    gold = tuple(text if isinstance(text, str) else tuple(text) for role, text in turns if role == "assistant")
    extra = _first(item, "answer", "gold", "ground_truth")
    if not gold and extra is not None:
        gold = (tuple(map(str, extra)) if isinstance(extra, list) else str(extra),)
    if not questions or len(gold) != len(questions):
        raise ReadError(
            path, f"item {number} has {len(questions)} questions and {len(gold)} references", f"fetch it again ({WHERE})"
        )
    name = _first(item, "id", "No", "no", "question_id")
    return Case(
        str(count if name is None else name),
        _image(path, root, number, _first(item, "image", "image_path", "images")),
        questions,
        gold,
    )


def _first(item: Mapping[str, Any], *names: str) -> Any:
    return next((item[name] for name in names if item.get(name) is not None), None)


def _turns(path: Path, number: int, value: Any) -> list[tuple[str, Any]]:
    try:
        turns = json.loads(value) if isinstance(value, str) else value
        out = []
        for turn in turns:
            said = _first(turn, "value", "content")
            if isinstance(said, list) and not all(isinstance(one, str) for one in said):
                said = " ".join(str(part.get("text", "")) for part in said)
            if not isinstance(said, (str, list)):
                raise TypeError
            out.append((_ROLES[str(_first(turn, "from", "role"))], said))
        return out
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ReadError(path, f"item {number} holds no conversation", f"fetch it again ({WHERE})") from None


def _words(text: Any) -> str:
    return str(text).replace("<image>", "").strip()


def _image(path: Path, root: Path, number: int, value: Any) -> Path | bytes | None:
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if value is None or isinstance(value, bytes):
        return value
    wanted = Path(str(value))
    if wanted.is_absolute() or ".." in wanted.parts:
        raise ReadError(path, f"item {number} names an image outside the folder", "give the published file")
    places = [root / wanted, root / "images" / wanted, path.parent / wanted, path.parent / "images" / wanted]
    return next((place for place in places if place.is_file()), places[0])
