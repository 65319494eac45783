"""General next steps that guidelines attach to a finding: the actions of the knowledge base. None is advice for one patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ecglm.answers import Finding
from ecglm.knowledge.base import Entry, load


@dataclass(frozen=True)
class Recommendation:
    """A general step, the guidelines it comes from, and the entry of the knowledge base that says so."""

    text: str
    source: str
    entry: str


def recommendations(findings: Iterable[Finding]) -> list[tuple[Recommendation, tuple[str, ...]]]:
    """The steps that present findings call for, each with the names of these findings, in their order; urgent ones first."""
    called: dict[str, list[str]] = {}
    for finding in findings:
        for explained in _explained(finding) if finding.present else ():
            for action in load().neighbours(explained.id, "action"):
                called.setdefault(action.id, []).append(finding.name)
    steps = sorted(called.items(), key=lambda step: not load().get(step[0]).urgent)
    return [(_row(load().get(name)), tuple(dict.fromkeys(names))) for name, names in steps]


def _explained(finding: Finding) -> tuple[Entry, ...]:
    """The entries on a finding: by its statement, else by its SCP-ECG code."""
    entry = load().of_statement(f"{finding.group}:{finding.code}")
    return load().of_code(finding.code) if entry is None else (entry,)


def _row(action: Entry) -> Recommendation:
    return Recommendation(action.text, "; ".join(map(str, action.citations)), action.id)
