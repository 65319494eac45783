"""The knowledge benchmark: questions with sources, metrics, the rule's controls, and a judge behind a small local server."""

from __future__ import annotations

import json

import pytest

import ecglm
from ecglm.bench.judge import Judge, JudgeError, Verdict, from_environment, read_verdict
from ecglm.bench.judged import judged
from ecglm.bench.local_judge import LocalJudge
from ecglm.bench.studies.knowledge import FRESH, QUESTIONS, questions, run, scores
from ecglm.config import read_yaml
from ecglm.errors import CheckpointError, UsageError
from ecglm.knowledge import embed
from ecglm.knowledge.answer import answer
from ecglm.knowledge.base import load
from ecglm.knowledge.retrieve import Retriever

GOOD = json.dumps({"faithful": True, "relevant": False, "reason": "it strays"})


def test_every_question_has_a_source_that_its_entries_cite() -> None:
    data, fresh = read_yaml(QUESTIONS), read_yaml(FRESH)
    assert len(data["answerable"]) >= 100
    assert len(fresh["answerable"]) >= 80
    assert min(len(data["unanswerable"]), len(fresh["unanswerable"])) >= 20
    data = {part: data[part] + fresh[part] for part in data}
    for question, ids, source in data["answerable"]:
        assert source in {citation.source.key for name in ids for citation in load().get(name).citations}, question
    texts = [row[0] for row in data["answerable"]] + data["unanswerable"]
    assert len(set(texts)) == len(texts)


def test_the_halves_share_no_question() -> None:
    dev, test = ({one.question for one in questions(half)} for half in ("dev", "test"))
    assert not dev & test
    assert not (dev | test) & {one.question for one in questions("fresh")}
    assert len(dev) + len(test) == sum(map(len, read_yaml(QUESTIONS).values()))
    with pytest.raises(UsageError, match="dev, test or fresh"):
        questions("train")


@pytest.mark.parametrize(("found", "relevant", "expected"), [
    (["a", "b", "c"], {"a"}, (1, 1, 1, 1)), (["x", "a", "b"], {"a", "b"}, (0, 1 / 2, (1 / 2 + 2 / 3) / 2, 1)),
    (["x", "y"], {"a"}, (0, 0, 0, 0)), (["a", "x", "y", "z", "w", "b"], {"a", "b"}, (1, 1, 1, 1 / 2)), ([], {"a"}, (0, 0, 0, 0))])
def test_metrics_of_a_ranking(found, relevant, expected) -> None:
    assert scores(found, frozenset(relevant)) == pytest.approx(expected)


def test_the_study_beats_chance_and_its_controls_bite(monkeypatch) -> None:
    monkeypatch.setattr(embed, "available", lambda: False)
    monkeypatch.delenv("ECGLM_JUDGE_URL", raising=False)
    study = run(0, 200, False, local=False)
    found, answers = study.tables
    first = {row[0]: float(row[1].split()[0]) for row in found.rows}
    assert first["random order (chance)"] < 0.1
    assert first["graph + bm25"] > 0.5
    value = {row[1]: row[2] for row in answers.rows}
    assert float(value["faithfulness: sentences borne out, by rule"].split()[0]) == 1
    for name in ("a number changed", "a negation put in", "the answer to another question"):
        noticed, tried = map(int, value[f"altered answers noticed: {name}"].split("/"))
        assert tried > 20
        assert noticed >= 0.9 * tried
    assert any("Embeddings were left out" in note for note in study.notes)


def test_a_judge_is_asked_once_and_its_exchange_is_kept(server, tmp_path) -> None:
    url, replies, seen = server
    replies.append(GOOD)
    judge = Judge(url, "m", "secret", tmp_path / "t" / "judge.jsonl")
    verdict = judge.judge("What?", "That.", ["That is that."])
    assert (verdict.faithful, verdict.relevant) == (True, False)
    path, authorization, body = seen[0]
    assert path == "/v1/chat/completions"
    assert authorization == "Bearer secret"
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["faithful", "relevant", "reason"]
    assert json.loads(body["messages"][1]["content"]) == {"passages": ["That is that."], "question": "What?", "answer": "That."}
    assert judge.judge("What?", "That.", ["That is that."]) == verdict  # from the transcript: no reply is left
    assert len(seen) == 1
    assert "secret" not in (tmp_path / "t" / "judge.jsonl").read_text()


def test_bad_replies_are_tried_again_and_then_are_an_error(server) -> None:
    url, replies, seen = server
    replies += [500, "no JSON", GOOD]
    assert Judge(url, "m", wait=0.01).judge("q", "a", []).faithful
    assert len(seen) == 3
    replies += [b"{}", json.dumps({"faithful": "yes", "relevant": True, "reason": ""}), json.dumps({"faithful": True})]
    with pytest.raises(JudgeError, match="no usable reply"):
        Judge(url, "m", wait=0.01).judge("q", "a", [])
    replies += [401]
    with pytest.raises(JudgeError, match="HTTP 401"):
        Judge(url, "m", wait=0.01).judge("q", "a", [])
    assert len(seen) == 7  # a refusal is not asked again


def test_a_judge_that_is_not_there_is_an_error() -> None:
    with pytest.raises(JudgeError, match="ECGLM_JUDGE_URL"):
        Judge("http://127.0.0.1:9/v1", "m", tries=1, timeout=2).judge("q", "a", [])
    with pytest.raises(UsageError, match="not http"):
        Judge("file:///etc/passwd", "m")


def test_the_judge_is_off_unless_it_is_set(monkeypatch) -> None:
    monkeypatch.delenv("ECGLM_JUDGE_URL", raising=False)
    assert from_environment() is None
    monkeypatch.setenv("ECGLM_JUDGE_URL", "http://localhost:1/v1")
    monkeypatch.setenv("ECGLM_JUDGE_MODEL", "m")
    judge = from_environment()
    assert judge is not None
    assert judge.model == "m"


@pytest.mark.parametrize("reply", ["[]", "{}", "null", '{"faithful": 1, "relevant": true, "reason": ""}',
                                   '{"faithful": true, "relevant": true, "reason": "", "more": 1}'])
def test_a_reply_must_fit_the_schema(reply) -> None:
    with pytest.raises(ValueError, match="must be"):
        read_verdict(reply)


def test_the_study_with_a_judge_has_its_table(server, monkeypatch, tmp_path) -> None:
    url, replies, seen = server
    replies += [GOOD] * 3000
    monkeypatch.setattr(embed, "available", lambda: False)
    monkeypatch.setenv("ECGLM_JUDGE_URL", url)
    monkeypatch.setenv("ECGLM_JUDGE_MODEL", "tiny")
    table = run(0, 100, False, "dev", str(tmp_path / "judge.jsonl")).tables[-1]
    assert "tiny" in table.title
    assert [list(row[:2]) for row in table.rows] == [
        ["faithfulness", "1.000"], ["answer relevancy", "0.000"], ["context precision", "0.000"], ["context recall", "1.000"],
        ["known: the answer to another question is faithful", "1.000"], ["known: a right passage is relevant", "0.000"],
        ["known: a wrong passage is relevant", "0.000"]]
    assert seen


class Knowing:
    """A judge that goes by whether one of the passages holds the answer, and calls relevant what is about the left bundle."""

    model = "knowing"

    def judge(self, question, answer, passages):
        return Verdict(any(answer in passage for passage in passages), "left" in answer, "")


def test_what_a_judge_says_is_held_against_what_is_known() -> None:
    retriever = Retriever(load(), embeddings=False)
    asked = [("What are the criteria for left bundle branch block?", "criterion.lbbb"), ("What causes RBBB?", "cause.rbbb"),
             ("What is the capital of France?", None)]
    pairs = [(answer(question, retriever), frozenset([entry] if entry else ())) for question, entry in asked]
    share = {row[0]: float(row[1]) for row in judged(Knowing(), load(), pairs, None, 0).rows}
    assert share["faithfulness"] == 1
    assert share["answer relevancy"] == 0.5
    assert share["context recall"] == 1
    assert share["known: the answer to another question is faithful"] == 0
    assert share["known: a right passage is relevant"] == 0.5
    assert 0 < share["context precision"] <= 1


def test_the_model_that_ships_judges_and_says_how_sure(tmp_path) -> None:
    try:
        judge = LocalJudge(ecglm.load())
    except CheckpointError as error:
        pytest.skip(f"the base language model is not here: {error}")
    text = "The normal PR interval of adults is 120 to 200 ms."
    same, other = (judge.judge("What is the normal PR interval?", said, [text]) for said in (text, "Flutter waves are regular."))
    of = [[float(word) for word in one.reason.replace(",", "").split() if word[-1].isdigit()] for one in (same, other)]
    assert [one.faithful for one in (same, other)] == [f > 0 for f, _ in of]
    assert of[0][1] > of[1][1]  # it holds an answer more relevant than what is none
