"""`ecglm measure FILE`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ecglm.cli.options import File, Json, Opener, Reader, reads_recordings
from ecglm.cli.output import print_json, print_table, print_text, problem_rows, verb_app

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
    """Heart rate, intervals, axis and rhythm, each with unit or the reason why not.

    Over 10 minutes, unless --waves is given: beats, rates, ectopy, pauses, fibrillation and variability, by the hour."""
    import ecglm
    from ecglm.atomic import write_text

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
    measured, found = ecglm.measure(record), ecglm.delineate(record)
    rhythm = ecglm.rhythm(record, found)
    if waves is not None:
        lines = ["lead,wave,onset_s,peak_s,offset_s,beat"]
        lines += [f"{lead},{wave},{on:.3f},{peak:.3f},{off:.3f},{kind}" for lead, wave, on, peak, off, kind in found.rows()]
        write_text(waves, "\n".join(lines) + "\n")
    if json:
        print_json(measured.to_dict() | {"rhythm_name": rhythm.to_dict()})
        return
    rows = []
    for name, m in measured.named().items():
        if m.value is None:
            rows.append((name, "not given", m.reason or "", ""))
        else:
            spread = "" if m.spread is None else f"± {m.spread:.1f}"
            where = f"{len(m.leads)} leads" if len(m.leads) > 3 else ", ".join(m.leads)
            seen = f"{m.beats} beats, " * bool(m.beats) + where
            rows.append((name, f"{m.value:.1f} {m.unit}", spread, seen))
    rows.append(("rhythm", rhythm.text, "", ""))
    rows += [("", item.text, "", "") for item in rhythm.evidence]
    rows += [(*row, "", "") for row in problem_rows(measured)]
    print_table(("measurement", "value", "spread", "from"), rows)
    if waves is not None:
        print_text(f"wrote {waves}")
