"""`ecglm measure FILE`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecglm.cli.options import File, Json, Reader, reads_recordings
from ecglm.cli.output import print_json, print_table, print_text, problem_rows, verb_app

if TYPE_CHECKING:
    from ecglm.schema import LeadValues, Measurement

app = verb_app()


@app.command()
@reads_recordings
def measure(file: File, read: Reader, json: Json = False) -> None:
    """Rate, intervals, axes, voltages, rhythm and the waves of every lead, each with unit or the reason why not."""
    import ecglm
    from ecglm.schema import LABELS

    measured = ecglm.measure(read(file))
    if json:
        print_json(measured.to_dict())
        return
    rows = [_row(name, LABELS[name], m) for name, m in measured.named().items()]
    rows.append(("Rhythm", measured.rhythm or "not given", "", "", ""))
    rows += [(*row, "", "", "") for row in problem_rows(measured)]
    print_table(("measurement", "value", "spread", "confidence", "from"), rows)
    print_text("")
    given = {lead: values for lead, values in measured.by_lead.items() if values.st_j.reason is None}
    if given:
        print_table(("mV", "P", "Q", "R", "S", "R'", "T", "T wave", "ST J", "J+60", "J+80"),
                    [_waves(lead, values) for lead, values in given.items()])
    refused: dict[str, list[str]] = {}
    for lead, values in measured.by_lead.items():
        if values.st_j.reason is not None:
            refused.setdefault(values.st_j.reason, []).append(lead)
    for reason, leads in refused.items():
        print_text(f"waves of {', '.join(leads)}: not given, {reason}")


def _row(name: str, label: str, m: Measurement) -> tuple[str, str, str, str, str]:
    from ecglm.knowledge.precision import SAME_WITHIN
    from ecglm.schema import DECIMALS

    if m.value is None:
        return label, "not given", "", "", m.reason or ""
    digits = DECIMALS.get(m.unit, 0)
    where = f"{len(m.leads)} leads" if len(m.leads) > 3 else ", ".join(m.leads)
    return (label, f"{m.value:.{digits}f} {m.unit}", "" if m.spread is None else f"± {m.spread:.{max(1, digits)}f}",
            "" if m.confidence is None else f"{100 * m.confidence:.0f} % within {SAME_WITHIN[name]:g}",
            f"{m.beats} beats, " * bool(m.beats) + where)


def _waves(lead: str, values: LeadValues) -> tuple[str, ...]:
    def shown(m: Measurement) -> str:
        return "-" if m.value is None else f"{round(m.value, 2) + 0:.2f}"  # no minus zero

    v = values
    return (lead, *map(shown, (v.p, v.q, v.r, v.s, v.r_prime, v.t)), v.t_shape or "-", *map(shown, (v.st_j, v.st_j60, v.st_j80)))
