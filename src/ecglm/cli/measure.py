"""`ecglm measure`: measurements with units, or why one cannot be given."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecglm.cli.options import Files, Json, Opener, Reader, reads_recordings
from ecglm.cli.output import print_error, print_json, print_table, print_text, problem_rows, verb_app

if TYPE_CHECKING:
    from ecglm.schema import LeadValues, Measurement, Measurements, Rhythm
    from ecglm.signal.holter import Holter

app = verb_app()
#: Recordings longer than this (s) are summarised by the hour.
LONG_S = 600.0
#: Lengths from the onset in the median lead to the offset in the median lead (docs/measure.md).
_OVER_LEADS = ("p_duration", "pr", "qrs", "qt")


@app.command()
@reads_recordings
def measure(
    files: Files, read: Reader, open_windows: Opener, json: Json = False,
    waves: Annotated[str | None, typer.Option(
        "--waves", metavar="WAVES.csv", help="Also write where every P, QRS and T begins, peaks and ends.")] = None,
) -> None:
    """Rate, intervals, axes, voltages, rhythm and the waves of every lead, each with unit or the reason why not.

    Over 10 minutes, unless --waves is given: beats, rates, ectopy, pauses, fibrillation and variability, by the hour."""
    from ecglm.errors import EcglmError, UsageError

    if len(files) == 1:
        values, show = _measured(files[0], read, open_windows, waves)
        if json:
            print_json(values)
        else:
            show()
        return
    if waves is not None:
        raise UsageError(f"{waves}: holds the waves of one recording and {len(files)} are given; measure them one by one")
    recordings: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for number, file in enumerate(files):
        try:
            values, show = _measured(file, read, open_windows, None)
        except EcglmError as error:  # the others are measured all the same
            print_error(str(error))
            failed.append({"path": file, "reason": str(error)})
            continue
        recordings.append({"path": file, **values})
        if not json:
            print_text("\n" * bool(number) + f"{file}:")
            show()
    if json:
        print_json({"recordings": recordings, "failed": failed})
    if failed:
        raise typer.Exit(2)


def _measured(file: str, read: Reader, open_windows: Opener, waves: str | None) -> tuple[dict[str, Any], Callable[[], None]]:
    """What `--json` prints of a file, and what prints it for people."""
    import ecglm
    from ecglm.atomic import write_text

    windows = open_windows(file, longer_s=LONG_S) if waves is None else None
    if windows is not None:
        long = ecglm.holter(windows, progress=sys.stderr.isatty())
        return long.to_dict(), partial(_show_long, long)
    record = read(file)
    found = ecglm.delineate(record)
    measured, rhythm = ecglm.measure(record, found), ecglm.rhythm(record, found)
    if waves is not None:
        lines = ["lead,wave,onset_s,peak_s,offset_s,beat"]
        lines += [f"{lead},{wave},{on:.3f},{peak:.3f},{off:.3f},{kind}" for lead, wave, on, peak, off, kind in found.rows()]
        write_text(waves, "\n".join(lines) + "\n")
    return measured.to_dict() | {"rhythm_name": rhythm.to_dict()}, partial(_show, measured, rhythm, waves)


def _show_long(long: Holter) -> None:
    print_table(("recording", ""), long.rows())
    print_text("")
    print_table(*long.hour_rows(), headed=True)


def _show(measured: Measurements, rhythm: Rhythm, waves: str | None) -> None:
    from ecglm.schema import LABELS

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
    where = f"median of {where}" if name in _OVER_LEADS and len(m.leads) > 1 else where
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
