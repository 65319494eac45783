"""`ecglm info FILE`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecglm.cli.options import File, Json, Reader, reads_recordings
from ecglm.cli.output import print_json, print_table, problem_rows, verb_app

if TYPE_CHECKING:
    from ecglm.records.cart import CartReading

app = verb_app()


@app.command()
@reads_recordings
def info(file: File, read: Reader, json: Json = False) -> None:
    """What is in a recording: format, leads, rate, length, quality and what is wrong with which lead."""
    import ecglm

    record = read(file)
    measured = ecglm.measure(record)
    quality = {lead: round(float(q), 3) for lead, q in measured.quality.items()}
    facts = {
        "path": file, "format": record.format, "leads": list(record.leads), "fs": record.fs,
        "duration_s": round(record.duration_s, 3), "unit": record.unit,
        "quality": quality, "problems": [problem.to_dict() for problem in measured.problems],
        "not_checked": dict(measured.not_checked),
        "patient": {"age": record.meta.age, "sex": record.meta.sex},
        "start": None if record.start is None else record.start.isoformat(), "device": record.meta.device,
        "missing": {lead: n for lead, n in record.missing.items() if n}, "notes": list(record.notes),
        "cart": None if record.cart is None else record.cart.to_dict(),
        "reading": None if record.reading is None else record.reading.to_dict(),
    }
    if json:
        print_json(facts)
        return
    print_table(("", ""), [
        ("path", file), ("format", record.format), ("leads", " ".join(record.leads)), ("rate", f"{record.fs:g} Hz"),
        ("duration", f"{record.duration_s:g} s"), ("unit", record.unit),
        ("quality", "  ".join(f"{lead} {q:.2f}" for lead, q in quality.items())),
        *problem_rows(measured),
        ("patient", f"age {_known(record.meta.age)}, sex {_known(record.meta.sex)}"),
        ("start", _known(record.start)), ("device", _known(record.meta.device)),
        *(("missing", f"{lead}: {n} samples") for lead, n in record.missing.items() if n),
        *_cart_rows(record.cart),
        *(("note", note) for note in record.notes),
    ])


def _cart_rows(cart: CartReading | None) -> list[tuple[str, str]]:
    """What the recording device measured and said, in its own rows: it is not ecglm's reading."""
    if cart is None:
        return []
    rows = [("cart says", statement) for statement in cart.statements]
    if cart.withheld:
        rows.append(("cart withheld", f"{cart.withheld} (lines with other than words of ECG reports: they may name people)"))
    if cart.measured():
        rows.insert(0, ("cart measured", ", ".join(_named(*item) for item in cart.measured().items())))
    if cart.median is not None:
        n_leads, n_samples = cart.median.signal.shape
        rows.append(("cart median", f"{n_leads} leads, {n_samples} samples at {cart.median.fs:g} Hz"))
    return rows


def _known(value: object) -> str:
    return "not given" if value is None else str(value)


def _named(field: str, value: float) -> str:
    """``qtc_ms`` 412 as ``QTc 412 ms``."""
    *words, unit = field.split("_")
    upper = {"qtc": "QTc", "p": "P", "t": "T", "rr": "RR", "pr": "PR", "qrs": "QRS", "qt": "QT"}
    return f"{' '.join(upper.get(word, word) for word in words)} {value:g} {unit}"
