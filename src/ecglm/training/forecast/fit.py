"""Windows of people → network → calibration. Shapes: N windows, C numbers of each, M members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ecglm.models.forecast import CLASSES
from ecglm.models.forecast.calibration import EVENTS, Calibration, least_probability, score, venn_abers
from ecglm.models.forecast.course import course
from ecglm.models.forecast.network import Network
from ecglm.models.forecast.steps import step_features
from ecglm.signal.holter import BeatSeries
from ecglm.signal.missing import FloatArray
from ecglm.signal.simulate.onset import MECHANISMS

#: A window of someone whose arrhythmia begins later than this multiple of the horizon is one without.
LATER = 1.5
#: Onsets closer than this (s) are not asked for: the first beats may be there already.
NEAREST_S = 30.0


@dataclass(frozen=True, eq=False)
class Person:
    """The beats of somebody's recording, and what begins at moment_s: a place in CLASSES, 0 for nothing. sign: the mechanism, a
    place in MECHANISMS, of which the last is none."""

    id: str
    series: BeatSeries
    moment_s: float
    label: int
    sign: int


@dataclass(frozen=True)
class FitSettings:
    """windows: of each person that teaches; hidden: widths; members: networks whose mean is taken; noise: added to what they see;
    later: share of windows of people with an arrhythmia that end long before it; within: share of the others that end anywhere
    between the horizon and the onset."""

    windows: int = 24
    hidden: tuple[int, ...] = (64, 32)
    members: int = 5
    epochs: int = 30
    batch: int = 256
    lr: float = 2e-3
    weight_decay: float = 0.1
    dropout: float = 0.4
    noise: float = 0.1
    later: float = 0.1
    within: float = 0.4
    seed: int = 0


def drawn_windows(people: Sequence[Person], windows_s: Sequence[float], horizons_s: Sequence[float], settings: FitSettings,
                  ) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.int64]]:
    """Numbers ``[N, C]``, classes ``[N]`` and signs ``[N]`` of random windows before and without onsets."""
    rng = np.random.default_rng(settings.seed)
    rows, labels, signs = [], [], []
    span = np.log([min(horizons_s), max(horizons_s)])
    for person in people:
        for _ in range(settings.windows):
            window, horizon = float(rng.choice(windows_s)), float(np.exp(rng.uniform(*span)))
            label, end = _moment(person, window, horizon, settings, rng)
            if end is None:
                continue
            rows.append(course(step_features(person.series.cut(end - window, end)), horizon))
            labels.append(label)
            signs.append(person.sign if label else len(MECHANISMS) - 1)
    return np.stack(rows), np.array(labels), np.array(signs)


def _moment(person: Person, window: float, horizon: float, settings: FitSettings, rng: np.random.Generator,
            ) -> tuple[int, float | None]:
    """What follows a window, and when it ends; None where the recording has no room for it."""
    first = person.series.start_s + window
    if not person.label:
        last = person.series.stop_s
        return 0, float(rng.uniform(first, last)) if last > first else None
    if rng.random() < settings.later:
        last = person.moment_s - LATER * horizon
        return 0, float(rng.uniform(first, last)) if last > first else None
    away = float(rng.uniform(NEAREST_S, horizon)) if rng.random() < settings.within else horizon
    return person.label, person.moment_s - away if person.moment_s - away >= first else None


def cell_windows(people: Sequence[Person], window_s: float, horizon_s: float) -> tuple[FloatArray, NDArray[np.int64]]:
    """Numbers ``[N, C]`` and classes ``[N]`` of the window of each person that ends horizon_s before its moment."""
    rows = []
    for person in people:
        end = person.moment_s - horizon_s
        rows.append(course(step_features(person.series.cut(end - window_s, end)), horizon_s))
    return np.stack(rows), np.array([person.label for person in people])


def fit_network(course_NC: FloatArray, labels_N: NDArray[np.int64], signs_N: NDArray[np.int64], settings: FitSettings) -> Network:
    """All members at once, each with weights, batches and dropout of its own. They learn the sign, which the simulator knows, and
    not what follows, which is half chance; every class weighs the same."""
    known = np.where(np.isfinite(course_NC).any(axis=0), course_NC, 0.0)  # a number that nobody has is 0
    mean, scale = np.nanmean(known, axis=0), np.maximum(np.nanstd(known, axis=0), 1e-3)
    weight_N = 1 / np.bincount(labels_N, minlength=len(CLASSES))[labels_N]
    follows = np.full((len(MECHANISMS), len(CLASSES)), 1e-9)
    np.add.at(follows, (signs_N, labels_N), weight_N)
    follows /= follows.sum(axis=1, keepdims=True)
    blank = Network(np.asarray(mean, np.float32), np.asarray(scale, np.float32), (), (), np.asarray(follows, np.float32))
    x, y = torch.from_numpy(blank.standard(course_NC)), torch.from_numpy(signs_N)
    weight = torch.from_numpy(np.asarray(weight_N / weight_N.mean(), np.float32))
    torch.manual_seed(settings.seed)
    widths = (x.shape[1], *settings.hidden, len(MECHANISMS))
    layers = [(nn.Parameter(torch.randn(settings.members, a, b) * (2 / a) ** 0.5), nn.Parameter(torch.zeros(settings.members, b)))
              for a, b in pairwise(widths)]
    optimiser = torch.optim.AdamW([p for layer in layers for p in layer], settings.lr, weight_decay=settings.weight_decay)
    steps = settings.epochs * (len(x) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.lr, total_steps=max(2, steps))
    for _ in range(steps):
        pick = torch.randint(len(x), (settings.members, settings.batch))
        batch = x[pick]
        said = _forward(batch + settings.noise * torch.randn_like(batch), layers, settings.dropout)
        each = nn.functional.cross_entropy(said.flatten(0, 1), y[pick].flatten(), reduction="none")
        loss = (each * weight[pick].flatten()).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    weights, biases = (tuple(p.detach().numpy() for p in side) for side in zip(*layers, strict=True))
    return replace(blank, weights=weights, biases=biases)


def _forward(x: Tensor, layers: Sequence[tuple[Tensor, Tensor]], dropout: float) -> Tensor:
    for number, (weight, bias) in enumerate(layers):
        x = torch.baddbmm(bias[:, None], x, weight)
        if number + 1 < len(layers):
            x = nn.functional.dropout(torch.relu(x), dropout)
    return x


def calibrate(network: Network, people: Sequence[Person], windows_s: Sequence[float], horizons_s: Sequence[float]) -> Calibration:
    """Intervals and sets from people that taught the network nothing."""
    bounds: dict[str, list[list[FloatArray]]] = {event: [[] for _ in windows_s] for event in EVENTS}
    least = np.zeros((len(windows_s), len(horizons_s)))
    for w, window in enumerate(windows_s):
        for h, horizon in enumerate(horizons_s):
            rows, labels = cell_windows(people, window, horizon)
            prob = network.probabilities(rows)
            least[w, h] = least_probability(prob, labels)
            for event, classes in EVENTS.items():
                happened = np.isin(labels, [CLASSES.index(name) for name in classes])
                bounds[event][w].append(venn_abers(score(event, prob), happened))
    labels = np.array([person.label for person in people])
    rates = tuple(float((labels == k).mean()) for k in range(len(CLASSES)))
    return Calibration(tuple(windows_s), tuple(horizons_s), {e: np.array(b, np.float32) for e, b in bounds.items()},
                       least.astype(np.float32), rates)
