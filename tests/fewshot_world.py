"""A small world of attributes and recordings that are told apart by their vectors, for tests of few-shot learning."""

from __future__ import annotations

import numpy as np

from ecglm.corpus.attributes import Attribute, AttributeTable
from ecglm.inference.adapt.space import NAMES
from ecglm.training.fewshot.method import FewShotData

NAMES_OF = ("low voltage", "long qt interval", "inverted t waves", "q waves present", "atrial fibrillation", "sinus rhythm",
            "sinus tachycardia", "paced rhythm", "digitalis effect", "high qrs voltage")


def world(count: int = 240, seed: int = 0) -> tuple[AttributeTable, FewShotData]:
    """Independent attributes, each seen in a direction of its own; every third patient has two recordings."""
    rng = np.random.default_rng(seed)
    groups = ("form",) * 4 + ("rhythm",) * 4 + ("form",) * 2
    attributes = tuple(Attribute(f"{group}:{i}", name, group)
                       for i, (name, group) in enumerate(zip(NAMES_OF, groups, strict=True)))
    patient = np.sort(np.concatenate([np.arange(count * 3 // 4), np.arange(0, count * 3 // 4, 3)]))[:count]
    value = (rng.random((count, len(attributes))) < 0.35).astype(np.int8)
    emb = np.concatenate([2.0 * (value - 0.35), 0.3 * rng.normal(size=(count, 6))], axis=1).astype(np.float32)
    sides = {name: emb if i % 3 == 0 else rng.normal(size=(count, 8)).astype(np.float32) for i, name in enumerate(NAMES)}
    facts = tuple(f"rate {60 + i % 40} bpm" for i in range(count))
    data = FewShotData(sides, np.zeros(len(NAMES), np.float32), emb, facts).with_blank()
    return AttributeTable(attributes, value, patient), data
