"""Instruction sets cannot be answered by their words alone, and the card says what such rules score."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ecglm.corpus.instruct.baseline import (
    CHOICE_RULES,
    CLOSED_RULES,
    Asked,
    common_option,
    longest_option,
    odd_option,
    question_words,
    questions,
    same_question,
    scores,
)
from ecglm.corpus.instruct.card import card
from ecglm.corpus.instruct.even import Even, even_answers
from ecglm.corpus.instruct.seed import Seed
from ecglm.corpus.instruct.settings import Settings
from ecglm.corpus.instruct.sources import seed_of_labels
from ecglm.corpus.instruct.templates import Draft, template

RHYTHMS = ("SR", "SR", "SR", "SR", "AFIB", "STACH", "SBRAD", "SARRH", "SVARR", "PACE")
FINDINGS = (
    ("sub_class:NORM",), ("sub_class:LVH",), ("sub_class:IRBBB",), ("sub_class:CLBBB",), ("sub_class:LAFB/LPFB", "sub_class:LVH"),
    ("form:PVC",), ("sub_class:AMI", "form:QWAVE"), ("sub_class:IMI", "sub_class:LAO/LAE", "form:INVT"), ("form:NDT",),
    ("form:STD",), ("sub_class:AVB",), ("sub_class:RVH",),
)  # fmt: skip


@pytest.fixture(scope="module")
def seeds() -> list[Seed]:
    """300 made-up recordings, most of them of sinus rhythm and nearly half of them normal."""
    rng, out = np.random.default_rng(3), []
    for i in range(300):
        found = FINDINGS[0] if rng.random() < 0.4 else FINDINGS[int(rng.integers(1, len(FINDINGS)))]
        present = frozenset((f"rhythm:{RHYTHMS[int(rng.integers(len(RHYTHMS)))]}", *found))
        rate = float(rng.normal(75, 12))
        values = {"heart_rate": rate, "rr": 60000 / rate, "qrs": float(rng.normal(95, 6)), "pr": float(rng.normal(165, 12))}
        out.append(seed_of_labels(i, i, 1, present, values, "male", 60, ""))
    return out


def made(seeds: list[Seed], family: str, form: str, draws: int = 3) -> list[tuple[Seed, Draft]]:
    even = Even(seeds)
    return [
        (seed, draft)
        for number, seed in enumerate(seeds)
        for draw in range(draws)
        if (draft := template(seed, family, form, np.random.default_rng([number, draw]), even)) is not None
    ]


def asked(drafts: list[tuple[Seed, Draft]], form: str) -> list[Asked]:
    return questions([{"form": form, "family": d.family, "patient": s.patient, "turns": d.turns} for s, d in drafts], form)


@pytest.mark.parametrize("family", ["feature", "morphology", "report"])
def test_choices_are_not_solved_by_their_words(seeds: list[Seed], family: str) -> None:
    choices = asked(made(seeds, family, "mcq", draws=10), "mcq")
    assert len(choices) > 60
    for name, rule in CHOICE_RULES.items():
        assert scores(choices, rule)["all"] < 0.25, name


def test_wrong_readings_are_those_of_other_recordings(seeds: list[Seed]) -> None:
    drafts = made(seeds, "report", "mcq")
    right = {draft.turns[0][1][3:] for _, draft in drafts}
    offered = Counter(option for _, draft in drafts for option in draft.options)
    assert sum(n for option, n in offered.items() if option in right) > 0.9 * sum(offered.values())
    normal = [draft for _, draft in drafts if "Sinus rhythm, otherwise normal" in draft.options]
    assert sum(draft.turns[0][1].endswith("otherwise normal") for draft in normal) < 0.3 * len(normal)


@pytest.mark.parametrize("family", ["feature", "rhythm", "morphology", "report"])
def test_yes_is_right_as_often_as_no(seeds: list[Seed], family: str) -> None:
    closed = asked(made(seeds, family, "closed"), "closed")
    assert len(closed) > 60
    said = Counter(item.right for item in closed)
    assert 0.42 < said["yes"] / len(closed) < 0.58
    for name, rule in CLOSED_RULES.items():
        assert scores(closed, rule)["all"] < 0.6, name


def test_questions_of_a_data_set_are_evened_out_too() -> None:
    questions_ = [(f"Is there noise in lead {k % 4}?", "yes" if k % 7 == k % 4 else "no") for k in range(400)]
    seeds = [Seed(f"q:{k}", f"q:{k}", "ecgqa", "", asked=(("feature", *pair, ()),)) for k, pair in enumerate(questions_)]
    assert sum(answer == "yes" for _, answer in questions_) < 240
    said = Counter((draft.turns[0]) for _, draft in made(seeds, "feature", "closed", draws=10))
    for k in range(4):
        question = f"Is there noise in lead {k}?"
        assert 0.6 < said[question, "yes"] / said[question, "no"] < 1.6
    other = Seed("q:x", "q:x", "ecgqa", "", asked=(("feature", "Which lead is noisy?", "lead I", ()),))
    assert made([other], "feature", "closed")  # neither yes nor no


def test_a_statement_that_is_never_true_is_not_asked_about() -> None:
    yes, no = even_answers(np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 1.0]]))
    expected = no[1] / (1 + no[0] + no[1])
    assert expected < 0.01
    assert yes[0] > 1


def test_rules_see_what_gives_an_answer_away() -> None:
    options = ("Sinus rhythm, otherwise normal", *(f"Sinus rhythm with a finding of number {i}" for i in range(7)))
    item = Asked("report", "p", "Which?", options[0], options)
    assert odd_option([], item) == {options[0]: 1.0}
    assert longest_option([], item) == dict.fromkeys(options[1:], 1 / 7)
    assert common_option([item], item) == {options[0]: 1.0}
    said = (("flutter", "no"), ("a sinus", "yes"))
    closed = [Asked("rhythm", str(i), f"Is there {x}?", answer) for i in range(40) for x, answer in said]
    assert same_question(closed, closed[0]) == question_words(closed, closed[0]) == {"no": 1.0}
    assert scores(closed, CLOSED_RULES["the commoner answer"])["all"] == pytest.approx(0.5)
    assert scores(closed, same_question) == {"rhythm": 1.0, "all": 1.0}


def test_the_card_says_what_words_alone_score(tmp_path: Path) -> None:
    turn = ["Which?\n" + "\n".join(f"{letter}. {'long ' * (letter == 'C')}{letter}" for letter in "ABCDEFGH"), "C. long C"]
    common = {"source": "s", "licence": "l", "attribution": "a", "provenance": {"generator": "g"}, "record": "r"}
    items = [{**common, "family": "report", "form": "mcq", "patient": str(i), "turns": [turn]} for i in range(4)]
    items += [{**common, "family": "rhythm", "form": "closed", "patient": str(i), "turns": [["Is it?", "No."]]} for i in range(3)]
    text = card(Settings(("s",)), items, {"kept": 7}, 7, 4)
    assert "| longest option | 100.0 % | 100.0 % |" in text
    assert "| first option | 0.0 % | 0.0 % |" in text
    assert "| rhythm | 0 | 3 | 0 % |" in text
    assert "| chance | 12.5 % | 12.5 % |" in text
