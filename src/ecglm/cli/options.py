"""Arguments that several verbs share, declared once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ecglm.records import Record
    from ecglm.records.windows import Windows

File = Annotated[str, typer.Argument(
    metavar="FILE", help="A recording: WFDB, DICOM, SCP-ECG, XML of a cart, EDF, GDF, MFER, ISHNE, CSV, NPY, MAT, HDF5, Parquet; "
                         "or a page image.")]
Files = Annotated[list[str], typer.Argument(metavar="FILE", help="One or more recordings.")]
Model = Annotated[str | None, typer.Option(
    "--model", metavar="NAME", help="Checkpoint folder or hub id; default: the embedded model.")]
Adapter = Annotated[str | None, typer.Option(
    "--adapter", metavar="DIR", help="Questions taught by `ecglm adapt`, a folder.")]
Towers = Annotated[str | None, typer.Option(
    "--towers", metavar="DIR", help="ECG-text model of `ecglm train recipes/ecg_chat.yaml`; default: the one that ships.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Start = Annotated[float | None, typer.Option("--start", metavar="S", help="Begin this many seconds into the recording.")]
Duration = Annotated[float | None, typer.Option("--duration", metavar="S", help="Read this many seconds.")]
Which = Annotated[str | None, typer.Option("--record", metavar="ID", help="Which recording, where a file holds several.")]
Unit = Annotated[str | None, typer.Option("--unit", help="mV, uV, nV, V or normalized, where the file does not state it.")]
#: What a verb under `@reads_recordings` calls with a path.
Reader = Callable[[str], "Record"]
#: The same for `open_windows` of recordings that are longer than longer_s; None for others.
Opener = Callable[..., "Windows | None"]

#: Keyword of `ecglm.read` to its option.
_READ: dict[str, Any] = {
    "start_s": Start,
    "duration_s": Duration,
    "leads": Annotated[str | None, typer.Option("--leads", metavar="II,V5", help="Only these leads.")],
    "record": Which,
    "fs": Annotated[float | None, typer.Option("--fs", metavar="HZ", help="Sampling rate, where the file does not state it.")],
    "unit": Unit,
}


#: Parameters that are no options.
_GIVEN = ("read", "open_windows")


def _recording(wanted: Mapping[str, Any], path: str) -> Record:
    import ecglm
    from ecglm.cli.output import waiting

    with waiting("Reading the file"):  # a page takes seconds
        return ecglm.read(path, **wanted)


def _opened(wanted: Mapping[str, Any], path: str, longer_s: float) -> Windows | None:
    from ecglm.records.windows import length_s, open_windows

    return open_windows(path, **wanted) if length_s(path, **wanted) > longer_s else None


def reads_recordings(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the options of `ecglm.read`; its parameter `read` then is a `Reader` that applies them, and `open_windows`,
    where it has one, an `Opener`.

    A verb that also wants to know one of them declares it."""

    @wraps(verb)
    def with_options(**given: Any) -> None:
        wanted = {key: given[key] for key in _READ if given[key] is not None}
        given = {key: value for key, value in given.items() if key in own.parameters}
        if "leads" in wanted:
            wanted["leads"] = [lead.strip() for lead in wanted["leads"].split(",")]
        if "open_windows" in own.parameters:
            given["open_windows"] = partial(_opened, wanted)
        verb(**given, read=partial(_recording, wanted))

    own = inspect.signature(verb, eval_str=True)
    options = [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
               for key, kind in _READ.items() if key not in own.parameters]
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name, p in own.parameters.items() if name not in _GIVEN]
    with_options.__signature__ = own.replace(parameters=[*parameters, *options])  # type: ignore[attr-defined]
    with_options.__annotations__ = {p.name: p.annotation for p in (*parameters, *options)}
    return with_options
