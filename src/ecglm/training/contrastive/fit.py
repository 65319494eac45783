"""The loop: text tower first, then pairs; any number of processes through accelerate; resumes after the last epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ecglm.errors import ConfigError
from ecglm.knowledge.report_text import distinct
from ecglm.models.ecgtext import EcgTextModel
from ecglm.models.ecgtext.towers import PAD
from ecglm.training.checkpoint import load_state, save_state
from ecglm.training.contrastive.data import Pairs
from ecglm.training.contrastive.recipe import ContrastiveTraining
from ecglm.training.objectives.caption import caption_loss
from ecglm.training.objectives.contrastive import info_nce, sig_lip

#: Neighbours of a text among which its hard negative is drawn.
NEAR = 32


class Trainee(nn.Module):
    """The model with a head that says a text's statements, which only training needs. One forward for all losses, as
    DistributedDataParallel wants it."""

    def __init__(self, model: EcgTextModel, statements: int) -> None:
        super().__init__()
        self.model = model
        self.statements = nn.Linear(model.config.embed, statements)

    def text_loss(self, ids_TN: Tensor, label_TC: Tensor) -> Tensor:
        """Statements of texts, summed over statements."""
        return self._judged(self.model.text(ids_TN), label_TC)

    def _judged(self, text_TE: Tensor, label_TC: Tensor) -> Tensor:
        logits = self.statements(text_TE * self.model.config.embed ** 0.5)
        return binary_cross_entropy_with_logits(logits, label_TC, reduction="none").sum(1).mean()

    def forward(self, ecg: tuple[Tensor, ...], ids_TN: Tensor, label_TC: Tensor, group_T: Tensor,
                config: ContrastiveTraining) -> Tensor:
        """The weighted sum of all losses; without recordings the texts' own."""
        if not ecg:
            return self.text_loss(ids_TN, label_TC)
        out = self.model(ecg, ids_TN)
        loss = info_nce(out.ecg_BE, out.text_TE, group_T, out.scale, config.same) + 0 * out.bias if config.loss == "info_nce" \
            else sig_lip(out.ecg_BE, out.text_TE, group_T, out.scale, out.bias, config.same)
        loss = loss + config.statements * self._judged(out.text_TE, label_TC) / label_TC.shape[1]
        if out.caption_BNV is not None:
            loss = loss + config.caption * caption_loss(out.caption_BNV, ids_TN[: len(out.ecg_BE)], PAD)
        return loss


@dataclass
class HardTexts:
    """For each training report, others that the text tower finds alike but that have other statements."""

    near_RK: NDArray[np.int64]

    @classmethod
    def find(cls, model: EcgTextModel, pairs: Pairs) -> HardTexts:
        """Anew after each epoch would be better and costs a pass over all reports; once, before pairs, will do."""
        emb = model.encode_text(list(pairs.texts)).numpy()
        known = pairs.text_label_RC.astype(np.float32)
        near = np.empty((len(emb), min(NEAR, len(emb) - 1)), np.int64)
        for start in range(0, len(emb), 512):
            score = emb[start:start + 512] @ emb.T
            labels = known[start:start + 512]
            other = (labels @ known.T != labels.sum(1)[:, None]) | (labels.sum(1)[:, None] != known.sum(1))
            score[~other] = -np.inf
            near[start:start + 512] = np.argpartition(-score, near.shape[1] - 1, axis=1)[:, :near.shape[1]]
        return cls(near)


def fit(model: EcgTextModel, pairs: Pairs, config: ContrastiveTraining, run: Path, progress: bool = True,
        report: Callable[[str, int, float], None] | None = None) -> None:
    """Train in place. Raises ConfigError when a batch cannot be shared out. report: called with stage, epoch and mean loss."""
    # Texts alone teach only the text side, so that not every parameter has a gradient.
    accelerator = Accelerator(cpu=not torch.cuda.is_available(),
                              kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)])
    torch.manual_seed(config.seed)
    trainee = Trainee(model, pairs.text_label_RC.shape[1])
    if config.batch % accelerator.num_processes or config.hard % accelerator.num_processes:
        raise ConfigError(f"training.batch {config.batch} and training.hard {config.hard} must be multiples of the "
                          f"{accelerator.num_processes} processes")
    texts, pair = _TextStage(config, pairs), _PairStage(config, pairs)
    _stage("texts", accelerator, trainee, texts, config.first_epochs, config, run, progress, report)
    _stage("pairs", accelerator, trainee, pair, config.epochs, config, run, progress, report)
    model.cpu().eval()


class _TextStage:
    """Batches of all reports, each wording once."""

    def __init__(self, config: ContrastiveTraining, pairs: Pairs) -> None:
        group = np.array(distinct(pairs.texts))
        self.first = np.unique(group, return_index=True)[1]
        self.config, self.pairs = config, pairs
        self.steps = max(1, len(self.first) // config.batch)

    def start(self, model: EcgTextModel) -> dict[str, Tensor]:
        """Nothing to prepare."""
        return {}

    def restore(self, kept: dict[str, Tensor]) -> None:
        """Nothing to restore."""

    def batch(self, model: EcgTextModel, order: NDArray[np.int64], share: slice, rng: torch.Generator) -> tuple[Any, ...]:
        """Nothing of a recording, ids, labels, groups."""
        mine = self.first[order][share]
        ids = model.tokens([self.pairs.texts[i] for i in mine], model.config.text.context)
        return (), ids, torch.from_numpy(self.pairs.text_label_RC[mine]).float(), torch.from_numpy(mine)


class _PairStage:
    """Batches of recordings with a text each, and hard negatives."""

    def __init__(self, config: ContrastiveTraining, pairs: Pairs) -> None:
        self.config, self.pairs = config, pairs
        self.first = np.arange(len(pairs.rows))
        self.steps = max(1, len(self.first) // config.batch)
        self.hard: HardTexts | None = None
        self.place_of = {text: i for i, text in enumerate(pairs.texts)}

    def start(self, model: EcgTextModel) -> dict[str, Tensor]:
        """Find the hard negatives, with the towers as they are before the first epoch."""
        if not self.config.hard:
            return {}
        self.hard = HardTexts.find(model, self.pairs)
        return {"near": torch.from_numpy(self.hard.near_RK)}

    def restore(self, kept: dict[str, Tensor]) -> None:
        """What `start` found."""
        self.hard = HardTexts(kept["near"].numpy()) if kept else None

    def batch(self, model: EcgTextModel, order: NDArray[np.int64], share: slice, rng: torch.Generator) -> tuple[Any, ...]:
        """Recordings, ids of their texts and of negatives, labels, groups; drawn for all processes, then shared out."""
        pairs = self.pairs
        drawn = pairs.draw(order, self.config, rng)
        texts, labels = list(drawn), [pairs.label_NC[i] for i in order]
        hard: list[int] = []
        if self.hard is not None:
            known = [self.place_of[text] for text in drawn if text in self.place_of] or [0]
            for i in torch.randint(len(known), (self.config.hard,), generator=rng).tolist():
                pick = int(torch.randint(self.hard.near_RK.shape[1], (), generator=rng))
                hard.append(int(self.hard.near_RK[known[i], pick]))
        own = pairs.groups(order, drawn)
        seen = {text: int(group) for text, group in zip(texts, own, strict=True)}
        more = [seen.setdefault(pairs.texts[i], int(own.max()) + 1 + number) for number, i in enumerate(hard)]
        part = len(hard) * share.start // self.config.batch, len(hard) * share.stop // self.config.batch
        mine = hard[part[0]:part[1]]
        ids = model.tokens(texts[share] + [pairs.texts[i] for i in mine], model.config.text.context)
        label = np.stack(labels[share] + [pairs.text_label_RC[i] for i in mine])
        group = np.concatenate([own[share], np.array(more[part[0]:part[1]], np.int64)])
        ecg = pairs.ecg.augmented(pairs.rows[order], self.config, rng)
        return tuple(x[share] for x in ecg), ids, torch.from_numpy(label).float(), torch.from_numpy(group)


def _stage(name: str, accelerator: Accelerator, trainee: Trainee, stage: _TextStage | _PairStage, epochs: int,
           config: ContrastiveTraining, run: Path, progress: bool, report: Callable[[str, int, float], None] | None) -> None:
    from rich.progress import Progress

    if not epochs:
        return
    optimizer = torch.optim.AdamW(trainee.parameters(), config.lr, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.lr, total_steps=epochs * stage.steps, pct_start=0.1)
    rng = torch.Generator().manual_seed(config.seed)
    state, first = run / f"{name}.resume.safetensors", 0
    parts: dict[str, Any] = {"trainee": trainee, "optimizer": optimizer, "schedule": schedule}
    if state.is_file():
        saved = load_state(state)
        for key, part in parts.items():
            part.load_state_dict(saved[key])
        rng.set_state(saved["rng"])
        torch.set_rng_state(saved["torch_rng"])
        first, kept = saved["epoch"], saved["kept"]
        stage.restore(kept)
    else:
        kept = stage.start(trainee.model.eval())
    wrapped, optimizer = accelerator.prepare(trainee, optimizer)
    each = config.batch // accelerator.num_processes
    share = slice(accelerator.process_index * each, (accelerator.process_index + 1) * each)
    with Progress(disable=not (progress and accelerator.is_main_process)) as bar:
        task = bar.add_task(f"Training {name}", total=epochs, completed=first)
        for epoch in range(first, epochs):
            trainee.train()
            order, total = torch.randperm(len(stage.first), generator=rng).numpy(), 0.0
            for step in range(stage.steps):
                part = order[step * config.batch:(step + 1) * config.batch]
                ecg, *rest = stage.batch(trainee.model, part, slice(*share.indices(len(part))), rng)
                loss = wrapped(tuple(x.to(accelerator.device) for x in ecg), *(x.to(accelerator.device) for x in rest), config)
                optimizer.zero_grad()
                accelerator.backward(loss)
                accelerator.clip_grad_norm_(trainee.parameters(), config.clip)
                optimizer.step()
                schedule.step()
                total += float(loss.detach()) / stage.steps
            bar.update(task, advance=1, description=f"Training {name} (loss {total:.3f})")
            if report is not None:
                report(name, epoch, total)
            if accelerator.is_main_process:
                save_state(state, {**{key: part.state_dict() for key, part in parts.items()}, "rng": rng.get_state(),
                                   "torch_rng": torch.get_rng_state(), "epoch": epoch + 1, "kept": kept})
            accelerator.wait_for_everyone()
