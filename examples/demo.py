"""Questions about a real 12-lead ECG (pydicom's waveform_ecg.dcm), its page and its report.

    make demo        or        python examples/demo.py
"""

from __future__ import annotations

import os
from pathlib import Path

import ecglm

OUT = Path("demo_out")
QUESTIONS = (
    ("What is the rhythm?", None),
    ("What is the heart rate?", None),
    ("What is the PR interval?", None),
    ("Is there a myocardial infarction?", ["yes", "no"]),
    ("What does this ECG show?", None),
    ("What is the blood pressure?", None),
)


def recording() -> str:
    """pydicom ships a real 10-s, 12-lead, 1-kHz recording in its wheel."""
    from pydicom.data import get_testdata_file

    path = get_testdata_file("waveform_ecg.dcm", download=False)
    if path is None:
        raise SystemExit("pydicom's waveform_ecg.dcm is missing; reinstall pydicom")
    return os.fspath(str(path))


def main() -> None:
    """Ask, draw, report; say where things are."""
    record = ecglm.read(recording())
    print(f"waveform_ecg.dcm: {len(record.leads)} leads, {record.duration_s:g} s at {record.fs:g} Hz\n")

    model = ecglm.load()
    for question, options in QUESTIONS:
        answer = model.ask(record, question, options=options)
        print(question)
        if answer.abstained:
            print(f"  no answer: {answer.reason}")
        else:
            print(f"  {answer.text}  (confidence {100 * answer.confidence:.0f} %)")
        for evidence in answer.evidence:
            print(f"    - {evidence.text}")
        print()

    OUT.mkdir(exist_ok=True)
    report = model.report(record)
    report.page.save(OUT / "ecg.png")
    report.save(OUT / "report.html")
    print(f"ECG page  {(OUT / 'ecg.png').resolve()}\nReport    {(OUT / 'report.html').resolve()}")
    print("\nResearch use only, not a medical device.")


if __name__ == "__main__":
    main()
