"""Reduced random clones of what the vision path loads: CLIP, SigLIP, and LLaVA-1.6 in both of its layouts, written to disk."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    LlamaConfig,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from tests.tiny import tiny_tokenizer

SIDE, PATCH = 28, 7
#: (height, width), as in LLaVA-1.6, at this side.
PINPOINTS = [[SIDE, 2 * SIDE], [2 * SIDE, SIDE], [2 * SIDE, 2 * SIDE], [3 * SIDE, SIDE], [SIDE, 3 * SIDE]]
_CLIP = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": SIDE,
         "patch_size": PATCH, "projection_dim": 8}


def save_clip(folder: Path, seed: int = 0) -> Path:
    """A CLIP vision model in transformers' layout."""
    torch.manual_seed(seed)
    CLIPVisionModel(CLIPVisionConfig(**_CLIP)).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.3, 0.25]}))
    return folder


def save_siglip(folder: Path) -> Path:
    """A SigLIP vision model in transformers' layout."""
    torch.manual_seed(0)
    shape = {key: value for key, value in _CLIP.items() if key != "projection_dim"}
    SiglipVisionModel(SiglipVisionConfig(**shape)).save_pretrained(folder)
    return folder


def llava(seed: int = 0) -> LlavaNextForConditionalGeneration:
    """transformers' own LLaVA-1.6, reduced. The token of the picture lies beyond the tokenizer's."""
    vocabulary = len(tiny_tokenizer()) + 8
    torch.manual_seed(seed)
    text = LlamaConfig(vocab_size=vocabulary, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                       num_key_value_heads=2, max_position_embeddings=4096, tie_word_embeddings=False)
    config = LlavaNextConfig(vision_config=CLIPVisionConfig(**_CLIP), text_config=text, image_grid_pinpoints=PINPOINTS,
                             image_token_index=vocabulary - 1, tie_word_embeddings=False)
    return LlavaNextForConditionalGeneration(config).float().eval()


def save_released(folder: Path, model: LlavaNextForConditionalGeneration, clip: Path, with_tower: bool = True) -> Path:
    """The same weights under the names and in the configuration of LLaVA's own code, in two shards."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, torch.Tensor] = {}
    for name, value in model.state_dict().items():
        if name.startswith("model.vision_tower."):
            if with_tower:
                inner = name.removeprefix("model.vision_tower.").removeprefix("vision_model.")
                tensors[f"model.vision_tower.vision_tower.vision_model.{inner}"] = value
        elif name.startswith("model.multi_modal_projector."):
            old = name.removeprefix("model.multi_modal_projector.").replace("linear_1", "0").replace("linear_2", "2")
            tensors[f"model.mm_projector.{old}"] = value
        elif name.startswith("model.language_model."):
            tensors["model." + name.removeprefix("model.language_model.")] = value
        else:
            tensors[name] = value
    names = sorted(tensors)
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        save_file({name: tensors[name].contiguous() for name in part}, folder / f"model-0000{number}-of-00002.safetensors")
    text = model.config.text_config.to_dict()
    config = {key: text[key] for key in ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                                         "num_attention_heads", "num_key_value_heads", "max_position_embeddings", "rms_norm_eps")}
    (folder / "config.json").write_text(json.dumps(config | {
        "model_type": "llava_llama", "architectures": ["LlavaLlamaForCausalLM"], "tie_word_embeddings": False,
        "mm_projector_type": "mlp2x_gelu", "mm_vision_select_layer": -2, "mm_vision_select_feature": "patch",
        "mm_vision_tower": str(clip), "mm_patch_merge_type": "spatial_unpad", "image_aspect_ratio": "anyres",
        "image_grid_pinpoints": [[width, height] for height, width in PINPOINTS]}))
    tiny_tokenizer(None).save_pretrained(folder)
    return folder


def save_transformers(folder: Path, model: LlavaNextForConditionalGeneration) -> Path:
    """The layout that transformers writes."""
    model.save_pretrained(folder)
    tiny_tokenizer(None).save_pretrained(folder)
    return folder
