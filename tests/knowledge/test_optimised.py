"""DSPy chooses sentences and its prompt is optimised; a dummy model replies in place of a real one."""

from __future__ import annotations

import pytest

dspy = pytest.importorskip("dspy", reason="needs the extra `dspy`")

from dspy.utils import DummyLM  # noqa: E402

from ecglm.errors import UsageError  # noqa: E402
from ecglm.knowledge.answer import DECLINED, faithfulness  # noqa: E402
from ecglm.knowledge.base import load as base  # noqa: E402
from ecglm.knowledge.optimised import PassageRetriever, Program, load, optimised, relevancy, save  # noqa: E402
from ecglm.knowledge.retrieve import Retriever  # noqa: E402
from ecglm.knowledge.words import sentences  # noqa: E402

ASKED = [("What are the criteria for LBBB?", ("criterion.lbbb",)), ("What causes right bundle branch block?", ("cause.rbbb",)),
         ("What is the normal PR interval?", ("range.pr",)), ("How is pneumonia treated?", ())]


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return Retriever(base(), embeddings=False)


def number_of(retriever: Retriever, question: str, entry: str) -> int:
    """Of the first sentence of an entry, as the program numbers them."""
    every = [hit.passage.id for hit in retriever.search(question, 5) for _ in sentences(hit.passage.text)]
    return every.index(entry) + 1


def right(retriever: Retriever) -> dict[str, dict[str, str]]:
    return {question: {"numbers": str([number_of(retriever, question, ids[0])] if ids else [])} for question, ids in ASKED}


def test_our_retriever_is_dspys(retriever) -> None:
    found = PassageRetriever(retriever, k=3)("What are the criteria for LBBB?")
    assert len(found.passages) == 3
    assert [hit.passage.text for hit in found.hits] == found.passages
    assert found.hits[0].passage.id == "criterion.lbbb"


def test_the_chosen_sentences_are_quoted_word_for_word(retriever) -> None:
    with dspy.context(lm=DummyLM(right(retriever))):
        program = Program(retriever)
        for question, ids in ASKED:
            found = program.answer(question)
            assert [p.id for p in found.passages] == list(ids)
            assert faithfulness(found.text, found.passages) == 1
            assert found.reason == (None if ids else DECLINED)


@pytest.mark.parametrize("numbers", ["[0, 999, -3]", "[]"])
def test_numbers_of_no_sentence_are_no_answer(retriever, numbers) -> None:
    with dspy.context(lm=DummyLM([{"numbers": numbers}])):
        found = Program(retriever).answer(ASKED[0][0])
    assert (found.quotes, found.reason) == ((), DECLINED)


def test_the_prompt_is_made_of_what_went_wholly_right_and_is_kept(retriever, tmp_path) -> None:
    replies = right(retriever)
    replies[ASKED[1][0]] = {"numbers": "[]"}  # a wrong refusal, which must not become an example
    with dspy.context(lm=DummyLM(replies)):
        made = optimised(retriever, ASKED)
    asked = {demo["question"] for demo in made.choose.demos}
    assert asked == {ASKED[0][0], ASKED[2][0], ASKED[3][0]}
    save(made, tmp_path / "program.json")
    again = load(tmp_path / "program.json", retriever)
    assert {demo["question"] for demo in again.choose.demos} == asked
    assert [file.name for file in tmp_path.iterdir()] == ["program.json"]
    lm = DummyLM([{"numbers": "[1]"}])
    with dspy.context(lm=lm):
        again.answer("What is a delta wave?")
    assert ASKED[0][0] in str(lm.history[0]["messages"])  # the examples are in the prompt


def test_another_file_is_no_program(retriever, tmp_path) -> None:
    (tmp_path / "x.json").write_text("[]")
    for path in (tmp_path / "x.json", tmp_path / "none.json"):
        with pytest.raises(UsageError, match="not a program"):
            load(path, retriever)
    with pytest.raises(UsageError, match=r"\.json"):
        save(Program(retriever), tmp_path / "program.pkl")


def test_relevancy_counts_refusals(retriever) -> None:
    with dspy.context(lm=DummyLM(right(retriever))):
        found = Program(retriever)(question=ASKED[0][0])
    example = dspy.Example(question=ASKED[0][0], relevant=["criterion.lbbb"])
    assert relevancy(example, found) == 1.0
    assert relevancy(dspy.Example(question="", relevant=["cause.rbbb"]), found, trace=[]) is False
