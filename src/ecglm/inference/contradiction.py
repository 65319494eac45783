"""Does an answer contradict what was found, or the measured axis? Then another is given, or none, with both sides named.

The language model words the answers; it must not say the opposite of the evidence that stands below them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from ecglm.answers import percent
from ecglm.corpus.questions import INDEX
from ecglm.corpus.truth import heads_truth
from ecglm.inference.caveats import partial, young
from ecglm.inference.hypertrophy import UNEXCLUDED, not_excluded
from ecglm.inference.reading import Reading
from ecglm.inference.topics import Topics, topics
from ecglm.knowledge.ranges import flag
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.calibration import FindingCalibration, log_odds
from ecglm.models.facts import HIDDEN, axis_name
from ecglm.schema import Measurements

#: How far, in log-odds, a probability must lie on the other side of "possible" before an answer is withheld.
MARGIN = 1.0
#: A yes or no to anything else rests on nothing that could be shown: "Is anything wrong?", "Is the heart beating?".
UNNAMED = 'a yes or no needs a finding or a value to be named, as in "Is there atrial fibrillation?" or "Is the ECG normal?"'
_EVEN = "the confidence takes yes and no for equally common"
_REGULAR = re.compile(r"\b(ir)?regular")


def contradiction(question: str, answer: str, reading: Reading, calibration: FindingCalibration) -> str | None:
    """Why this answer to this question cannot stand, or None."""
    if reading.encoded is None:
        return None
    about, said = topics(question), topics(answer)
    if answer == "yes" and (fibrillating := _no_pr(about, reading)) is not None:
        return fibrillating
    if "axis" in said.groups or ("axis" in about.groups and answer not in ("yes", "no")):
        return _axis(answer, reading.measurements)
    beyond = beyond_possible(reading, calibration)
    probability = {f"{f.group}:{f.code}": f.probability for f in reading.findings}
    if answer in ("yes", "no"):
        if not (about.statements or about.measures or "axis" in about.groups or _REGULAR.search(question.lower())):
            return UNNAMED
        named = _named(about)
        against = [k for k in named if (beyond[k] < -MARGIN if answer == "yes" else beyond[k] > MARGIN)]
        either = len(named) > 1 and (answer == "no" or re.search(r"\bor\b", question) is not None)
        wrong = against if not either or len(against) == len(named) else []
    elif _is_choice(question, about) and (chosen := _wrong_choice(answer, about, said, reading, calibration)) is not None:
        return chosen
    elif answer == "none":
        # Only of the rhythm: "morphological findings" and "extrasystoles" name groups that hold more than they ask for.
        called = [f"{f.group}:{f.code}" for f in reading.findings
                  if f.present and f.group == "rhythm" and "rhythm" in about.groups]
        wrong = [k for k in about.statements if beyond[k] > MARGIN] or [k for k in called if not about.statements]
    elif answer.lower().startswith("it does not show"):
        wrong = [k for k in said.statements if beyond[k] > MARGIN]
    else:
        wrong = [k for k in said.statements if beyond[k] < -MARGIN]
    shown = ", ".join(f"{BY_KEY[k].name} {percent(probability[k])}" for k in wrong if k not in HIDDEN)
    return f'the model said "{answer}", but the findings give {shown}' if shown else None


def _named(about: Topics) -> tuple[str, ...]:
    """The statements of a question; "normal" is none beside others: "is the PR interval normal?", "a normal sinus rhythm"."""
    more = about.measures or len(about.statements) > 1
    return tuple(key for key in about.statements if not (more and key == "super_class:NORM"))


def _no_pr(about: Topics, reading: Reading) -> str | None:
    """Why there is no AV block to be told where the atria fibrillate or flutter and no P wave leads a QRS complex; else None."""
    rhythm = next((f for f in reading.findings if f"{f.group}:{f.code}" in ("rhythm:AFIB", "rhythm:AFLT") and f.present), None)
    if rhythm is None or _named(about) not in (("sub_class:AVB",), ("form:LPR",)) or reading.measurements.pr.value is not None:
        return None
    return f"the rhythm is called {rhythm.name}, and {reading.measurements.pr.reason}"


def _is_choice(question: str, about: Topics) -> bool:
    return len(about.statements) == 2 and re.search(r"\bor\b", question) is not None


def _wrong_choice(answer: str, about: Topics, said: Topics, reading: Reading, calibration: FindingCalibration) -> str | None:
    """Of two statements both are granted only when open questions would name both, and else the one that they name. What the
    findings would answer, were each as common as its absence, prevails where it is likelier than what was said: of 1,181
    such questions on recordings that the adapter had not seen 166 answers differed; they were right in 103, it in 23."""
    given = about.statements if answer.startswith("both") else said.statements
    probability = {f"{f.group}:{f.code}": f.probability for f in reading.findings}

    def but(call: str, keys: Collection[str]) -> str:
        named = " and ".join(f"{BY_KEY[k].name} ({percent(probability[k])})" for k in keys) or "neither"
        return f'the model said "{answer}", but of these two the findings {call}: {named}'

    called = [k for k in about.statements if any(f.present and f"{f.group}:{f.code}" == k for f in reading.findings)]
    if not (len(called) == 2 if len(given) > 1 else not called or bool(set(given) & set(called))):
        return but("call present", called)
    assert reading.encoded is not None
    columns = [INDEX[k] for k in about.statements]
    there = heads_truth(calibration, reading.encoded.prob_C[None], [""]).pair(0, *columns)
    even = calibration.even(reading.encoded.prob_C)[columns]
    meant = np.array([k in given for k in about.statements])
    likely, would = (float(np.where(which, even, 1 - even).prod()) for which in (meant, np.array(there)))
    return but("speak for", [k for k, one in zip(about.statements, there, strict=True) if one]) if would > likely else None


def alternatives(question: str, answer: str) -> tuple[str, ...]:
    """What else could be answered to a question about one statement, or about one or the other of two."""
    named = _named(topics(question))
    if len(named) == 1 and answer in ("yes", "no"):
        return ("no" if answer == "yes" else "yes",)
    if _is_choice(question, topics(question)) and answer not in ("yes", "no"):
        return tuple(other for other in (*(BY_KEY[k].name for k in named), "both", "none") if other != answer)
    return ()


def sure_of(question: str, reading: Reading, calibration: FindingCalibration) -> float:
    """Confidence of yes or no read off the finding that a question names, as if either were equally common."""
    (key,) = _named(topics(question))
    return even_odds(abs(beyond_possible(reading, calibration)[key]))


def even_odds(beyond: float) -> float:
    """Probability of a finding that lies so far, in log-odds, above "possible", if yes and no were equally common."""
    return 1.0 / (1.0 + math.exp(-beyond))


def beyond_possible(reading: Reading, calibration: FindingCalibration) -> dict[str, float]:
    """How far, in log-odds, each finding's probability lies above "possible"."""
    assert reading.encoded is not None
    beyond_C = log_odds(reading.encoded.prob_C) - log_odds(np.array(calibration.possible, np.float32))
    return {f"{f.group}:{f.code}": float(b) for f, b in zip(reading.findings, beyond_C, strict=True)}


def remark(question: str, answer: str, reading: Reading, calibration: FindingCalibration) -> str | None:
    """What must be read with an answer: that it is of a part of the recording, that what it grants is only possible, or that
    what it denies is called present."""
    return "; ".join(filter(None, (partial(reading), _of_findings(question, answer, reading, calibration)))) or None


def _of_findings(question: str, answer: str, reading: Reading, calibration: FindingCalibration) -> str | None:
    about, said, low = topics(question), topics(answer), answer.lower()
    named = _named(about if low in ("yes", "no") else replace(said, measures=about.measures))
    if reading.encoded is None or low.startswith("it does not show"):
        return None
    if (rate := _against_rate(named, low, reading)) is not None:
        return rate
    if low == "none" and "sub_class" in about.groups and not about.statements:
        return _broader(reading)
    if about.measures and low in ("yes", "no") and (child := young(reading)) is not None:
        return child
    of, beyond = {f"{f.group}:{f.code}": f for f in reading.findings}, beyond_possible(reading, calibration)
    if low == "yes" and len(named) == 1 and named[0] not in HIDDEN and of[named[0]].present and of[named[0]].probability < 0.5:
        found = of[named[0]]
        return f"called present, though less likely than not: {found.name} {percent(found.probability)}; {_EVEN}"
    shown = [k for k in named if k not in HIDDEN and of[k].present == (low == "no")]
    if not shown and low == "no" and named and UNEXCLUDED.issuperset(named):
        return not_excluded(reading, named)
    if not shown or (low == "yes" and len(shown) < len(named) and re.search(r"\bor\b", question)):
        return None
    word = "but called present" if low == "no" else \
        f"{'possible' if all(beyond[k] >= 0 for k in shown) else 'borderline'}, not called present"
    text = f"{word}: " + ", ".join(f"{of[k].name} {percent(of[k].probability)}" for k in shown)
    return f"{text}; {_EVEN}" if low == "yes" else text


def _against_rate(named: tuple[str, ...], low: str, reading: Reading) -> str | None:
    """The rate as it is shown, where it is not that of the sinus rhythm that an answer grants or denies."""
    side = {"rhythm:SBRAD": "low", "rhythm:STACH": "high"}.get(named[0]) if len(named) == 1 else None
    rate, meta = reading.measurements.heart_rate.value, reading.record.meta
    is_ = flag("heart_rate", rate, meta.sex, meta.age)
    if side is None or rate is None or is_ is None or low not in ("yes", "no") or (is_ == side) == (low == "yes"):
        return None
    return f"the rate is {rate:.0f} bpm, {'normal' if is_ == 'normal' else 'below normal' if is_ == 'low' else 'above normal'}"


def _broader(reading: Reading) -> str | None:
    """What is called present of the classes of disease where none of their diagnoses is."""
    classes = [f for f in reading.findings if f.group == "super_class" and f.present and f.code != "NORM"]
    shown = ", ".join(f"{f.name} {percent(f.probability)}" for f in classes)
    return f"no single diagnosis; called present: {shown}" if shown else None


def _axis(answer: str, measurements: Measurements) -> str | None:
    """An axis other than the measured one."""
    angle = measurements.axis.value
    word = next((word for word in ("normal", "left", "right", "extreme") if re.search(rf"\b{word}\b", answer)), None)
    if angle is None or word is None:
        return None
    true = axis_name(angle)
    return None if true.startswith(word) else f'the model said "{answer}", but the measured axis is {angle:.0f}°, {true}'
