"""`EcgTextModel`: an ECG tower, a text tower and perhaps a decoder, in one checkpoint folder."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ecglm.atomic import replacing_folder
from ecglm.config import load_config
from ecglm.errors import CheckpointError, ConfigError
from ecglm.models.ecgtext.config import EcgTextConfig
from ecglm.models.ecgtext.tokens import TextTokens
from ecglm.models.ecgtext.towers import CaptionDecoder, EcgVit, TextTower, VectorTower
from ecglm.models.folder import verify_files
from ecglm.models.wheels import sha256

FORMAT = 1
#: Rate of prepared signals (`ecglm.models.processor`).
INPUT_FS = 125.0
#: Logit scale of the published model at its start and at most (Radford et al. 2021).
FIRST_SCALE, MOST_SCALE = math.log(1 / 0.07), math.log(100.0)


class Paired(NamedTuple):
    """What a loss reads: unit vectors of pairs and of further texts, scale and bias of the logits, logits of the captions."""

    ecg_BE: Tensor
    text_TE: Tensor
    scale: Tensor
    bias: Tensor
    caption_BNV: Tensor | None


class EcgTextModel(nn.Module):
    """See the folder's docstring. `ecg` is what its tower reads: (signal, mask) of a vit, (vector,) of a vector tower."""

    def __init__(self, config: EcgTextConfig, tokens: TextTokens) -> None:
        super().__init__()
        self.config = config = replace(config, text=replace(config.text, vocabulary=tokens.size))
        self.tokens = tokens
        self.ecg: EcgVit | VectorTower
        if config.vit is not None:
            self.ecg, width = EcgVit(config.vit, config.embed, INPUT_FS), config.vit.width
        else:
            assert config.vector is not None
            self.ecg, width = VectorTower(config.vector, config.embed), config.vector.width
        self.text = TextTower(config.text, config.embed)
        self.decoder = None if config.decoder is None else CaptionDecoder(config.decoder, config.text, width)
        self.log_scale = nn.Parameter(torch.tensor(FIRST_SCALE))
        self.bias = nn.Parameter(torch.tensor(-10.0))  # read by the SigLIP loss only (Zhai et al. 2023)
        self.run: dict[str, Any] = {}

    def forward(self, ecg: tuple[Tensor, ...], ids_TN: Tensor) -> Paired:
        """The first B texts belong to the B recordings; further ones are negatives."""
        tokens, ecg_BE = self.ecg(*ecg)
        own = ids_TN[: len(ecg_BE)]
        caption = None if self.decoder is None else self.decoder(own[:, :-1], tokens)
        return Paired(ecg_BE, self.text(ids_TN), self.log_scale.clamp(max=MOST_SCALE).exp(), self.bias, caption)

    @torch.no_grad()
    def encode_ecg(self, *ecg: Tensor) -> Tensor:
        """emb_BE, unit vectors, on the CPU."""
        emb: Tensor = self.ecg(*(x.to(self.log_scale.device) for x in ecg))[1]
        return emb.cpu()

    @torch.no_grad()
    def encode_text(self, texts: list[str], batch: int = 512) -> Tensor:
        """emb_TE, unit vectors, on the CPU."""
        parts = [texts[start:start + batch] for start in range(0, len(texts), batch)]
        ids = (self.tokens(part, self.config.text.context).to(self.log_scale.device) for part in parts)
        return torch.cat([self.text(ids_TN) for ids_TN in ids]).float().cpu()

    def save_pretrained(self, folder: Path, run: dict[str, Any], card: str) -> None:
        """Write the folder, weights in half precision and without the decoder, which only training needs."""
        tensors = {key: value.detach().cpu().half().contiguous() for key, value in self.state_dict().items()
                   if not key.startswith("decoder.")}
        config = {"model_type": "ecglm-ecgtext", "format": FORMAT, **asdict(replace(self.config, decoder=None))}
        with replacing_folder(folder) as scratch:
            save_file(tensors, scratch / "model.safetensors", metadata={"format": "pt"})
            (scratch / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf8")
            self.tokens.save(scratch / "tokenizer.json")
            (scratch / "README.md").write_text(card, encoding="utf8")
            hashes = {path.name: sha256(path) for path in sorted(scratch.iterdir())}
            (scratch / "run.json").write_text(json.dumps({**run, "sha256": hashes}, indent=1) + "\n", encoding="utf8")

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> EcgTextModel:
        """Load a folder; everything in it is checked first. Raises CheckpointError."""
        folder = Path(folder)
        try:
            run = json.loads((folder / "run.json").read_text(encoding="utf8"))
            verify_files(folder, run)
            raw = json.loads((folder / "config.json").read_text(encoding="utf8"))
            if raw.pop("model_type", None) != "ecglm-ecgtext" or raw.pop("format", None) != FORMAT:
                raise CheckpointError(f"{folder}: is not an ECG-text model of this version of ecglm; train it again")
            model = cls(load_config(EcgTextConfig, raw), TextTokens.load(folder / "tokenizer.json"))
            model.load_state_dict({key: value.float() for key, value in load_file(folder / "model.safetensors").items()})
        except (OSError, ValueError, AttributeError, SafetensorError, RuntimeError, ConfigError) as error:
            raise CheckpointError(f"{folder}: not a readable ECG-text model ({error}); train it with "
                                  "recipes/ecg_chat.yaml") from error
        model.run = run
        return model.eval()
