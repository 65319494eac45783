"""Bytes of a WFDB signal file → digital samples, vectorised, for any window.

Standard: WFDB Applications Guide, signal(5), https://physionet.org/physiotools/wag/signal-5.htm.
Knows the storage formats and nothing about leads or units. A *frame* holds the samples
of all channels of one file at one tick: `[frame, samples of one frame]`.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import ReadError
from ecglm.records.request import MAX_RAW_BYTES, read_a_part

IntArray = NDArray[np.signedinteger[Any]]


class Storage(NamedTuple):
    """One storage format: samples and bytes of the smallest block, and the value that means *missing*."""

    samples: int
    bytes: int
    missing: int | None
    dtype: str = ""


FORMATS: dict[int, Storage] = {
    8: Storage(1, 1, None),
    16: Storage(1, 2, -(1 << 15), "<i2"),
    24: Storage(1, 3, -(1 << 23)),
    32: Storage(1, 4, -(1 << 31), "<i4"),
    61: Storage(1, 2, -(1 << 15), ">i2"),
    80: Storage(1, 1, -(1 << 7)),
    160: Storage(1, 2, -(1 << 15)),
    212: Storage(2, 3, -(1 << 11)),
    310: Storage(3, 4, -(1 << 9)),
    311: Storage(3, 4, -(1 << 9)),
}
FLAC_FORMATS: dict[int, Storage] = {
    508: Storage(1, 0, -(1 << 7)),
    516: Storage(1, 0, -(1 << 15)),
    524: Storage(1, 0, -(1 << 23)),
}
_FLAC_BLOCK = 1 << 20  # libsndfile fails on reads above 2**24 values (its issue 431)


def byte_count(fmt: int, n_values: int) -> int:
    """Fewest bytes that hold n_values in a format (a last, partial block may end early)."""
    storage = FORMATS[fmt]
    blocks, rest = divmod(n_values, storage.samples)
    if rest == 0:
        return blocks * storage.bytes
    # 310 puts bits of its third sample beside the first two, so two samples need the whole block.
    tail = {212: {1: 2}, 310: {1: 2, 2: 4}, 311: {1: 2, 2: 3}}[fmt][rest]
    return blocks * storage.bytes + tail


def value_count(fmt: int, n_bytes: int) -> int:
    """Most values that n_bytes can hold in a format."""
    storage = FORMATS[fmt]
    blocks, rest = divmod(n_bytes, storage.bytes)
    return blocks * storage.samples + max(k for k in range(storage.samples) if byte_count(fmt, k) <= rest)


def decode(fmt: int, raw: bytes, n_values: int) -> IntArray:
    """The first n_values of whole blocks in raw. Missing samples keep their marker value.

    Format 8 gives differences, not samples; see `read_frames`.
    """
    storage = FORMATS[fmt]
    if storage.dtype:
        return np.frombuffer(raw, storage.dtype, n_values)
    if fmt == 8:
        return np.frombuffer(raw, np.int8, n_values)
    if fmt == 80:
        return (np.frombuffer(raw, np.uint8, n_values) ^ 0x80).view(np.int8)
    if fmt == 160:
        return (np.frombuffer(raw, "<u2", n_values) ^ np.uint16(0x8000)).view("<i2")
    blocks = -(-n_values // storage.samples)
    short = blocks * storage.bytes - len(raw)
    if short > 0:
        raw += b"\0" * short
    data_NB = np.frombuffer(raw, np.uint8, blocks * storage.bytes).reshape(blocks, storage.bytes)
    if fmt == 24:
        wide_NB = np.zeros((blocks, 4), np.uint8)
        wide_NB[:, 1:] = data_NB
        sample_N: NDArray[np.int32] = wide_NB.view("<i4")[:, 0]
        return sample_N >> 8
    if fmt == 212:
        # Two 12-bit samples in three bytes: the middle byte has the top bits of both.
        pair_N22 = np.empty((blocks, 2, 2), np.uint8)
        pair_N22[:, 0] = data_NB[:, :2]
        pair_N22[:, 1, 0] = data_NB[:, 2]
        np.right_shift(data_NB[:, 1], 4, out=pair_N22[:, 1, 1])
        sample_N2: NDArray[np.int16] = pair_N22.view("<i2")
        sample_N2 <<= 4  # drops the neighbour's bits; the way back extends the sign
        sample_N2 >>= 4
        return sample_N2.reshape(-1)[:n_values]
    triple_N3 = np.empty((blocks, 3), np.int16)
    if fmt == 310:
        word_N2 = np.frombuffer(raw, "<u2", blocks * 2).reshape(blocks, 2)
        triple_N3[:, :2] = (word_N2 >> 1) & 0x3FF
        triple_N3[:, 2] = (word_N2[:, 0] >> 11) | ((word_N2[:, 1] >> 11) << 5)
    else:
        word_N = np.frombuffer(raw, "<u4", blocks)
        for place in range(3):
            triple_N3[:, place] = (word_N >> (10 * place)) & 0x3FF
    triple_N3 <<= 6
    triple_N3 >>= 6
    return triple_N3.reshape(-1)[:n_values]


def read_frames(
    fd: int, fmt: int, offset: int, frame: int, first: int, count: int, initial: list[int] | None = None
) -> IntArray:
    """Frames first .. first+count of an open file as ``[count, frame]`` digital samples.

    frame is the number of samples in one frame, offset the bytes before the first.
    The caller has checked that the file holds them. For format 8, initial has the value
    before the first difference of each channel, and the file is read from its start,
    because a difference has no meaning alone.
    """
    storage = FORMATS[fmt]
    if fmt == 8:
        total_F = np.array(initial, np.int64)
        for done in range(0, first, 1 << 16):
            n = min(1 << 16, first - done)
            part = np.frombuffer(_pread(fd, n * frame, offset + done * frame), np.int8).reshape(n, frame)
            total_F = total_F + part.sum(axis=0, dtype=np.int64)
        step_NF = np.frombuffer(_pread(fd, count * frame, offset + first * frame), np.int8).reshape(count, frame)
        out_NF = step_NF.cumsum(axis=0, dtype=np.int32)
        out_NF += total_F.astype(np.int32)
        return out_NF
    begin = first * frame
    lead_in = begin % storage.samples
    n_values = lead_in + count * frame
    raw = _pread(fd, byte_count(fmt, n_values), offset + (begin - lead_in) // storage.samples * storage.bytes)
    return decode(fmt, raw, n_values)[lead_in:].reshape(count, frame)


def _pread(fd: int, n_bytes: int, offset: int) -> bytes:
    """Exactly n_bytes at offset; a file that shrinks while it is read is an OSError."""
    raw = os.pread(fd, n_bytes, offset)
    while len(raw) < n_bytes:
        more = os.pread(fd, n_bytes - len(raw), offset + len(raw))
        if not more:
            raise OSError(f"ended at byte {offset + len(raw)} of {offset + n_bytes}")
        raw += more
    return raw


def read_flac(file: str, path: str, fmt: int, n_channels: int, offset: int, first: int, count: int) -> IntArray:
    """Samples first .. first+count of a FLAC signal file as ``[count, channel]``.

    offset is in samples here (signal(5)). Raises ReadError when the stream is not what
    the header (path) promises.
    """
    import soundfile

    bits = fmt - 500
    try:
        with soundfile.SoundFile(file) as stream:
            stored = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}.get(stream.subtype, 99)
            if stream.format != "FLAC" or stored > bits:
                raise ReadError(
                    path,
                    f"its signal file is {stream.format} {stream.subtype}, not FLAC of at most {bits} bits",
                    "correct the header or get the signal file again",
                )
            if stream.channels != n_channels:
                raise ReadError(
                    path,
                    f"its signal file has {stream.channels} channels where the header says {n_channels}",
                    "correct the header or get the signal file again",
                )
            if stream.frames < offset + first + count:
                raise ReadError(
                    path,
                    f"its signal file has {stream.frames} samples where the header promises {offset + first + count}",
                    "it was cut short; get it again",
                )
            out_NC = np.empty((count, n_channels), np.int16 if stored <= 16 else np.int32)
            stream.seek(offset + first)
            for begin in range(0, count, _FLAC_BLOCK // n_channels + 1):
                block = out_NC[begin : begin + _FLAC_BLOCK // n_channels + 1]
                got = len(stream.read(out=block))
                if got < len(block):
                    raise ReadError(
                        path,
                        f"its signal file ends after {first + begin + got} samples, {first + count} are promised",
                        "it was cut short or damaged; get it again",
                    )
    except (RuntimeError, TypeError, ValueError) as problem:  # soundfile raises LibsndfileError, a RuntimeError
        raise ReadError(
            path, f"its FLAC signal file cannot be decoded ({str(problem)[-80:]})", "it is damaged; get it again"
        ) from None
    if stored != 16:
        out_NC >>= 8  # soundfile left-aligns 8 bits in 16 and 24 in 32
    return out_NC


def check_raw(path: str, n_bytes: int) -> None:
    """Raise ReadError when one call would have to decode more than 1 GB of file."""
    if n_bytes > MAX_RAW_BYTES:
        raise ReadError(
            path,
            f"{n_bytes} bytes would have to be decoded, the limit is {MAX_RAW_BYTES}",
            read_a_part(),
        )
