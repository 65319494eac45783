"""`ecglm info FILE`."""

from __future__ import annotations

from ecglm.cli.options import File, Json, Reader, reads_recordings
from ecglm.cli.output import print_json, print_table, verb_app

app = verb_app()


@app.command()
@reads_recordings
def info(file: File, read: Reader, json: Json = False) -> None:
    """What is in a recording: format, leads, rate, length, quality."""
    from ecglm.signal import lead_quality

    record = read(file)
    quality = {lead: round(float(q), 3) for lead, q in lead_quality(record).items()}
    facts = {
        "path": file, "format": record.format, "leads": list(record.leads), "fs": record.fs,
        "duration_s": round(record.duration_s, 3), "unit": record.unit,
        "quality": quality,
        "patient": {"age": record.meta.age, "sex": record.meta.sex},
        "missing": {lead: n for lead, n in record.missing.items() if n}, "notes": list(record.notes),
    }
    if json:
        print_json(facts)
        return
    print_table(("", ""), [
        ("path", file), ("format", record.format), ("leads", " ".join(record.leads)), ("rate", f"{record.fs:g} Hz"),
        ("duration", f"{record.duration_s:g} s"), ("unit", record.unit),
        ("quality", "  ".join(f"{lead} {q:.2f}" for lead, q in quality.items())),
        ("patient", f"age {_known(record.meta.age)}, sex {_known(record.meta.sex)}"),
        *(("missing", f"{lead}: {n} samples") for lead, n in record.missing.items() if n),
        *(("note", note) for note in record.notes),
    ])


def _known(value: object) -> str:
    return "not given" if value is None else str(value)
