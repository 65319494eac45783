"""What is printed around the ruled area: the header in its arrangement, the footer, and lines at the right edge."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from ecglm.paper import layout as sheet
from ecglm.paper import raster
from ecglm.paper.header import PageHeader
from ecglm.paper.style import Style
from ecglm.paper.truth import TextBox, TextKind
from ecglm.records.record import Record

NOTICE = "Research use only - not a medical device"
PRINT_MM = 2.6
#: Left and right edge of what is printed (mm from the sheet's top left).
_LEFT_MM, _RIGHT_MM = sheet.GRID_MM[0] + 1.0, sheet.GRID_MM[2] - 1.0


@dataclass(frozen=True, eq=False)
class Printer:
    """A page to print on. px: pixels per millimetre."""

    image: raster.Image
    px: float
    ink: Style

    def line(self, kind: TextKind, text: str, left_mm: float, base_mm: float, height_mm: float = PRINT_MM,
             bold: bool = False) -> TextBox:
        """Text whose writing line starts at a place."""
        return TextBox(kind, text, raster.write(self.image, text, left_mm * self.px, base_mm * self.px, height_mm * self.px,
                                                self.ink.text, bold))

    def right(self, kind: TextKind, text: str, base_mm: float, right_mm: float = _RIGHT_MM, height_mm: float = PRINT_MM,
              bold: bool = False) -> TextBox:
        """Text whose writing line ends at a place."""
        return self.line(kind, text, right_mm - self.width_mm(text, height_mm, bold), base_mm, height_mm, bold)

    def width_mm(self, text: str, height_mm: float = PRINT_MM, bold: bool = False) -> float:
        """How wide text will be."""
        return raster.text_size(text, height_mm * self.px, bold)[1] / self.px


def print_header(printer: Printer, header: PageHeader) -> list[TextBox]:
    """The header in its arrangement."""
    return {"columns": _columns, "ledger": _ledger, "banner": _banner, "card": _card}[header.arrangement](printer, header)


def print_footer(printer: Printer, record: Record, speed: float, gain: float, bottom_mm: float) -> list[TextBox]:
    """Speed, gain and rate below the ruled area, and what the page must not be used for."""
    scale = f"{gain:g} mm/mV" if record.unit == "mV" else "amplitude normalised (no mV scale)"
    text = f"{speed:g} mm/s    {scale}    {record.fs:g} Hz, unfiltered, centred on median"
    return [printer.line("footer", text, _LEFT_MM, bottom_mm + 5.2), printer.right("notice", NOTICE, bottom_mm + 5.2)]


def _columns(printer: Printer, header: PageHeader) -> list[TextBox]:
    """Patient and rate, then intervals, as labels and values in two columns; date and text in a third."""
    out = []
    columns = [column for column in (header.patient + header.rate, header.intervals) if column]
    for i, column in enumerate(columns):
        for j, (label, value) in enumerate(column):
            for text, indent in ((label, 0.0), (value, 12.0)):
                out.append(printer.line("header", text, _LEFT_MM + 42.0 * i + indent, 8.0 + 4.6 * j))
    for j, text in enumerate([*([header.when] if header.when else []), *header.lines]):
        out.append(printer.line("header", text, _LEFT_MM + 42.0 * len(columns), 8.0 + 4.6 * j))
    return out


def _ledger(printer: Printer, header: PageHeader) -> list[TextBox]:
    """Patient and date on the first line; below it the measurements one under the other, values right-aligned, text beside."""
    first = ", ".join(value for _, value in header.patient)
    out = [printer.line("header", first, _LEFT_MM, 6.0, bold=True)] if first else []
    if header.when:
        out.append(printer.line("header", header.when, _LEFT_MM + 70.0, 6.0))
    for j, (label, value) in enumerate(header.rate[:1] + header.intervals + header.rate[1:]):
        column, row = divmod(j, 3)
        left, base = _LEFT_MM + 44.0 * column, 11.6 + 4.2 * row
        name = {"Rate": "Vent. rate", "PR": "PR interval", "QRS": "QRS duration", "QT": "QT", "QTc": "QTc", "Axis": "Axis"}[label]
        out += [printer.line("header", name, left, base), printer.right("header", value, base, left + 40.0)]
    said = enumerate(header.lines)
    return out + [printer.line("header", text, _LEFT_MM + 100.0, 11.6 + 4.2 * j, bold=j == 0) for j, text in said]


def _banner(printer: Printer, header: PageHeader) -> list[TextBox]:
    """All values on one line across the page, date at its end, text on the lines below."""
    out, left = [], _LEFT_MM
    facts = [value for _, value in header.patient] + [f"{label} {value}" for label, value in header.rate + header.intervals]
    for fact in facts:
        out.append(printer.line("header", fact, left, 7.5))
        left = out[-1].box.right / printer.px + 5.0
    if header.when:
        out.append(printer.right("header", header.when, 7.5))
    return out + [printer.line("header", text, _LEFT_MM, 13.0 + 4.4 * j) for j, text in enumerate(header.lines)]


def _card(printer: Printer, header: PageHeader) -> list[TextBox]:
    """A row of framed fields, each with a small label over its value; text below the row."""
    out, left, top, low = [], _LEFT_MM, 3.0, 12.5
    fields = header.patient + header.rate + header.intervals + ([("Recorded", header.when)] if header.when else [])
    for label, value in fields:
        wide = max(printer.width_mm(value, 3.0) + 4.0, 20.0)
        corner, end = ((round(x * printer.px), round(y * printer.px)) for x, y in ((left, top), (left + wide, low)))
        cv2.rectangle(printer.image, corner, end, printer.ink.text, max(1, round(0.15 * printer.px)), cv2.LINE_AA)
        out.append(printer.line("header", label, left + 1.5, top + 3.0, 1.7))
        out.append(printer.line("header", value, left + 1.5, low - 1.6, 3.0))
        left += wide
    return out + [printer.line("header", text, _LEFT_MM, 16.4 + 3.9 * j, 2.3) for j, text in enumerate(header.lines[:2])] + [
        printer.right("header", text, 16.4, height_mm=2.3) for text in header.lines[2:]]
