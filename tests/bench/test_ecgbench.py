"""ECGBench's rules on hand-made cases: what the released scorer does, faults included, and what `strict` does instead."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest

from ecglm.bench.ecgbench.choice import PaperChoice, read_options, strict_choice
from ecglm.bench.ecgbench.labels import paper_gold, paper_labels, strict_labels
from ecglm.bench.ecgbench.load import load_cases
from ecglm.bench.ecgbench.multilabel import paper_scores, strict_scores
from ecglm.bench.ecgbench.options import SUFFIX, gold_answers, listed, paper_correct, strict_correct
from ecglm.bench.ecgbench.run import run
from ecglm.bench.ecgbench.subsets import SUBSETS
from ecglm.bench.stats import Bootstrap
from ecglm.errors import ReadError, UsageError

PTB, CODE, CPSC = (SUBSETS[name] for name in ("ptb-test", "code15-test", "cpsc-test"))


def sets(*texts: str) -> list[frozenset[str]]:
    return [frozenset(text.split()) for text in texts]


@pytest.mark.parametrize(("text", "paper", "strict"), [
    ("MI and CD", "MI CD", "MI CD"),
    ("STEMI", "MI", ""),                          # a part of a word
    ("an mi", "", ""),                            # case counts
    ("ABNORMAL", "NORM", ""),
    ("NORM", "NORM", "NORM"),
    ("No MI. HYP is present", "MI HYP", "HYP"),   # denied
    ("MI? Answer: STTC", "MI STTC", "STTC"),      # strict reads the last answer
    ("nothing to say", "", ""),
])
def test_labels_of_ptb(text: str, paper: str, strict: str) -> None:
    assert paper_labels(text, PTB) == frozenset(paper.split())
    assert strict_labels(text, PTB) == frozenset(strict.split())


@pytest.mark.parametrize(("text", "paper"), [
    ("There may be AF. Answer: RBBB, ABNORMAL", "RBBB ABNORMAL"),
    ("Answer: NORM", "NORM"),
    ("Answer: NORM or ABNORMAL", "ABNORMAL"),
    ("ST segment changes. Answer: ST", "ST"),
    ("SB", "SB"),
])
def test_labels_of_code15_stand_behind_the_last_answer(text: str, paper: str) -> None:
    assert paper_labels(text, CODE) == frozenset(paper.split())


def test_gold_of_code15() -> None:
    assert paper_gold("NORM", CODE) == {"NORM"}
    assert paper_gold("ABNORMAL", CODE) == {"ABNORMAL"}
    assert paper_gold("RBBB, AF", CODE) == {"RBBB", "AF"}


def test_sinus_tachycardia_is_no_st_segment() -> None:
    assert strict_labels("ST segment depression", CODE) == frozenset()
    assert strict_labels("ST is present", CODE) == {"ST"}
    assert strict_labels("I-AVB, STE", CPSC) == {"I-AVB", "STE"}


def test_scores_of_decisions_by_hand() -> None:
    gold, said = sets("MI", "MI", "NORM", "NORM"), sets("MI", "NORM", "NORM", "NORM HYP")
    boot = Bootstrap(["a", "b", "c", "d"], 50)
    paper = paper_scores(gold, said, boot)
    # MI: sensitivity 1/2, specificity 1; NORM: sensitivity 1, specificity 1/2. HYP is in no reference and is dropped.
    assert paper.classes == ("MI", "NORM")
    assert paper.dropped == ("HYP",)
    assert paper.auc.value == pytest.approx(0.75)
    assert paper.f1.value == pytest.approx((2 / 3 + 0.8) / 2)
    assert paper.hl.value == pytest.approx(2 / 8)
    strict = strict_scores(gold, said, boot, PTB.labels)
    assert strict.left_out == ("STTC", "CD", "HYP")
    assert not strict.ranked
    assert strict.auc.value == pytest.approx(0.75)
    chance = np.array([[.1, .9, 0, 0, 0], [.4, .6, 0, 0, 0], [.9, .1, 0, 0, 0], [.8, .5, 0, 0, 0]])
    ranked = strict_scores(gold, said, boot, PTB.labels, chance)
    assert ranked.ranked
    assert ranked.auc.value == pytest.approx(1.0)


def test_a_constant_class_makes_the_papers_mean_nan() -> None:
    boot = Bootstrap(["a", "b"], 10)
    assert math.isnan(paper_scores(sets("MI", "MI NORM"), sets("MI", "NORM"), boot).auc.value)
    assert strict_scores(sets("MI", "MI NORM"), sets("MI", "NORM"), boot, PTB.labels).auc.value == pytest.approx(1.0)


def test_the_papers_five_rules_for_a_letter() -> None:
    choose = PaperChoice("ABCDEFGH")
    assert choose("C") == "C"
    assert choose("B. left or A. right") == "A"        # the first in the alphabet, not in the text
    assert choose("The correct option is D") == "D"
    assert choose("Answer: I think G or E") == "E"     # any letter of the text, in alphabetical order
    assert choose("Answer: AF") == "A"
    assert choose.guessed == 0
    expected = random.Random(42)
    assert [choose("none of it") for _ in range(5)] == [expected.choice(list("ABCDEFGH")) for _ in range(5)]
    assert choose.guessed == 5
    assert PaperChoice("ABCD")("x") in "ABCD"


def test_a_strict_choice_is_explicit_or_none() -> None:
    options = read_options("Which?\nA. atrial fibrillation\nB. sinus rhythm\nC. atrial flutter with block\nD. pacing")
    assert options[1] == ("B", "sinus rhythm")
    assert strict_choice("b)", options) == "B"
    assert strict_choice("The answer is C.", options) == "C"
    assert strict_choice("C. atrial flutter with block", options) == "C"
    assert strict_choice("It shows sinus rhythm", options) == "B"
    assert strict_choice("sinus rhythm or pacing", options) is None
    assert strict_choice("no idea", options) is None
    assert strict_choice("Answer: G", options, "ABCD") is None


def test_options_of_ecg_qa() -> None:
    question = f"Is it?\nOptions: no, normal axis, left axis deviation {SUFFIX}"
    assert listed(question) == ("no", "normal axis", "left axis deviation")
    assert paper_correct(question, "Left axis deviation", ["left axis deviation"])
    assert not paper_correct(question, "normal axis", ["normal axis"])          # "no" is in "normal"
    assert strict_correct(question, "normal axis", ["normal axis"])
    assert not paper_correct(question, "no", "no")                              # the letters of a string
    assert strict_correct(question, "no", "no")
    assert gold_answers("['a', 'b']") == ("a", "b")
    assert gold_answers("a, b") == ("a", "b")


def test_the_published_files_are_read_with_their_faults(tmp_path: Path) -> None:
    (tmp_path / "ptb-test.json").write_text(json.dumps([
        {"No": 3, "image": "ptb/1.png", "conversation": [{"from": "human", "value": "<image>\nWhich?"},
                                                             {"from": "gpt", "value": "MI"}]},
        {"id": "x", "image": "ptb/2.png", "conversations": json.dumps(
            [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": "NORM"}])},
        {"id": "x", "conversations": [{"from": "human", "value": "Which?"}], "answer": "CD"},
    ]))
    cases = load_cases(PTB, tmp_path)
    assert [case.id for case in cases] == ["3", "x", "x#2"]
    assert [case.questions for case in cases] == [("Which?",)] * 3
    assert [case.gold for case in cases] == [("MI",), ("NORM",), ("CD",)]
    with pytest.raises(ReadError, match="image"):
        cases[0].image_bytes()
    with pytest.raises(ReadError, match="no image"):
        cases[2].image_bytes()
    with pytest.raises(UsageError, match="hf download"):
        load_cases(CODE, tmp_path)
    (tmp_path / "cpsc-test.json").write_text("[{]")
    with pytest.raises(ReadError, match="not JSON"):
        load_cases(CPSC, tmp_path)
    (tmp_path / "cpsc-test.json").write_text(json.dumps([{"id": 1, "image": "../../etc/passwd", "conversations": [
        {"from": "human", "value": "?"}, {"from": "gpt", "value": "NORM"}]}]))
    with pytest.raises(ReadError, match="outside"):
        load_cases(CPSC, tmp_path)


def test_a_subset_from_files_to_tables(tmp_path: Path) -> None:
    labels = ("MI", "NORM", "CD", "HYP", "STTC", "MI CD", "NORM", "HYP")
    (tmp_path / "ptb-test.json").write_text(json.dumps([
        {"id": i, "image": f"{i}.png", "conversations": [{"from": "human", "value": "<image>\nWhich?"},
                                                             {"from": "gpt", "value": label}]}
        for i, label in enumerate(labels)]))
    replies = tmp_path / "replies.jsonl"
    replies.write_text("".join(json.dumps({"id": i, "reply": label}) + "\n" for i, label in enumerate(labels)))
    study, who = run(f"replies:{replies}", tmp_path / "out", None, 0, 100, False, name="ptb-test", data=str(tmp_path))
    assert who.startswith("replies")
    (table,) = study.tables
    rows = {(row[0], row[1]): row[2:] for row in table.rows}
    assert all(cell.startswith("100.0") for cell in rows[who, "paper"][:2])
    assert rows[who, "paper"][2].startswith("0.0")
    assert rows["PULSE-7B, published", "paper"] == ["82.4", "74.8", "11"]
    assert any(name.startswith("coin") for name, _ in rows)
    with pytest.raises(UsageError):
        run(None, tmp_path / "out", None, 0, 100, False, name="ptb-test", data=str(tmp_path / "absent"))


def test_reports_are_judged_and_their_exchange_is_kept(tmp_path: Path, server, monkeypatch: pytest.MonkeyPatch) -> None:
    url, replies, seen = server
    monkeypatch.delenv("ECGLM_JUDGE_URL", raising=False)
    (tmp_path / "ptb-test-report.json").write_text(json.dumps([
        {"id": i, "conversations": [{"from": "human", "value": "Report?"}, {"from": "gpt", "value": "sinus rhythm"}]}
        for i in range(2)]))
    mine = tmp_path / "mine.jsonl"
    mine.write_text("".join(json.dumps({"id": i, "reply": f"sinus rhythm {i}"}) + "\n" for i in range(2)))

    def score() -> str:
        study, _ = run(f"replies:{mine}", tmp_path / "out", None, 0, 50, False, name="ptb-test-report", data=str(tmp_path))
        return str(study.tables[0].rows[0])

    with pytest.raises(UsageError, match="ECGLM_JUDGE_URL"):
        score()
    monkeypatch.setenv("ECGLM_JUDGE_URL", url)
    monkeypatch.setenv("ECGLM_JUDGE_MODEL", "m")
    numbers = {"diagnosis": 10, "form": 5, "rhythm": 9, "reason": ""}
    replies += [json.dumps(numbers | other) for other in ({}, {"form": 11}, {"diagnosis": 4})]  # 11 is asked again
    first = score()
    assert "70.0" in first  # the mean of (10 + 5 + 9) / 3 and (4 + 5 + 9) / 3, times ten
    assert len(seen) == 3
    assert score() == first  # from the transcript: no reply is left
    assert len(seen) == 3


def test_turns_of_the_arena_are_judged_together(tmp_path: Path, server, monkeypatch: pytest.MonkeyPatch) -> None:
    url, replies, seen = server
    monkeypatch.setenv("ECGLM_JUDGE_URL", url)
    monkeypatch.setenv("ECGLM_JUDGE_MODEL", "m")
    turns = [{"from": "human", "value": "What?"}, {"from": "gpt", "value": "A"}, {"from": "human", "value": "Why?"},
             {"from": "gpt", "value": "B"}]
    (tmp_path / "arena.json").write_text(json.dumps([{"id": "1", "conversations": turns}]))
    mine = tmp_path / "mine.jsonl"
    mine.write_text(json.dumps({"id": "1", "reply": ["a", "b"]}) + "\n")
    replies.append(json.dumps({"accuracy": 6, "completeness": 3, "instruction_adherence": 9, "reason": ""}))
    study, _ = run(f"replies:{mine}", tmp_path / "out", None, 0, 50, False, name="arena", data=str(tmp_path))
    assert "60.0" in str(study.tables[0].rows[0])
    asked = json.loads(seen[0][2]["messages"][1]["content"])
    assert asked == [{"user": "What?", "assistant": "a", "reference": "A"}, {"user": "Why?", "assistant": "b", "reference": "B"}]
