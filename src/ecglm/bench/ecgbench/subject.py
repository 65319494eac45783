"""Who answers ECGBench: replies that are there already, a model behind an endpoint that sees images, ecglm itself, a dummy.

ecglm reads the page back to a recording (`ecglm.digitize`) and answers from that. Questions about labels and choices are answered
straight off the findings, in the words that the scorers look for; others by the language model or the report.
"""

from __future__ import annotations

import base64
import json
import math
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ecglm.bench.ecgbench.choice import read_options
from ecglm.bench.ecgbench.load import Case
from ecglm.bench.ecgbench.options import SUFFIX, gold_answers, listed
from ecglm.bench.ecgbench.subsets import KEYS, Subset
from ecglm.endpoint import Endpoint
from ecglm.errors import EcglmError, ReadError, UsageError
from ecglm.knowledge.report_labels import labels as read_labels


@dataclass(frozen=True)
class Reply:
    """texts: one for each turn. probability: of labels, where the subject knows any. failed: why there is no reply."""

    texts: tuple[str, ...]
    probability: Mapping[str, float] = field(default_factory=dict)
    failed: str = ""


class Subject(Protocol):
    """Whatever answers a case."""

    @property
    def id(self) -> str:
        """Its name in results."""
        ...

    def reply(self, case: Case, of: Subset) -> Reply:
        """Texts for every turn of one case."""
        ...


@dataclass
class Replies:
    """Replies in a file: JSON or JSONL rows with "id" (or "No", "question_id") and "reply" (or "text", "answer"; a list of
    turns)."""

    path: Path
    id: str = ""

    def __post_init__(self) -> None:
        self.id = self.id or f"replies:{self.path.name}"
        try:
            text = self.path.read_text(encoding="utf-8")
            rows = (
                json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines() if line]
            )
            self._texts = {
                str(_of(row, "id", "No", "question_id")): _of(row, "reply", "text", "answer", "output") for row in rows
            }
        except OSError as error:
            raise ReadError(self.path, error.strerror or "cannot be read", "check the path") from None
        except (ValueError, KeyError, TypeError):
            raise ReadError(
                self.path, "not rows with an id and a reply", 'write {"id": …, "reply": …}, one on a line'
            ) from None

    def reply(self, case: Case, of: Subset) -> Reply:
        if case.id not in self._texts:
            return Reply(("",) * len(case.questions), failed="no reply in the file")
        found = self._texts[case.id]
        texts = tuple(map(str, found)) if isinstance(found, list) else (str(found),)
        if len(texts) != len(case.questions):
            raise ReadError(
                self.path, f"{len(texts)} replies to the {len(case.questions)} turns of {case.id}", "give one for each"
            )
        return Reply(texts)


@dataclass
class Seeing:
    """A vision-language model behind an endpoint (PULSE-7B under vLLM, say): temperature 0, 1,024 tokens, as published; the
    second turn sees the first with the model's own reply."""

    endpoint: Endpoint

    @property
    def id(self) -> str:
        return self.endpoint.model

    def reply(self, case: Case, of: Subset) -> Reply:
        image = case.image_bytes()
        kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
        url = f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
        messages: list[dict[str, Any]] = []
        texts = []
        for turn, question in enumerate(case.questions):
            shown: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}}] if turn == 0 else []
            messages.append({"role": "user", "content": [*shown, {"type": "text", "text": question}]})
            texts.append(self.endpoint.text(messages, max_tokens=1024))
            messages.append({"role": "assistant", "content": texts[-1]})
        return Reply(tuple(texts))


@dataclass
class Product:
    """ecglm's `Model`: the page is read back to a recording."""

    model: Any

    @property
    def id(self) -> str:
        return f"{self.model.id}, page read back"

    def reply(self, case: Case, of: Subset) -> Reply:
        from ecglm.corpus.onpaper import read_back

        try:
            record = read_back(case.image_bytes())
            if of.kind in ("labels", "choice"):
                scores = self.model.on_bench().score_record(case.id, record)
                chance = {
                    f"{group}:{code}": (p, scores.present[group][code])
                    for group, of_group in scores.probability.items()
                    for code, p in of_group.items()
                }
                return _from_findings(case, of, chance)
            if of.kind == "report":
                from ecglm.bench.studies.report import sections

                return Reply((" ".join(sections(self.model.report(record)).values()),))
            options = listed(case.questions[0]) or None
            asked = [q.rsplit("Options:", 1)[0].replace(SUFFIX, "").strip() for q in case.questions]
            return Reply(tuple(self.model.ask(record, question, options).text for question in asked))
        except UsageError:
            raise
        except EcglmError as error:  # a page that is refused is a question without an answer, never left out
            return Reply(("",) * len(case.questions), failed=str(error))


@dataclass
class Looking:
    """A vision-language model of ecglm (a folder that `recipes/pulse.yaml` or a released LLaVA checkpoint makes): the page as a
    picture, the published prompts, free replies; later turns see the earlier ones with the model's own replies."""

    model: Any

    @property
    def id(self) -> str:
        return f"{self.model.id}, page looked at"

    def reply(self, case: Case, of: Subset) -> Reply:
        turns: list[tuple[str, str]] = []
        try:
            image = case.image_bytes()
            for question in case.questions:
                turns.append((question, self.model.ask(image, question, turns=tuple(turns)).text))
        except UsageError:
            raise
        except EcglmError as error:
            return Reply(("",) * len(case.questions), failed=str(error))
        return Reply(tuple(text for _, text in turns))


def _from_findings(case: Case, of: Subset, chance: Mapping[str, tuple[float, bool]]) -> Reply:
    if of.kind == "labels":
        best = {
            label: max((chance[key] for key in keys if key in chance), default=(math.nan, False))
            for label, keys in KEYS[of.name].items()
        }
        probability = {label: p for label, (p, _) in best.items()}
        named = [label for label, (_, there) in best.items() if there]
        if "ABNORMAL" in of.labels:  # what CODE-15 % calls a record that is neither normal nor one of the six
            probability["ABNORMAL"] = 1.0 - probability["NORM"]
            named = named or ["ABNORMAL"]
        return Reply((f"Answer: {', '.join(named)}",), probability)
    scores = {
        letter: max(
            (chance[key][0] for key, said in read_labels(text).items() if said == "present" and key in chance), default=0.0
        )
        for letter, text in read_options(case.questions[0])
    }
    best_letter = max(scores, key=lambda letter: (scores[letter], -ord(letter)), default="")
    return Reply((best_letter if scores.get(best_letter) else "",))


@dataclass
class Dummy:
    """oracle: the reference. coin: every label with probability 1/2, any letter, any option ("random" of the paper)."""

    behaviour: str

    @property
    def id(self) -> str:
        return f"dummy-{self.behaviour}"

    def reply(self, case: Case, of: Subset) -> Reply:
        if self.behaviour == "oracle":
            return Reply(tuple(g if isinstance(g, str) else ", ".join(gold_answers(g)) for g in case.gold))
        rng = random.Random(case.id)
        if of.kind == "labels":
            return Reply(("Answer: " + ", ".join(label for label in of.labels if rng.random() < 0.5),))
        if of.kind == "choice":
            return Reply((rng.choice(of.letters),))
        offered = listed(case.questions[0])
        return Reply((rng.choice(offered) if offered else "",) * len(case.questions))


def find_subject(name: str | None, transcript: Path) -> Subject:
    """Who answers, by the name given as --model: "endpoint:MODEL@URL" (key in ``$ECGLM_ENDPOINT_KEY``), "replies:FILE",
    "dummy:oracle", "dummy:coin", else a checkpoint of ecglm (None: the embedded one)."""
    kind, _, rest = (name or "").partition(":")
    if kind == "replies":
        return Replies(Path(rest))
    if kind == "endpoint":
        model, at, url = rest.partition("@")
        if not at or not model:
            raise UsageError(f"--model {name}: write endpoint:MODEL@URL, such as endpoint:pulse-7b@http://localhost:8000/v1")
        return Seeing(Endpoint(url, model, os.environ.get("ECGLM_ENDPOINT_KEY", ""), transcript, timeout=300.0))
    if kind == "dummy":
        if rest not in ("oracle", "coin"):
            raise UsageError(f"ECGBench has no dummy model {rest!r}; use oracle or coin")
        return Dummy(rest)
    import ecglm

    loaded = ecglm.load(model=name)
    return Looking(loaded) if getattr(type(loaded), "sees_pages", False) else Product(loaded)


def _of(row: Mapping[str, Any], *names: str) -> Any:
    return next(row[name] for name in names if name in row) if any(name in row for name in names) else row[names[0]]
