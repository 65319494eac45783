"""What was measured of the beats, as evidence beside the statements of rhythm in a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ecglm.answers import Finding
from ecglm.schema import Evidence, Measurements
from ecglm.signal.conduction import conduction
from ecglm.signal.delineation import Delineation

#: Where the table gives no PR interval, a share from here on, which is of single marks, would contradict it.
_HALF = 0.5
#: Reasons for which the table gives none that count the P waves themselves.
_COUNTED = "P waves can be marked before only"


def with_rhythm_evidence(findings: Iterable[Finding], measured: Measurements, waves: Delineation, least: float,
                         ) -> tuple[Finding, ...]:
    """The findings; those of rhythm that are present, or at least so probable, with `rhythm_evidence` before their own."""
    seen = rhythm_evidence(measured, waves)
    return tuple(replace(f, evidence=(*seen, *f.evidence)) if f.group == "rhythm" and (f.present or f.probability >= least) else f
                 for f in findings)


def rhythm_evidence(measured: Measurements, waves: Delineation) -> tuple[Evidence, ...]:
    """Rate, how much RR varies, and the share of QRS complexes with a P wave before them (ventricular ones aside, which is
    said), as far as each is known and does not contradict the reason for which no PR interval was measured."""
    said = []
    if measured.heart_rate.value is not None:
        said.append(f"heart rate {measured.heart_rate.value:.0f} bpm")
    if measured.rr_sd.value is not None:
        said.append(f"RR standard deviation {measured.rr_sd.value:.0f} ms")
    reason = measured.pr.reason or ""
    if reason.startswith(_COUNTED):
        said.append(reason)
    elif len(waves.overall["qrs"]) > 2:
        share = conduction(waves.overall["p"], waves.overall["qrs"], waves.types).p_share
        if measured.pr.value is not None or share < _HALF:
            which = " that are not ventricular" if "V" in waves.types else ""
            said.append(f"P wave before {100 * share:.0f} % of the QRS complexes{which}")
    return (Evidence(", ".join(said)),) if said else ()
