"""`Adapter`: questions that were taught by examples, and the folder they are kept in.

A folder holds adapter.json, adapter.safetensors (what was measured of the examples) and README.md, the model card. No file
name, patient or date goes into it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ecglm.errors import CheckpointError, RecordError, argument
from ecglm.inference.adapt.card import card
from ecglm.inference.adapt.space import VALUES, Description, FewShotSpace
from ecglm.inference.adapt.support import MAX_ANSWER, MAX_ROWS
from ecglm.inference.adapt.taught import MAX_S, Estimate, Taught, Told, described
from ecglm.inference.adapt.wording import Wording, wording
from ecglm.inference.guard import MAX_QUESTION, UNRELATED
from ecglm.inference.language import is_foreign
from ecglm.models.processor import BEAT_LENGTH
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.schema import Answer, Evidence

#: Number of the folder's layout.
FORMAT = 2
_JSON, _TENSORS, _CARD = "adapter.json", "adapter.safetensors", "README.md"
#: An adapter is far smaller.
MAX_BYTES = 4_000_000
#: Sides and examples named as evidence, and taught questions where another is not answered.
NAMED = HINTED = 3


class Adapter:
    """Questions by what they ask. name: what its user calls it, the folder it was loaded from."""

    def __init__(self, questions: Sequence[Taught], space: FewShotSpace | None = None, name: str = "") -> None:
        self.space, self.name = space or FewShotSpace.load(), name
        self.questions = tuple(questions)
        self._by_wording: dict[Wording, Taught] = {wording(text): one for one in questions for text in one.wordings}
        self._last: tuple[Record, Description | str] | None = None

    @property
    def id(self) -> str:
        """Name for answers: what was learnt decides it."""
        digest = hashlib.sha256("\n".join(one.wordings[0] for one in self.questions).encode())
        for one in self.questions:
            digest.update(one.examples.value_NV.tobytes())
        return f"adapter {digest.hexdigest()[:8]}"

    def joined(self, other: Adapter) -> Adapter:
        """Both; what `other` was taught prevails, and its name."""
        kept = [one for one in self.questions if not any(wording(text) in other._by_wording for text in one.wordings)]
        return Adapter([*kept, *other.questions], self.space, other.name)

    def answer(self, record: Record, question: str, options: Sequence[str] | None = None) -> Answer | None:
        """None for a question that was not taught."""
        asked = wording(question)
        taught = self._by_wording.get(asked)
        if taught is None:
            return None if (reason := self._nearly(question, asked)) is None else self._declined(reason)
        allowed = {answer.casefold(): number for number, answer in enumerate(taught.answers)}
        unknown = [option for option in options or () if option.strip().casefold() not in allowed]
        if unknown:
            return self._declined(f"the adapter was taught the answers {', '.join(taught.answers)}, not {', '.join(unknown)}")
        asked_of = self._described(record)
        if isinstance(asked_of, str):
            return self._declined(asked_of)
        told = taught.told(self.space, asked_of)
        chosen = sorted({allowed[o.strip().casefold()] for o in options}) if options else list(range(len(taught.answers)))
        prob = told.prob_C[chosen] / max(float(told.prob_C[chosen].sum()), 1e-12)
        best = int(prob.argmax())
        shares = {taught.answers[number]: float(p) for number, p in zip(chosen, prob, strict=True)}
        note = None if taught.estimate.above_chance else \
            f"the examples did not show that this can be told: {_estimated(taught, asked_of)}"
        evidence = _evidence(taught, told, shares, _estimated(taught, asked_of))
        if record.duration_s > MAX_S:
            evidence = (*evidence, Evidence(f"judged on the first {MAX_S:g} s of {record.duration_s:.0f} s"))
        return Answer(taught.answers[chosen[best]], float(prob[best]), False, evidence, self.id, note=note,
                      probabilities=tuple(shares.items()))

    def _nearly(self, question: str, asked: Wording) -> str | None:
        """Why a question that is not quite a taught one goes to no model, which would answer without the adapter, or None."""
        turned = self._by_wording.get(asked.turned)
        if turned is not None:
            return f'the adapter was taught "{turned.wordings[0]}"; ask in these words, so that its answers are clear'
        within = [taught for taught in self._by_wording if taught.within(asked)]
        if not within or is_foreign(question):  # models decline what is foreign
            return None
        part = max(within, key=lambda taught: len(taught.words))
        return f'asks a taught question together with something else; ask "{self._by_wording[part].wordings[0]}" by itself'

    def hinted(self, answer: Answer) -> Answer:
        """What was taught, beside a model's reason for no answer: the question may have been meant for the adapter."""
        if not answer.abstained:
            return answer
        taught = [one.wordings[0] for one in self.questions[:HINTED]]
        if answer.reason == UNRELATED:  # which asks for English; questions are taught in any language
            words = " or ".join(f'"{text}"' for text in taught)
            return replace(answer, reason="the question was not taught and is not understood; if a taught one is meant, ask it "
                                          f"in the words it was taught in: {words}")
        return replace(answer, reason=f"{answer.reason} (the adapter was taught: {'; '.join(taught)})")

    def _declined(self, reason: str) -> Answer:
        return Answer("", 0.0, True, (), self.id, reason=reason)

    def _described(self, record: Record) -> Description | str:
        """What is measured of a recording, kept for the next question, or why nothing is."""
        if self._last is None or self._last[0] is not record:
            try:
                self._last = (record, described(record)[0])
            except RecordError as error:
                self._last = (record, str(error))
        return self._last[1]

    # -- folder ---------------------------------------------------------------------------

    def save(self, folder: str | Path, overwrite: bool = False) -> int:
        """Write the folder, whole or not at all; returns its size in bytes. Raises CheckpointError when it would replace
        something else, or an adapter without `overwrite`, and where nothing can be written."""
        from safetensors.numpy import save_file

        from ecglm.atomic import replacing_folder

        target = Path(os.path.expanduser(folder))  # Path's own raises for users that are none
        check_writable(target, overwrite)
        joined = Description.join([one.examples for one in self.questions])
        tensors = {"value_NV": joined.value_NV.astype(np.float32), "beat_NLK": joined.beat_NLK.astype(np.float16),
                   "mask_NL": joined.mask_NL.astype(np.uint8)}
        for name in ("answer_K", "row_K"):
            tensors[name] = np.concatenate([getattr(one, name) for one in self.questions]).astype(np.int32)
        try:
            with replacing_folder(target) as scratch:
                save_file({name: np.ascontiguousarray(t) for name, t in tensors.items()}, scratch / _TENSORS)
                about = {"format": FORMAT, "space": self.space.fingerprint,
                         "sha256": hashlib.sha256((scratch / _TENSORS).read_bytes()).hexdigest(),
                         "questions": [{"wordings": list(one.wordings), "answers": list(one.answers),
                                        "examples": len(one.answer_K), "patients": one.n_patients,
                                        "estimate": vars(one.estimate)} for one in self.questions]}
                about["sha256_of_this"] = _digest(about)
                (scratch / _JSON).write_text(json.dumps(about, indent=1) + "\n", encoding="utf8")
                (scratch / _CARD).write_text(card(self.questions, self.id), encoding="utf8")
                size = sum(file.stat().st_size for file in scratch.iterdir())
        except OSError as error:  # which names the temporary folder
            raise _unwritable(target, error.strerror or str(error)) from None
        return size

    @classmethod
    def load(cls, folder: str | Path) -> Adapter:
        """Raises CheckpointError for a folder that is missing, damaged, or of another space."""
        path = Path(os.path.expanduser(folder))
        if path.is_file():
            raise CheckpointError(f"{path}: is a file; give the folder that `ecglm adapt` made"
                                  f"{f', {path.parent}' if path.name in (_JSON, _TENSORS, _CARD) else ''}")
        if not path.is_dir():
            raise CheckpointError(f"{path}: no such adapter folder; make one with `ecglm adapt`")
        raw = _bytes(path / _JSON)
        try:
            about = json.loads(raw.decode("utf8"))
            layout, fingerprint = about["format"], about["space"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise _damaged(path / _JSON) from None
        space = FewShotSpace.load()
        if layout != FORMAT or fingerprint != space.fingerprint:
            raise CheckpointError(f"{path}: was made by another version of ecglm, whose measurements differ; make it again from "
                                  "its examples with `ecglm adapt`")
        try:
            if about.pop("sha256_of_this") != _digest(about):
                raise _damaged(path / _JSON)
            return cls(_questions(about, _tensors(path / _TENSORS, about["sha256"])), space, path.resolve().name)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError):
            raise _damaged(path / _JSON) from None


def check_writable(folder: Path, overwrite: bool) -> None:
    """Raises CheckpointError when an adapter may not be written here."""
    try:
        nearest = next(parent for parent in folder.absolute().parents if parent.exists())
        if not nearest.is_dir():
            raise _unwritable(folder, f"{nearest} is a file")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise _unwritable(folder, f"nothing may be written in {nearest}")
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from None
    if not (folder / _JSON).is_file():
        raise CheckpointError(f"{folder}: exists and is not an adapter folder; name another place")
    if not overwrite:
        raise CheckpointError(f"{folder}: holds an adapter; name another place, or pass {argument('overwrite', True)}")


def _estimated(taught: Taught, asked_of: Description) -> str:
    """What the estimate is, and of which leads where a recording lacks some of the examples'."""
    of_examples, here = taught.examples.mask_NL.astype(bool), asked_of.mask_NL[0].astype(bool)
    if not (of_examples & ~here).any():
        return f"cross-validated {taught.estimate.text}"
    counts = of_examples.sum(1)
    several = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    return (f"cross-validated with {several} lead{'s' if counts.max() > 1 else ''}: {taught.estimate.text}; this recording has "
            f"{here.sum()} readable")


def _evidence(taught: Taught, told: Told, shares: dict[str, float], estimated: str) -> tuple[Evidence, ...]:
    nearest = np.argsort(-told.like_K, kind="stable")[:NAMED]
    alike = ", ".join(f"{taught.row_K[k]} ({taught.answers[taught.answer_K[k]]})" for k in nearest)
    sides = ", ".join(f"{name} {100 * share:.0f} %" for name, share in told.sides[:NAMED])
    return (Evidence(f"from the adapter, taught by {taught.shown}; {estimated}"),
            Evidence(", ".join(f"{answer} {100 * p:.0f} %" for answer, p in sorted(shares.items(), key=lambda item: -item[1]))),
            Evidence(f"most like the examples in rows {alike} of the table"), Evidence(f"looked at most: {sides}"))


def _unwritable(folder: Path, why: str) -> CheckpointError:
    return CheckpointError(f"{folder}: cannot be written ({why}); check the permissions, or name another place")


def _damaged(path: Path) -> CheckpointError:
    return CheckpointError(f"{path}: damaged; make the adapter again from its examples with `ecglm adapt`")


def _digest(about: dict[str, Any]) -> str:
    """Of what adapter.json says, however it is laid out."""
    return hashlib.sha256(json.dumps(about, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _damaged(path)
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: missing or unreadable; give a folder made by `ecglm adapt`") from error


def _tensors(path: Path, digest: str) -> dict[str, Any]:
    """Checked arrays of the examples."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    raw = _bytes(path)
    if hashlib.sha256(raw).hexdigest() != digest:
        raise _damaged(path)
    try:
        tensors: dict[str, Any] = load(raw)
        count = len(tensors["value_NV"])
        shapes = {"value_NV": (count, len(VALUES)), "beat_NLK": (count, len(STANDARD_12), BEAT_LENGTH),
                  "mask_NL": (count, len(STANDARD_12)), "answer_K": (count,), "row_K": (count,)}
        fits = count <= MAX_ROWS and all(tensors[name].shape == shape and np.isfinite(tensors[name]).all()
                                         for name, shape in shapes.items()) and (tensors["mask_NL"] <= 1).all()
    except (SafetensorError, KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise _damaged(path)
    return tensors


def _questions(about: dict[str, Any], tensors: dict[str, Any]) -> list[Taught]:
    """Raises ValueError, KeyError, TypeError or OverflowError for what does not fit together."""
    joined = Description(*(tensors[name].astype(np.float32) for name in ("value_NV", "beat_NLK", "mask_NL")))
    questions, start = [], 0
    for one in about["questions"]:
        wordings, answers = (tuple(map(str, one[name])) for name in ("wordings", "answers"))
        count = int(one["examples"])
        if not 0 < count <= len(joined.value_NV) - start:
            raise ValueError
        rows = np.arange(start, start := start + count)
        answer_K = tensors["answer_K"][rows].astype(np.int64)
        shares = {name: float(one["estimate"][name]) for name in ("accuracy", "low", "high", "chance")}
        if not wordings or max(map(len, wordings)) > MAX_QUESTION or max(map(len, answers)) > MAX_ANSWER or len(answers) < 2 \
                or set(answer_K) != set(range(len(answers))) or not all(0 <= share <= 1 for share in shares.values()):
            raise ValueError
        estimate = Estimate(**shares, n_patients=int(one["estimate"]["n_patients"]))
        questions.append(Taught(wordings, answers, answer_K, tensors["row_K"][rows].astype(np.int64), joined.rows(rows),
                                int(one["patients"]), estimate))
    if start != len(joined.value_NV) or not questions:
        raise ValueError
    return questions
