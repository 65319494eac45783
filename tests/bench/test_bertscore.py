"""BERTScore against its formula, on a tiny model made here; how it is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecglm.bench import bertscore
from ecglm.bench.text_metrics import METRICS, metrics
from ecglm.errors import UsageError

TEXTS = ["sinus rhythm", "atrial fibrillation", "left bundle branch block", ""]
REFERENCES = ["normal sinus rhythm", "sinus rhythm", "left bundle branch block", "sinus rhythm"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A BERT of two layers with random weights and a vocabulary of whole words."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("bert")
    words = sorted({word for text in (*TEXTS, *REFERENCES) for word in text.split()})
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    BertTokenizer(str(folder / "vocab.txt"), model_max_length=32).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(vocab_size=5 + len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=32, max_position_embeddings=32)
    BertModel(config).save_pretrained(folder)
    return folder


def by_hand(folder: Path, text: str, reference: str) -> float:
    """Zhang et al. 2020, equations 1 to 3: every word piece is matched with the most similar one of the other text."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        rows = [model(**tokenizer(one, return_tensors="pt")).last_hidden_state[0].numpy() for one in (text, reference)]
    mine, its = (row / np.linalg.norm(row, axis=1, keepdims=True) for row in rows)
    alike = mine @ its.T
    precision, recall = alike.max(1)[1:-1].mean(), alike.max(0)[1:-1].mean()  # [CLS] and [SEP] weigh nothing
    return float(2 * precision * recall / (precision + recall))


def test_it_is_the_published_formula(tiny: Path) -> None:
    pytest.importorskip("bert_score", reason="bert-score is not installed; pip install 'ecglm[bertscore]'")
    found = bertscore.bert_score(TEXTS, REFERENCES, bertscore.scorer(tiny))
    wanted = [100 * by_hand(tiny, *pair) for pair in zip(TEXTS[:3], REFERENCES[:3], strict=True)]
    np.testing.assert_allclose(found, [*wanted, 0.0], atol=1e-3)
    assert found[2] == pytest.approx(100, abs=1e-3)


def test_it_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(bertscore.NAMED, raising=False)
    assert bertscore.from_environment() is None
    assert metrics() == METRICS


def test_what_cannot_be_had_is_said_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="not a folder of a transformers model"):
        bertscore.scorer(tmp_path)
    monkeypatch.setenv(bertscore.NAMED, str(tmp_path))
    monkeypatch.setattr(bertscore, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'ecglm\[bertscore\]'"):
        bertscore.from_environment()


def test_the_model_is_named(tiny: Path) -> None:
    assert bertscore.scorer(tiny, "tiny").name == "BERTScore F1 (tiny, layer 2)"
