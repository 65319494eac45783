"""A checkpoint folder loads to the same model, and a damaged one is refused with the file's name."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from ecglm.errors import CheckpointError
from ecglm.models.base import sha256
from ecglm.models.elm import EcgLanguageModel
from tests.signal.synthetic import synthetic_ecg
from tests.tiny_checkpoint import save_tiny, tiny_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "checkpoint")


def test_round_trip_gives_the_same_probabilities(tmp_path):
    model = tiny_model(tmp_path)
    model.save_pretrained(tmp_path / "out", {"version": "1"}, "# card\n")
    again = EcgLanguageModel.from_pretrained(tmp_path / "out")
    inputs = model.processor(synthetic_ecg()[0])
    np.testing.assert_array_equal(model.encode(inputs).prob_C, again.encode(inputs).prob_C)
    assert again.name == "out@1"


def test_saving_a_loaded_model_keeps_its_adapter_and_card(saved, tmp_path):
    model = EcgLanguageModel.from_pretrained(saved)
    model.adapter = tmp_path / "adapter"
    model.adapter.mkdir()
    (model.adapter / "adapter_config.json").write_text("{}")
    model.save_pretrained(tmp_path / "out")
    again = EcgLanguageModel.from_pretrained(tmp_path / "out")
    assert again.adapter is not None
    assert (again.adapter / "adapter_config.json").read_text() == (model.adapter / "adapter_config.json").read_text()
    assert again.card == model.card == "# test card\n"
    assert again.run["version"] == model.run["version"]


def test_keeping_the_last_positions_does_not_copy_the_output_layer(saved):
    llm = EcgLanguageModel.from_pretrained(saved).llm.requires_grad_(False)  # as a merged adapter leaves it
    vocabulary = llm.get_output_embeddings().weight.shape[0]
    ids = torch.arange(40).reshape(2, 20)
    with torch.inference_mode():
        whole = llm(input_ids=ids).logits
        with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as watched:
            last = llm(input_ids=ids, logits_to_keep=4).logits
    torch.testing.assert_close(last, whole[:, -4:])
    products = {event.name for event in watched.events() if any(vocabulary in shape for shape in event.input_shapes if shape)}
    assert "aten::mm" in products
    assert "aten::bmm" not in products  # of a batch: each row with a copy of the weight of its own


def test_folder_holds_safetensors_and_json_only(saved):
    assert {p.suffix for p in saved.rglob("*") if p.is_file()} <= {".json", ".safetensors", ".md"}


@pytest.mark.parametrize("name", ["model.safetensors", "calibration.json", "processor_config.json"])
def test_one_changed_byte_is_refused(copy, name):
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(bytes(data))
    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        EcgLanguageModel.from_pretrained(copy)


def test_a_truncated_file_is_refused(copy):
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="truncated or altered"):
        EcgLanguageModel.from_pretrained(copy)


@pytest.mark.parametrize("name", ["config.json", "run.json", "model.safetensors"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
        EcgLanguageModel.from_pretrained(copy)


def test_run_json_cannot_point_outside(copy):
    run = json.loads((copy / "run.json").read_text())
    run["sha256"]["../../etc/passwd"] = "0"
    (copy / "run.json").write_text(json.dumps(run))
    with pytest.raises(CheckpointError, match="outside the folder"):
        EcgLanguageModel.from_pretrained(copy)


def test_another_format_version_is_refused(copy):
    config = json.loads((copy / "config.json").read_text())
    config["format"] = 99
    (copy / "config.json").write_text(json.dumps(config))
    run = json.loads((copy / "run.json").read_text())
    run["sha256"]["config.json"] = sha256(copy / "config.json")
    (copy / "run.json").write_text(json.dumps(run))
    with pytest.raises(CheckpointError, match="format 99"):
        EcgLanguageModel.from_pretrained(copy)


def test_no_such_folder(tmp_path):
    with pytest.raises(CheckpointError, match="no such checkpoint folder"):
        EcgLanguageModel.from_pretrained(tmp_path / "nothing")


def test_a_file_that_is_not_listed_is_refused(copy):
    (copy / "adapter").mkdir(exist_ok=True)
    (copy / "adapter" / "adapter_model.bin").write_bytes(b"anything")
    with pytest.raises(CheckpointError, match=r"not listed in run\.json"):
        EcgLanguageModel.from_pretrained(copy)


def test_a_folder_that_is_not_a_checkpoint_is_never_replaced(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years of work")
    with pytest.raises(CheckpointError, match="not a checkpoint folder"):
        tiny_model(tmp_path).save_pretrained(tmp_path / "precious", {}, "")
    assert (tmp_path / "precious" / "thesis.txt").read_text() == "years of work"
