"""`VisionLanguageModel`: a language model that reads the tokens of a picture before the conversation, in one checkpoint folder.

The folder is that of `ecglm.models.adapted`, with connector and newline. The vision encoder is referenced by name, since it never
changes, and so is the language model, unless it was trained as a whole: then it is inside, in ``llm/``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ecglm.models.adapted import AdaptedModel
from ecglm.models.prompt import PromptFormat, answer_targets, conversation, plain
from ecglm.models.vision.config import VisionConfig
from ecglm.models.vision.model import VisionModel
from ecglm.models.vision.towers import Image, Tower, load_tower

MODEL_TYPE, FORMAT = "ecglm-vision-language", 1
#: Folder of a language model that was trained as a whole, inside the checkpoint.
_OWN = "llm"
#: LLaVA's conversation "v1", which Vicuna was tuned on.
_LLAVA_V1 = ("A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed, "
             "and polite answers to the human's questions. ")
Turns = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class VisionLanguageConfig:
    """``config.json``. template: "chat" is the chat template of the base (a plain form where it has none), "llava_v1" LLaVA's."""

    model_type: str = MODEL_TYPE
    format: int = FORMAT
    base: str = "smollm2-135m"
    template: Literal["chat", "llava_v1"] = "chat"
    vision: VisionConfig = field(default_factory=VisionConfig)


class Said(NamedTuple):
    """A reply and the mean log-probability of its tokens."""

    text: str
    logprob: float


class VisionLanguageModel(AdaptedModel):
    """See `from_pretrained`. tower and llm: already loaded ones, instead of those that the configuration names."""

    Config = VisionLanguageConfig
    config: VisionLanguageConfig

    def __init__(self, config: VisionLanguageConfig, adapter: Path | None = None, device: str | None = None, *,
                 tower: Tower | None = None, llm: Any = None, tokenizer: Any = None) -> None:
        super().__init__(config, adapter, device, llm=llm, tokenizer=tokenizer)
        self.format = _llava_v1(self.tokenizer) if config.template == "llava_v1" else PromptFormat.of(self.tokenizer)
        self._adapt(config.vision.hidden, "vision.hidden")
        self.vision = VisionModel(config.vision, tower or load_tower(config.vision)).to(self.device).eval()
        self.vision.tower.to(self.device)

    @property
    def part(self) -> VisionModel:
        """What ``model.safetensors`` holds."""
        return self.vision

    @classmethod
    def _made(cls, folder: Path, config: VisionLanguageConfig, adapter: Path | None, device: str | None) -> Self:
        from ecglm.models.vision.llava import is_llava, load_llava

        if config.base == _OWN:  # the language model was trained as a whole, and is inside
            config = replace(config, base=str(folder / _OWN))
        if not is_llava(Path(config.base)):
            return cls(config, adapter, device)
        whole = load_llava(config.base, device)
        return cls(config, adapter, device, tower=whole.vision.tower, llm=whole.llm, tokenizer=whole.tokenizer)

    def save_pretrained(self, folder: str | Path, run: dict[str, Any], card: str, whole: bool = False) -> None:
        """Write the checkpoint folder; the adapter of a model in training goes with it, or with whole the language model."""
        if not whole:
            super().save_pretrained(folder, run, card)
            return

        def inside(adapter: Path) -> None:
            self.llm.save_pretrained(adapter.parent / _OWN)
            self.tokenizer.save_pretrained(adapter.parent / _OWN)

        self._write(folder, run, card, replace(self.config, base=_OWN), inside)

    # -- prompts ------------------------------------------------------------------------------

    def beginning(self) -> list[int]:
        """Ids of what precedes the picture."""
        first = self.tokenizer.bos_token_id if self.config.template == "llava_v1" else None
        return ([] if first is None else [first]) + self.tokens(self.format.before_ecg)

    def embedded(self, image: Image | None, turns: Turns, features_TND: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Embeddings emb_ND of a conversation behind a picture (None: no picture, the text-only control), and target_N: the
        answers' tokens where the token before predicts them, -100 elsewhere. The last answer may be empty: to be said."""
        table = self.llm.get_input_embeddings()
        pieces = conversation([(plain(question, self.tokenizer), answer) for question, answer in turns], self.format)
        if turns and not turns[-1][1]:
            pieces = pieces[:-1]
        after, target = answer_targets(pieces, self.tokens, self.tokens(self.format.before_question))

        def of(ids: Sequence[int]) -> Tensor:
            emb: Tensor = table(torch.tensor(list(ids), dtype=torch.long, device=self.device))
            return emb

        parts = [of(self.beginning())]
        if image is not None:
            parts.append(self.vision.tokens(image, features_TND).to(parts[0].dtype))
        before = sum(len(part) for part in parts)
        return torch.cat([*parts, of(after)]), torch.tensor([-100] * before + target, device=self.device)

    def loss(self, image: Image | None, turns: Turns, features_TND: Tensor | None = None) -> Tensor:
        """Mean cross-entropy of the answers' tokens; questions, picture and system text count nothing."""
        emb, target = self.embedded(image, turns, features_TND)
        asked = target >= 0
        hidden = self.llm(inputs_embeds=emb[None], output_hidden_states=True).hidden_states[-1][0]
        logits = self.llm.get_output_embeddings()(hidden[asked]).float()
        return cross_entropy(logits, target[asked])

    @torch.inference_mode()
    def score(self, image: Image | None, question: str, options: Sequence[str], turns: Turns = ()) -> list[float]:
        """Probability of each option as the answer, all options together 1."""
        features = None if image is None else self.vision.tower.features(image)
        logs = []
        for option in options:
            emb, target = self.embedded(image, [*turns, (question, option)], features)
            last = self._last(target)
            logits = self.llm(inputs_embeds=emb[None]).logits[0, last].float()
            logs.append(-cross_entropy(logits, target[last], reduction="sum"))
        return [float(p) for p in torch.stack(logs).softmax(0)]

    @staticmethod
    def _last(target_N: Tensor) -> Tensor:
        """Places that predict the last answer: the last run of targets."""
        places = (target_N >= 0).nonzero().squeeze(1)
        breaks = (places[1:] - places[:-1] > 1).nonzero()
        return places[int(breaks[-1]) + 1:] if len(breaks) else places

    @torch.inference_mode()
    def reply(self, image: Image | None, question: str, turns: Turns = (), max_tokens: int = 128) -> Said:
        """The greedy reply to a question behind a picture and earlier turns."""
        from ecglm.inference.engine import Engine

        stop = self.tokens(self.format.stop)[:1]
        emb, _ = self.embedded(image, [*turns, (question, "")])
        (made,) = Engine(self.llm, stop).generate_many([emb], max_tokens)
        mean = sum(made.logprobs) / max(1, len(made.logprobs))
        return Said(self.tokenizer.decode(made.ids, skip_special_tokens=True).strip(), mean)


def _llava_v1(tokenizer: Any) -> PromptFormat:
    end = tokenizer.eos_token or "</s>"
    return PromptFormat(_LLAVA_V1 + "USER: ", "\n", " ASSISTANT:", f"{end}USER: ", end)
