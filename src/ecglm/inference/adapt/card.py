"""The model card of an adapter."""

from __future__ import annotations

from collections.abc import Sequence

from ecglm.inference.adapt.taught import Taught


def card(questions: Sequence[Taught], name: str) -> str:
    """README.md of an adapter folder. Questions and answers stand in it as they were given."""
    return f"""---
license: other
tags: [ecg, few-shot, question-answering]
---
# ecglm {name}

Answers {len(questions)} question{"s" if len(questions) > 1 else ""} about ECG recordings, taught by labelled examples.

{chr(10).join(map(_question, questions))}
**Use:** `ecglm ask FILE QUESTION --adapter FOLDER`, or `ecglm.load(adapter=FOLDER)`. Research use only, **not a medical device**.

**Method:** Gaussian processes on what is measured of a recording (rhythm, intervals, wave shapes, median beat), averaged by how
well each side of it explains the examples. Nothing but the examples was learnt for these questions. The figures are
cross-validated on the examples: for recordings of another hospital, machine or kind of patient they may be worse.

**Inside:** measured values and the median beat of every example, its answer and its row in the table. No file name, patient,
date or other text of a recording. Median beats are health data all the same: share this folder as you would share the
recordings without names.

**Attribution:** values are scaled as on PTB-XL. Contains data from PTB-XL, Wagner P, Strodthoff N, Bousseljot R-D, Samek W,
Schaeffter T (PhysioNet, doi:10.13026/kfzx-aw45), CC BY 4.0, modified.
"""


def _question(taught: Taught) -> str:
    others = f" (also: {'; '.join(taught.wordings[1:])})" if len(taught.wordings) > 1 else ""
    return (f"## {taught.wordings[0]}{others}\n\n{taught.shown}. Cross-validated: {taught.estimate.text}, 95 % interval over "
            f"patients.{'' if taught.estimate.above_chance else ' **Not above chance: do not rely on it.**'}\n")
