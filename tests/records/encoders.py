"""Files for the tests: reference encoders of WFDB storage formats (signal(5), value by value), headers, DICOM, EDF.

Deliberately naive, and written from the standard rather than from ecglm's decoder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

RANGES = {
    "8": 31,
    "16": 32767,
    "24": 8388607,
    "32": 2147483647,
    "61": 32767,
    "80": 127,
    "160": 32767,
    "212": 2047,
    "310": 511,
    "311": 511,
}


def encode(fmt: str, values: np.ndarray) -> bytes:
    """Bytes of a flat run of samples in dat-file order (not format 8)."""
    v = [int(x) for x in values]
    if fmt in ("16", "61", "32", "24"):
        size, order = {"16": (2, "little"), "61": (2, "big"), "32": (4, "little"), "24": (3, "little")}[fmt]
        return b"".join(x.to_bytes(size, order, signed=True) for x in v)  # type: ignore[arg-type]
    if fmt == "80":
        return bytes(x + 128 for x in v)
    if fmt == "160":
        return b"".join((x + 32768).to_bytes(2, "little") for x in v)
    if fmt == "212":
        v += [0] * (len(v) % 2)
        out = bytearray()
        for a, b in zip(v[::2], v[1::2], strict=True):
            out += bytes([a & 0xFF, (a >> 8 & 0xF) | (b >> 8 & 0xF) << 4, b & 0xFF])
        return bytes(out)
    v += [0] * (-len(v) % 3)
    out = bytearray()
    for a, b, c in zip(v[::3], v[1::3], v[2::3], strict=True):
        a, b, c = a & 0x3FF, b & 0x3FF, c & 0x3FF
        if fmt == "310":
            out += (a << 1 | (c & 0x1F) << 11).to_bytes(2, "little") + (b << 1 | (c >> 5) << 11).to_bytes(2, "little")
        else:
            out += (a | b << 10 | c << 20).to_bytes(4, "little")
    return bytes(out)


def encode_differences(values_NC: np.ndarray, initial: list[int]) -> bytes:
    """Format 8: every sample as a signed byte of difference from the one before in its channel."""
    steps = np.diff(np.vstack([initial, values_NC]), axis=0)
    assert abs(steps).max() < 128
    return steps.astype(np.int8).tobytes()


def header(name: str, lines: list[str], fs: float = 250, n: int | None = None, extra: str = "") -> str:
    return f"{name} {len(lines)} {fs:g}" + (f" {n}" if n is not None else "") + extra + "\n" + "\n".join(lines) + "\n"


def simple(
    folder: Path,
    name: str = "r",
    n: int = 1000,
    leads: tuple[str, ...] = ("I", "II", "V1"),
    fs: float = 500,
    gain: str = "200(10)/mV",
    seed: int = 0,
) -> Path:
    """A small valid format-16 record; returns its header."""
    rng = np.random.default_rng(seed)
    data = rng.integers(-900, 900, (n, len(leads))).astype("<i2")
    (folder / f"{name}.dat").write_bytes(data.tobytes())
    (folder / f"{name}.hea").write_text(
        header(name, [f"{name}.dat 16 {gain} 16 0 {data[0, i]} 0 0 {lead}" for i, lead in enumerate(leads)], fs, n)
    )
    return folder / f"{name}.hea"


def edf(path: Path, signals: list[tuple[str, str, int, np.ndarray]], seconds: int = 10, bdf: bool = False) -> Path:
    """An EDF+ or BDF+ file written by pyedflib; signals are (label, unit, Hz, samples)."""
    import pyedflib

    kind = pyedflib.FILETYPE_BDFPLUS if bdf else pyedflib.FILETYPE_EDFPLUS
    low, high = (-8388608, 8388607) if bdf else (-32768, 32767)
    with pyedflib.EdfWriter(str(path), len(signals), file_type=kind) as writer:
        writer.setSignalHeaders(
            [
                {
                    "label": label,
                    "dimension": unit,
                    "sample_frequency": fs,
                    "physical_max": 4000.0,
                    "physical_min": -4000.0,
                    "digital_max": high,
                    "digital_min": low,
                }
                for label, unit, fs, _ in signals
            ]
        )
        writer.writeSamples([samples[: fs * seconds] for _, _, fs, samples in signals])
    return path


def discontinuous(path: Path, onsets: list[str]) -> Path:
    """An EDF+C or BDF+C file made EDF+D or BDF+D: the mark, and when each data record begins."""
    data = bytearray(path.read_bytes())
    width, n_signals = 3 if data[0] == 0xFF else 2, int(data[252:256])
    fields = data[256 : 256 * (n_signals + 1)]
    labels = [fields[16 * i : 16 * i + 16].decode().strip() for i in range(n_signals)]
    sizes = [width * int(fields[216 * n_signals + 8 * i :][:8]) for i in range(n_signals)]
    row = next(i for i, label in enumerate(labels) if label.endswith("Annotations"))
    for record, onset in enumerate(onsets):
        at = 256 * (n_signals + 1) + record * sum(sizes) + sum(sizes[:row])
        data[at : at + sizes[row]] = (onset.encode() + b"\x14\x14").ljust(sizes[row], b"\0")
    data[192:197] = data[192:196] + b"D"
    path.write_bytes(data)
    return path
