"""How many pages a second `ecglm.paper.render` draws and distorts in one process. Run: python benchmarks/render.py"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np

from ecglm.paper import render
from ecglm.paper.distort import DISTORTIONS, PRESETS, distort
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record


def record(fs: float) -> Record:
    """Ten seconds of twelve leads with a sharp wave every second, some wander and some noise."""
    t = np.arange(round(10 * fs)) / fs
    beat = np.exp(-(((t % 1.0) - 0.4) / 0.012) ** 2) + 0.25 * np.exp(-(((t % 1.0) - 0.7) / 0.05) ** 2)
    noise = np.random.default_rng(0).normal(0, 0.01, (12, t.size))
    signal = np.linspace(-1, 1.5, 12)[:, None] * beat + 0.05 * np.sin(t) + noise
    return Record(signal.astype(np.float32), fs, STANDARD_12)


def pages_per_second(draw: Callable[[], object], seconds: float) -> float:
    """Calls per second of processor time (one thread, so that other work on the machine does not count)."""
    draw()
    count, begin = 0, time.process_time()
    while time.process_time() - begin < seconds:
        draw()
        count += 1
    return count / (time.process_time() - begin)


def layouts(seconds: float) -> None:
    """Clean pages of four layouts."""
    print(f"{'page (2200 x 1700 px)':<28}{'fs':>6}{'draw /s':>10}{'+ PNG /s':>10}{'+ JPEG /s':>11}")
    for layout in ("3x4", "6x2", "12x1", "3x4+3R"):
        for fs in (500.0, 1000.0):
            rec = record(fs)
            speeds = [pages_per_second(draw, seconds) for draw in (
                lambda rec=rec, layout=layout: render(rec, layout=layout),
                lambda rec=rec, layout=layout: render(rec, layout=layout).png(),
                lambda rec=rec, layout=layout: render(rec, layout=layout).jpeg())]
            print(f"{layout:<28}{fs:>6g}{speeds[0]:>10.1f}{speeds[1]:>10.1f}{speeds[2]:>11.1f}")


def presets(seconds: float, pages: int = 32) -> None:
    """Drawn and distorted pages: the mean over many seeds, because every page gets other distortions."""
    rec = record(500.0)
    print(f"\n{'3x4, drawn and distorted':<28}{'pages /s':>10}{'slowest page ms':>18}")
    for name in PRESETS:
        times = np.zeros(pages)
        for _ in range(2):  # the first round warms caches up
            for seed in range(pages):
                begin = time.process_time()
                render(rec, distort=name, seed=seed)
                times[seed] = time.process_time() - begin
        print(f"{name:<28}{1 / times.mean():>10.1f}{1000 * times.max():>18.0f}")
    clean = render(rec)
    print(f"\n{'one distortion, severest':<28}{'ms':>10}")
    for name in DISTORTIONS:
        print(f"{name:<28}{1000 / pages_per_second(lambda name=name: distort(clean, f'{name}:1'), seconds / 8):>10.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="time spent on each line")
    parser.add_argument("--only", choices=["layouts", "presets"], help="one of the tables")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.only != "presets":
        layouts(args.seconds)
    if args.only != "layouts":
        presets(args.seconds)


if __name__ == "__main__":
    main()
