"""BLEU, ROUGE-L, METEOR and CIDEr-D of generated texts against one reference each, with intervals over patients, and
BERTScore (`bertscore`) where a scorer is given.

Libraries: sacrebleu (BLEU), rouge-score (ROUGE-L), nltk (METEOR); extra ``bench``. METEOR's third matching stage needs
WordNet, which nltk fetches from the net; it is left out here, so the metric is named `METEOR exact+stem`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.bench.bertscore import BertScore
from ecglm.bench.cider import cider_d
from ecglm.bench.stats import Bootstrap, Interval, interval
from ecglm.errors import UsageError
from ecglm.knowledge.report_labels import words

METRICS = ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "METEOR exact+stem", "CIDEr-D")
_LIBRARIES = ("sacrebleu", "rouge_score", "nltk")


def check_libraries() -> None:
    """Raises UsageError with the remedy where a library of the extra ``bench`` is missing."""
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise UsageError(f"text metrics need {', '.join(missing)}; run `pip install 'ecglm[bench]'`")


def tokens(text: str) -> list[str]:
    """Lower-case words, without punctuation, as all metrics but BLEU read them (BLEU: sacrebleu's 13a, lower case)."""
    return [word for word in words(text) if word[0].isalnum()]


def text_scores(texts: Sequence[str], references: Sequence[str], boot: Bootstrap, bert: BertScore | None = None,
                ) -> dict[str, Interval]:
    """Metric -> value with interval, all from 0 to 100 but CIDEr-D, from 0 to 10, and BERTScore, which may lie below 0. BLEU is
    of the corpus, unsmoothed; the others are means over texts. texts, references [N] in the order of `boot`'s patients.
    Raises UsageError for a missing library."""
    check_libraries()
    counts = bleu_counts(texts, references)
    drawn = boot.sums(counts)
    whole = counts.sum(axis=0)[None].astype(np.float64)
    out = {f"BLEU-{n}": interval(float(bleu(whole, n)[0]), bleu(drawn, n)) for n in range(1, 5)}
    each = {"ROUGE-L": rouge_l(texts, references), "METEOR exact+stem": meteor(texts, references),
            "CIDEr-D": cider_d([tokens(t) for t in texts], [tokens(r) for r in references])}
    if bert is not None:
        each[bert.name] = bert(texts, references)
    return out | {name: boot.mean(values) for name, values in each.items()}


def bleu_counts(texts: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    """What corpus BLEU adds up over texts [N, 10]: matches of 1..4-grams, all 1..4-grams, length, reference's length."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(lowercase=True, smooth_method="none", effective_order=False)
    found = [metric.corpus_score([text], [[reference]]) for text, reference in zip(texts, references, strict=True)]
    return np.array([[*s.counts, *s.totals, s.sys_len, s.ref_len] for s in found], dtype=np.float64)


def bleu(counts: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """BLEU-`order` [B], in percent, of summed `bleu_counts` [B, 10]: geometric mean of precisions times the brevity penalty
    (Papineni et al. 2002, 10.3115/1073083.1073135)."""
    match, total = counts[:, :order], counts[:, 4:4 + order]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(match / total).mean(axis=1)
        brevity = np.minimum(0.0, 1.0 - counts[:, 9] / counts[:, 8])
        score = np.exp(logs + brevity)
    return np.asarray(100 * np.where((match > 0).all(axis=1) & (counts[:, 8] > 0), score, 0.0))


def rouge_l(texts: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    """ROUGE-L F measure [N], in percent (Lin 2004), without stemming."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=_Words())
    return np.array([100 * scorer.score(reference, text)["rougeL"].fmeasure
                     for text, reference in zip(texts, references, strict=True)])


def meteor(texts: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    """METEOR [N], in percent, by exact words and Porter stems, alpha .9, beta 3, gamma .5 (Lavie & Agarwal 2007); no synonyms."""
    from nltk.stem.porter import PorterStemmer
    from nltk.translate.meteor_score import single_meteor_score

    stemmer = PorterStemmer()
    return np.array([100 * single_meteor_score(tokens(reference), tokens(text), stemmer=stemmer, wordnet=_NoSynonyms(),
                                               alpha=0.9, beta=3.0, gamma=0.5)
                     for text, reference in zip(texts, references, strict=True)])


class _NoSynonyms:
    """In place of WordNet: a word has no synonyms."""

    def synsets(self, word: str, *_: Any, **__: Any) -> list[Any]:
        return []


class _Words:
    """Our words for rouge-score, whose own drop every letter but a to z."""

    def tokenize(self, text: str) -> list[str]:
        return tokens(text)
