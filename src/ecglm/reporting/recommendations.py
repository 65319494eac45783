"""General next steps that guidelines attach to a finding. None of them is advice for one patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ecglm.schema import Finding


@dataclass(frozen=True)
class Recommendation:
    """A general step, the SCP-ECG codes that call for it, and the guideline it comes from."""

    codes: tuple[str, ...]
    text: str
    source: str


TABLE: tuple[Recommendation, ...] = (
    Recommendation(("AFIB", "AFLT"),
                   "Have the rhythm confirmed on the ECG by a clinician and the stroke risk assessed.",
                   "ESC atrial fibrillation guideline 2024, 10.1093/eurheartj/ehae176"),
    Recommendation(("AVB", "2AVB", "3AVB"), "Have the degree of block determined; second and third degree need prompt "
                   "review for reversible causes and pacing.",
                   "ESC cardiac pacing guideline 2021, 10.1093/eurheartj/ehab364"),
    Recommendation(("STE", "STE_", "MI", "AMI", "IMI", "LMI", "PMI"),
                   "With chest pain or equivalent symptoms treat as an emergency; "
                   "repeat the ECG and compare it with earlier ones.",
                   "ESC acute coronary syndromes guideline 2023, 10.1093/eurheartj/ehad191"),
    Recommendation(("LNGQT",), "Have QT measured by hand, and medicines and electrolytes reviewed.",
                   "ESC ventricular arrhythmia guideline 2022, 10.1093/eurheartj/ehac262"),
    Recommendation(("WPW",), "Ask a cardiologist about risk assessment of the accessory pathway.",
                   "ESC supraventricular tachycardia guideline 2019, 10.1093/eurheartj/ehz467"),
)


def recommendations(findings: Iterable[Finding]) -> list[tuple[Recommendation, tuple[str, ...]]]:
    """The table's rows that present findings call for, each with the names of these findings."""
    present = [finding for finding in findings if finding.present]
    rows = [(row, tuple(f.name for f in present if f.code.upper() in row.codes)) for row in TABLE]
    return [(row, names) for row, names in rows if names]
