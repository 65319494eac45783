"""Small files that would unfold to hours of work or gigabytes: refused or read within seconds."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecglm.errors import EcglmError
from ecglm.records import read

from .carts import aecg, lzw, muse, sierra, waves
from .mfer_writer import definition, mfer
from .scp_writer import assemble, le

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


def many_frames() -> bytes:
    return mfer(waves(1, 50), ("II",), extra=definition(0x1E, bytes(100)) * 18_000)


BOMBS: dict[str, Callable[[], bytes]] = {
    "many-series": many_series,
    "many-sets": many_sets,
    "many-waveforms": many_waveforms,
    "many-statements": many_statements,
    "packed-leads": packed_leads,
    "one-bit-samples": one_bit_samples,
    "many-frames": many_frames,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_cost_seconds_and_megabytes(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(BOMBS[name]())
    begin = time.process_time()
    try:
        assert np.isfinite(read(path).signal).any()
    except EcglmError as problem:
        said = str(problem)
    else:
        said = str(path)
    assert str(path) in said
    assert time.process_time() - begin < 8


def test_packed_leads_are_counted_before_they_fill_memory(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(packed_leads())
    tracemalloc.start()
    with pytest.raises(EcglmError, match="unpack to more than"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 400 << 20
    tracemalloc.stop()
