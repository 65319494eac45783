"""`ecglm measure`: measurements with units, or why one cannot be given."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ecglm.cli.options import File, Json, Opener, Reader, reads_recordings
from ecglm.cli.output import print_json, print_table, print_text, problem_rows, verb_app

if TYPE_CHECKING:
    from ecglm.schema import LeadValues, Measurement

app = verb_app()
#: Recordings longer than this (s) are summarised by the hour.
LONG_S = 600.0


@app.command()
@reads_recordings
def measure(
    file: File, read: Reader, open_windows: Opener, json: Json = False,
    waves: Annotated[str | None, typer.Option(
        "--waves", metavar="WAVES.csv", help="Also write where every P, QRS and T begins, peaks and ends.")] = None,
) -> None:
    """Rate, intervals, axes, voltages, rhythm and the waves of every lead, each with unit or the reason why not.

    Over 10 minutes, unless --waves is given: beats, rates, ectopy, pauses, fibrillation and variability, by the hour."""
    import ecglm
    from ecglm.atomic import write_text
    from ecglm.schema import LABELS

    windows = open_windows(file, longer_s=LONG_S) if waves is None else None
    if windows is not None:
        long = ecglm.holter(windows, progress=sys.stderr.isatty())
        if json:
            print_json(long.to_dict())
            return
        print_table(("recording", ""), long.rows())
        print_text("")
        print_table(*long.hour_rows(), headed=True)
        return
    record = read(file)
    found = ecglm.delineate(record)
    measured, rhythm = ecglm.measure(record, found), ecglm.rhythm(record, found)
    if waves is not None:
        lines = ["lead,wave,onset_s,peak_s,offset_s,beat"]
        lines += [f"{lead},{wave},{on:.3f},{peak:.3f},{off:.3f},{kind}" for lead, wave, on, peak, off, kind in found.rows()]
        write_text(waves, "\n".join(lines) + "\n")
    if json:
        print_json(measured.to_dict() | {"rhythm_name": rhythm.to_dict()})
        return
    rows = [_row(name, LABELS[name], m) for name, m in measured.named().items()]
    rows.append(("Rhythm", rhythm.text, "", "", ""))
    rows += [("", item.text, "", "", "") for item in rhythm.evidence]
    rows += [(*row, "", "", "") for row in problem_rows(measured)]
    print_table(("measurement", "value", "spread", "confidence", "from"), rows)
    print_text("")
    _print_waves(measured.by_lead)
    if waves is not None:
        print_text(f"wrote {waves}")


def _row(name: str, label: str, m: Measurement) -> tuple[str, str, str, str, str]:
    from ecglm.knowledge.precision import SAME_WITHIN
    from ecglm.schema import DECIMALS

    if m.value is None:
        return label, "not given", "", "", m.reason or ""
    digits = DECIMALS.get(m.unit, 0)
    where = f"{len(m.leads)} leads" if len(m.leads) > 3 else ", ".join(m.leads)
    return (label, f"{m.value:.{digits}f} {m.unit}", "" if m.spread is None else f"± {m.spread:.{max(1, digits)}f}",
            "not known" if m.confidence is None else f"{100 * m.confidence:.0f} % within {SAME_WITHIN[name]:g} {m.unit}",
            f"{m.beats} beats, " * bool(m.beats) + where)


def _print_waves(by_lead: dict[str, LeadValues]) -> None:
    """A row for each lead of which anything is given, and a line for each reason why others are not."""
    head = ("mV", "P", "Q", "R", "S", "R'", "T", "T wave", "ST J", "J+60", "J+80")
    rows = [_waves(lead, values) for lead, values in by_lead.items() if values.st_j.reason is None]
    if rows:
        print_table(head, rows, headed=True)
    refused: dict[str, list[str]] = {}
    for lead, values in by_lead.items():
        if values.st_j.reason is not None:
            refused.setdefault(values.st_j.reason, []).append(lead)
    for reason, leads in refused.items():
        print_text(f"waves of {', '.join(leads)}: not given, {reason}")


def _waves(lead: str, v: LeadValues) -> tuple[str, ...]:
    def shown(m: Measurement) -> str:
        return "-" if m.value is None else f"{round(m.value, 2) + 0:.2f}"  # no minus zero

    return (lead, *map(shown, (v.p, v.q, v.r, v.s, v.r_prime, v.t)), v.t_shape or "-", *map(shown, (v.st_j, v.st_j60, v.st_j80)))
