"""Whether the rhythm is regular, as it is measured: "Is the pulse irregular?", "Is the rhythm regular or irregular?"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from ecglm.answers import Answer
from ecglm.inference.evidence import evidence_for
from ecglm.inference.reading import Reading
from ecglm.inference.topics import Topics
from ecglm.knowledge.precision import MOST_SURE
from ecglm.models.elm import EcgLanguageModel
from ecglm.schema import Evidence
from ecglm.signal.rhythm import REGULAR

_WHAT = r"(?:rhythm|pulse|heart ?beats?|heart|beats?|rate|ecg|ekg|it|they|r-?r(?: intervals?)?|intervals|qrs complexes)"
_OF = r"(?:the |this |his |her |these |my )?(?:patient's )?"
_ASKED = re.compile(rf"(?:is|are|was|were) {_OF}(?:heart |cardiac |sinus |ventricular )?{_WHAT} "
                    rf"(?P<ir>ir)?regular(?:ly spaced)?(?P<either>,? or (?:ir)?regular)?\W*|"
                    rf"(?:is|are) {_OF}{_WHAT} (?:beating|coming|firing) (?P<beating>ir)?regularly\W*|"
                    rf"(?:does|do) {_OF}{_WHAT} (?:beat|come) (?P<beat>ir)?regularly\W*")
_WORDS = ("regular", "irregular")
#: How often beats are drawn for the confidence.
DRAWS = 400


def asks_regularity(question: str) -> re.Match[str] | None:
    """The question, when it asks whether the beats come regularly and nothing else."""
    return _ASKED.fullmatch(" ".join(question.lower().split()))


def regularity(model: EcgLanguageModel, question: str, reading: Reading, about: Topics,
               options: Sequence[str] | None) -> Answer | None:
    """The answer by the measured rhythm; None for other questions and options. Its confidence is how often beats drawn anew
    from the same recording say the same: there are no annotations to hold it against."""
    asked = asks_regularity(question)
    said = {option.lower(): option for option in options or ("yes", "no", *_WORDS)}
    in_words = said.keys() == set(_WORDS) or (options is None and asked is not None and asked["either"] is not None)
    if in_words:
        if asked is None and "rhythm" not in about.groups:
            return None
        texts = {True: said["regular"], False: said["irregular"]}
    elif asked is None or asked["either"] is not None or not {"yes", "no"} <= said.keys():
        return None
    else:
        regularly = not (asked["ir"] or asked["beating"] or asked["beat"])
        texts = {regularly: said["yes"], not regularly: said["no"]}
    measured = reading.measurements
    if measured.rhythm is None:
        reason = measured.rr_sd.reason or "too few beats tell whether they come regularly"
        return Answer("", 0.0, True, (), model.name, reason)
    how = measured.rhythm.split(",")[0]  # "regular", "slightly irregular", "one premature beat", ...
    regular = how == "regular"
    shown = Evidence(f"measured: {measured.rhythm}")
    about = replace(about, statements=(), groups=(), measures=("rr_sd", "heart_rate"))
    return Answer(texts[regular], _share(np.diff(measured.r_peaks_s), regular), False,
                  (shown, *evidence_for(model, reading, about, "")), model.name, note=None if how in _WORDS else how)


def _share(rr_s: ArrayLike, regular: bool) -> float:
    """Share of resampled RR intervals whose variation lies on the same side of the limit, 0.5 to MOST_SURE."""
    rr, rng = np.asarray(rr_s, float), np.random.default_rng(0)
    change = np.diff(rr)
    if not len(change):
        return 0.5
    same = 0
    for _ in range(DRAWS):
        drawn, changes = rng.choice(rr, len(rr)), rng.choice(change, len(change))
        varies = max(np.sqrt(np.mean(changes ** 2)), drawn.std()) / drawn.mean()
        same += (varies < REGULAR) == regular
    return min(MOST_SURE, max(0.5, same / DRAWS))
