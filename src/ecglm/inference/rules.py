"""What is answered, or declined, before the language model is asked: by rules, findings, measurements and the file."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ecglm.answers import Answer
from ecglm.inference.background import background
from ecglm.inference.comparison import SIMPLE, compare, unclear
from ecglm.inference.computed import computed, declined, of_file, rare
from ecglm.inference.grounding import unmeasured
from ecglm.inference.groups import mixed
from ecglm.inference.guard import decline_question
from ecglm.inference.measured_leads import leads_answer
from ecglm.inference.parts import ONE_AT_A_TIME, parts, several
from ecglm.inference.premises import premise_answer
from ecglm.inference.reading import Reading
from ecglm.inference.topics import Topics, topics
from ecglm.inference.waves import wave_answer
from ecglm.knowledge.statements import BY_KEY
from ecglm.models.elm import EcgLanguageModel


def known(model: EcgLanguageModel, question: str, reading: Reading, options: Sequence[str] | None = None) -> Answer | None:
    """The answer, or the reason for none, that needs no language model; None when that is to be asked."""
    if options is None and (found := ruled(model, question, reading)) is not None:
        return found
    reason = decline(model, question, reading)
    return computed(model, question, reading, options) if reason is None else declined(model, reason)


def ruled(model: EcgLanguageModel, question: str, reading: Reading) -> Answer | None:
    """The answer to a question that takes something for granted or asks for waves; None for others."""
    if reading.declined is not None:
        return None
    if topics(question).leads and (found := wave_answer(model, question, reading)) is not None:
        return found  # what one lead shows is measured there, whatever is found in all together
    return premise_answer(model, question, reading) or leads_answer(model, question, reading) \
        or wave_answer(model, question, reading)


def decline(model: EcgLanguageModel, question: str, reading: Reading) -> str | None:
    """Why this question about this recording is not answered, or None."""
    if reading.declined is None and of_file(question, reading.record) is not None:
        return None
    about = topics(question)
    if reading.declined is None and background(question) is not None:
        return f"this is asked of ECGs in general: ecglm knowledge ask {shlex.quote(question)}"
    reason = reading.declined or decline_question(question, about, reading.record, reading.unusable) \
        or unmeasured(about, reading) or untrained(model, about)
    if reason is None and compare(question, reading.measurements) is None and unclear(question, about):
        return SIMPLE
    return reason or (ONE_AT_A_TIME if parts(question) or several(question) else mixed(question, about))


def untrained(model: EcgLanguageModel, about: Topics) -> str | None:
    """Why statements with next to no training cases cannot be judged, or None."""
    names = [BY_KEY[key].name for key in rare(model, about.statements)]
    return f"too few training recordings showed {', '.join(names)} to judge it" if names else None
