"""Instruction sets: what an item may not be, and that a build that was killed ends with the same file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("datasketch", reason="instruction sets need ecglm[instruct]")

from ecglm.corpus.instruct import build as builder
from ecglm.corpus.instruct import settings as setting
from ecglm.corpus.instruct.build import build, shaped
from ecglm.corpus.instruct.checks import problem
from ecglm.corpus.instruct.estimate import estimate
from ecglm.corpus.instruct.seed import Seed
from ecglm.corpus.instruct.settings import Settings
from ecglm.corpus.instruct.templates import Draft, template
from ecglm.errors import EcglmError, UsageError
from ecglm.knowledge.statements import STATEMENTS

EXAMS = "exam_id,age,is_male,1dAVb,RBBB,LBBB,SB,ST,AF,patient_id,trace_file,normal_ecg\n"


@pytest.fixture
def code15(tmp_path: Path) -> str:
    """The published table of CODE-15 %, forty made-up rows."""
    rows = []
    for i in range(40):
        flags = ["True" if i % 7 == k else "False" for k in range(6)]
        rows.append(f"{1000 + i},{30 + i},{i % 2 == 0},{','.join(flags)},{500 + i // 2},exams_part0.hdf5,{i % 7 > 5}")
    (tmp_path / "exams.csv").write_text(EXAMS + "\n".join(rows) + "\n")
    return f"code15:{tmp_path}"


def test_a_set_of_a_published_table(code15: str, tmp_path: Path) -> None:
    out = tmp_path / "set.jsonl"
    found = build(Settings((code15,), n=60), out)
    items = [json.loads(line) for line in out.read_text().splitlines()]
    assert found["items"] == len(items) == 60
    assert {item["messages"][0]["role"] for item in items} == {"user"}
    assert all(item["licence"] and item["attribution"] and item["provenance"]["generator"] == "templates" for item in items)
    assert len({item["family"] for item in items}) > 1
    assert len({item["form"] for item in items}) > 1
    assert len({json.dumps([item["record"], item["messages"]]) for item in items}) == 60
    card = (tmp_path / "set.card.md").read_text()
    assert "CODE-15" in card
    assert "60 items" in card
    assert not list(tmp_path.glob("*.journal"))


def test_what_was_killed_ends_with_the_same_file(code15: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(Settings((code15,), n=60), tmp_path / "whole.jsonl")
    calls = 0
    attempt = builder._attempt

    def killed(*args: object) -> dict[str, object]:
        nonlocal calls
        calls += 1
        if calls == 45:
            raise KeyboardInterrupt
        return attempt(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(builder, "FLUSH", 4)
    monkeypatch.setattr(builder, "_attempt", killed)
    with pytest.raises(KeyboardInterrupt):
        build(Settings((code15,), n=60), tmp_path / "parts.jsonl")
    monkeypatch.setattr(builder, "_attempt", attempt)
    journal = tmp_path / "parts.jsonl.journal"
    journal.write_text(journal.read_text() + '{"outcome": "ke')  # half a line
    with pytest.raises(UsageError, match="other settings"):
        build(Settings((code15,), n=61), tmp_path / "parts.jsonl", resume=True)
    build(Settings((code15,), n=60), tmp_path / "parts.jsonl", resume=True)
    assert (tmp_path / "parts.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_the_llava_form_has_the_image_first() -> None:
    item = {"id": "a", "image": "x.png", "turns": [["Q1?", "A1."], ["Q2?", "A2."]], "family": "rhythm"}
    said = shaped(item, llava=True)["conversations"]
    assert [turn["from"] for turn in said] == ["human", "gpt", "human", "gpt"]
    assert said[0]["value"] == "<image>\nQ1?"
    assert "<image>" not in said[2]["value"]


def test_rules_refuse_what_labels_and_measurements_do_not_support() -> None:
    seed = Seed("made:1", "p", "ptbxl", "1.png", frozenset({"rhythm:AFIB"}), frozenset({"rhythm:SR"}), {"heart_rate": 110.0})

    def of(question: str, answer: str) -> str | None:
        return problem(Draft("rhythm", "open", ((question, answer),)), seed)

    assert of("What is the rhythm?", "The rhythm is atrial fibrillation.") is None
    assert of("What is the rhythm?", "The rhythm is sinus rhythm.") is not None
    assert of("What is the heart rate?", "The heart rate is 110 bpm.") is None
    assert of("What is the heart rate?", "The heart rate is 70 bpm.") is not None
    assert of("What does the report say?", "Atrial fibrillation.") == "speaks of a report"
    assert of("What is it?", "As the report says, atrial fibrillation.") == "speaks of a report"
    assert of("What is it?", "") == "empty"
    assert problem(Draft("rhythm", "fill", (("The rhythm is.", "atrial fibrillation"),)), seed) == "not one blank"


def test_choices_hold_the_answer_once_and_seven_that_are_false() -> None:
    rhythms = {statement.key for statement in STATEMENTS if statement.group == "rhythm"}
    seed = Seed("made:1", "p", "ptbxl", "1.png", frozenset({"rhythm:SBRAD"}), frozenset(rhythms - {"rhythm:SBRAD", "rhythm:SR"}))
    made = [draft for i in range(20) if (draft := template(seed, "rhythm", "mcq", np.random.default_rng(i)))]
    assert made
    for draft in made:
        letter, answer = draft.turns[0][1][:1], draft.turns[0][1][3:]
        assert len(set(draft.options)) == 8
        assert draft.options["ABCDEFGH".index(letter)].lower() == answer.lower()
        assert problem(draft, seed) is None


def test_costs_before_anything_is_asked(code15: str) -> None:
    found = estimate(Settings((code15,), n=1000, form="endpoint", per_minute=50), 1.0, 4.0)
    assert found["requests"] == 1000
    assert found["minutes"] == 20
    assert found["price_usd"] > 0


def test_bad_input(tmp_path: Path) -> None:
    for source, match in ((f"code15:{tmp_path}", "exams.csv"), ("nothing", "nothing")):
        with pytest.raises(EcglmError, match=match):
            build(Settings((source,), n=5), tmp_path / "x.jsonl")
    with pytest.raises(UsageError, match="form"):
        Settings(("a",), form="other")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at least one"):
        Settings(("a",), n=0)
    (tmp_path / "exams.csv").write_text(EXAMS + "1,30,True,maybe,False,False,False,False,False,5,x,False\n")
    with pytest.raises(EcglmError, match="True or False"):
        build(Settings((f"code15:{tmp_path}",), n=5), tmp_path / "x.jsonl")
    assert not (tmp_path / "x.jsonl").exists()


def test_the_table_of_mimic(tmp_path: Path) -> None:
    head = "subject_id,study_id,rr_interval,p_onset,qrs_onset,qrs_end,t_end," + ",".join(f"report_{n}" for n in range(18))
    rows = ["10000032,40689238,800,40,200,290,600,Atrial fibrillation,Possible inferior infarct" + "," * 16,
            "10000033,40689239,29999,29999,200,290,29999,Sinus rhythm,Normal ECG" + "," * 16]
    (tmp_path / "machine_measurements.csv").write_text("\n".join([head, *rows]) + "\n")
    one, two = builder.seeds_of((f"mimic:{tmp_path}",))
    assert (one.id, one.patient) == ("mimic:40689238", "mimic:10000032")
    assert "rhythm:AFIB" in one.present
    assert "sub_class:IMI" not in one.present | one.absent  # "possible" is neither
    assert one.values["heart_rate"] == 75.0
    assert (one.values["pr"], one.values["qrs"], one.values["qt"]) == (160.0, 90.0, 400.0)
    assert set(two.values) == {"qrs"}  # 29999: not found
    assert "rhythm:SR" in two.present
    (tmp_path / "machine_measurements.csv").write_text("\n".join([head, rows[0].replace(",800,", ",fast,")]) + "\n")
    with pytest.raises(EcglmError, match="line 2"):
        builder.seeds_of((f"mimic:{tmp_path}",))
    (tmp_path / "machine_measurements.csv").write_text("subject_id,study_id\n1,2\n")
    with pytest.raises(EcglmError, match="column"):
        builder.seeds_of((f"mimic:{tmp_path}",))


def test_the_table_of_ptb_xl(tmp_path: Path) -> None:
    (tmp_path / "scp_statements.csv").write_text(
        ",description,diagnostic,form,rhythm,diagnostic_class,diagnostic_subclass\n"
        "IMI,x,1.0,,,MI,IMI\nASMI,x,1.0,,,MI,AMI\nSR,x,,,1.0,,\nPVC,x,,1.0,,,\n")
    head = "ecg_id,patient_id,age,sex,report,scp_codes,strat_fold\n"
    (tmp_path / "ptbxl_database.csv").write_text(
        head + "1,11.0,60,1,x,\"{'IMI': 80.0, 'ASMI': 0.0, 'SR': 0.0, 'PVC': 0.0}\",3\n2,12.0,50,0,x,\"{'SR': 0.0}\",9\n")
    (seed,) = builder.seeds_of((f"ptbxl:{tmp_path}",))  # fold 9 is kept out
    assert {"sub_class:IMI", "super_class:MI", "rhythm:SR", "form:PVC"} <= seed.present
    assert "sub_class:AMI" not in seed.present  # of likelihood 0
    assert len(builder.seeds_of((f"ptbxl:{tmp_path}",), held_out=True)) == 2
    (tmp_path / "ptbxl_database.csv").write_text(head + "1,11,60,1,x,__import__('os'),3\n")
    with pytest.raises(EcglmError, match="no dictionary"):
        builder.seeds_of((f"ptbxl:{tmp_path}",))


def test_a_model_behind_an_endpoint_writes_and_rules_still_hold(code15: str, tmp_path: Path, server,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    url, replies, seen = server
    monkeypatch.setenv("ECGLM_ENDPOINT_URL", url)
    monkeypatch.setenv("ECGLM_ENDPOINT_MODEL", "m")
    monkeypatch.setattr(setting, "MIX", {("rhythm", "open"): 1.0})
    written = [json.dumps({"question": f"Is number {i} known?", "answer": "As the report says, no."}) for i in range(60)]
    replies += written
    with pytest.raises(UsageError, match="no item"):  # every one speaks of a report
        build(Settings((code15,), n=1, form="endpoint"), tmp_path / "x.jsonl")
    assert not (tmp_path / "x.jsonl").exists()
    assert 0 < len(seen) <= 46  # no slot is tried twice


def asked(family: str, form: str, present: set[str], absent: set[str], values: dict[str, float] | None = None) -> set[str]:
    """Everything that is said in many draws of an item, its turns as "question answer"."""
    seed = Seed("x:1", "x:1", "x", "1.png", frozenset(present), frozenset(absent), values or {}, age=50)
    drafts = [template(seed, family, form, np.random.default_rng(k)) for k in range(60)]
    return {f"{q} {a}" for draft in drafts if draft is not None for q, a in draft.turns}


def test_number_and_articles_agree() -> None:
    many = asked("morphology", "closed", {"form:PVC"}, set())
    assert any("Are there ventricular premature complexes" in text for text in many)
    assert any("Yes, ventricular premature complexes are present." in text for text in many)
    assert not any(" is present" in text or "Is there" in text or "diagnose" in text for text in many)
    one = asked("morphology", "closed", set(), {"form:LNGQT"})
    assert any("does not show a long QT interval" in text for text in one)
    assert any("there is no long QT interval" in text for text in one)
    assert any("diagnose" in text for text in asked("morphology", "closed", {"sub_class:LVH"}, set()))
    rhythm = asked("rhythm", "fill", {"rhythm:SR", "rhythm:BIGU"}, set())
    assert rhythm
    assert all(text.endswith("sinus rhythm with a bigeminal pattern") for text in rhythm)


def test_intervals_are_long_and_rates_are_high() -> None:
    fast = asked("feature", "closed", set(), set(), {"heart_rate": 120.0})
    slow = asked("feature", "closed", set(), set(), {"pr": 230.0})
    assert any("heart rate too high" in text for text in fast)
    assert any("PR interval too long" in text for text in slow)
    assert not any("too high" in text for text in slow)


def test_atrial_fibrillation_has_no_pr_interval() -> None:
    present, values = {"rhythm:AFIB", "sub_class:LVH"}, {"heart_rate": 80.0, "pr": 170.0, "qrs": 90.0}
    said = asked("report", "open", present, set(), values) | asked("feature", "open", present, set(), values)
    assert any("QRS duration is 90 ms" in text for text in said)
    assert not any("PR interval" in text for text in said)


def test_an_interval_out_of_range_is_not_normal() -> None:
    present = {"rhythm:SR", "super_class:NORM", "sub_class:NORM"}
    assert asked("report", "open", present, set(), {"heart_rate": 70.0, "pr": 160.0})
    assert not asked("report", "open", present, set(), {"heart_rate": 70.0, "pr": 240.0})
    assert not asked("report", "dialogue", present, set(), {"heart_rate": 70.0, "pr": 240.0})
