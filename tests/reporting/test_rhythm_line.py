"""The rhythm of a report does not contradict its table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecglm.reporting.language import language
from ecglm.reporting.rhythm_line import rhythm_line
from tests.inference.made import measured


def line(rhythm: str, reason: str | None = None, longest: float = 1.1) -> str | None:
    values = measured()[1]
    pr = values.pr if reason is None else replace(values.pr, value=None, reason=reason)
    return rhythm_line(replace(values, rhythm=rhythm, pr=pr, r_peaks_s=(0.0, 0.8, 1.6, 1.6 + longest)))


def test_p_waves_that_could_not_be_marked_are_not_said_to_be_there() -> None:
    said = "irregular, 132 bpm, P wave before every QRS"
    assert line(said) == said
    assert line(said, "P waves can be marked before only 1 of 22 QRS complexes") == "irregular, 132 bpm"
    assert line(said, "no room to look for P waves") == said  # nobody could look: the beats' own search stands


def test_an_interval_is_a_pause_from_two_seconds_on() -> None:
    assert line("irregular, 93 bpm, 4 pauses") == "irregular, 93 bpm, 4 RR intervals longer than those around them"
    assert line("irregular, 93 bpm, 1 pause") == "irregular, 93 bpm, 1 RR interval longer than those around it"
    assert line("irregular, 60 bpm, 4 pauses", longest=2.4) == "irregular, 60 bpm, 1 pause"


def test_p_waves_are_said_of_the_beats_that_were_looked_at() -> None:
    said = "irregular with premature beats, 59 bpm, P wave before every QRS, 19 of 58 beats of another shape"
    assert line(said) == said.replace("every QRS", "every QRS of the usual shape")


@pytest.mark.parametrize("code", ["de", "zh"])
def test_each_line_is_said_in_other_languages(code: str) -> None:
    for said in ("irregular, 93 bpm, 4 pauses", "irregular, 93 bpm, 1 pause",
                 "irregular, 93 bpm, P wave before most QRS, 2 of 9 beats of another shape",
                 "irregular, 93 bpm, P wave before every QRS, 2 of 9 beats of another shape"):
        assert language(code).phrase(line(said) or "") is not None
