"""BERTScore against its formula, on tiny models made here; what 0 is; how another model is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecglm.bench import bertscore
from ecglm.errors import UsageError

TEXTS = ["sinus rhythm", "atrial fibrillation", "left bundle branch block", ""]
REFERENCES = ["normal sinus rhythm", "sinus rhythm", "left bundle branch block", "sinus rhythm"]
WORDS = sorted({word for text in (*TEXTS, *REFERENCES) for word in text.split()})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A BERT of three layers with random weights and a vocabulary of whole words."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("bert")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    BertTokenizer(str(folder / "vocab.txt"), model_max_length=32).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(vocab_size=5 + len(WORDS), hidden_size=16, num_hidden_layers=3, num_attention_heads=2,
                        intermediate_size=32, max_position_embeddings=32)
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def causal(tmp_path_factory) -> Path:
    """A Llama of three layers, whose tokenizer puts no mark before a text, as that of smollm2."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("llama")
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate(["<s>", "<unk>", *WORDS])}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", unk_token="<unk>").save_pretrained(folder)
    torch.manual_seed(0)
    LlamaModel(LlamaConfig(vocab_size=2 + len(WORDS), hidden_size=16, num_hidden_layers=3, num_attention_heads=2,
                           intermediate_size=32, max_position_embeddings=64)).save_pretrained(folder)
    return folder


def test_greedy_matching_by_hand() -> None:
    """Three word pieces against two: precision (1 + .6 + .3) / 3, recall (1 + .6) / 2."""
    alike = np.array([[1.0, 0.2], [0.4, 0.6], [0.1, 0.3]])
    precision, recall = 1.9 / 3, 1.6 / 2
    assert bertscore.greedy_f1(alike) == pytest.approx(2 * precision * recall / (precision + recall))
    assert bertscore.greedy_f1(alike) == pytest.approx(0.70698, abs=1e-5)


def by_hand(folder: Path, text: str, reference: str, before: tuple[str, ...]) -> float:
    """Zhang et al. 2020, equations 1 to 3, on the second of three layers; marks weigh nothing."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    rows = []
    for one in (text, reference):
        ids = tokenizer.convert_tokens_to_ids([*before, *one.split(), *(["[SEP]"] if before == ("[CLS]",) else [])])
        with torch.inference_mode():
            states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[2][0].numpy()
        states = states[1:1 + len(one.split())]
        rows.append(states / np.linalg.norm(states, axis=1, keepdims=True))
    alike = rows[0] @ rows[1].T
    precision, recall = alike.max(1).mean(), alike.max(0).mean()
    return float(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize(("model", "before"), [("tiny", ("[CLS]",)), ("causal", ("<s>",))])
def test_it_is_the_published_formula(model: str, before: tuple[str, ...], request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(model)
    found = bertscore.scorer(folder).f1(TEXTS, REFERENCES)
    wanted = [by_hand(folder, *pair, before) for pair in zip(TEXTS[:3], REFERENCES[:3], strict=True)]
    np.testing.assert_allclose(found, [*wanted, 0.0], atol=1e-5)
    assert found[2] == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(bertscore.scorer(folder).f1([t.upper() for t in TEXTS], REFERENCES), found, atol=1e-6)


def test_zero_is_what_unrelated_reports_have(tiny: Path) -> None:
    bert = bertscore.scorer(tiny)
    said = ["sinus rhythm", "atrial fibrillation", "left bundle branch block"]
    pairs = [(a, b) for a in said for b in said if a != b]
    on_scale = bertscore.rescaled(bert, [(said[n % 3], n) for n in range(9)], 0)
    assert bertscore.rescaled(bert, [(said[0], 1), (said[1], 1)], 0).baseline == 0  # of one patient: not unrelated
    lowest, highest = np.sort(bert.f1(*zip(*pairs, strict=True)))[[0, -1]]
    assert lowest < on_scale.baseline < highest
    assert on_scale(said, said) == pytest.approx([100] * 3, abs=1e-3)
    assert replace(bert, baseline=0.5)(["sinus rhythm"], ["atrial fibrillation"]) == pytest.approx(
        200 * (bert.f1(["sinus rhythm"], ["atrial fibrillation"]) - 0.5))


def test_what_cannot_be_had_is_said_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="not a folder of a transformers model"):
        bertscore.scorer(tmp_path)
    monkeypatch.setenv(bertscore.NAMED, "minilm")
    monkeypatch.setattr(bertscore, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'ecglm\[knowledge\]'"):
        bertscore.from_environment(tmp_path)


def test_the_model_is_named(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bertscore.scorer(tiny, "tiny").name == "BERTScore F1 (tiny, layer 2)"
    monkeypatch.setenv(bertscore.NAMED, str(tiny))
    assert bertscore.from_environment(tmp_path).folder == tiny
    monkeypatch.delenv(bertscore.NAMED)
    assert bertscore.from_environment(tiny).name == "BERTScore F1 (smollm2-135m, layer 2)"
