"""Few-shot methods: each learns what it can see, on the language models people use, and nothing without a signal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GemmaConfig,
    GemmaForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from ecglm.corpus.episodes import AttributePool, EpisodeConfig, episodes
from ecglm.errors import CheckpointError
from ecglm.models.attention_mapper import AttentionMapper, AttentionMapperConfig
from ecglm.registry import METHODS
from ecglm.training.fewshot.evaluate import replies, score, token_accuracy
from ecglm.training.fewshot.fomaml import Fomaml
from ecglm.training.fewshot.gradient import GradientConfig
from ecglm.training.fewshot.in_context import InContext
from ecglm.training.fewshot.maml import Maml
from ecglm.training.fewshot.method import CONDITIONS
from ecglm.training.fewshot.protonet import ProtoNet
from ecglm.training.fewshot.reader import PrefixReader
from tests.fewshot_world import world
from tests.tiny import save_tiny_base, tiny_tokenizer

SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "max_position_embeddings": 1024}
MODELS = {"llama": (LlamaConfig, LlamaForCausalLM, {}), "gemma": (GemmaConfig, GemmaForCausalLM, {"head_dim": 8}),
          "phi": (PhiConfig, PhiForCausalLM, {}), "qwen": (Qwen2Config, Qwen2ForCausalLM, {})}
#: Layers that see the last tokens alone, fewer than a question has; and logits or embeddings that are scaled.
WINDOWED = {"gemma2": (Gemma2Config, Gemma2ForCausalLM, {"head_dim": 8, "sliding_window": 8}),
            "gemma3": (Gemma3TextConfig, Gemma3ForCausalLM, {"head_dim": 8, "sliding_window": 8, "num_hidden_layers": 6}),
            "mistral": (MistralConfig, MistralForCausalLM, {"sliding_window": 8})}
SCALED = {"cohere": (CohereConfig, CohereForCausalLM, {}),
          "granite": (GraniteConfig, GraniteForCausalLM, {"logits_scaling": 4.0})}
pytestmark = pytest.mark.filterwarnings("ignore:`past_key_values` is deprecated:FutureWarning")
FAST = GradientConfig(inner_steps=2, dropout=0.0, heads=4)


def reader(name: str = "llama", spread: float = 0.02) -> PrefixReader:
    """spread: of random weights; with small ones a model hardly listens to what comes before."""
    config, model, more = (MODELS | WINDOWED | SCALED)[name]
    tokenizer = tiny_tokenizer()
    torch.manual_seed(0)
    return PrefixReader(model(config(vocab_size=len(tokenizer), initializer_range=spread, **(SIZES | more))), tokenizer)


def drawn(config: EpisodeConfig, count: int, seed: int = 0):
    table, data = world()
    pool = AttributePool(table, table.keys, np.arange(len(table)))
    return table, data, list(episodes(pool.balanced(config), table.patient_N, config, count, seed))


def make(name: str, width: int, llm: PrefixReader, config: GradientConfig = FAST):
    kind = METHODS.get(name)
    if name in ("fomaml", "maml", "anil", "supervised"):
        return kind(llm, width, config)
    return {"in-context": lambda: InContext(llm), "protonet": lambda: ProtoNet(width)}.get(name, kind)()


@pytest.mark.parametrize("name", ["averaged", "linear-probe", "protonet"])
@pytest.mark.parametrize(("task", "least"), [("verify", 0.65), ("choose", 0.65), ("query", 0.45)])
def test_methods_of_vectors_learn_what_is_there_and_nothing_from_words(name, task, least):
    table, data, test = drawn(EpisodeConfig(task), 15)
    method = make(name, data.emb_NE.shape[1], None)
    method.meta_train(drawn(EpisodeConfig(task), 30, seed=1)[2], data, lambda *_: None)
    found = {c: score(replies(method, data, test, table.patient_N, c), 100) for c in CONDITIONS}
    assert found["full"].attributes.value > least
    for control in CONDITIONS[1:]:
        assert found[control].attributes.value < found["full"].chance + 0.15


def test_no_answer_is_always_the_last_example_in_context(monkeypatch):
    _, data, found = drawn(EpisodeConfig("verify", shots=2, queries=1), 12)
    llm, last = reader(), set()
    monkeypatch.setattr(llm, "complete", lambda shown, texts: last.add(shown.split()[-1]) or [""] * len(texts))
    for episode in found:
        InContext(llm).answer(episode, data)
    assert last == {"yes", "no"}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["fomaml", "maml", "anil", "supervised", "in-context"])
def test_every_method_runs_on_every_architecture(name, model):
    _, data, found = drawn(EpisodeConfig("verify", shots=2, queries=1), 2)
    method = make(name, data.emb_NE.shape[1], reader(model))
    losses = []
    method.meta_train(found, data, lambda _, loss: losses.append(loss))
    answers = method.answer(found[0], data)
    assert len(answers) == len(found[0].query)
    assert all(isinstance(a, str) for a in answers)
    assert name == "in-context" or (len(losses) == 2 and np.isfinite(losses).all())


@pytest.mark.parametrize("model", [*MODELS, *WINDOWED, *SCALED])
def test_kept_questions_give_the_loss_of_a_plain_forward_pass(model):
    llm = reader(model, 0.3)
    asked, answers = ["Is it AF?", "Does this ECG show a long QT interval?", "Is it AF?"], ["yes", "no", "no"]
    soft = torch.randn(3, 4, llm.width) * llm.spread
    kept = llm.loss(soft, asked, answers)
    plain = []
    for row, question, answer in zip(soft, asked, answers, strict=True):
        begin = [llm.tokenizer.bos_token_id, *llm.tokenizer.encode(f"Question: {question}\n", add_special_tokens=False)]
        tail = [*llm.ask, *llm.answer_ids(answer)]
        emb = torch.cat([llm.table(torch.tensor(begin)), row, llm.table(torch.tensor(tail))])
        with torch.no_grad():
            logits = llm.llm(inputs_embeds=emb[None]).logits[0]
        count = len(llm.answer_ids(answer))
        plain.append(torch.nn.functional.cross_entropy(logits[-count - 1:-1], torch.tensor(tail[-count:])))
    torch.testing.assert_close(kept, torch.stack(plain).mean(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("model", ["llama", "gemma3"])
def test_soft_tokens_start_at_the_spread_of_the_embeddings(model):
    llm = reader(model, 0.3)
    assert llm.spread == pytest.approx(float(llm.table(torch.arange(llm.table.num_embeddings)).std()), rel=0.02)


@pytest.mark.parametrize("damage", ["config", "weights", "tokenizer"])
def test_folders_that_hold_no_language_model_are_one_line(tmp_path, damage):
    folder = save_tiny_base(tmp_path)
    if damage == "config":
        (folder / "config.json").write_text("{}", "utf8")
    else:
        (folder / {"weights": "model.safetensors", "tokenizer": "tokenizer.json"}[damage]).unlink()
    with pytest.raises(CheckpointError, match="give the folder of one") as error:
        PrefixReader.load(str(folder))
    assert "\n" not in str(error.value)


def test_the_answer_depends_on_the_question_and_on_the_recording():
    llm = reader()
    soft = torch.randn(2, 4, llm.width)
    base = llm.loss(soft, ["Is it AF?"] * 2, ["yes"] * 2)
    assert not torch.isclose(base, llm.loss(soft, ["Is it normal?"] * 2, ["yes"] * 2))
    assert not torch.isclose(base, llm.loss(-soft, ["Is it AF?"] * 2, ["yes"] * 2))


@pytest.mark.parametrize("name", ["fomaml", "supervised"])
def test_adaptation_lowers_the_loss_of_the_support(name):
    _, data, found = drawn(EpisodeConfig("verify"), 1)
    method = make(name, data.emb_NE.shape[1], reader(spread=0.3), replace(FAST, inner_steps=40, inner_lr=0.3))
    method.mapper.eval()
    start = {k: v.detach() for k, v in method.mapper.named_parameters()}
    *_, last = method.steps(found[0].support, data)
    assert method.loss(last, found[0].support, data) < 0.9 * method.loss(start, found[0].support, data)


def test_anil_moves_the_output_layers_alone():
    _, data, found = drawn(EpisodeConfig("verify", shots=2), 1)
    method = make("anil", data.emb_NE.shape[1], reader())
    start = dict(method.mapper.named_parameters())
    *_, last = method.steps(found[0].support, data)
    moved = {name for name in start if not torch.equal(start[name], last[name])}
    assert moved
    assert all(method.adapts(name) for name in moved)
    assert any(not method.adapts(name) for name in start)


def test_second_order_differs_from_first_order_and_agrees_with_finite_differences():
    _, data, found = drawn(EpisodeConfig("verify", shots=2, queries=2), 1)
    grads = {}
    for kind in (Fomaml, Maml):
        method = kind(reader(), data.emb_NE.shape[1], replace(FAST, inner_lr=0.5, outer="last"))
        method.mapper.eval()
        method.outer(found[0], data)
        grads[kind] = {name: p.grad.clone() for name, p in method.mapper.named_parameters()}
    name = "o.bias"
    assert not torch.allclose(grads[Fomaml][name], grads[Maml][name], rtol=1e-2)
    bump = torch.zeros_like(method.mapper.o.bias)
    bump[3] = 1e-2
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            method.mapper.o.bias += sign * bump
        *_, last = method.steps(found[0].support, data)
        values.append(float(method.loss(last, found[0].query, data).detach()))
        with torch.no_grad():
            method.mapper.o.bias -= sign * bump
    assert (values[0] - values[1]) / 2e-2 == pytest.approx(float(grads[Maml][name][3]), rel=0.1, abs=2e-4)


def test_the_published_outer_gradient_is_the_mean_over_the_steps_from_the_second_on():
    _, data, found = drawn(EpisodeConfig("verify", shots=2, queries=2), 1)
    method = make("fomaml", data.emb_NE.shape[1], reader(spread=0.3), replace(FAST, inner_steps=4, inner_lr=0.3))
    method.mapper.eval()
    loss = method.outer(found[0], data)
    now = {name: p.detach().clone() for name, p in method.mapper.named_parameters()}
    mean, losses = {name: torch.zeros_like(p) for name, p in now.items()}, []
    for step in range(1, 5):
        leaves = {name: p.requires_grad_() for name, p in now.items()}
        down = torch.autograd.grad(method.loss(leaves, found[0].support, data), list(leaves.values()))
        now = {name: (p - 0.3 * g).detach().requires_grad_() for (name, p), g in zip(leaves.items(), down, strict=True)}
        asked = method.loss(now, found[0].query, data)
        if step > 1:
            losses.append(float(asked.detach()))
            for name, g in zip(now, torch.autograd.grad(asked, list(now.values())), strict=True):
                mean[name] += g / 3
        now = {name: p.detach() for name, p in now.items()}
    assert loss == pytest.approx(np.mean(losses), rel=1e-5)
    for name, p in method.mapper.named_parameters():
        torch.testing.assert_close(p.grad, mean[name], rtol=1e-4, atol=1e-6)


def test_meta_training_goes_on_where_it_stopped(tmp_path):
    _, data, found = drawn(EpisodeConfig("verify", shots=1, queries=1), 4)
    config = replace(FAST, save_every=2, dropout=0.3)
    whole = Fomaml(reader(), data.emb_NE.shape[1], config)
    whole.meta_train(found, data, lambda *_: None)
    Fomaml(reader(), data.emb_NE.shape[1], config, tmp_path).meta_train(found[:2], data, lambda *_: None)
    numbers = []
    resumed = Fomaml(reader(), data.emb_NE.shape[1], config, tmp_path)
    resumed.meta_train(found, data, lambda n, _: numbers.append(n))
    assert numbers == [3, 4]
    for a, b in zip(whole.mapper.parameters(), resumed.mapper.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_the_published_mapper_has_its_parameters():
    with torch.device("meta"):
        mapper = AttentionMapper(AttentionMapperConfig())
    assert len(list(mapper.parameters())) == 13
    assert sum(p.numel() for p in mapper.parameters()) == 26_250_240


def test_stored_replies_are_not_asked_again_and_damaged_lines_are(tmp_path):
    table, data, found = drawn(EpisodeConfig("verify", shots=2), 4)
    method, store = make("averaged", 1, None), tmp_path / "full.jsonl"
    first = replies(method, data, found, table.patient_N, "full", store)
    lines = store.read_text("utf8").splitlines()
    store.write_text("\n".join([*lines[:-1], lines[-1][:20]]), "utf8")
    asked = []
    again = replies(method, data, found, table.patient_N, "full", store, lambda n, _: asked.append(n))
    assert (again, asked) == (first, [4])
    assert replies(method, data, found, table.patient_N, "full", store, lambda n, _: asked.append(n)) == first
    assert asked == [4]
    replies(method, data, found[:2], table.patient_N, "full", store, lambda n, _: asked.append(n))
    assert asked == [4, 1, 2]


@pytest.mark.parametrize(("answer", "reply", "value"), [
    ([1, 2], [1, 2], 1.0), ([1, 2], [1, 3], 0.5), ([1, 2], [], 0.0), ([1, 2], [2, 1], 0.0), ([1, 2], [1, 2, 9], 1.0)])
def test_published_token_accuracy(answer, reply, value):
    assert token_accuracy(answer, reply) == value
