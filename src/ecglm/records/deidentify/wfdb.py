"""WFDB: the header is written anew, of the signal files only the bytes that hold samples are copied.

No comments but age and sex, no annotation files; file names change in the header and on
disk. Bytes before and after the samples (a MATLAB header, trailing text) are left out;
FLAC, which may hold tags anywhere, is encoded again.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ecglm.errors import ReadError
from ecglm.records.deidentify.case import Case, Written
from ecglm.records.request import file_inside
from ecglm.records.wfdb import MAX_HEADER_BYTES
from ecglm.records.wfdb_decode import FLAC_FORMATS, FORMATS, byte_count, read_flac
from ecglm.records.wfdb_header import RECORD_LINE, Channel, Header, parse_header
from ecglm.records.wfdb_signals import infer_length, open_signal

_BLOCK = 1 << 22
_CLOCK = re.compile(r"\d{1,2}(?::\d{1,2}){0,2}(?:\.\d{1,6})?", re.ASCII)
_WHOLE = {3: re.compile(r"\d{1,2}"), 4: re.compile(r"-?\d{1,10}"), 5: re.compile(r"-?\d{1,10}"), 6: re.compile(r"-?\d{1,5}")}
_PATIENT = re.compile(r"\s*#\s*<?(?:(?:patient|subject)(?:[ _-]?(?:id|no|number|code))?|mrn)>?\s*[:=]\s*(\S.*)", re.I)


def header_of(path: str) -> tuple[str, Header]:
    """Text and content of a header file. Raises ReadError."""
    with open(path, "rb") as stream:
        raw = stream.read(MAX_HEADER_BYTES + 1)
    if len(raw) > MAX_HEADER_BYTES:
        raise ReadError(path, f"its header has more than {MAX_HEADER_BYTES} bytes", "it is damaged; get it again")
    text = raw.decode("utf-8", "replace").lstrip("\ufeff")
    return text, parse_header(text, path)


def named_files(path: str, header: Header) -> tuple[list[str], list[str]]:
    """The signal files and the segment headers that a header names, in its folder. Raises ReadError for other places."""
    folder = os.path.dirname(path)
    signals = dict.fromkeys(channel.file for channel in header.channels if channel.file != "~")
    segments = dict.fromkeys(name for name, _ in header.segments if name != "~")
    return (
        [file_inside(folder, name, path) for name in signals],
        [file_inside(folder, f"{name}.hea", path) for name in segments],
    )


def parts(path: str) -> list[str]:
    """Every file of the record, the header first. Raises ReadError."""
    _, header = header_of(path)
    signals, segments = named_files(path, header)
    found = [path, *signals]
    for segment in segments:
        found += [segment, *named_files(segment, header_of(segment)[1])[0]]
    return found


def patient_of(path: str) -> list[str]:
    """What the comments say about who it is."""
    found = [_PATIENT.match(comment) for comment in header_of(path)[1].comments]
    return [match[1].strip() for match in found if match]


def write(case: Case, folder: Path) -> Written:
    """The record under case.name in folder. Raises ReadError."""
    text, header = header_of(case.path)
    if not header.segments:
        total = _single(case, text, header, case.path, case.name, None, folder)
        written = (folder / f"{case.name}.hea").read_bytes()
        return Written(f"{case.name}.hea", written.replace(case.name.encode(), b" "), total / header.fs)
    names: dict[str, str] = {"~": "~"}
    for name, length in header.segments:
        if name not in names:
            names[name] = f"{case.name}_{len(names):04d}" if length or len(names) > 1 else f"{case.name}_layout"
            path = file_inside(os.path.dirname(case.path), f"{name}.hea", case.path)
            segment_text, segment = header_of(path)
            if segment.segments:
                raise ReadError(case.path, f"segment {name[:40]} has segments of its own", "a segment must be a single record")
            _single(case, segment_text, segment, path, names[name], length, folder)
    lines = [f"{names[name]} {length}" for name, length in header.segments]
    for _, length in header.segments:
        case.number(str(length))
    _write_header(case, case.path, text, header, case.name, f"/{len(lines)}", header.n_samples, lines, folder)
    total = sum(length for _, length in header.segments)
    written = b"".join((folder / f"{name}.hea").read_bytes() for name in (case.name, *names.values()) if name != "~")
    return Written(f"{case.name}.hea", written.replace(case.name.encode(), b" "), total / header.fs)


def _single(case: Case, text: str, header: Header, path: str, name: str, length: int | None, folder: Path) -> int:
    """Write a record without segments (or one segment, of the length the record promises); returns its frames."""
    source = os.path.dirname(path)
    layout = bool(header.channels) and all(channel.file == "~" for channel in header.channels)
    total = header.n_samples or 0
    if not layout:
        total = total or length or infer_length(header, source, path)
    by_file: dict[str, list[Channel]] = {}
    for channel in header.channels:
        by_file.setdefault(channel.file, []).append(channel)
    renamed = {"~": "~"}
    for number, (file, group) in enumerate((item for item in by_file.items() if item[0] != "~"), 1):
        renamed[file] = f"{name}{f'_{number}' if len(by_file) > 1 else ''}.dat"
        case.removed["file name"] += 1  # `deidentify` looks for the names of files itself
        _copy_samples(case, file_inside(source, file, path), path, group, total, round(header.fs), folder / renamed[file])
    body = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")][1:]
    lines = []
    for place, (channel, line) in enumerate(zip(header.channels, body, strict=False), 1):
        fields = line.split(None, 8)
        # ADC resolution, ADC zero, initial value, checksum; the block size and where samples begin are ours.
        given = [fields[at] if len(fields) > at and form.fullmatch(fields[at]) else "0" for at, form in _WHOLE.items()]
        whole = [str(int(number)) for number in given]
        shape = (f"x{channel.per_frame}" if channel.per_frame > 1 else "") + (f":{channel.skew}" if channel.skew else "")
        gain = f"{channel.gain!r}({channel.baseline})/{case.unit(channel.unit)}"
        label = case.label(channel.name, place)
        for text_of_number in (*whole, str(channel.baseline), f"{channel.gain:g}"):
            case.number(text_of_number)
        lines.append(f"{renamed[channel.file]} {channel.fmt}{shape} {gain} {' '.join(whole)} 0 {label}")
    _write_header(case, path, text, header, name, "", total, lines, folder)
    return total


def _write_header(
    case: Case, path: str, text: str, header: Header, name: str, segments: str, total: int | None, lines: list[str], folder: Path
) -> None:
    first = next(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    match = RECORD_LINE.match(first)
    assert match is not None  # parse_header has seen it
    case.drop("record name", *[match[1]] * (match[1] != Path(path).stem))
    fields = [f"{name}{segments}", str(header.n_signals), repr(header.fs).removesuffix(".0"), str(total or 0)]
    for number in fields[1:]:
        case.number(number)
    clock = match[6] or ""
    if _CLOCK.fullmatch(clock):
        fields.append(case.say(clock))
        case.kept.add("time of day")
        moved = case.moved(header.start, "base date")
        if moved is not None:
            fields.append(f"{moved:%d/%m/%Y}")
    if match[7] and header.start is None:
        case.drop("base date", match[7])
    comments = []
    if name == case.name:
        comments = [case.say(f"# Age: {case.age}")] if case.age is not None else []
        comments += [case.say(f"# Sex: {case.sex.capitalize()}")] if case.sex is not None else []
    for comment in header.comments:
        case.drop("comment", comment)
    (folder / f"{name}.hea").write_text("\n".join([" ".join(fields), *lines, *comments]) + "\n", encoding="ascii")


def _copy_samples(case: Case, file: str, path: str, group: list[Channel], total: int, rate: int, target: Path) -> None:
    """The bytes of these channels' samples, and nothing before or after them."""
    fmt, offset = group[0].fmt, group[0].offset
    if any(channel.fmt != fmt for channel in group):
        raise ReadError(path, "it gives several storage formats for one signal file", "correct the header")
    case.kept.add("samples, byte for byte" if fmt in FORMATS else "samples")
    if fmt in FLAC_FORMATS:
        _encode_again(file, path, group, total, rate, target)
        return
    if fmt not in FORMATS:
        raise ReadError(path, f"its storage format {fmt} is not a WFDB format", "correct the header")
    need = byte_count(fmt, total * sum(channel.per_frame for channel in group))
    fd = open_signal(file, path)
    try:
        after = os.fstat(fd).st_size - offset - need
        if after < 0:
            raise ReadError(path, f"a signal file has {-after} bytes less than promised", "it was cut short; get it again")
        with open(target, "wb") as stream:
            for at in range(0, need, _BLOCK):
                stream.write(os.pread(fd, min(_BLOCK, need - at), offset + at))
    finally:
        os.close(fd)
    for what, count in (("bytes before the samples", offset), ("bytes after the samples", after)):
        case.removed.update({what: count} if count else {})


def _encode_again(file: str, path: str, group: list[Channel], total: int, rate: int, target: Path) -> None:
    import soundfile

    fmt, per_frame = group[0].fmt, group[0].per_frame
    rows, step = total * per_frame, max(1, _BLOCK // len(group))
    subtype = {508: "PCM_S8", 516: "PCM_16", 524: "PCM_24"}[fmt]
    with soundfile.SoundFile(target, "w", rate, len(group), subtype, format="FLAC") as stream:
        for at in range(0, rows, step):
            block = read_flac(file, path, fmt, len(group), group[0].offset, at, min(step, rows - at))
            stream.write(block.astype("i2") << 8 if fmt == 508 else block.astype("i4") << 8 if fmt == 524 else block)
