"""Small files that would unfold to hours of work or gigabytes: refused or read within seconds."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import EcglmError
from ecglm.records import read

from .carts import aecg, lzw, muse, sierra, waves
from .gdf_writer import gdf
from .mfer_writer import definition, mfer
from .peak import MAX_PEAK, cost_of
from .scp_writer import assemble, le, structure
from .test_memory import described_elements, padded_leads

SMALL = waves(1, 3)


def many_series() -> bytes:
    text = aecg(SMALL, ("II",))
    series = "<component><series>" + text.split("<component><series>")[1].split("</series>")[0] + "</series></component>"
    return text.replace("<component><series>", series * 8_000 + "<component><series>").encode()


def many_sets() -> bytes:
    text = aecg(SMALL, ("II",))
    one = "<component><sequenceSet>" + text.split("<sequenceSet>")[1].split("</sequenceSet>")[0]
    sets = "".join(one.replace("LEAD_II", f"LEAD_{i}X") + "</sequenceSet></component>" for i in range(15_000))
    return aecg(SMALL, ("II",), extra=sets).encode()


def many_waveforms() -> bytes:
    one = "<Waveform><WaveformType>Median</WaveformType><LeadData/></Waveform>"
    return muse(SMALL, ("II",)).replace("<Waveform>", one * 50_000 + "<Waveform>", 1).encode()


def many_statements() -> bytes:
    one = "<DiagnosisStatement><StmtFlag>ENDSLINE</StmtFlag><StmtText>---</StmtText></DiagnosisStatement>"
    return muse(SMALL, ("II",)).replace("<Diagnosis>", f"<Diagnosis>{one * 60_000}").encode()


def packed_leads() -> bytes:
    import base64

    body = lzw(bytes(2 << 20))
    chunk = len(body).to_bytes(4, "little") + bytes(4) + body
    text = sierra(waves(12, 20), leads=tuple(f"L{i}" for i in range(12)))
    text = text.replace('numberofleads="12"', 'numberofleads="500"')
    text = text.replace('leadlabels="', 'leadlabels="' + " ".join(f"M{i}" for i in range(490)) + " ")
    first, last = text.index(">", text.index("<parsedwaveforms")) + 1, text.index("</parsedwaveforms>")
    return (text[:first] + base64.b64encode(chunk * 500).decode() + text[last:]).encode()


def one_bit_samples() -> bytes:
    leads = b"".join(le(1, 4) + le(500_000, 4) + bytes((i,)) for i in range(255))
    lengths = le(65_535, 2) * 255
    return assemble({
        2: le(19999, 2), 3: bytes((255, 4)) + leads,
        6: le(1, 2) + le(2000, 2) + b"\2\0" + lengths + bytes(500_000),
    })  # fmt: skip


def idle_switches() -> bytes:
    """Codes of one bit that only switch tables."""
    leads = b"".join(le(1, 4) + le(500, 4) + bytes((i + 1,)) for i in range(60))
    table = le(1, 2) + le(2, 2) + structure("0", 1, True, 1) + structure("1", 1, False, 0)
    lengths, row = le(65_534, 2) * 60, bytes(65_470) + b"\xff" * 64
    return assemble({
        2: table, 3: bytes((60, 4)) + leads, 6: le(1, 2) + le(2000, 2) + b"\2\0" + lengths + row * 60,
    })  # fmt: skip


def long_codes() -> bytes:
    """Every sample has a code of 32 bits, and the table one of every length."""
    leads = b"".join(le(1, 4) + le(16_000, 4) + bytes((i + 1,)) for i in range(60))
    codes = b"".join(structure("0" * (length - 1) + "1", length, False, 1) for length in range(1, 33))
    return assemble({
        2: le(1, 2) + le(32, 2) + codes, 3: bytes((60, 4)) + leads,
        6: le(1, 2) + le(2000, 2) + b"\2\0" + le(64_000, 2) * 60 + b"\0\0\0\1" * 16_000 * 60,
    })  # fmt: skip


def piled_beats(length_ms: int = 5000, samples: int = 60_000, first: int = 1, last: int = 60_000) -> bytes:
    """A beat as long as the strip, at every one of 65,535 places."""
    leads = b"".join(le(1, 4) + le(samples, 4) + bytes((i + 1,)) for i in range(12))
    qrs = b"".join(le(0, 2) + le(first, 4) + le(20, 4) + le(last, 4) for _ in range(65_535))
    beat = 1000 * length_ms // 1000
    return assemble({
        2: le(19999, 2), 3: bytes((12, 5)) + leads, 4: le(length_ms, 2) + le(20, 2) + le(65_535, 2) + qrs,
        5: le(1, 2) + le(1000, 2) + b"\2\0" + le((beat + 7) // 8, 2) * 12 + bytes((beat + 7) // 8 * 12),
        6: le(1, 2) + le(1000, 2) + b"\2\0" + le(samples // 8, 2) * 12 + bytes(samples // 8 * 12),
    })  # fmt: skip


def endless_beats() -> bytes:
    return piled_beats(length_ms=60_000)


def short_beats() -> bytes:
    return piled_beats(first=20, last=20)


def padded() -> bytes:
    return padded_leads().encode()


def attributes() -> bytes:
    return described_elements().encode()


def one_record() -> bytes:
    """An hour and more in a single data record."""
    row = np.tile(waves(1, 1000)[0].clip(-30000, 30000), 7000)
    return gdf([("II", "uV", len(row), row), ("V1", "uV", len(row), row)], records=1, seconds=(7000, 1))


def many_frames() -> bytes:
    return mfer(waves(1, 50), ("II",), extra=definition(0x1E, bytes(100)) * 18_000)


def hdf5_bomb(shape: tuple[int, int], chunks: tuple[int, int] | None, body: bytes | None) -> bytes:
    """A gzip chunk of 300 MB where the file says 4 kB; or shapes of which next to nothing is stored."""
    import io

    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        packed = {} if chunks is None else {"compression": "gzip"}
        signal = file.create_dataset("signal", shape, "f4", chunks=chunks, **packed)
        signal.attrs["fs"], signal.attrs["unit"], signal.attrs["leads"] = 500, "mV", ["I", "II"]
        if body is not None:
            signal.id.write_direct_chunk((0, 0), body)
    return out.getvalue()


def gzip_chunk() -> bytes:
    import zlib

    return hdf5_bomb((2, 512), (2, 512), zlib.compress(bytes(300 << 20)))


def hdf5_of_nothing() -> bytes:
    return hdf5_bomb((2, 60_000_000), (2, 100_000), None)


def hdf5_of_crumbs() -> bytes:
    return hdf5_bomb((2, 500_000), (1, 1), None)


def parquet_rows() -> bytes:
    """Sixty million rows in a few kB."""
    import io

    import pyarrow
    import pyarrow.parquet

    out = io.BytesIO()
    table = pyarrow.table({"II": np.zeros(60_000_000, np.float32)}).replace_schema_metadata({"fs": "500", "unit": "mV"})
    pyarrow.parquet.write_table(table, out, compression="zstd")
    return out.getvalue()


def parquet_page() -> bytes:
    """A page of 200 MB that the footer does not speak of: it says 10 rows, by editing its numbers."""
    import io

    import pyarrow
    import pyarrow.parquet

    out = io.BytesIO()
    n = 25 << 20
    table = pyarrow.table({"II": np.zeros(n)}).replace_schema_metadata({"fs": "500", "unit": "mV"})
    pyarrow.parquet.write_table(
        table, out, compression="zstd", use_dictionary=False, data_page_size=1 << 30, row_group_size=n, write_statistics=False,
    )  # fmt: skip
    data = out.getvalue()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    claim, small = varint(2 * n), varint(20).ljust(1, b"\0")
    few = small[:-1] + bytes([small[-1] | 128]) + b"\x80" * (len(claim) - 2) + b"\0"  # the same length, padded
    assert claim in data[footer:]
    return data[:footer] + data[footer:].replace(claim, few)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


BOMBS: dict[str, Callable[[], bytes]] = {
    "many-series": many_series,
    "many-sets": many_sets,
    "many-waveforms": many_waveforms,
    "many-statements": many_statements,
    "packed-leads": packed_leads,
    "one-bit-samples": one_bit_samples,
    "idle-switches": idle_switches,
    "long-codes": long_codes,
    "piled-beats": piled_beats,
    "endless-beats": endless_beats,
    "short-beats": short_beats,
    "padded-leads": padded,
    "described-elements": attributes,
    "one-record": one_record,
    "many-frames": many_frames,
    "gzip-chunk": gzip_chunk,
    "hdf5-of-nothing": hdf5_of_nothing,
    "hdf5-of-crumbs": hdf5_of_crumbs,
    "parquet-rows": parquet_rows,
    "parquet-page": parquet_page,
}
FORMATS = ("aecg", "muse", "sierra", "scp", "gdf", "mfer")


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_cost_at_most_two_seconds_and_512_mb(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(BOMBS[name]())
    cost = cost_of(path)
    assert cost.said in FORMATS or str(path) in cost.said
    assert cost.seconds < 2
    assert cost.peak < MAX_PEAK


def test_packed_leads_are_counted_before_they_fill_memory(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(packed_leads())
    tracemalloc.start()
    with pytest.raises(EcglmError, match="unpack to more than"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 400 << 20
    tracemalloc.stop()
