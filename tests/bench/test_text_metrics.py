"""Text metrics against values computed by hand from their published formulas, and against second implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ecglm.bench import text_metrics
from ecglm.bench.cider import cider_d
from ecglm.bench.stats import Bootstrap
from ecglm.bench.text_metrics import bleu, bleu_counts, meteor, rouge_l, text_scores
from ecglm.errors import UsageError

AB, CD = ["a", "b"], ["c", "d"]


def test_cider_of_the_reference_itself_is_ten_per_n_gram_order_that_it_has() -> None:
    assert cider_d([AB, CD], [AB, CD]).tolist() == pytest.approx([5.0, 5.0])  # words and pairs match, there are no 3- and 4-grams
    long = ["a", "b", "c", "d", "e"]
    assert cider_d([long, CD], [long, CD])[0] == pytest.approx(10.0 * (1 + 1 + 1 + 1) / 4)


def test_cider_clips_counts_and_punishes_other_lengths() -> None:
    # words: a twice against once, clipped: 2 / sqrt(5 · 2); pairs: "a b" of "a a", "a b": 1 / sqrt(2); one word too many
    wanted = 10 / 4 * math.exp(-1 / 72) * (2 / math.sqrt(10) + 1 / math.sqrt(2))
    assert cider_d([["a", "a", "b"], CD], [AB, CD])[0] == pytest.approx(wanted)


def test_cider_gives_no_weight_to_what_every_document_says() -> None:
    documents = [["x", "a"], ["x", "b"], ["x", "c"]]
    # "x" is in 3 of 3 documents: weight 0. "a" against "b": nothing in common.
    assert cider_d([["x", "a"]] * 2 + [["x", "c"]], [["x", "a"], ["x", "b"], ["x", "c"]])[1] == 0.0
    # by hand: "x a" against "x a b" over these documents; log 3 weighs a and "x a", and b (in one document); pairs "x a" of 2
    third = 10 / 4 * math.exp(-1 / 72) * (1 / math.sqrt(2) + 1 / math.sqrt(2))
    assert cider_d([["x", "a"]], [["x", "a", "b"]], documents)[0] == pytest.approx(third)


def test_cider_asks_for_one_reference_each() -> None:
    with pytest.raises(ValueError, match="one reference for each"):
        cider_d([AB], [AB, CD])


def test_bleu_clips_counts_as_in_its_paper() -> None:
    counts = bleu_counts(["the the the the the the the"], ["the cat is on the mat"])
    assert bleu(counts, 1)[0] == pytest.approx(100 * 2 / 7)
    assert bleu(counts, 2)[0] == 0.0


def test_bleu_punishes_short_texts_over_the_whole_corpus() -> None:
    counts = bleu_counts(["the cat", "on the mat"], ["the cat is", "on the mat"])
    assert bleu(counts.sum(axis=0)[None], 1)[0] == pytest.approx(100 * math.exp(1 - 6 / 5))
    assert bleu(counts.sum(axis=0)[None], 2)[0] == pytest.approx(100 * math.exp(1 - 6 / 5))  # 5 of 5 words, 3 of 3 pairs


def test_bleu_is_that_of_sacrebleu_over_a_corpus() -> None:
    import sacrebleu

    texts = ["sinus rhythm with left axis deviation.", "atrial fibrillation, rapid ventricular response."]
    references = ["sinus rhythm. left axis deviation is seen.", "atrial fibrillation with rapid ventricular response."]
    ours = bleu(bleu_counts(texts, references).sum(axis=0)[None], 4)[0]
    assert ours == pytest.approx(sacrebleu.corpus_bleu(texts, [references], smooth_method="none", lowercase=True).score)


def test_rouge_l_is_the_longest_common_subsequence() -> None:
    assert rouge_l(["police kill the gunman"], ["police killed the gunman"])[0] == pytest.approx(75.0)
    assert rouge_l(["Schenkelblöcke"], ["Schenkelbl ck"])[0] == 0.0


def test_meteor_matches_words_and_stems_and_counts_chunks() -> None:
    # F 1, one chunk of six: 1 - .5 (1/6)³; stems: one chunk of two; swapped: two chunks of two
    assert meteor(["the cat sat on a mat"], ["the cat sat on a mat"])[0] == pytest.approx(100 * (1 - 0.5 / 216))
    assert meteor(["cats sit"], ["cat sits"])[0] == pytest.approx(100 * (1 - 0.5 / 8))
    assert meteor(["b a"], ["a b"])[0] == pytest.approx(50.0)
    assert meteor(["automobile"], ["car"])[0] == 0.0


def test_meteor_weighs_recall_nine_times() -> None:
    # one of two words right, the reference has one: P 1/2, R 1, F 10 P R / (R + 9 P); one chunk of one match: half is lost
    assert meteor(["sinus flutter"], ["sinus"])[0] == pytest.approx(100 * (10 * 0.5 / (1 + 4.5)) * 0.5)


def test_intervals_hold_the_value_and_need_the_same_patients() -> None:
    texts = ["sinus rhythm. normal ecg."] * 6
    references = ["sinus rhythm. normal ecg."] * 3 + ["atrial fibrillation is present here."] * 3
    found = text_scores(texts, references, Bootstrap(list("aabbcc"), 200, 0))
    assert set(found) == set(text_metrics.METRICS)
    for name, value in found.items():
        assert value.low <= value.value <= value.high, name
    assert found["ROUGE-L"].value == pytest.approx(50.0)
    assert np.isfinite(found["BLEU-4"].low)


def test_a_missing_library_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_metrics, "find_spec", lambda name: None if name == "nltk" else object())
    with pytest.raises(UsageError, match=r"need nltk; run `pip install 'ecglm\[bench\]'`"):
        text_metrics.check_libraries()
