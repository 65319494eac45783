"""What looking is worth beside reading back, fitted on pages of recordings that the encoder did not learn from.

By group of statements few numbers are fitted, never one per label: there are too few pages. Looking is given a say only where
pages of people left out of the fit are judged better with it, by log loss and by ranking.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ecglm.bench.metrics import macro_auroc
from ecglm.knowledge.statements import BY_KEY, GROUPS, keys
from ecglm.models.calibration import log_odds
from ecglm.models.facts import NEEDS_MILLIVOLTS
from ecglm.models.vision.judge import Shares, Weights, blended

Floats = NDArray[np.float32]
#: Parts of the people that are left out in turn.
_PARTS = 5


class Pages(NamedTuple):
    """What the two ways say of pages, in log-odds: read_NC of reading back (NaN rows: refused), seen_NC the network's;
    confidence_N of the reading, label_NC truth, patient_N."""

    read_NC: Floats
    seen_NC: Floats
    confidence_N: Floats
    label_NC: Floats
    patient_N: NDArray[np.int64]


def columns_of(group: str) -> list[int]:
    """Statements of a group that can be told without millivolts."""
    return [i for i, key in enumerate(keys()) if BY_KEY[key].group == group and key not in NEEDS_MILLIVOLTS]


def weigh(pages: Pages, prevalence: Floats) -> tuple[Weights, dict[str, Any]]:
    """The weights, and what they rest on: log loss and macro-AUROC of each way on people left out."""
    prior = log_odds(prevalence.astype(np.float32)).astype(np.float64)
    read = np.asarray(~np.isnan(pages.read_NC).any(axis=1))
    alone, together, told = {}, {}, dict[str, Any]()
    part_N = _parts(pages.patient_N)
    reach = []
    for group in GROUPS:
        column = columns_of(group)
        seen, truth = (pages.seen_NC[:, column] - prior[column]).astype(np.float64), pages.label_NC[:, column]
        alone[group] = _alone(seen, truth, prior[column])
        one = (pages.read_NC[read][:, column] - prior[column]).astype(np.float64)
        both = (one, seen[read], pages.confidence_N[read][:, None], truth[read], prior[column])
        share = _shares(both)
        left_out: dict[str, Any] = {name: np.zeros_like(one) for name in ("read", "read, rescaled", "seen", "together")}
        for number in range(_PARTS):
            out, kept = part_N[read] == number, part_N[read] != number
            some = (*(x[kept] for x in both[:4]), prior[column])
            left_out["read"][out] = one[out]
            left_out["read, rescaled"][out] = blended(one[out], 0.0, both[2][out], _shares(some, looks=False))
            left_out["seen"][out] = _alone(some[1], some[3], prior[column]) * seen[read][out]
            left_out["together"][out] = blended(one[out], seen[read][out], both[2][out], _shares(some))
        loss = {name: _losses(moved + prior[column], truth[read]) for name, moved in left_out.items()}
        figures = {name: {"log_loss": round(float(loss[name].mean()), 5),
                          "macro_auroc": round(float(macro_auroc(truth[read].astype(np.uint8), moved + prior[column])), 4)}
                   for name, moved in left_out.items()}
        # Better than reading as it is, and than reading moved as freely as both are, by more than people differ by chance.
        helps = all(_surely_less(loss["together"], loss[name], pages.patient_N[read]) for name in ("read", "read, rescaled")) \
            and figures["together"]["macro_auroc"] > figures["read"]["macro_auroc"]
        if helps:
            together[group] = share
        reach.append((figures["seen"]["macro_auroc"] - 0.5) / max(figures["read"]["macro_auroc"] - 0.5, 1e-6))
        told[group] = {**figures, "shares": share._asdict(), "helps": helps}
    known = [share for share in reach if np.isfinite(share)]  # a few pages may show a statement on none or on all of them
    trust = float(np.clip(np.mean(known), 0.05, 1.0)) if known else 0.05
    return (Weights(tuple(float(p) for p in prevalence), alone, together, round(trust, 3)),
            {"pages": len(read), "read": int(read.sum()), "groups": told})


def _parts(patient_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which part each page is left out with: that of its patient."""
    people = np.unique(patient_N)
    order = np.random.default_rng(0).permutation(len(people)) % _PARTS
    return order[np.searchsorted(people, patient_N)]


def _losses(logit: Any, truth: Any) -> NDArray[np.float64]:
    """Log loss of each page, the mean over statements; in double precision, since its slope is taken from small differences."""
    z = np.asarray(logit, np.float64)
    return np.asarray((np.logaddexp(0.0, z) - truth * z).mean(axis=1), np.float64)


def _surely_less(one: NDArray[np.float64], other: NDArray[np.float64], patient_N: NDArray[np.int64]) -> bool:
    """Whether the losses of one are smaller by more than a standard error over patients."""
    people, place = np.unique(patient_N, return_inverse=True)
    gain = np.bincount(place, other - one) / np.bincount(place)
    return bool(gain.mean() > gain.std() / max(1, len(people) - 1) ** 0.5)


def _alone(moved: Any, truth: Any, prior: Any) -> float:
    """By how much the log-odds of one way are scaled about the base rates."""
    found = minimize(lambda x: float(_losses(prior + x[0] * moved, truth).mean()), np.array([0.8]), bounds=[(0.0, 2.0)],
                     method="L-BFGS-B")
    return round(float(found.x[0]), 4)


def _shares(pages: tuple[Any, ...], looks: bool = True) -> Shares:
    """The shares of both ways, or of reading alone; none is negative. pages: moved by reading and by looking, confidence, truth,
    base rates."""
    one, seen, confidence, truth, prior = pages
    most = 1.5 if looks else 0.0
    found = minimize(lambda x: float(_losses(prior + blended(one, seen, confidence, Shares(*x)), truth).mean()),
                     np.array([0.4, 0.4, 0.1, 0.1]) * ([1, 1, 1, 1] if looks else [1, 1, 0, 0]),
                     bounds=[(0.0, 1.5), (0.0, 1.5), (0.0, most), (0.0, most)], method="L-BFGS-B")
    return Shares(*(round(float(v), 4) for v in found.x))
