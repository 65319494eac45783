"""CAMEL's curriculum on a tiny language model: branches cost nothing, stages resume, what is saved answers the same."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import ecglm
from ecglm.config import load_config
from ecglm.errors import CheckpointError, UsageError
from ecglm.inference.model import whole
from ecglm.inference.seconds import Listener
from ecglm.models.seconds.config import SecondsConfig
from ecglm.models.seconds.language import SecondsLanguageConfig, SecondsLanguageModel
from ecglm.models.seconds.model import text_model
from ecglm.models.seconds.segments import Segments, segments
from ecglm.signal.simulate import simulate
from ecglm.training import steps
from ecglm.training.adapter import Lora, new_adapter
from ecglm.training.curriculum import lessons as lessons_module
from ecglm.training.curriculum import pipeline
from ecglm.training.curriculum.ablation import table, take_over
from ecglm.training.curriculum.align import align, at_the_end, end_of
from ecglm.training.curriculum.align import loss_of as read_of
from ecglm.training.curriculum.autoencoder import autoencode
from ecglm.training.curriculum.evaluate import Asked, ask_all, kind_of, marks
from ecglm.training.curriculum.fit import Reader, lesson_loss, train_stage
from ecglm.training.curriculum.lessons import Lesson, Teacher, ectopy
from ecglm.training.curriculum.recipe import Alignment, Autoencoding, CurriculumRecipe, Stage
from ecglm.training.curriculum.recordings import Recordings
from ecglm.training.curriculum.study import check_apart
from tests.tiny import save_tiny_base, tiny_tokenizer
from tests.training.interrupt import interrupted

CONFIG = SecondsConfig(fs=32, context=16, scale="robust", channels=(16, 16, 8), hidden=32, positions="time")
RECIPE = CurriculumRecipe(seconds=CONFIG, lora=Lora(4, 8), accumulate=2, save_every=2, no_ecg=0.0)
RECIPES = Path(__file__).resolve().parents[2] / "recipes"
PAIRS = [("Fast?", "yes"), ("Rhythm?", "sinus rhythm"), ("Rate?", "120 bpm")]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def recordings() -> Recordings:
    records = [one.record for name in ("normal", "sinus_tachycardia") for one in simulate(name, 2, seed=3)]
    return Recordings(CONFIG, {f"made:{i}": _half(segments(record, CONFIG)) for i, record in enumerate(records)})


def _half(ecg: Segments) -> Segments:
    return ecg._replace(seconds_LTS=ecg.seconds_LTS.astype(np.float16))


def model_of(base: Path, layers: int = 0) -> SecondsLanguageModel:
    torch.manual_seed(0)
    model = SecondsLanguageModel(SecondsLanguageConfig(base=str(base), layers=layers, seconds=CONFIG), device="cpu")
    model.llm.float()
    return model


def lessons(count: int) -> list[Lesson]:
    return [Lesson((f"made:{i % 4}",), [("Fast?", "yes" if i % 4 > 1 else "no"), *PAIRS[1:]], False, "labels", f"p{i}")
            for i in range(count)]


def test_questions_on_one_ecg_cost_what_they_cost_alone(base: Path, recordings: Recordings) -> None:
    model = model_of(base)
    together = Lesson(("made:0",), PAIRS, False, "labels", "p")
    with torch.no_grad():
        alone = torch.stack([lesson_loss(model, replace(together, pairs=[pair]), recordings, False) for pair in PAIRS])
        whole = lesson_loss(model, together, recordings, False)
        blank = lesson_loss(model, together, recordings, True)
    # Each answer weighs by the square root of its length.
    root = torch.tensor([len(model.tokens(answer + model.format.stop)) for _, answer in PAIRS]).sqrt()
    assert float(whole) == pytest.approx(float((alone * root).sum() / root.sum()), abs=1e-4)
    assert float(blank) != pytest.approx(float(whole), abs=1e-4)


def test_the_head_reads_in_lessons_what_it_read_alone(base: Path, recordings: Recordings) -> None:
    model, ecg = model_of(base, 2), recordings["made:0"]
    lesson = Lesson(("made:0",), PAIRS, False, "labels", "p")
    labels, numbers = np.array([1, 0, 1], np.uint8), np.array([0.5, np.nan], np.float32)
    head = torch.nn.Linear(CONFIG.hidden, 5)
    with torch.no_grad():
        alone = read_of(head(at_the_end(model, ecg)), labels, numbers)
        plain = lesson_loss(model, lesson, recordings, False)
        both = lesson_loss(model, lesson, recordings, False, Reader(head, {"made:0": (labels, numbers)}, 0.5))
        blank = lesson_loss(model, lesson, recordings, True, Reader(head, {"made:0": (labels, numbers)}, 0.5))
        last = model.seconds.plan([ecg], model.before([ecg]), [])
        top = model.seconds.run(model.llm, last, model.seconds.embed(model.llm, last, [ecg]))[end_of(last)]
    assert float(both) == pytest.approx(float(plain) + 0.5 * float(alone), abs=1e-4)
    assert float(blank) == pytest.approx(float(lesson_loss(model, lesson, recordings, True)), abs=1e-6)
    assert not torch.allclose(top, at_the_end(model, ecg), atol=1e-3)  # the middle is not the end
    assert len(text_model(model.llm).layers) == 2


def test_the_autoencoder_learns_to_keep_the_signal(base: Path, recordings: Recordings, tmp_path: Path) -> None:
    model = model_of(base)
    seconds = recordings.seconds(recordings.cut)
    kept = autoencode(model.seconds, seconds, Autoencoding(steps=300, batch=64, lr=5e-3), tmp_path, 0, progress=False)
    assert kept > 0.5
    other = tmp_path / "stopped"
    other.mkdir()

    def again(folder: Path) -> SecondsLanguageModel:
        taught = model_of(base)
        assert autoencode(taught.seconds, seconds, Autoencoding(steps=300, batch=64, lr=5e-3), folder, 0, progress=False) == kept
        return taught

    interrupted(steps, lambda: again(other))
    assert {file.name for file in other.iterdir()} == {"autoencoder.resume.safetensors"}
    for folder in (tmp_path, other):  # finished before, and stopped after 200 steps
        for name, value in again(folder).seconds.encoder.state_dict().items():
            assert torch.equal(value, model.seconds.encoder.state_dict()[name])
    assert {file.name for file in other.iterdir()} == {"autoencoder.safetensors"}


def test_a_stage_that_was_stopped_goes_on_as_if_it_had_not_been(base: Path, recordings: Recordings, tmp_path: Path) -> None:
    def train(folder: Path, count: int) -> tuple[SecondsLanguageModel, list[float]]:
        model = model_of(base)
        model.llm = new_adapter(model.llm, RECIPE.lora)
        taught = lessons(16)
        if count < 16:
            with pytest.raises(KeyError):  # the power fails in the middle: a recording is gone
                train_stage(model, "labels", [*taught[:count], *(replace(one, ecgs=("gone",)) for one in taught[count:])],
                            recordings, Stage(16), RECIPE, folder, progress=False)
        return model, train_stage(model, "labels", taught, recordings, Stage(16), RECIPE, folder, progress=False)

    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    one, losses = train(tmp_path / "whole", 16)
    _, again = train(tmp_path / "parts", 9)
    assert again == pytest.approx(losses, abs=1e-5)
    assert losses[-1] < losses[0]
    other = model_of(base)
    other.llm = new_adapter(other.llm, RECIPE.lora)
    assert train_stage(other, "labels", lessons(16), recordings, Stage(16), RECIPE, tmp_path / "whole", progress=False) == losses
    for a, b in zip(one.seconds.parameters(), other.seconds.parameters(), strict=True):
        assert torch.equal(a, b)


def test_learning_to_read_goes_on_at_the_last_epoch(base: Path, recordings: Recordings, tmp_path: Path) -> None:
    keys = list(recordings.cut)
    targets = {key: (np.array([i % 2], np.uint8), np.full(10, i / 4, np.float32)) for i, key in enumerate(keys)}

    def learn(folder: Path) -> tuple[SecondsLanguageModel, torch.nn.Linear]:
        folder.mkdir(exist_ok=True)
        model = model_of(base)
        model.llm = new_adapter(model.llm, RECIPE.lora)
        head, _ = align(model, keys, targets, recordings, keys * 2, Alignment(epochs=3, batch=2), folder, 0, progress=False)
        return model, head

    one, head = learn(tmp_path / "whole")
    interrupted(steps, lambda: learn(tmp_path / "parts"))
    other, again = learn(tmp_path / "parts")
    for a, b in zip((*one.seconds.parameters(), *head.parameters()), (*other.seconds.parameters(), *again.parameters()),
                    strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_what_is_saved_answers_the_same(base: Path, recordings: Recordings, tmp_path: Path) -> None:
    model = model_of(base, layers=1)
    model.llm = new_adapter(model.llm, RECIPE.lora)
    train_stage(model, "labels", lessons(8), recordings, Stage(8, lr=5e-3), RECIPE, tmp_path, progress=False)
    model.llm.eval()
    said = ask_all(model, lessons(4), recordings, progress=False)
    model.save_pretrained(tmp_path / "model", {"version": "1"}, "# card\n")
    loaded = SecondsLanguageModel.from_pretrained(tmp_path / "model", device="cpu")
    loaded.llm.float()
    assert len(loaded.llm.model.layers) == 1
    assert [a.said for a in ask_all(loaded, lessons(4), recordings, progress=False)] == [a.said for a in said]
    long = ecglm.load(tmp_path / "model", device="cpu")
    two = [one.record for one in simulate("normal", 2, seed=3)]
    answer = long.ask(two, "Fast?", options=["yes", "no"])
    assert answer.text in ("yes", "no")
    assert len(answer.evidence) == 2
    assert long.ask_batch([(two[0], "Fast?")])[0] == long.ask(two[0], "Fast?")
    assert long.ask(replace(two[0], signal=np.zeros_like(two[0].signal)), "Fast?").abstained
    with pytest.raises(UsageError, match="no report"):
        long.report(two[0])
    with pytest.raises(UsageError, match="only answers"):
        whole(long)
    (tmp_path / "model" / "model.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError):
        SecondsLanguageModel.from_pretrained(tmp_path / "model")


def test_no_question_ends_its_own_turn(base: Path) -> None:
    model = model_of(base)
    for special in model.tokenizer.get_added_vocab():
        assert model.between([("Fast?" + special, "yes")], "Rate?" + special) == model.between([("Fast? ", "yes")], "Rate? ")
    assert model.tokenizer.get_added_vocab()


def test_options_share_their_probability(base: Path, recordings: Recordings) -> None:
    listener = Listener(model_of(base), [recordings["made:0"]])
    scores = listener.score("Fast?", ("yes", "no"), [("Rhythm?", "sinus rhythm")])
    assert sum(scores) == pytest.approx(1.0)
    both, alone = listener.reply(["Fast?", "Rate?"])[0], listener.reply(["Fast?"])[0]
    assert both.text == alone.text
    assert math.log(both.probability) == pytest.approx(math.log(alone.probability), rel=1e-3)


def test_too_many_layers_and_a_wrong_width_are_refused(base: Path) -> None:
    with pytest.raises(UsageError, match="keep fewer"):
        SecondsLanguageModel(SecondsLanguageConfig(base=str(base), layers=9, seconds=CONFIG))
    with pytest.raises(UsageError, match="wide"):
        SecondsLanguageModel(SecondsLanguageConfig(base=str(base), seconds=replace(CONFIG, hidden=64)))


def test_who_taught_a_model_is_not_asked_about() -> None:
    check_apart(lessons(4), ["p4", "p5"])
    with pytest.raises(UsageError, match=r"2 people \(e.g. p2\) taught this model"):
        check_apart(lessons(4), ["p2", "p3", "p5"])


def test_too_few_recordings_to_ask_about_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.zeros((30, len(lessons_module.q.STATEMENTS)), np.uint8)
    labels[:12] = 1
    data = SimpleNamespace(labels_NC=labels, axis=np.zeros((30, 2)), patient=np.arange(30))
    monkeypatch.setattr(lessons_module.ptbxl, "load", lambda: data)
    assert Teacher(np.arange(30), {}, False, 4).asked
    with pytest.raises(UsageError, match="raise recordings"):
        Teacher(np.arange(15), {}, False, 4)


def test_two_ecgs_that_are_compared_are_of_two_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """And everybody who taught is on the list of those who may not be asked about, the second of a pair as well."""
    rng = np.random.default_rng(0)
    patient = np.array([7, 7, 7, 8])
    teacher = object.__new__(Teacher)
    teacher.rows, teacher.patient = np.arange(4), {row: f"ptbxl:{one}" for row, one in enumerate(patient)}
    teacher.data = SimpleNamespace(labels_NC=np.zeros((4, 200), np.uint8))
    teacher.measured = {row: SimpleNamespace(heart_rate=SimpleNamespace(value=60.0 + row)) for row in range(4)}
    for _ in range(30):
        a, b = (int(key.split(":")[1]) for key in teacher._compare(rng).ecgs)
        assert patient[a] != patient[b]
    monkeypatch.setattr(pipeline, "data_hash", lambda data: "")
    school = SimpleNamespace(teacher=teacher, data=None, learn={"labels": lessons(2)})
    told = pipeline._provenance(RECIPE, school, {}, "")["train_patients"]
    assert told == ["p0", "p1", "ptbxl:7", "ptbxl:8"]


def test_marks_by_kind() -> None:
    def asked(question: str, answer: str, said: str, p: float | None = None) -> Asked:
        return Asked("labels", kind_of(question, answer), question, answer, said, 0.5, "p", p)

    found = marks([asked("Fast?", "yes", "yes"), asked("Fast?", "no", "yes"), asked("A or B?", "A", "A"),
                   asked("Rate?", "60 bpm", "70 bpm"), asked("Rate?", "80 bpm", "fast"),
                   asked("How tall is the R wave in V1?", "0.50 mV", "0.30 mV"),
                   asked("Which of the two ECGs shows flutter?", "both", "first")])["labels"]
    assert found["yes/no"] == {"n": 2, "right": 0.5}
    assert found["choice"]["right"] == 1.0
    assert found["comparison"]["right"] == 0.0
    assert found["number"]["questions"]["Rate?"] == {"n": 2, "given": 1, "rmse": 10.0, "rmse_of_median": 10.0}
    assert found["number"]["questions"]["How tall is the R wave"]["rmse"] == pytest.approx(0.2)


def test_the_table_of_what_parts_are_worth() -> None:
    """Right answers by stage, a number within a tenth, the difference over all."""
    def asked(label: str, rate: str, p_yes: float) -> list[Asked]:
        return [Asked("labels", "yes/no", "?", "yes", label, 0.9, "1", None),
                Asked("labels", "open", "?", "LBBB", "LBBB", 0.9, "2", None),
                Asked("statistics", "number", "Rate?", "60 bpm", rate, 0.9, "1", None),
                Asked("dialogue", "open", "?", "sinus rhythm", "sinus rhythm", 0.9, "2", None),
                Asked("forecast", "yes/no", "?", "yes", "yes", 0.9, "1", p_yes),
                Asked("forecast", "yes/no", "?", "no", "no", 0.9, "2", 0.5)]

    shown = table("small", {"whole": asked("yes", "65 bpm", 0.9), "less": asked("no", "67 bpm", 0.1)}, 50, 0)
    first, second = shown.rows
    assert [cell.split()[0] for cell in first] == ["whole", "100.0", "100.0", "100.0", "1.000", "–"]
    assert [cell.split()[0] for cell in second[:5]] == ["less", "50.0", "0.0", "100.0", "0.000"]
    assert second[5].startswith("-33.3 ")
    without = table("labels alone", {"whole": asked("yes", "65 bpm", 0.9)[:2]}, 50, 0)
    assert without.head == ("trained", "labels", "all, difference")


def test_premature_beats_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {one: simulate(one, 1, seed=3)[0] for one in ("normal", "premature_ventricular")}
    monkeypatch.setattr(lessons_module, "record_of", lambda key: made[key].record)
    few = made["premature_ventricular"].truth.kind.count("ventricular")
    assert few > 0
    for key, count in (("normal", 0), ("premature_ventricular", few)):
        assert dict(ectopy(key))["How many ventricular premature beats are there?"] == f"{count} beats"
    monkeypatch.setattr(lessons_module, "record_of", lambda key: made["normal"].record.crop(0, 1.5))
    assert ectopy("short") == []


def test_a_variant_takes_over_what_comes_before_its_change(tmp_path: Path) -> None:
    for name in ("autoencoder.safetensors", "align.resume.safetensors", "labels.resume.safetensors", "labels.answers.json",
                 "statistics.resume.safetensors", "recipe.json"):
        (tmp_path / name).write_text(name)

    def taken(*changes: str) -> set[str]:
        take_over(tmp_path, tmp_path / changes[0], changes)
        return {file.name for file in (tmp_path / changes[0]).iterdir()}

    assert taken("autoencoder.steps=0") == set()
    assert taken("align.epochs=0", "read=0") == taken("seconds.mask=full") == taken("lora.rank=0") == {"autoencoder.safetensors"}
    assert taken("statistics.sequences=0") == {"autoencoder.safetensors", "align.resume.safetensors",
                                               "labels.resume.safetensors", "labels.answers.json"}


@pytest.mark.parametrize("images", [False, True])
def test_the_published_model_on_a_reduced_clone(recordings: Recordings, tmp_path: Path, images: bool) -> None:
    """Gemma 3 has layers with a sliding window; MedGemma-4B reads images as well, which must not get adapters."""
    from transformers import Gemma3Config, Gemma3ForCausalLM, Gemma3ForConditionalGeneration, Gemma3TextConfig, SiglipVisionConfig

    tokenizer = tiny_tokenizer()
    text = Gemma3TextConfig(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=6, head_dim=8,
                            num_attention_heads=4, num_key_value_heads=2, sliding_window=16, max_position_embeddings=2048)
    vision = SiglipVisionConfig(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28,
                                patch_size=14)
    torch.manual_seed(0)
    gemma = Gemma3ForConditionalGeneration(Gemma3Config(text_config=text.to_dict(), vision_config=vision.to_dict(),
                                                        mm_tokens_per_image=4)) if images else Gemma3ForCausalLM(text)
    gemma.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    published = load_config(CurriculumRecipe, RECIPES / "camel-published.yaml")
    assert published.seconds.width == 64
    assert published.align.epochs == 0
    recipe = replace(published, seconds=replace(published.seconds, hidden=32), accumulate=2)
    torch.manual_seed(0)
    model = SecondsLanguageModel(SecondsLanguageConfig(base=str(tmp_path / "base"), seconds=recipe.seconds), device="cpu")
    model.llm.float()
    ecgs = {key: segments(simulate("normal", 1, seed=i, duration_s=3.0)[0].record, recipe.seconds) for i, key in enumerate("ab")}
    made = Recordings(recipe.seconds, {key: _half(ecg) for key, ecg in ecgs.items()})
    taught = [Lesson((key,), PAIRS, False, "labels", key) for key in "abab"]
    model.llm = new_adapter(model.llm, recipe.lora)
    adapted = [name for name, p in model.llm.named_parameters() if p.requires_grad]
    assert adapted
    assert not any("vision" in name for name in adapted)
    assert model.llm.peft_config["default"].r == 128
    losses = train_stage(model, "labels", taught, made, recipe.labels, recipe, tmp_path, progress=False)
    assert losses[-1] < losses[0]
    model.llm.eval()
    plan = model.seconds.plan([ecgs["a"]], model.before([ecgs["a"]]), model.opening([ecgs["a"]]))
    with torch.inference_mode():
        emb = model.seconds.embed(model.llm, plan, [ecgs["a"]])
        whole_logits = model.llm.get_output_embeddings()(model.seconds.run(model.llm, plan, emb)[-1])
        _, logits = model.seconds.prefill(model.llm, plan, emb, chunk=9)
    assert torch.allclose(whole_logits, logits, atol=1e-4)
    assert Listener(model, [ecgs["a"]]).reply(["Fast?"])[0].probability > 0
