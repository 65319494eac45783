"""The published FSL-ECG-QA encoder, on a clone with its names and smaller sizes."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import save_file

from ecglm.errors import CheckpointError, ConfigError
from ecglm.models.encoders.fairseq_ecg import FairseqEcgConfig, FairseqEcgEncoder

SMALL = FairseqEcgConfig(conv_width=16, width=32, layers=2, heads=4, ffn=64, pos_kernel=8, pos_groups=4)
#: Names of a fairseq-signals ecg_transformer_classifier, as its modules make them.
LAYER = [f"{part}.{kind}" for part in ("self_attn.k_proj", "self_attn.v_proj", "self_attn.q_proj", "self_attn.out_proj",
                                       "self_attn_layer_norm", "fc1", "fc2", "final_layer_norm") for kind in ("weight", "bias")]
NAMES = ["encoder.mask_emb", "encoder.encoder.layer_norm.weight", "encoder.encoder.layer_norm.bias",
         *(f"encoder.feature_extractor.conv_layers.{i}.0.weight" for i in range(4)),
         "encoder.feature_extractor.conv_layers.0.2.weight", "encoder.feature_extractor.conv_layers.0.2.bias",
         "encoder.post_extract_proj.weight", "encoder.post_extract_proj.bias", "encoder.conv_pos.pos_conv.0.bias",
         "encoder.layer_norm.weight", "encoder.layer_norm.bias", "proj.weight", "proj.bias"]


def save(folder, config, old_weight_norm, classifier=True):
    torch.manual_seed(0)
    model = FairseqEcgEncoder(config)
    state = model.state_dict()
    if old_weight_norm:
        for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
            state[f"conv_pos.pos_conv.0.{old}"] = state.pop(f"conv_pos.pos_conv.0.parametrizations.weight.{new}")
    if classifier:
        state = {f"encoder.{name}": value for name, value in state.items()} | {
            "encoder.mask_emb": torch.zeros(config.width), "proj.weight": torch.zeros(26, config.width),
            "proj.bias": torch.zeros(26)}
    save_file({k: v.contiguous().clone() for k, v in state.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(asdict(config)), "utf8")
    return model.eval(), state


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("classifier", [True, False])
def test_a_checkpoint_loads_by_its_names(tmp_path, old, classifier):
    model, state = save(tmp_path, SMALL, old, classifier)
    if classifier:
        layers = [f"encoder.encoder.layers.{i}.{name}" for i in range(SMALL.layers) for name in LAYER]
        weight = ["weight_g", "weight_v"] if old else ["parametrizations.weight.original0", "parametrizations.weight.original1"]
        assert set(state) == {*NAMES, *layers, *(f"encoder.conv_pos.pos_conv.0.{w}" for w in weight)}
    loaded = FairseqEcgEncoder.from_folder(tmp_path)
    wave = torch.randn(3, 12, 2500)
    with torch.no_grad():
        torch.testing.assert_close(loaded(wave), model(wave))
    assert loaded(wave).shape == (3, SMALL.width)
    assert not any(p.requires_grad for p in loaded.parameters())


def test_published_sizes():
    with torch.device("meta"):
        model = FairseqEcgEncoder()
        steps = model.feature_extractor.conv_layers(torch.empty(1, 12, 2500)).shape[-1]
    assert steps == 156
    assert model.conv_pos.pos_conv[0].weight.shape == (768, 48, 128)
    assert 88e6 < sum(p.numel() for p in model.parameters()) < 95e6


@pytest.mark.parametrize("sizes", ["[]", "{", '{"width": "x"}', '{"width": -1}', '{"heads": 7}', '{"strides": []}'])
def test_sizes_that_are_none_are_refused(tmp_path, sizes):
    save(tmp_path, SMALL, True)
    (tmp_path / "config.json").write_text(sizes, "utf8")
    with pytest.raises(ConfigError, match=r"config\.json") as error:
        FairseqEcgEncoder.from_folder(tmp_path)
    assert "\n" not in str(error.value)


def test_sizes_beyond_the_file_are_refused_without_their_memory(tmp_path):
    save(tmp_path, SMALL, True)
    (tmp_path / "config.json").write_text(json.dumps(asdict(replace(SMALL, ffn=10 ** 12))), "utf8")
    with pytest.raises(CheckpointError, match="convert"):
        FairseqEcgEncoder.from_folder(tmp_path)


@pytest.mark.parametrize("damage", ["missing", "garbage", "other", "wider"])
def test_other_files_are_refused(tmp_path, damage):
    save(tmp_path, SMALL, True)
    path = tmp_path / "model.safetensors"
    if damage == "missing":
        path.unlink()
    elif damage == "garbage":
        path.write_bytes(b"no weights")
    elif damage == "other":
        save_file({"a": torch.zeros(1)}, path)
    else:
        (tmp_path / "config.json").write_text(json.dumps(asdict(replace(SMALL, width=64))), "utf8")
    with pytest.raises(CheckpointError, match=r"model\.safetensors.*convert") as error:
        FairseqEcgEncoder.from_folder(tmp_path)
    assert "\n" not in str(error.value)
