"""LLaVA-1.6 checkpoints as they were released (PULSE-7B is one): one folder with tower, connector and language model.

The layout is that of LLaVA's own code: a Llama ``config.json`` with ``mm_*`` keys, and tensors named ``model.mm_projector.0`` and
``.2``, ``model.image_newline``, ``model.vision_tower.vision_tower.*`` (where the tower was saved) beside ``model.layers.*``. They
are read by name here, tensor by tensor, from safetensors; nothing is unpickled. Folders that transformers wrote itself
("llava_next") are read too. No weights of this size come with ecglm, and none were run in making it: what is tested are
reduced clones of the same layout.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ecglm.errors import CheckpointError
from ecglm.models import base as bases
from ecglm.models.device import best_device, best_dtype
from ecglm.models.vision.config import TILINGS, VisionConfig
from ecglm.models.vision.language import VisionLanguageConfig, VisionLanguageModel
from ecglm.models.vision.towers import PatchTower, colours, patch_model

_TOWER = ("model.vision_tower.vision_tower.", "vision_tower.", "model.vision_tower.")
_PROJECTOR = {"model.mm_projector.": "", "multi_modal_projector.linear_1.": "0.", "multi_modal_projector.linear_2.": "2.",
              "model.multi_modal_projector.linear_1.": "0.", "model.multi_modal_projector.linear_2.": "2."}
_NEWLINE = ("model.image_newline", "image_newline")
_LANGUAGE = ("language_model.model.", "model.language_model.")
_HEAD = ("language_model.lm_head.", "lm_head.")


def is_llava(folder: Path) -> bool:
    """Whether a folder is a LLaVA checkpoint, of either layout."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and ("mm_projector_type" in config or config.get("model_type") == "llava_next")


def load_llava(folder: str | Path, device: str | None = None, tower: str | Path | None = None) -> VisionLanguageModel:
    """The model of a folder. tower: folder or hub id of its CLIP, where the checkpoint does not hold it; None: the one that its
    configuration names. Raises CheckpointError where something is missing or does not fit."""
    place = Path(folder)
    config = _config(place)
    found = _sorted(place)
    released = "mm_projector_type" in config
    if released and config["mm_projector_type"] != "mlp2x_gelu":
        raise CheckpointError(f"{place}: its connector is {config['mm_projector_type']!r}; mlp2x_gelu is read here")
    if not found["projector"]:
        raise CheckpointError(f"{place}: holds no connector (model.mm_projector.*); give the folder of a whole LLaVA model")
    seen = _tower(place, config, found["tower"], tower)
    text = config if released else config["text_config"]
    vision = VisionConfig(encoder="clip", source=str(place), layer=int(config.get("mm_vision_select_layer", config.get(
        "vision_feature_layer", -2))), tilings=_tilings(place, config, seen.side), newline="newline" in found["newline"],
        hidden=found["projector"]["0.weight"].shape[0])
    seen.config = vision
    from transformers import AutoTokenizer

    llm = _language(place, text, found["language"], best_dtype(best_device(device)))
    model = VisionLanguageModel(VisionLanguageConfig(base=str(place), template="llava_v1", vision=vision), None, device,
                                tower=seen, llm=llm, tokenizer=AutoTokenizer.from_pretrained(place))
    parts = {f"project.{name}": value.float() for name, value in found["projector"].items()} | {
        name: value.float() for name, value in found["newline"].items()}
    try:
        model.vision.load_state_dict(parts)
    except RuntimeError as error:
        raise CheckpointError(f"{place}: its connector does not fit its language model ({error})") from error
    model.name = place.name
    return model


def tower_of(folder: Path, config: VisionConfig) -> PatchTower:
    """The vision encoder of a LLaVA checkpoint, as a configuration wants it."""
    found = _tower(folder, _config(folder), _sorted(folder)["tower"], None)
    found.config = config
    return found


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / 'config.json'}: missing or unreadable; give the folder of a LLaVA model") from error
    if not is_llava(folder):
        raise CheckpointError(f"{folder}: is no LLaVA checkpoint (neither mm_projector_type nor llava_next in its config.json)")
    return dict(config)


def _tensors(folder: Path) -> Iterator[tuple[str, Tensor]]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise CheckpointError(f"{folder}: holds no .safetensors files; pickled weights (.bin) are not opened, convert them first")
    for file in files:
        try:
            with safe_open(file, framework="pt") as handle:
                for name in handle.keys():  # noqa: SIM118 - not a dict
                    yield name, handle.get_tensor(name)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{file}: not readable ({error}); fetch it again") from error


def _sorted(folder: Path) -> dict[str, dict[str, Tensor]]:
    """Tensors by the part that they belong to, under the names that the parts use. The order of the rules matters: the language
    model's own names ("model.layers...") are what is left."""
    parts: dict[str, dict[str, Tensor]] = {"tower": {}, "projector": {}, "newline": {}, "language": {}}
    for name, value in _tensors(folder):
        for old, new in _PROJECTOR.items():
            if name.startswith(old):
                parts["projector"][new + name.removeprefix(old)] = value
                break
        else:
            tower = next((p for p in _TOWER if name.startswith(p)), None)
            inside = next((p for p in _LANGUAGE if name.startswith(p)), None)
            head = next((p for p in _HEAD if name.startswith(p)), None)
            if name in _NEWLINE:
                parts["newline"]["newline"] = value
            elif tower is not None:
                parts["tower"][name.removeprefix(tower).removeprefix("vision_model.")] = value
            elif head is not None:
                parts["language"]["lm_head." + name.removeprefix(head)] = value
            else:
                parts["language"][name if inside is None else "model." + name.removeprefix(inside)] = value
    return parts


def _tower(folder: Path, config: dict[str, Any], tensors: dict[str, Tensor], given: str | Path | None) -> PatchTower:
    """CLIP: its shape from the folder it came from, its weights from the checkpoint where it holds them (they may be tuned)."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    blank = VisionConfig(encoder="clip", source=str(folder))
    if given is None and "vision_config" in config and tensors:
        model = CLIPVisionModel(CLIPVisionConfig(**config["vision_config"]))
        about = folder
    else:
        about = bases.resolve(str(given or config.get("mm_vision_tower") or folder))
        model = patch_model("clip", about)
    if tensors:
        inner = getattr(model, "vision_model", model)
        missing, unknown = inner.load_state_dict({k: v.float() for k, v in tensors.items()}, strict=False)
        if unknown or [name for name in missing if "position_ids" not in name and "post_layernorm" not in name]:
            raise CheckpointError(f"{folder}: its vision tower does not fit {about} ({', '.join([*missing, *unknown][:3])})")
    return PatchTower(blank, model, *colours("clip", about))


def _tilings(folder: Path, config: dict[str, Any], side: int) -> tuple[tuple[int, int], ...]:
    if "mm_projector_type" in config and config.get("image_aspect_ratio", "pad") != "anyres":
        return ()
    points = config.get("image_grid_pinpoints")
    if points is None:
        return TILINGS
    if any(int(value) % side for point in points for value in point):
        raise CheckpointError(f"{folder}: image_grid_pinpoints {points} are no multiples of its tower's {side} pixels")
    found = [(int(first) // side, int(second) // side) for first, second in points]
    # LLaVA's own files have (width, height), transformers' (height, width).
    return tuple((b, a) for a, b in found) if "mm_projector_type" in config else tuple(found)


def _language(folder: Path, config: dict[str, Any], tensors: dict[str, Tensor], dtype: torch.dtype) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    own = {k: v for k, v in config.items() if not k.startswith("mm_") and k not in ("model_type", "architectures")}
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(**own))
    if config.get("tie_word_embeddings") and "lm_head.weight" not in tensors:
        tensors = tensors | {"lm_head.weight": tensors["model.embed_tokens.weight"]}
    ours = {k: v.to(dtype) for k, v in tensors.items() if not k.endswith("rotary_emb.inv_freq")}
    missing, unknown = model.load_state_dict(ours, strict=False, assign=True)
    if missing or unknown:
        raise CheckpointError(f"{folder}: its tensors are no Llama of its config.json ({', '.join([*missing, *unknown][:3])})")
    # What is worked out and never saved (the frequencies of positions) has no values yet on "meta".
    fresh = type(model.model.rotary_emb)(model.config)
    model.model.rotary_emb = fresh
    return model
