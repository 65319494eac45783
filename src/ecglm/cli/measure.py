"""`ecglm measure FILE`."""

from __future__ import annotations

from ecglm.cli.options import File, Json, Reader, reads_recordings
from ecglm.cli.output import print_json, print_table, problem_rows, verb_app

app = verb_app()


@app.command()
@reads_recordings
def measure(file: File, read: Reader, json: Json = False) -> None:
    """Heart rate, intervals, axis and rhythm, each with unit or the reason why not."""
    import ecglm

    measured = ecglm.measure(read(file))
    if json:
        print_json(measured.to_dict())
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
    rows.append(("rhythm", measured.rhythm or "not given", "", ""))
    rows += [(*row, "", "") for row in problem_rows(measured)]
    print_table(("measurement", "value", "spread", "from"), rows)
