"""CAMEL's tokens: what long ECGs cost, and generation against the published scheme (no cache, dense mask), same weights.

python benchmarks/seconds.py [--base smollm2-135m] [--tokens 128] [--long]
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import time

import numpy as np
import torch

from ecglm.inference.engine import Engine, Prefix
from ecglm.models.base import language_model
from ecglm.models.device import best_dtype
from ecglm.models.seconds import SecondsConfig, SecondsModel
from ecglm.models.seconds.segments import Segments
from ecglm.records.leads import STANDARD_12

BEFORE, AFTER = list(range(1000, 1020)), list(range(2000, 2020))


def made(leads: int, seconds: int, samples: int) -> Segments:
    """Noise costs what an ECG costs."""
    signal = np.random.default_rng(0).normal(size=(leads, seconds, samples)).astype(np.float32)
    return Segments(STANDARD_12[:leads], signal, np.ones((leads, seconds), bool), np.zeros(leads, np.float32))


@torch.inference_mode()
def published_scheme(model: SecondsModel, llm: object, ecg: Segments, tokens: int) -> float:
    """Seconds a token when the whole sequence is run again for each."""
    seconds, ids = model.seconds(ecg), list[int]()
    start = time.perf_counter()
    for _ in range(tokens):
        plan = model.plan([ecg], [BEFORE], [*AFTER, *ids])
        hidden = model.run(llm, plan, model.embed(llm, plan, [ecg], seconds))
        ids.append(int(llm.lm_head(hidden[-1]).argmax()))
    return (time.perf_counter() - start) / tokens


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--long", action="store_true", help="Also without pooling, which takes minutes and gigabytes.")
    options = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    llm = language_model(options.base, best_dtype(torch.device("cpu"))).eval()
    config = SecondsConfig(hidden=llm.config.hidden_size)
    model = SecondsModel(config).eval()

    ecg = made(1, 600, config.samples)
    plan = model.plan([ecg], [BEFORE], AFTER)
    with torch.inference_mode():
        start = time.perf_counter()
        cache, _ = model.prefill(llm, plan, model.embed(llm, plan, [ecg]))
        prefix = Prefix(cache, len(plan), int(plan.position.max()) + 1 - len(plan))
        Engine(llm, [-1]).generate(prefix, [AFTER[-1:]], options.tokens)
        ours = time.perf_counter() - start
    slow = published_scheme(model, llm, ecg, 4)  # every token costs about the same: four are measured, all are counted
    print(f"{options.tokens} tokens over 600 s of one lead: {ours:.1f} s; published scheme {slow * options.tokens:.0f} s "
          f"({slow:.2f} s a token); {slow * options.tokens / ours:.1f} times")

    print("\n| leads | s | tokens | encode s | read s | tokens/s | peak MB |\n|---|---|---|---|---|---|---|")
    cases = [(1, 10), (1, 60), (1, 600), (1, 3600), (1, 10_000), (12, 10), (12, 60), (12, 600), (12, 1800)]
    for limit in (4096, 32768) if options.long else (4096,):
        sized = SecondsModel(SecondsConfig(hidden=config.hidden, max_tokens=limit, positions="time")).eval()
        for leads, length in cases:
            if limit > 4096 and leads * length <= 4096:
                continue
            ecg = made(leads, length, config.samples)
            with torch.inference_mode():
                start = time.perf_counter()
                seconds = sized.seconds(ecg)
                encoded = time.perf_counter() - start
                plan = sized.plan([ecg], [BEFORE], AFTER)
                emb = sized.embed(llm, plan, [ecg], seconds)
                start = time.perf_counter()
                sized.prefill(llm, plan, emb)
                read = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"| {leads} | {length} | {len(plan)} | {encoded:.2f} | {read:.1f} | {len(plan) / read:.0f} | {peak:.0f} |",
                  flush=True)
            del ecg, seconds, emb
            gc.collect()


if __name__ == "__main__":
    main()
