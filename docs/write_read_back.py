"""Write docs/read_back.md and its picture: the demo's recording beside pages of it that were distorted and read back.

tests/test_read_back.py fails when the page is out of date.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from pydicom.data import get_testdata_file

import ecglm
from ecglm.answers import Answer
from ecglm.errors import PageError
from ecglm.paper import render
from ecglm.paper.digitize import ReadPage, overlay, read_page
from ecglm.records.record import Record

PAGE, PICTURE = Path(__file__).with_name("read_back.md"), Path(__file__).parent / "img" / "read_back.jpg"
PRESETS, SEED, WIDTH = ("none", "scan", "heavy", "photo"), 0, 1000
QUESTIONS = ("What is the rhythm?", "What is the heart rate?", "What is the PR interval?", "What is the QRS duration?",
             "What is the QT interval?", "What is the axis?", "Is there atrial fibrillation?",
             "Is there a myocardial infarction?", "Are there ventricular premature beats?", "Is there ST elevation in V2?",
             "What does this ECG show?")
MARKED = "Is there ST elevation in V2?"

_HEAD = """# A page and its recording

Written by `make docs` from the code; do not edit. How pages are read is in [digitize.md](digitize.md).

![Pages of the demo's recording as they were read](img/read_back.jpg)

The recording of `make demo`, drawn as 3x4 with a strip, used as presets have it (seed 0), and read back: what was read is in
colour. What the answer to "{marked}" rests on is tinted, as by
`ecglm ask page.jpg "{marked}" --overlay seen.png`.

| | the recording | {heads} |
|---|{rules}
"""


def recording() -> Record:
    """pydicom's real recording, which the demo uses."""
    return ecglm.read(str(get_testdata_file("waveform_ecg.dcm", download=False)))


def read() -> dict[str, ReadPage | PageError]:
    """By preset: the page as it was read, or why it was not."""
    found: dict[str, ReadPage | PageError] = {}
    for preset in PRESETS:
        try:
            found[preset] = read_page(render(recording(), layout="3x4", distort=preset, seed=SEED).image, text=False)
        except PageError as refused:
            found[preset] = refused
    return found


def page(pages: dict[str, ReadPage | PageError]) -> str:
    """The whole page."""
    model = ecglm.load()
    records = {"": recording()} | {name: one.record for name, one in pages.items() if isinstance(one, ReadPage)}
    answers = model.ask_batch([(record, question, None) for question in QUESTIONS for record in records.values()])
    rows = []
    for question in QUESTIONS:
        said = {name: _said(answers.pop(0)) for name in records}
        rows.append(f"| {question} | " + " | ".join(said.get(name, "refused") for name in ("", *PRESETS)) + " |")
    sure = [str(one).split(";")[0] if not isinstance(one, ReadPage) or one.record.reading is None else
            f"{100 * one.record.reading.overall:.0f} %" for one in pages.values()]
    rows.append("| confidence of the reading | | " + " | ".join(sure) + " |")
    head = _HEAD.format(marked=MARKED, heads=" | ".join(f"`{name}`" for name in PRESETS), rules="---|" * (1 + len(PRESETS)))
    return head + "\n".join(rows) + "\n\nConfidences in brackets. The limits are those of [digitize.md](digitize.md).\n"


def _said(answer: Answer) -> str:
    return "no answer" if answer.abstained else f"{answer.text} ({100 * answer.confidence:.0f} %)"


def picture(pages: dict[str, ReadPage | PageError]) -> bytes:
    """The pages that were read, two beside each other, small enough for a repository."""
    model, shown = ecglm.load(), []
    for one in pages.values():
        if isinstance(one, ReadPage):
            image = overlay(one, model.ask(one.record, MARKED).evidence)
            shown.append(cv2.resize(image, (WIDTH, round(image.shape[0] * WIDTH / image.shape[1])), interpolation=cv2.INTER_AREA))
    tall = max(image.shape[0] for image in shown)
    same = [np.pad(image, ((0, tall - image.shape[0]), (0, 0), (0, 0)), constant_values=255) for image in shown]
    rows = [np.hstack([*same[i:i + 2], *[np.full_like(same[0], 255)] * (2 - len(same[i:i + 2]))]) for i in range(0, len(same), 2)]
    sheet = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes()


if __name__ == "__main__":
    found = read()
    PAGE.write_text(page(found), encoding="utf-8")
    PICTURE.write_bytes(picture(found))
