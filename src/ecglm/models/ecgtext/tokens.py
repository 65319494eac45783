"""Subwords of report texts: byte-pair encoding with single digits, learnt on the training texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

from ecglm.errors import CheckpointError
from ecglm.knowledge.report_text import folded
from ecglm.models.ecgtext.towers import END, PAD, START

#: A tokenizer file is far smaller; anything larger is not one.
MAX_BYTES = 5_000_000


class TextTokens:
    """Texts to ids [B, N]: START, subwords, END, then PAD."""

    def __init__(self, core: Tokenizer) -> None:
        self.core = core

    @classmethod
    def learn(cls, texts: Iterable[str], vocabulary: int) -> TextTokens:
        """Of these texts, at most `vocabulary` subwords. Deterministic."""
        core = Tokenizer(models.BPE(unk_token="<unknown>"))
        core.normalizer = normalizers.NFC()
        core.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)])
        letters = sorted("abcdefghijklmnopqrstuvwxyz0123456789.,;:()/-+&%<>=?!'\"")
        trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=["<pad>", "<start>", "<end>", "<unknown>"],
                                      initial_alphabet=letters, show_progress=False)
        core.train_from_iterator(sorted(map(folded, texts)), trainer)
        return cls(core)

    def __call__(self, texts: Sequence[str], context: int) -> Tensor:
        """ids_BN; texts longer than the context lose their end, where reports say least."""
        rows = [[START, *encoded.ids[: context - 2], END] for encoded in self.core.encode_batch([folded(text) for text in texts])]
        out = torch.full((len(rows), max(map(len, rows), default=2)), PAD)
        for line, ids in zip(out, rows, strict=True):
            line[: len(ids)] = torch.tensor(ids)
        return out

    @property
    def size(self) -> int:
        """Number of subwords."""
        return int(self.core.get_vocab_size())

    def save(self, path: Path) -> None:
        """``tokenizer.json``."""
        path.write_text(self.core.to_str(), encoding="utf8")

    @classmethod
    def load(cls, path: Path) -> TextTokens:
        """Raises CheckpointError when the file is missing or not a tokenizer."""
        try:
            if path.stat().st_size > MAX_BYTES:
                raise CheckpointError(f"{path}: larger than {MAX_BYTES:,} bytes; it is not a tokenizer of ecglm")
            return cls(Tokenizer.from_str(path.read_text(encoding="utf8")))
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{path}: missing or unreadable; fetch the folder again") from error
        except CheckpointError:
            raise
        except Exception as error:  # the library raises plain Exception
            raise CheckpointError(f"{path}: not a tokenizer ({error}); fetch the folder again") from error
