"""A question is taught with five simulated patients per answer and answered for others."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

import ecglm
from ecglm.errors import CheckpointError, UsageError
from ecglm.inference.adapt.adapter import Adapter
from ecglm.inference.adapt.space import VALUES, Description, FewShotSpace
from ecglm.inference.adapt.taught import cross_validate, wilson
from ecglm.inference.adapt.wording import wording
from ecglm.models.processor import BEAT_LENGTH
from ecglm.records.leads import LIMB_LEADS, STANDARD_12
from tests.inference.taught import CLASSES, QUESTION, few, patients, plain


@pytest.mark.parametrize(("leads", "least"), [(STANDARD_12, 0.85), (LIMB_LEADS, 0.85), (("II", "V5"), 0.75), (("II",), 0.75)],
                         ids=["12 leads", "limb leads", "II and V5", "II"])
def test_a_question_is_learnt_that_the_model_cannot_answer(leads: tuple[str, ...], least: float) -> None:
    new = [(record.select(leads), question, answer) for record, question, answer in patients(6, 2)]
    assert plain().ask(new[0][0], QUESTION).abstained
    answers = few().ask_batch([(record, question) for record, question, _ in new])
    right = np.mean([answer.text == truth for answer, (_, _, truth) in zip(answers, new, strict=True)])
    assert right >= least  # chance is a third


def test_an_answer_says_where_it_comes_from() -> None:
    answer = few().ask(patients(6, 2)[0][0], QUESTION)
    shares = dict(answer.probabilities)
    assert set(shares) == set(CLASSES.values())
    assert sum(shares.values()) == pytest.approx(1)
    assert answer.confidence == max(shares.values()) == shares[answer.text]
    assert answer.model.startswith("adapter ")
    told = [evidence.text for evidence in answer.evidence]
    assert told[0].startswith("from the adapter, taught by 15 examples of 15 patients (5 class one, 5 class two, 5 no class)")
    assert "chance 33 %" in told[0]
    assert f"{answer.text} {100 * answer.confidence:.0f} %" in told[1]
    assert told[2].count(f"({answer.text})") >= 2  # the examples most alike
    assert answer.to_dict()["probabilities"][answer.text] == round(answer.confidence, 4)


def test_the_estimate_of_more_leads_is_not_passed_off_as_that_of_fewer() -> None:
    record, question, _ = patients(6, 2)[0]
    whole, strip = (few().ask(one, question).evidence[0].text for one in (record, record.select(["II"])))
    assert "; cross-validated " in whole.replace("; cross-validated with", "")
    assert "; cross-validated with 12 leads: " in strip
    assert strip.endswith("; this recording has 1 readable")


def test_examples_answer_for_themselves() -> None:
    """A recording that was an example is most like itself."""
    record, question, _ = patients(5, 1)[7]
    assert "in rows 8 " in few().ask(record, question).evidence[2].text


def test_options_choose_among_the_taught_answers() -> None:
    record = patients(6, 2)[0][0]
    two = few().ask(record, QUESTION, ["Class Two", "no class"])
    assert set(dict(two.probabilities)) == {"class two", "no class"}
    other = few().ask(record, QUESTION, ["class one", "class nine"])
    assert other.abstained
    assert "not class nine" in str(other.reason)


def test_other_questions_go_to_the_model() -> None:
    record = patients(6, 2)[0][0]
    question = "How many leads are there in this recording?"
    assert few().ask(record, question) == plain().ask(record, question)
    unknown = few().ask(record, "Which class of the Lakeside protocol is this?")
    assert unknown.abstained
    assert QUESTION in str(unknown.reason)  # so that a slip of the pen is noticed


def test_a_dialogue_knows_the_question() -> None:
    record = patients(6, 2)[0][0]
    session = few().chat(record)
    assert "".join(session.stream(QUESTION)) == few().ask(record, QUESTION).text
    assert session.evidence[0].text.startswith("from the adapter")


def test_an_unreadable_recording_gets_no_answer() -> None:
    record = patients(6, 2)[0][0]
    answer = few().ask(replace(record, signal=np.zeros_like(record.signal)), QUESTION)
    assert answer.abstained
    assert "flat line" in str(answer.reason)


@pytest.mark.parametrize(("a", "b", "same"), [
    ("Is there a flurbish wave?", "Does this ECG show the flurbish wave", True),
    ("Any evidence of AF?", "Is there atrial fibrillation?", True),
    ("Zeigt das EKG ein Muster?", "zeigt das ekg ein muster", True),
    ("Is there a flurbish wave?", "Is there a flurbish T wave?", False),
    ("Is there a flurbish wave?", "Is there no flurbish wave?", False),
    ("Isn't there a flurbish wave?", "Is there a flurbish wave?", False),
    ("Is there ST elevation in I?", "Is there ST elevation in II?", False),
    ("Is the PR longer than the QT?", "Is the QT longer than the PR?", False),
    ("Is it type A or type B?", "Is it type B or type A?", True),
    ("QTc > 450?", "QTc < 450?", False),
    ("Is it of type A?", "Is it a type?", False),
    ("Is it class one?", "Is it a class?", False),
    ("IS THERE A FLURBISH WAVE?", "Is there a flurbish wave?", True),
    ("A flurbish wave?", "Flurbish wave", True),
])
def test_questions_are_the_same_when_they_ask_the_same(a: str, b: str, same: bool) -> None:
    assert (wording(a) == wording(b)) is same


def test_a_negated_question_is_declined_and_not_answered_with_the_opposite() -> None:
    negated = few().ask(patients(6, 2)[0][0], "Isn't this a class of the Riverside protocol? Which?")
    assert negated.abstained
    assert QUESTION in str(negated.reason)


@pytest.mark.parametrize("asked", [
    "Is there the Riverside sign or atrial fibrillation?", "Is there the Riverside sign and sinus rhythm?",
    "Is there sinus rhythm, and no Riverside sign?",
])
def test_a_taught_question_inside_another_is_not_ignored(asked: str) -> None:
    taught = plain().adapt([(record, "Is there the Riverside sign?", "yes" if answer == "class one" else "no", str(number))
                            for number, (record, _, answer) in enumerate(patients(5, 1))])
    record = patients(6, 2)[0][0]
    answer = taught.ask(record, asked)
    assert answer.abstained
    assert answer.reason == 'asks a taught question together with something else; ask "Is there the Riverside sign?" by itself'
    alone = "Is there sinus rhythm?"
    assert taught.ask(record, alone) == plain().ask(record, alone)
    session = taught.chat(record)
    assert "by itself" in "".join(session.stream(asked))


def test_a_question_in_another_language_is_sent_to_the_words_it_was_taught_in() -> None:
    record, question = patients(6, 2)[0][0], "Welche Klasse des Riverside-Protokolls zeigt dieses EKG?"
    reason = few().ask(record, question).reason
    assert str(reason) in "".join(few().chat(record).stream(question))
    assert str(reason).endswith(f'ask it in the words it was taught in: "{QUESTION}"')
    assert "English" not in str(reason)


def test_what_is_saved_answers_the_same(tmp_path: Path) -> None:
    few().save(tmp_path / "adapter")
    again = ecglm.load(adapter=tmp_path / "adapter")
    for record, question, _ in patients(6, 2)[:4]:
        assert again.ask(record, question) == few().ask(record, question)
    assert sum(file.stat().st_size for file in (tmp_path / "adapter").iterdir()) < 2_000_000
    assert {file.name for file in tmp_path.iterdir()} == {"adapter"}
    accuracy = json.loads((tmp_path / "adapter/adapter.json").read_text())["questions"][0]["estimate"]["accuracy"]
    assert 0.5 < accuracy == round(accuracy, 4)
    with pytest.raises(CheckpointError, match=r"or pass overwrite=True$"):
        few().save(tmp_path / "adapter")
    few().save(tmp_path / "adapter", overwrite=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(CheckpointError, match="not an adapter"):
        few().save(tmp_path / "mine", overwrite=True)
    with pytest.raises(CheckpointError, match=r"adapter\.json: is a file; give the folder that `ecglm adapt` made, .*/adapter$"):
        Adapter.load(tmp_path / "adapter/adapter.json")
    with pytest.raises(UsageError, match="nothing was taught"):
        plain().save(tmp_path / "none")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody may write in")
def test_a_folder_that_cannot_be_written_is_named_and_not_a_temporary_one() -> None:
    with pytest.raises(CheckpointError, match=r"^/proc/new: cannot be written \("):
        few().save("/proc/new")


def test_questions_are_added_and_replaced() -> None:
    other = [(record, "Is it regular?", "yes" if answer == "no class" else "no", str(number))
             for number, (record, _, answer) in enumerate(patients(5, 1))]
    both = few().adapt(other)
    record = patients(6, 2)[2][0]
    assert both.ask(record, "Is it regular?").text == "yes"
    assert both.ask(record, QUESTION).text == few().ask(record, QUESTION).text
    assert both.adapter is not None
    again = both.adapt([(record, "Is this regular?", "no" if answer == "yes" else "yes", patient)
                        for record, _, answer, patient in other])
    assert again.ask(record, "Is it regular?").text == "no"


@pytest.mark.parametrize(("name", "change", "message"), [
    ("adapter.json", lambda raw: raw.replace(b'"format": 2', b'"format": 9'), "another version"),
    ("adapter.json", lambda raw: raw.replace(b'"space": "', b'"space": "0'), "another version"),
    ("adapter.json", lambda raw: raw[:40], "damaged"),
    ("adapter.json", lambda raw: b"[1, 2]", "damaged"),
    ("adapter.json", lambda raw: raw.replace(b'"class two"', b'"class two", "class six"'), "damaged"),
    ("adapter.json", lambda raw: raw.replace(b'"examples": 15', b'"examples": 14'), "damaged"),
    ("adapter.json", lambda raw: raw.replace(b'"examples": 15', b'"examples": 10000000000000'), "damaged"),
    ("adapter.json", lambda raw: raw.replace(b'"examples": 15', b'"examples": Infinity'), "damaged"),
    ("adapter.json", lambda raw: raw.replace(b'"accuracy"', b'"accurate"'), "damaged"),
    ("adapter.json", lambda raw: raw.replace(b'"low": ', b'"low": 9'), "damaged"),
    ("adapter.json", lambda raw: raw.replace(b'"accuracy": ', b'"accuracy": NaN, "was": '), "damaged"),
    ("adapter.json", lambda raw: raw.replace(b'Which class', b'Which class' * 200), "damaged"),
    ("adapter.json", lambda raw: b"\xff" + raw, "damaged"),
    ("adapter.json", lambda raw: b"[" * 100_000, "damaged"),
    ("adapter.json", lambda raw: b" " * 5_000_000, "damaged"),
    ("adapter.safetensors", lambda raw: raw[:-1], "damaged"),
    ("adapter.safetensors", lambda raw: b"", "damaged"),
    ("adapter.safetensors", None, "missing"),
    ("adapter.json", None, "missing"),
])
def test_a_damaged_folder_is_one_line(tmp_path: Path, name: str, change: object, message: str) -> None:
    few().save(tmp_path / "adapter")
    file = tmp_path / "adapter" / name
    if callable(change):
        changed = change(file.read_bytes())
        assert changed != file.read_bytes()
        file.write_bytes(changed if name != "adapter.json" else _signed(changed))
    else:
        file.unlink()
    with pytest.raises(CheckpointError, match=message) as caught:
        Adapter.load(tmp_path / "adapter")
    assert "\n" not in str(caught.value)
    assert "ecglm adapt" in str(caught.value)


@pytest.mark.parametrize(("was", "becomes"), [
    (b'"class two"', b'"class six"'), (b"Which class of", b"Which grade of"), (b'"patients": 15', b'"patients": 150'),
    (b'"chance": 0.3', b'"chance": 0.1'),
], ids=["answer", "question", "count", "estimate"])
def test_what_the_folder_says_cannot_be_altered_unnoticed(tmp_path: Path, was: bytes, becomes: bytes) -> None:
    few().save(tmp_path / "adapter")
    file = tmp_path / "adapter/adapter.json"
    raw = file.read_bytes()
    assert was in raw
    file.write_bytes(raw.replace(was, becomes))
    with pytest.raises(CheckpointError, match=r"adapter\.json: damaged"):
        Adapter.load(tmp_path / "adapter")
    file.write_bytes(_signed(raw.replace(was, becomes)))
    Adapter.load(tmp_path / "adapter")  # the checksum alone told


def _signed(raw: bytes) -> bytes:
    """A changed adapter.json with the checksum of what it says now, so that what is behind the checksum is tried."""
    try:
        about = json.loads(raw)
        del about["sha256_of_this"]
    except (ValueError, TypeError, RecursionError):
        return raw
    canonical = json.dumps(about, sort_keys=True, separators=(",", ":")).encode()
    return json.dumps({**about, "sha256_of_this": hashlib.sha256(canonical).hexdigest()}).encode()


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"{}"], ids=["empty", "zeros", "text"])
def test_tensors_that_are_none_are_refused_even_with_their_checksum(tmp_path: Path, content: bytes) -> None:
    few().save(tmp_path / "adapter")
    about = json.loads((tmp_path / "adapter/adapter.json").read_text())
    changed = json.dumps({**about, "sha256": hashlib.sha256(content).hexdigest()}).encode()
    (tmp_path / "adapter/adapter.json").write_bytes(_signed(changed))
    (tmp_path / "adapter/adapter.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        Adapter.load(tmp_path / "adapter")


def test_intervals_are_wilsons() -> None:
    for hits, n in ((0, 5), (7, 10), (10, 10), (33, 50)):
        expected = binomtest(hits, n).proportion_ci(0.95, method="wilson")
        assert wilson(hits / n, n) == pytest.approx((expected.low, expected.high), abs=1e-6)


def _noise(count: int, seed: int) -> Description:
    rng = np.random.default_rng(seed)
    t = FewShotSpace.load().tensors
    value = t["mean_V"] + t["std_V"] * rng.normal(size=(count, len(VALUES)))
    beat = t["mean_B"].reshape(12, BEAT_LENGTH) + 0.3 * rng.normal(size=(count, 12, BEAT_LENGTH))
    return Description(value.astype(np.float32), beat.astype(np.float32), np.ones((count, 12), np.float32))


def test_cross_validation_of_noise_is_chance() -> None:
    """Neither better, as if examples were seen, nor worse, as when the rarer answer always loses."""
    found = [cross_validate(FewShotSpace.load(), _noise(10, seed), np.arange(10) % 2, [str(i) for i in range(10)], lambda: None)
             for seed in range(12)]
    assert np.mean([one.accuracy for one in found]) == pytest.approx(0.5, abs=0.1)
    assert sum(one.above_chance for one in found) <= 2


def test_cross_validation_leaves_patients_out() -> None:
    """Two recordings of each patient that are nearly alike must not vouch for each other."""
    noise = _noise(8, 3)
    twice = Description.join([noise, noise.rows(np.arange(8))])
    patient = [str(i % 8) for i in range(16)]
    answer = np.arange(16) % 2
    blind = cross_validate(FewShotSpace.load(), twice, answer, [str(i) for i in range(16)], lambda: None)
    honest = cross_validate(FewShotSpace.load(), twice, answer, patient, lambda: None)
    assert blind.accuracy > 0.95 > honest.accuracy
    assert (honest.n_patients, blind.n_patients) == (8, 16)


def test_the_shipped_space_says_what_it_was_fitted_on() -> None:
    from safetensors import safe_open

    from ecglm.inference.adapt.space import SHIPPED

    with safe_open(SHIPPED, "numpy") as file:
        about = file.metadata()
    assert about["labels"] == "none"
    assert "folds 1, 2, 3, 4, 5, 6, 7, 8 (" in about["data"]
    assert "CC BY 4.0" in about["attribution"]
    assert SHIPPED.stat().st_size < 1_000_000


def test_a_question_about_real_recordings_is_learnt_from_five_of_each(data_dir: Path) -> None:
    """LUDB, millivolts of another machine than those the space was scaled on: atrial fibrillation, as if it had no name."""
    from ecglm.corpus.external import ludb_items

    items = [item for item in ludb_items() if item.meta["labels"]["rhythm"]["AFIB"] != item.meta["labels"]["rhythm"]["SR"]]
    by_answer = {answer: [data_dir / item.record_key for item in items if item.meta["labels"]["rhythm"]["AFIB"] == value][:12]
                 for answer, value in (("yes", 1), ("no", 0))}
    examples = [(ecglm.read(path), "Does it belong on the Riverside list?", answer)
                for answer, paths in by_answer.items() for path in paths]
    support, new = examples[:5] + examples[12:17], examples[5:12] + examples[17:]
    taught = plain().adapt([(*example, str(number)) for number, example in enumerate(support)])
    answers = taught.ask_batch([(record, question) for record, question, _ in new])
    assert np.mean([answer.text == truth for answer, (_, _, truth) in zip(answers, new, strict=True)]) >= 0.8


def test_teaching_needs_no_torch() -> None:
    code = "import sys, ecglm.inference.adapt.teach; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
