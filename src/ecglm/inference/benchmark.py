"""A `Model` as the bench sees it: items in, predictions out, under every control."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ecglm.bench.task import BenchItem, FindingScores, Prediction
from ecglm.corpus.external import bench_record
from ecglm.corpus.questions import INDEX, choose_answer, query_answer
from ecglm.corpus.truth import heads_truth
from ecglm.inference.answer import MAX_ANSWER_TOKENS
from ecglm.inference.confidence import calibrated_confidence
from ecglm.inference.model import Model
from ecglm.inference.reading import Reading
from ecglm.models.facts import axis_name
from ecglm.models.processor import BEAT_LENGTH, EcgInputs
from ecglm.records.record import Record


class BenchModel:
    """Answers bench items. Controls: "full" is the product itself, guard included; "other-patient" shows another
    patient's recording; "no-signal" a zero signal; "text-only" the question alone; "heads" reads the answer
    straight off findings and measurements, without the language model."""

    def __init__(self, model: Model) -> None:
        run = model.elm.run
        self.model = model
        self.id = model.id
        self.train_patients = frozenset(run["train_patients"]) if "train_patients" in run else None
        self.train_hashes = frozenset(run["train_hashes"]) if "train_hashes" in run else None
        self.recipe_hash = str(run.get("recipe_hash", ""))
        self.fingerprint = "".join(digest[:16] for digest in run.get("sha256", {}).values())
        self.seeds = run.get("seeds", {})

    def answer_items(self, items: list[BenchItem], control: str, progress: bool) -> list[Prediction]:
        """One prediction per item, in order."""
        if control in ("full", "other-patient"):
            keys = [str(i.meta["swap_record_key"]) if control == "other-patient" else i.record_key for i in items]
            answers = self.model.ask_batch([(bench_record(k), i.question) for k, i in zip(keys, items, strict=True)], progress)
            return [Prediction(i.id, a.text, a.confidence, a.abstained) for i, a in zip(items, answers, strict=True)]
        if control == "heads":
            return [Prediction(i.id, self._from_heads(i)) for i in items]
        return self._blind(items, control)

    def _blind(self, items: list[BenchItem], control: str) -> list[Prediction]:
        answerer = self.model.answerer
        reading = None if control == "text-only" else self._zero_reading(bench_record(items[0].record_key))
        emb = answerer.prefix_embeddings(None if reading is None else reading.facts, reading)
        prefix = answerer.engine.prefix(emb)
        out: list[Prediction] = []
        for start in range(0, len(items), 16):
            part = items[start:start + 16]
            results = answerer.engine.generate(prefix, [answerer.suffix(i.question) for i in part], MAX_ANSWER_TOKENS)
            for item, result in zip(part, results, strict=True):
                text = self.model.elm.tokenizer.decode(result.ids, skip_special_tokens=True).strip()
                share = math.exp(sum(result.logprobs))
                out.append(Prediction(item.id, text, calibrated_confidence(self.model.elm.calibration, text, share)))
        return out

    def _zero_reading(self, like: Record) -> Reading:
        """What the model reads off a signal of zeros, with the guard switched off."""
        elm = self.model.elm
        flat = replace(like, signal=np.zeros_like(like.signal))
        measurements = self.model.answerer.reading(flat).measurements
        length = round(elm.processor.config.window_s * elm.processor.config.fs)
        leads = len(elm.processor.config.leads)
        inputs = EcgInputs(np.zeros((1, leads, length), np.float32), np.ones(leads, np.float32),
                           np.zeros((1, leads, BEAT_LENGTH), np.float32),
                           np.zeros((1, elm.config.encoder.strip.n_features), np.float32), measurements)
        encoded = elm.encode(inputs)
        findings = elm.findings(encoded.prob_C)
        return Reading(flat, measurements, None, inputs, encoded, findings, elm.facts(encoded.prob_C, measurements))

    def _from_heads(self, item: BenchItem) -> str:
        """The answer read off findings and measurements, without the language model."""
        reading, elm = self.model.answerer.reading(bench_record(item.record_key)), self.model.elm
        if reading.declined or reading.encoded is None:
            return "unknown"
        axis = reading.measurements.axis.value
        named = "unknown" if axis is None else axis_name(axis)
        truth = heads_truth(elm.findings_calibration, reading.encoded.prob_C[None], [named])
        if item.qtype == "verify":
            return "yes" if truth.has_NC[0, INDEX[item.attribute]] else "no"
        if item.qtype == "choose":
            a, b = item.attribute.split("|")
            return choose_answer(a, b, truth.pair(0, INDEX[a], INDEX[b]))
        return query_answer(item.attribute, truth.named_NC[0], truth.axis_N[0])

    def score_items(self, items: list[BenchItem], progress: bool) -> list[FindingScores]:
        """Probabilities and decisions of every statement."""
        return [self.score_record(item.id, bench_record(item.record_key)) for item in items]

    def score_record(self, name: str, record: Record) -> FindingScores:
        """The same of a recording that is no item."""
        return self._scores(name, self.model.answerer.reading(record))

    def score_unread(self, item: BenchItem) -> FindingScores:
        """The base rates: what is left to say of a page that cannot be read."""
        return self._scores(item.id, None)

    def score_blind(self, item: BenchItem) -> FindingScores:
        """The same of a signal of zeros through the whole encoder, with the guard switched off."""
        return self._scores(item.id, self._zero_reading(bench_record(item.record_key)))

    def _scores(self, name: str, reading: Reading | None) -> FindingScores:
        cal = self.model.elm.findings_calibration
        # A recording that the guard declines is scored with the base rates, never left out.
        scores = cal.prevalence if reading is None or reading.encoded is None else tuple(map(float, reading.encoded.prob_C))
        probability: dict[str, dict[str, float]] = {}
        present: dict[str, dict[str, bool]] = {}
        decided = cal.present_C(np.array(scores, np.float32))
        for key, p, there in zip(self.model.elm.config.labels, scores, decided, strict=True):
            group, code = key.split(":")
            probability.setdefault(group, {})[code] = float(p)
            present.setdefault(group, {})[code] = bool(there)
        return FindingScores(name, probability, present)
