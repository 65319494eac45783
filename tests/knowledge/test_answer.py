"""Search and quoted answers: the right passage, word for word, with its citation, or a reason why not."""

from __future__ import annotations

import numpy as np
import pytest

from ecglm import knowledge
from ecglm.cli import main
from ecglm.errors import UsageError
from ecglm.knowledge import embed
from ecglm.knowledge.answer import answer, faithfulness, supported
from ecglm.knowledge.base import load
from ecglm.knowledge.query import analyse
from ecglm.knowledge.retrieve import Passage, Retriever
from ecglm.knowledge.words import content, numbers, sentences, words


@pytest.fixture(scope="module")
def base_only() -> Retriever:
    return Retriever(load(), embeddings=False)


@pytest.mark.parametrize(("one", "other"), [
    ("ischaemia", "ischemia"), ("Haemorrhages", "hemorrhage"), ("T-waves", "t wave"), ("repolarisation", "repolarization"),
    ("arrhythmias", "arrhythmia"), ("criteria", "Criteria"), ("bundle-branch blocks", "bundle branch block"), ("causes", "cause"),
    ("artefacts", "artifact"), ("diagnosis", "diagnosis")])
def test_spellings_plurals_and_hyphens_are_the_same_word(one: str, other: str) -> None:
    assert words(one) == words(other)


def test_words_that_differ_stay_different() -> None:
    assert words("mitral") != words("mi")
    assert words("first") != words("third")
    assert numbers("-30 to +90 degrees, QRS 120 ms, 12-lead") == {-30, 90, 120, 12}
    text = "It is so (Mason et al. say). QRS of 0.12 s. V1 too."
    assert sentences(text) == ["It is so (Mason et al. say).", "QRS of 0.12 s.", "V1 too."]


def test_the_longest_name_is_what_a_question_is_about() -> None:
    assert analyse("What is incomplete LBBB?", load()).entities == ("finding.ilbbb",)
    assert analyse("causes of Left Bundle-Branch Blocks", load()).entities == ("finding.lbbb",)
    assert "cause" in analyse("causes of LBBB", load()).kinds
    assert analyse("mitral limits minimal", load()).entities == ()  # "mi" is in all of them


@pytest.mark.parametrize(("question", "entry", "said"), [
    ("What are the criteria for LBBB?", "criterion.lbbb", "at least 120 ms"),
    ("What causes AV block?", "cause.av-block", "high potassium"),
    ("What causes left bundle branch block?", "cause.lbbb", "hypertension"),
    ("What are the causes of LBBB?", "cause.lbbb", "hypertension"),
    ("What is the next step in LBBB?", "action.lbbb", "echocardiogram"),
    ("What is the normal PR interval?", "range.pr", "120 to 200 ms"),
    ("How is Bazett's formula calculated?", "definition.bazett", "square root"),
    ("what should be done in atrial fibrillation", "action.af-stroke-risk", "stroke risk")])
def test_an_answer_quotes_the_entry_with_its_source(base_only: Retriever, question: str, entry: str, said: str) -> None:
    found = answer(question, base_only)
    assert found.quotes[0].passage.id == entry
    assert said in found.text
    assert all(quote.text in load().get(entry).text for quote in found.quotes)
    assert found.quotes[0].citation == "; ".join(map(str, load().get(entry).citations))
    assert faithfulness(found.text, found.passages) == 1


@pytest.mark.parametrize(("kind", "asked"), [("cause", "What causes {}?"), ("criterion", "What are the criteria for {}?")])
def test_causes_and_criteria_that_a_finding_is_linked_to_are_quoted_when_asked_for(base_only: Retriever, kind: str, asked: str,
                                                                                   ) -> None:
    linked = {e.title: {x.id for x in load().neighbours(e.id, kind)} for e in load().entries.values() if e.kind == "finding"}
    wrong = [title for title, ids in linked.items() if ids
             and answer(asked.format(title.lower()), base_only).quotes[0].passage.id not in ids]
    assert wrong == []


@pytest.mark.parametrize("question", ["What is the capital of France?", "How is pneumonia treated?", "zzz qqq", "Who won?"])
def test_what_the_base_does_not_know_is_declined(base_only: Retriever, question: str) -> None:
    found = answer(question, base_only)
    assert found.quotes == ()
    assert found.reason == "the knowledge base has no passage on this"
    assert found.to_dict()["answer"] is None


def test_a_question_must_be_one(base_only: Retriever) -> None:
    for bad in ("", "?!", "a" * 3000):
        with pytest.raises(UsageError, match="empty or longer"):
            answer(bad, base_only)


def test_a_sentence_is_supported_only_with_its_numbers_words_and_denials() -> None:
    passage = "The QRS of adults normally lasts up to 110 ms. It is not wide in health."
    assert supported("The QRS of adults normally lasts up to 110 ms.", passage)
    assert supported("QRS of adults lasts up to 110 ms", passage)
    assert not supported("The QRS of adults normally lasts up to 120 ms.", passage)
    assert not supported("The QRS of adults normally does not last up to 110 ms.", passage)
    assert not supported("It is wide in health.", passage)
    assert not supported("The QRS lasts 110 ms in athletes with heart disease.", passage)


@pytest.mark.parametrize("question", ["normal QTc in women", "What is a normal QTc for a woman?"])
def test_a_range_is_found_by_few_words(base_only: Retriever, question) -> None:
    assert answer(question, base_only).passages[0].id == "range.qtc"


def test_parts_of_the_score_are_shown_and_lie_between_0_and_1(base_only: Retriever) -> None:
    hits = base_only.search("What are the criteria for LBBB?", 10)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 <= part <= 1 for hit in hits for part in hit.parts.values())
    assert set(hits[0].parts) == {"graph", "bm25", "covered"}
    assert base_only.search("...", 5) == []


def test_passages_of_a_document_are_found_beside_the_base() -> None:
    own = Passage("doc1.0", "House rules", "Our cath lab telephone for STEMI is extension 4711.", ("House rules (rules.md)",),
                  group="x")
    found = answer("What is the cath lab telephone extension?", Retriever(load(), [own], embeddings=False))
    assert found.quotes[0].passage is own
    assert found.quotes[0].citation == "House rules (rules.md)"


def test_embeddings_find_what_no_word_names() -> None:
    if not embed.available():
        pytest.skip("the extra `knowledge` with the weights is not installed")
    vectors = embed.embed(["The heart beats too fast.", "tachycardia", "a recipe for bread"])
    assert vectors.shape == (3, embed.SIZE)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_embeddings_that_are_not_installed_are_named(monkeypatch, capsys) -> None:
    monkeypatch.setattr(embed, "available", lambda: False)
    assert main(["knowledge", "search", "WPW", "--embeddings", "--no-documents"]) == 2
    assert "pip install 'ecglm[knowledge]'" in capsys.readouterr().err


def test_vectors_of_the_same_texts_are_made_once(tmp_path, monkeypatch) -> None:
    made = []
    monkeypatch.setenv("ECGLM_CACHE", str(tmp_path))
    monkeypatch.setattr(embed, "embed", lambda texts: made.append(1) or np.ones((len(texts), embed.SIZE), np.float32))
    for _ in range(2):
        assert embed.embedded(["a", "b"]).shape == (2, embed.SIZE)
    assert made == [1]
    next(tmp_path.glob("knowledge/*.npy")).write_bytes(b"cut short")
    assert embed.embedded(["a", "b"]).shape == (2, embed.SIZE)
    assert made == [1, 1]


def test_knowledge_of_the_package_works_without_documents(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ECGLM_KNOWLEDGE", str(tmp_path / "none"))
    assert knowledge.ask("What is the normal PR interval?", embeddings=False).quotes[0].passage.id == "range.pr"
    assert knowledge.search("WPW", 3, embeddings=False)[0].passage.id == "finding.wpw"
    assert not (tmp_path / "none").exists()  # asking writes nothing


def test_words_of_content_leave_out_stop_words() -> None:
    assert content("What is the QRS in a person?") == ["qrs"]
