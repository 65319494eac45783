"""What the vision-language model is taught: pages with conversations about them, drawn from PTB-XL or from files in LLaVA's
form."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.corpus import ptbxl
from ecglm.corpus import questions as q
from ecglm.errors import PageError, ReadError
from ecglm.paper import render
from ecglm.training.vision.pages import Drawing

Image = NDArray[np.uint8]
Pair = tuple[str, str]
#: What stands for the picture in the first question of LLaVA's form; it goes before the conversation anyhow.
_PLACE = "<image>"
#: Largest line of a file that is read (characters): a conversation is far shorter.
_LONGEST = 1_000_000


@dataclass(frozen=True)
class Lesson:
    """name: of the page, for messages. image: gives its pixels, uint8 ``[y, x, 3]``. pairs: the conversation."""

    name: str
    image: Callable[[], Image]
    pairs: tuple[Pair, ...]


def drawn(rows: NDArray[np.int64], count: int, questions: int, drawing: Drawing, seed: int) -> list[Lesson]:
    """So many pages of these recordings with questions on their labels: half yes or no, balanced, and half open ones."""
    data, rng = ptbxl.load(), np.random.default_rng(seed)
    asked = q.asked_statements(data.labels_NC[rows], min(10, max(1, len(rows) // 50)))
    lessons = []
    for number in range(count):
        row = int(rng.choice(rows))
        pairs = []
        for turn in range(questions):
            if turn % 2 or not asked:
                kinds = [kind for kind in q.QUERY if kind != "axis" or data.axis[row]]
                made = q.query(str(rng.choice(kinds)), data.labels_NC[row], data.axis[row], rng)
            else:
                present = [key for key in asked if data.labels_NC[row, q.INDEX[key]]]
                absent = [key for key in asked if not data.labels_NC[row, q.INDEX[key]]]
                key = str(rng.choice(present if not absent or (present and rng.random() < 0.5) else absent))
                made = q.verify(key, key in present, rng)
            pairs.append((made.text, made.answer))
        preset = drawing.presets[number % len(drawing.presets)]
        lessons.append(Lesson(f"ptbxl:{data.ecg_id[row]}", _page(row, preset, int(rng.integers(2**31)), drawing), tuple(pairs)))
    return lessons


def _page(row: int, preset: str, seed: int, drawing: Drawing) -> Callable[[], Image]:
    def image() -> Image:
        return render(ptbxl.load().record(row), layout=drawing.layouts[0], dpi=drawing.dpi, distort=preset, seed=seed).image

    return image


def from_llava(file: str | Path, images: str | Path, limit: int = 0) -> list[Lesson]:
    """Lessons of a JSON or JSONL file in LLaVA's form: {"image": path below `images`, "conversations": [{"from": "human",
    "value": ...}, {"from": "gpt", ...}, ...]}. limit: the first so many, 0 all. Raises ReadError with the number of a bad
    item."""
    lessons: list[Lesson] = []
    for number, item in enumerate(_items(Path(file)), start=1):
        if limit and len(lessons) >= limit:
            break
        lessons.append(_lesson(item, number, Path(file), Path(images)))
    if not lessons:
        raise ReadError(file, "holds no conversations", "give a file in LLaVA's form")
    return lessons


def _items(file: Path) -> Iterator[Any]:
    try:
        with open(file, encoding="utf8") as handle:
            if handle.read(1) == "[":
                handle.seek(0)
                yield from json.load(handle)
                return
            handle.seek(0)
            while line := handle.readline(_LONGEST + 1):
                if len(line) > _LONGEST:
                    raise ReadError(file, f"has a line of more than {_LONGEST:,} characters", "split it")
                if line.strip():
                    yield json.loads(line)
    except (OSError, UnicodeDecodeError) as problem:
        if isinstance(problem, ReadError):
            raise
        raise ReadError(file, f"cannot be read ({problem})", "check the file") from None
    except ValueError as problem:
        raise ReadError(file, f"is no JSON ({problem})", "give JSON or one JSON object a line") from None


def _lesson(item: Any, number: int, file: Path, images: Path) -> Lesson:
    try:
        name, said = str(item["image"]), [(str(turn["from"]), str(turn["value"])) for turn in item["conversations"]]
    except (KeyError, TypeError) as problem:
        remedy = 'each has "image" and "conversations"'
        raise ReadError(file, f"item {number} is not in LLaVA's form ({problem})", remedy) from None
    if len(said) % 2 or not said or any(who != ("human", "gpt")[place % 2] for place, (who, _) in enumerate(said)):
        raise ReadError(file, f"item {number}: human and gpt do not take turns", "each question is followed by its answer")
    path = Path(name)
    if path.is_absolute() or ".." in path.parts:
        raise ReadError(file, f"item {number} names a picture outside its folder ({name})", "use paths below the picture folder")
    pairs = tuple((said[i][1].replace(_PLACE, "").strip(), said[i + 1][1].strip()) for i in range(0, len(said), 2))
    if not all(answer for _, answer in pairs):
        raise ReadError(file, f"item {number} has an empty answer", "leave it out")
    return Lesson(name, _picture(images / path), pairs)


def _picture(path: Path) -> Callable[[], Image]:
    def image() -> Image:
        from ecglm.paper.digitize.load import load_picture

        if not path.is_file():
            raise PageError(path, "file", "no such picture", "check the folder of pictures")
        return load_picture(path).image

    return image
