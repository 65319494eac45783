"""`EcgLanguageModel`: encoder, connector and language model in one checkpoint folder.

The folder follows Hugging Face conventions: ``config.json``, ``processor_config.json``,
``model.safetensors`` (encoder and connector), ``adapter/`` (peft), ``calibration.json``,
``run.json`` (with a checksum of every file), ``README.md`` and, for another language model to be taught, what the encoder's
teachers said (``out_of_fold.safetensors``). The language model itself is
referenced by name and loaded on first use.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from ecglm.answers import Finding
from ecglm.config import load_config
from ecglm.errors import CheckpointError
from ecglm.knowledge.statements import BY_KEY, keys
from ecglm.models import base as bases
from ecglm.models.adapted import adapter_writer, with_adapter
from ecglm.models.calibration import FindingCalibration
from ecglm.models.connectors import ConnectorConfig, MlpConnector
from ecglm.models.device import best_device, best_dtype
from ecglm.models.encoders.findings import FindingsEncoder, FindingsEncoderConfig, connector_input
from ecglm.models.facts import facts_text
from ecglm.models.folder import read_kind, write_folder
from ecglm.models.processor import EcgInputs, EcgProcessor
from ecglm.models.prompt import PromptFormat, plain
from ecglm.schema import Measurements

FORMAT = 4


@dataclass(frozen=True)
class ElmConfig:
    """Architecture of a checkpoint folder (``config.json``)."""

    model_type: str = "ecglm"
    format: int = FORMAT
    base: str = "smollm2-135m"
    labels: tuple[str, ...] = field(default_factory=keys)
    encoder: FindingsEncoderConfig = field(default_factory=FindingsEncoderConfig)
    connector: ConnectorConfig = field(default_factory=ConnectorConfig)


class Encoded(NamedTuple):
    """Encoder result of one record: calibrated logits and probabilities ``[C]``, connector input ``[F]``, embedding ``[D]``."""

    logits_C: NDArray[np.float32]
    prob_C: NDArray[np.float32]
    connector_F: NDArray[np.float32]
    emb_D: NDArray[np.float32]


class OutOfFold(NamedTuple):
    """Calibrated logits of findings of an encoder's R training recordings, each by networks that never saw it, and their numbers
    in PTB-XL."""

    logits_RC: Tensor
    ecg_id_R: Tensor


def _folded(_: torch.nn.Module, args: tuple[Tensor]) -> tuple[Tensor] | None:
    """The hidden states that the output layer gets, without the gaps that keeping the last positions leaves: `torch.matmul`
    cannot fold those into one product, and then copies the whole weight for every row of the batch."""
    (hidden_BLD,) = args
    folds = hidden_BLD.dim() < 3 or hidden_BLD.stride(0) == hidden_BLD.shape[1] * hidden_BLD.stride(1)
    return None if folds else (hidden_BLD.clone(memory_format=torch.contiguous_format),)


class EcgLanguageModel:
    """Encoder + connector + frozen language model with a LoRA adapter. See `from_pretrained`."""

    def __init__(
        self, config: ElmConfig, calibration: dict[str, Any], processor: EcgProcessor | None = None,
        adapter: Path | None = None, device: str | torch.device | None = None, base: str | None = None,
    ) -> None:
        self.config = config
        self.device = best_device(device)
        self.processor = processor or EcgProcessor()
        self.encoder = FindingsEncoder(config.encoder).to(self.device).eval()
        self.connector = MlpConnector(config.connector).to(self.device).eval()
        self.calibration = calibration
        try:
            self.findings_calibration = FindingCalibration.of(calibration["findings"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError("calibration.json: holds no calibration of findings; fetch the checkpoint again") from error
        self.adapter = adapter
        self.base = base or config.base
        self.name = config.base
        self.run: dict[str, Any] = {}
        self.card = ""
        #: What the encoder's teachers said of the recordings it learned from, for a language model to be taught again.
        self.out_of_fold: OutOfFold | None = None
        self._llm: Any = None
        self._tokenizer: Any = None
        self._format: PromptFormat | None = None

    # -- loading and saving ---------------------------------------------------------------

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, base: str | None = None, device: str | None = None) -> EcgLanguageModel:
        """Load a checkpoint folder. Raises CheckpointError when a file is missing, altered or of another version."""
        path = Path(folder)
        files = read_kind(path, "ecglm", FORMAT)
        config = load_config(ElmConfig, files.config)
        if config.labels != keys():
            raise CheckpointError(f"{path}: its labels are not those of this version of ecglm; train it again")
        processor = EcgProcessor.from_dict(files.processor)
        model = cls(config, files.calibration, processor, files.adapter, device, base)
        parts = {"encoder": model.encoder, "connector": model.connector}
        for name, module in parts.items():
            state = {k.removeprefix(name + "."): v for k, v in files.tensors.items() if k.startswith(name + ".")}
            try:
                module.load_state_dict(state)
            except RuntimeError as error:
                raise CheckpointError(f"{path}: model.safetensors does not fit config.json ({name}); fetch it again") from error
        if files.out_of_fold:
            model.out_of_fold = OutOfFold(**files.out_of_fold)
        model.name, model.run = files.name, files.run
        if (path / "README.md").is_file():
            model.card = (path / "README.md").read_text(encoding="utf8", errors="replace")
        return model

    def save_pretrained(self, folder: str | Path, run: dict[str, Any] | None = None, card: str | None = None) -> None:
        """Write the checkpoint folder. run and card default to those this model was loaded with."""
        tensors = {f"{name}.{key}": value for name, module in (("encoder", self.encoder), ("connector", self.connector))
                   for key, value in module.state_dict().items()}
        save_adapter = adapter_writer(self._llm, self.config.base)
        if save_adapter is None and self.adapter is not None:  # merged, or not loaded yet: it is what it was loaded from
            save_adapter = partial(shutil.copytree, self.adapter)
        run = self.run if run is None else run
        card = card or self.card or f"# {self.name}\n"
        write_folder(Path(folder), config=asdict(self.config), processor=self.processor.to_dict(),
                     calibration=self.calibration, tensors=tensors, run=run, card=card, save_adapter=save_adapter,
                     out_of_fold=None if self.out_of_fold is None else self.out_of_fold._asdict())

    # -- ECG side -------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, inputs: EcgInputs, mask_L: NDArray[np.float32] | None = None) -> Encoded:
        """Findings of one record; windows are averaged. mask_L hides leads (for lead evidence)."""
        return self.encode_masks(inputs, [inputs.mask_L if mask_L is None else mask_L])[0]

    @torch.no_grad()
    def encode_masks(self, inputs: EcgInputs, masks: Sequence[NDArray[np.float32]]) -> list[Encoded]:
        """`encode` under several lead masks in one batch."""
        n_windows = len(inputs.sig_WLT)
        windows = [torch.from_numpy(part).to(self.device) for part in (inputs.sig_WLT, inputs.beat_WLK, inputs.feat_WF)]
        windows.append(self.encoder.codec.pool(windows[0]))  # lead by lead, whichever others are hidden
        sig, beat, feat, pooled = (torch.cat([part] * len(masks)) for part in windows)
        mask = torch.from_numpy(np.repeat(np.stack(masks), n_windows, axis=0)).to(self.device)
        out = self.encoder(sig, mask, beat, feat, pooled)
        std = self.encoder.standardise(feat).cpu().numpy().reshape(len(masks), n_windows, -1).mean(1)
        raw = out.logits_BC.float().cpu().numpy().reshape(len(masks), n_windows, -1).mean(1)
        emb = out.emb_BD.float().cpu().numpy().reshape(len(masks), n_windows, -1).mean(1)
        # Hiding a lead to see what rests on it must not move the calibration: it follows the leads that the record has.
        logits = self.findings_calibration.calibrated(raw, inputs.mask_L, inputs.unrecorded)
        prob = np.asarray(expit(logits), np.float32)
        vector = connector_input(logits, std)
        return [Encoded(logits[i], prob[i], vector[i], emb[i]) for i in range(len(masks))]

    def findings(self, prob_C: NDArray[np.float32]) -> tuple[Finding, ...]:
        """All findings with calibrated probability and decision, in label order."""
        present = self.findings_calibration.present_C(prob_C)
        return tuple(Finding(BY_KEY[key].code, BY_KEY[key].name, BY_KEY[key].group, float(p), bool(there))
                     for key, p, there in zip(self.config.labels, prob_C, present, strict=True))

    def facts(self, prob_C: NDArray[np.float32], measurements: Measurements, sex: str | None = None,
              age: int | None = None) -> str:
        """What the language model reads about a record."""
        possible, lift = self.findings_calibration.possible_C(prob_C), self.findings_calibration.lift(prob_C)
        known = {key: float(lift[i]) for i, key in enumerate(self.config.labels) if possible[i]}
        return facts_text(self.findings(prob_C), known, measurements, sex, age)

    @property
    def possible(self) -> dict[str, float]:
        """Lower threshold of "possible" by statement key."""
        return dict(zip(self.config.labels, self.findings_calibration.possible, strict=True))

    def soft_prompt(self, connector_BF: NDArray[np.float32] | Tensor) -> Tensor:
        """soft_BND of connector inputs, in the language model's dtype."""
        vector = torch.as_tensor(connector_BF, dtype=torch.float32, device=self.device)
        soft: Tensor = self.connector(vector)
        return soft

    # -- language side --------------------------------------------------------------------

    @property
    def tokenizer(self) -> Any:
        """Tokenizer of the base model, loaded on first use."""
        if self._tokenizer is None:
            from transformers import AutoTokenizer

            self._tokenizer = AutoTokenizer.from_pretrained(bases.resolve(self.base))
        return self._tokenizer

    @property
    def format(self) -> PromptFormat:
        """Text around questions and answers."""
        if self._format is None:
            self._format = PromptFormat.of(self.tokenizer)
        return self._format

    @property
    def llm(self) -> Any:
        """The language model with the adapter merged into its weights, loaded on first use."""
        if self._llm is None:
            self._llm = self.load_llm()
        return self._llm

    def load_llm(self, merge: bool = True, dtype: torch.dtype | None = None) -> Any:
        """The base model with this checkpoint's adapter (merged unless told), in eval mode."""
        llm = with_adapter(bases.language_model(self.base, dtype or best_dtype(self.device)), self.adapter, merge)
        llm.get_output_embeddings().register_forward_pre_hook(_folded)
        return llm.to(self.device).eval()

    def tokens(self, text: str) -> list[int]:
        """Token ids without special tokens added."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def plain(self, text: str) -> str:
        """Text without the base model's control tokens, so that no question can end its own turn."""
        return plain(text, self.tokenizer)

    def embed_tokens(self, ids: Sequence[int]) -> Tensor:
        """emb_ND of token ids."""
        table = self.llm.get_input_embeddings()
        emb: Tensor = table(torch.tensor(list(ids), dtype=torch.long, device=self.device))
        return emb
