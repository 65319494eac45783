"""`ecglm deidentify IN OUT`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ecglm.cli.options import Json
from ecglm.cli.output import print_json, print_table, print_text, verb_app

if TYPE_CHECKING:
    from ecglm.records.deidentify import Report

app = verb_app()


@app.command()
def deidentify(
    source: Annotated[str, typer.Argument(metavar="IN", help="A recording (WFDB, DICOM, EDF, XML of a cart) or a folder.")],
    target: Annotated[str, typer.Argument(metavar="OUT", help="A folder, or a file name with the recording's extension.")],
    key: Annotated[str | None, typer.Option(
        "--key", metavar="FILE", help="Secret that names and dates follow from; made when missing. Default: random.")] = None,
    patients: Annotated[str | None, typer.Option(
        "--patients", metavar="CSV", help="Whose each recording is (columns path,patient), where files do not say.")] = None,
    mapping: Annotated[str | None, typer.Option(
        "--mapping", metavar="CSV", help="Also write which source became which output.")] = None,
    keep_names: Annotated[bool, typer.Option("--keep-names", help="Keep file and folder names: they may name patients.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")] = False,
    json: Json = False,
) -> None:
    """Remove what says whose a recording is: same signal, same format, dates shifted."""
    import ecglm
    from ecglm.errors import EcglmError

    report = ecglm.deidentify(
        source, target, key=key, patients=patients, mapping=mapping, keep_names=keep_names, overwrite=overwrite,
        progress=sys.stderr.isatty())
    if json:
        print_json(report.to_dict())
    else:
        _print(report)
    if report.failed:
        done = len(report.files) + len(report.skipped)
        raise EcglmError(f"{len(report.failed)} of {done + len(report.failed)} recordings were not written, the others are done; "
                         f"the first: {report.failed[0][1]}")


def _print(report: Report) -> None:
    print_table(("file", "format", "removed", "shifted"), [
        (one.target, one.format, f"{sum(one.removed.values())} in {len(one.removed)} fields",
         ", ".join(f"{name} ({count})" for name, count in one.shifted.items()) or "no dates") for one in report.files])
    if len(report.files) == 1:
        print_table(("removed field", "times"), report.files[0].removed.items())
    if report.skipped:
        print_text(f"{len(report.skipped)} were there already")
    if report.left_out:
        print_text(f"{len(report.left_out)} files are no recordings that ecglm reads and were not copied")
    for _, reason in report.failed:
        print_text(f"not written: {reason}")
    if not report.key_kept:
        print_text("the key was random: another run gives other names and dates; pass --key FILE to keep them")
