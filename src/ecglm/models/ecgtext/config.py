"""Architectures of ECG-text models, as JSON files whose stem is the name."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from ecglm.config import closest, load_config
from ecglm.errors import ConfigError

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


@dataclass(frozen=True)
class VitConfig:
    """A transformer over patches of all leads at once. patch and samples at fs (Hz); width, layers, heads as usual."""

    fs: float = 500.0
    samples: int = 5000
    leads: int = 12
    patch: int = 50
    width: int = 768
    layers: int = 12
    heads: int = 12
    dropout: float = 0.0


@dataclass(frozen=True)
class VectorConfig:
    """A perceptron over what a frozen encoder and measurements say of a recording; inputs values to `tokens` tokens."""

    inputs: int = 0
    hidden: int = 512
    tokens: int = 8
    width: int = 192
    dropout: float = 0.3


@dataclass(frozen=True)
class TextConfig:
    """A bidirectional transformer. context: tokens of a text that are read."""

    vocabulary: int = 30522
    context: int = 76
    width: int = 768
    layers: int = 12
    heads: int = 12
    dropout: float = 0.1


@dataclass(frozen=True)
class DecoderConfig:
    """A causal transformer that reads the ECG tower's tokens and writes the text."""

    width: int = 768
    layers: int = 12
    heads: int = 8
    dropout: float = 0.1


@dataclass(frozen=True)
class EcgTextConfig:
    """embed: width of the space. One of vit and vector is the ECG tower. decoder None: no captions."""

    embed: int = 512
    vit: VitConfig | None = None
    vector: VectorConfig | None = None
    text: TextConfig = field(default_factory=TextConfig)
    decoder: DecoderConfig | None = None

    def __post_init__(self) -> None:
        if (self.vit is None) == (self.vector is None):
            raise ValueError("give one ECG tower: vit or vector")


def architectures() -> list[str]:
    """Names of the architectures that ship."""
    return sorted(path.stem for path in CONFIGS.glob("*.json"))


def load_architecture(name: str | Path) -> EcgTextConfig:
    """By name, or from a JSON file. Raises ConfigError when there is none or it is malformed."""
    path = Path(name)
    if path.suffix != ".json":
        if str(name) not in architectures():
            raise ConfigError(f"there is no architecture {str(name)!r}; {closest(str(name), architectures())}")
        path = CONFIGS / f"{name}.json"
    try:
        data = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: missing or not valid JSON; give an architecture file") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: not a JSON object; give an architecture file")
    return load_config(EcgTextConfig, {key: value for key, value in data.items() if key != "about"})
