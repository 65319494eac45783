"""`ecglm monitor FILE|-`: a recording or a live stream, a line for every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ecglm.cli.options import Duration, Opener, Reader, Start, Unit, Which, reads_recordings
from ecglm.cli.output import print_text, verb_app

if TYPE_CHECKING:
    from ecglm.inference.monitor import Stream

app = verb_app()


@app.command()
@reads_recordings
def monitor(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording, or - for raw samples on standard input.")],
    read: Reader, open_windows: Opener,
    step: Annotated[float, typer.Option("--step", metavar="S", help="A line for every so many seconds, 10 to 60.")] = 30.0,
    event: Annotated[str, typer.Option("--event", help="What is forecast: af, aflutter or any.")] = "any",
    horizon: Annotated[float, typer.Option("--horizon", metavar="S", help="Within so many seconds, 60 to 600.")] = 300.0,
    window: Annotated[float, typer.Option("--window", metavar="S", help="By so many seconds before, 10 to 600.")] = 600.0,
    base_rate: Annotated[float | None, typer.Option(
        "--base-rate", metavar="SHARE", help="How often the event follows in people like this one, 0 to 1; 1 in 5 unless "
                                       "given.")] = None,
    on: Annotated[float, typer.Option("--on", metavar="P", help="An alarm is raised at this probability.")] = 0.5,
    off: Annotated[float, typer.Option("--off", metavar="P", help="It is cleared below this one.")] = 0.3,
    hold: Annotated[int, typer.Option("--hold", metavar="N", help="... for so many steps in a row.")] = 2,
    no_forecast: Annotated[bool, typer.Option("--no-forecast", help="Rhythm only.")] = False,
    model: Annotated[str | None, typer.Option("--model", metavar="DIR", help="Folder of a forecaster; default: the one that "
                                              "ships.")] = None,
    annotations: Annotated[str | None, typer.Option("--annotations", metavar="FILE.atr", help="Marked rhythms to compare with; "
                                                    "default: the .atr file beside a WFDB record.")] = None,
    timeline: Annotated[str | None, typer.Option("--timeline", metavar="OUT.png", help="Also draw it.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    fs: Annotated[float | None, typer.Option("--fs", metavar="HZ", help="Sampling rate of -, or where the file does not state "
                                             "it.")] = None,
    leads: Annotated[str | None, typer.Option("--leads", metavar="II,V5", help="Only these leads; of -: all of them.")] = None,
    form: Annotated[str | None, typer.Option("--format", metavar="f32|i16", help="Samples of -, little-endian, lead by lead; "
                                             "default: f32.")] = None,
    gain: Annotated[float | None, typer.Option("--gain", metavar="UNITS", help="Units per mV of -; default: 1 for f32, 200 for "
                                               "i16.")] = None,
    start_s: Start = None, duration_s: Duration = None, record: Which = None, unit: Unit = None,
) -> None:
    """Watch a recording or a live stream: rhythm, quality, ectopy, what may begin, alarms; a line for every step."""
    import json as text
    import os
    import sys

    from ecglm.errors import UsageError
    from ecglm.inference.monitor.alarms import Levels
    from ecglm.inference.monitor.session import BASE_RATE, Session, forecaster

    of_files = {"--start": start_s, "--duration": duration_s, "--record": record, "--unit": unit}
    if file == "-" and (given := [option for option, value in of_files.items() if value is not None]):
        raise UsageError(f"-: {', '.join(given)} is for files, not for raw samples; leave it out")
    of_samples = {"--format": form, "--gain": gain}
    if file != "-" and (given := [option for option, value in of_samples.items() if value is not None]):
        raise UsageError(f"{file}: {', '.join(given)} is for raw samples (-), a file says it itself; leave it out")
    levels = Levels(on, off, hold)
    asked = None if no_forecast else forecaster(event, horizon, window, BASE_RATE if base_rate is None else base_rate, model)
    stream = _raw(fs, leads, step, form or "f32", gain) if file == "-" else _windows(file, read, open_windows, step)
    session = Session(stream, asked, levels, horizon, timeline, annotations, None if file == "-" else file, event)
    with session:
        for one in session.steps():
            if json:
                print(text.dumps(one.to_dict()), flush=True)
            else:
                print_text(session.line(one))
                sys.stdout.flush()
    if session.left:  # nobody reads what follows, and nothing more can be flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    print(text.dumps(session.to_dict()), flush=True) if json else print_text("\n".join(session.lines()))
    if session.interrupted:
        raise KeyboardInterrupt


def _windows(file: str, read: Reader, open_windows: Opener, step: float) -> Stream:
    from ecglm.inference.monitor import from_windows
    from ecglm.records.windows import open_windows as of_record

    return from_windows(open_windows(file, longer_s=0.0) or of_record(read(file)), step)


def _raw(fs: float | None, leads: str | None, step: float, form: str, gain: float | None) -> Stream:
    import sys

    from ecglm.errors import UsageError
    from ecglm.inference.monitor import from_raw

    if fs is None or leads is None:
        raise UsageError("-: raw samples say neither their rate nor their leads; give --fs HZ and --leads II,V5")
    return from_raw(sys.stdin.buffer, [lead.strip() for lead in leads.split(",")], fs, step, form, gain)
