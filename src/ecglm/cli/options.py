"""Arguments that several verbs share, declared once."""

from __future__ import annotations

from typing import Annotated

import typer

File = Annotated[str, typer.Argument(metavar="FILE", help="A recording: WFDB, DICOM, EDF, CSV, NPY, MAT.")]
Files = Annotated[list[str], typer.Argument(metavar="FILE", help="One or more recordings.")]
Model = Annotated[str | None, typer.Option(
    "--model", metavar="NAME", help="Checkpoint folder or hub id; default: the embedded model.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
