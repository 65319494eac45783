"""A few small valid files of every format, the seeds of the mutants in fuzz.py. They are the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pydicom
import scipy.io
import soundfile

from ecglm.records import Record, RecordMeta

from .carts import LEADS_8, LEADS_12, aecg, cardiology, ishne, muse, sierra, waves
from .encoders import discontinuous, edf, encode, encode_differences, header, simple
from .gdf_writer import gdf
from .many import code_file, mat73_file, parquet_file
from .mfer_writer import mfer
from .mutants import (
    Grammar,
    binary,
    elements,
    entities,
    fields,
    inside_base64,
    inside_mat,
    inside_zip,
    lines,
    numbers,
    values,
)
from .scp_writer import scp

_TEXT: tuple[Grammar, ...] = (binary, numbers, lines)
_XML: tuple[Grammar, ...] = (binary, numbers, values, values, elements, elements, entities)
_FIXED: tuple[Grammar, ...] = (binary, fields)
_ASKED = {"fs": 500.0, "unit": "mV", "leads": ("I", "II")}
_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


class Seed(NamedTuple):
    """make writes into a folder and returns the file to read; damaged is the one that changes, where it is another."""

    name: str
    make: Callable[[Path], Path]
    grammars: tuple[Grammar, ...] = (binary,)
    damaged: str = ""
    asked: Mapping[str, Any] = {}  #: arguments of read


def _file(name: str, body: Callable[[], str | bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        text = body()
        (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return folder / name

    return make


def _record(n_leads: int = 2, n: int = 40) -> Record:
    signal = (waves(n_leads, n) / 1000).astype(np.float32)
    return Record(signal, 500.0, LEADS_12[:n_leads], start=datetime(2021, 3, 4, 5, 6, 7), meta=RecordMeta(63, "female", "Cart"))


def _saved(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        _record().save(folder / name)
        return folder / name

    return make


def _wfdb(fmt: str, folder: Path) -> Path:
    """Two leads of 60 samples; FLAC from 500 on."""
    lead_N2 = waves(2, 60, spread=4).clip(-30, 30).T
    first = int(lead_N2[0, 0])
    if int(fmt) > 500:
        subtype = {"508": "PCM_S8", "516": "PCM_16", "524": "PCM_24"}[fmt]
        shift = {"508": 24, "516": 16, "524": 8}[fmt]
        soundfile.write(folder / "f.dat", (lead_N2 << shift).astype("i4"), 250, subtype, format="FLAC")
    else:
        flat = lead_N2.reshape(-1)
        (folder / "f.dat").write_bytes(encode_differences(lead_N2, lead_N2[0].tolist()) if fmt == "8" else encode(fmt, flat))
    rows = [f"f.dat {fmt} 200(3)/mV 12 0 {first} 0 0 I", f"f.dat {fmt} 100.5/uV 12 0 {int(lead_N2[0, 1])} 0 0 V2"]
    (folder / "f.hea").write_text(header("f", rows, 250, 60, " 10:00:00 1/2/2020") + "# Age: 50\n# Sex: F\n")
    return folder / "f.hea"


def _segments(folder: Path, variable: bool = False) -> Path:
    """Two segments and a gap between them; in a variable layout the second lacks a lead."""
    simple(folder, "s1", 50, ("I", "II"), 250)
    simple(folder, "s2", 50, ("II",) if variable else ("I", "II"), 250, seed=1)
    layout = "lay 0\n" if variable else ""
    (folder / "lay.hea").write_text(header("lay", ["~ 0 200/mV 16 0 0 0 0 I", "~ 0 200/mV 16 0 0 0 0 II"], 250, 0))
    (folder / "f.hea").write_text(f"f/{4 if variable else 3} 2 250 130\n{layout}s1 50\n~ 30\ns2 50\n")
    return folder / "f.hea"


def _dicom(folder: Path, syntax: str = "", annotated: bool = False) -> Path:
    """As exported, with fixed identifiers; in another transfer syntax; with a median beat and annotations."""
    target = folder / "f.dcm"
    _record(2).save(target)
    dataset = pydicom.dcmread(target)
    for place, name in enumerate(_UIDS):
        setattr(dataset, name, f"1.2.826.0.1.{place + 1}")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if annotated:
        note, unit, concept, channels = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset(), [1, 0]
        unit.CodeValue, concept.CodeValue, concept.CodeMeaning = "ms", "2:16160", "QT Interval"
        note.NumericValue, note.ReferencedWaveformChannels, note.UnformattedTextValue = 400, channels, "Sinus rhythm"
        note.MeasurementUnitsCodeSequence, note.ConceptNameCodeSequence = [unit], [concept]
        dataset.WaveformAnnotationSequence = [note]
        beat = pydicom.dcmread(target).WaveformSequence[0]
        beat.MultiplexGroupLabel = "MEDIAN BEAT"
        dataset.WaveformSequence.append(beat)
    if syntax:
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    implicit, little = syntax == pydicom.uid.ImplicitVRLittleEndian, syntax != pydicom.uid.ExplicitVRBigEndian
    pydicom.dcmwrite(target, dataset, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    return target


def _edf(name: str, folder: Path, gaps: bool = False) -> Path:
    """The start date, which pyedflib sets to now, is overwritten."""
    target = edf(folder / name, [("I", "mV", 20, np.zeros(40)), ("II", "mV", 10, np.ones(20))], 2, bdf=name.endswith("bdf"))
    data = bytearray(target.read_bytes())
    data[88:184] = b"Startdate 02-JAN-2020 X X Cart".ljust(80) + b"02.01.2010.00.00"
    target.write_bytes(data)
    return discontinuous(target, ["+0.5", "+3.5"]) if gaps else target


def _npy(folder: Path) -> Path:
    np.save(folder / "f.npy", _record().signal)
    return folder / "f.npy"


def _mat(version: str, packed: bool, folder: Path) -> Path:
    described = {"val": _record().signal, "fs": 500.0, "units": "mV"}
    if version == "5":
        described["leads"] = np.array(["I", "II"], object)
    scipy.io.savemat(folder / "f.mat", described, format=version, do_compression=packed)
    if version == "5":  # which begins with the time
        data = (folder / "f.mat").read_bytes()
        (folder / "f.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + data[116:])
    return folder / "f.mat"


def _mat73(folder: Path, **storage: Any) -> Path:
    described = {"val": _record().signal, "fs": 500.0, "units": "mV", "leads": ["I", "II"]}
    if not storage:
        return mat73_file(folder / "f.mat", described)
    return mat73_file(folder / "f.mat", {"val": _record().signal, "leads": "I \nII"}, **storage)


def _without_checksums(data: bytes) -> bytes:
    """An SCP-ECG file whose checksums are 0, which means that there are none: so mutants get past them."""
    out = bytearray(data)
    out[:2] = out[6:8] = bytes(2)
    for place in range(22, 22 + 120, 10):
        length, at = (int.from_bytes(data[place + i : place + i + 4], "little") for i in (2, 6))
        if length:
            out[at - 1 : at + 1] = bytes(2)
    return bytes(out)


def _scp(**kwargs: Any) -> bytes:
    return scp(waves(4, 40), ("I", "II", "V1", "V2"), **kwargs)


def _scp_beats() -> bytes:
    return _scp(coding="tables", beat=waves(4, 20), qrs=((0, 5, 10, 22), (0, 30, 35, 39)), fiducial=5)


def _gdf(version: str, kind: int = 3) -> bytes:
    rows = waves(3, 40)
    return gdf([(name, "uV", 10, row) for name, row in zip(("I", "II", "EOG"), rows, strict=True)], version, kind)


def _muse() -> str:
    text = muse(waves(2, 30), LEADS_8[:2], beat=waves(2, 20))
    return text.replace("LeadDataCRC32>", "Other>")  # so that mutants get past the checksum


def _sierra(version: str, packed: bool) -> str:
    return sierra(waves(12, 20, spread=3), version=version, packed=packed, beat=waves(12, 10))


def _aecg(n: int = 20) -> str:
    return aecg(waves(2, n), LEADS_8[:2], beat=waves(2, n))


def _cardiology() -> str:
    return cardiology(waves(2, 20), LEADS_8[:2], 20, beat=waves(2, 20), disclosure=waves(2, 40))


def _csv() -> str:
    return "# unit=mV\n# age=63\ntime_ms,I,II\n" + "".join(f"{i * 2},{i % 7 / 9:.3f},\n" for i in range(30))


def _tsv(separator: str = "\t") -> str:
    rows = (f"{i}{separator}{i % 7},{i % 10}{separator}-{i},5\n" for i in range(30))
    return f"# fs=500\nsample{separator}II (uV){separator}V1 (uV)\n" + "".join(rows)


def _hdf5(folder: Path, layout: str, **storage: Any) -> Path:
    target = folder / "f.h5"
    if layout == "code":
        return code_file(target, 1, padding=3, samples=20, **storage)
    with h5py.File(target, "w") as file:
        signal = file.create_dataset("ecg" if layout == "sph" else "signal", data=waves(12, 20).astype("f2"), **storage)
        if layout == "plain":
            signal.attrs["fs"], signal.attrs["unit"], file["leads"] = 500, "uV", [lead.encode() for lead in LEADS_12]
    return target


def _parquet(folder: Path, **options: Any) -> Path:
    return parquet_file(folder / "f.parquet", 30, {"fs": "500", "unit": "mV"}, **options)


_FORMATS_OF_WFDB = ("8", "16", "24", "32", "61", "80", "160", "212", "310", "311", "508", "516", "524")
#: Format -> its seeds, which take turns.
SEEDS: dict[str, tuple[Seed, ...]] = {
    "wfdb": (
        *(Seed(f"header of {fmt}", partial(_wfdb, fmt), _TEXT) for fmt in _FORMATS_OF_WFDB),
        *(Seed(f"samples of {fmt}", partial(_wfdb, fmt), damaged="f.dat") for fmt in ("8", "212", "311", "508", "516", "524")),
        Seed("segments", _segments, _TEXT),
        Seed("header of a segment", _segments, _TEXT, "s1.hea"),
        Seed("variable layout", partial(_segments, variable=True), _TEXT),
        Seed("layout", partial(_segments, variable=True), _TEXT, "lay.hea"),
    ),
    "dicom": (
        Seed("explicit", _dicom),
        Seed("annotated", partial(_dicom, annotated=True)),
        Seed("implicit", partial(_dicom, syntax=pydicom.uid.ImplicitVRLittleEndian)),
        Seed("big-endian", partial(_dicom, syntax=pydicom.uid.ExplicitVRBigEndian)),
        Seed("deflated", partial(_dicom, syntax=pydicom.uid.DeflatedExplicitVRLittleEndian)),
    ),
    "edf": (
        Seed("EDF+C", partial(_edf, "f.edf"), _FIXED),
        Seed("exported", _saved("f.edf"), _FIXED),
        Seed("EDF+D", partial(_edf, "f.edf", gaps=True), _FIXED),
    ),
    "bdf": (Seed("BDF+C", partial(_edf, "f.bdf"), _FIXED), Seed("BDF+D", partial(_edf, "f.bdf", gaps=True), _FIXED)),
    "csv": (
        Seed("comma", _file("f.csv", _csv), _TEXT),
        Seed("tab, decimal comma", _file("f.tsv", _tsv), _TEXT),
        Seed("semicolon", _file("f.csv", partial(_tsv, ";")), _TEXT),
        Seed("UTF-16", _file("f.csv", lambda: _csv().encode("utf-16"))),
    ),
    "npy": (Seed("float32", _npy, (binary, numbers), asked=_ASKED),),
    "npz": (Seed("exported", _saved("f.npz"), (binary, inside_zip, inside_zip)),),
    "mat": (
        Seed("level 4", partial(_mat, "4", False), asked=_ASKED),
        Seed("level 5", partial(_mat, "5", False)),
        Seed("7.3", _mat73),
        Seed("7.3, gzip", partial(_mat73, chunks=True, compression="gzip"), asked={"fs": 500.0, "unit": "mV"}),
        Seed("level 5, compressed", partial(_mat, "5", True), (binary, inside_mat, inside_mat)),
    ),
    "aecg": (
        Seed("UTF-8", _file("f.xml", _aecg), _XML),
        Seed("UTF-16", _file("f.xml", lambda: _aecg(5).replace("UTF-8", "UTF-16").encode("utf-16"))),
    ),
    "muse": (Seed("XML", _file("f.xml", _muse), (*_XML, inside_base64)),),
    "cardiology": (Seed("XML", _file("f.xml", _cardiology), _XML),),
    "sierra": (
        Seed("1.04, XLI", _file("f.xml", partial(_sierra, "1.04", True)), (*_XML, inside_base64, inside_base64)),
        Seed("1.03, plain", _file("f.xml", partial(_sierra, "1.03", False)), (*_XML, inside_base64)),
    ),
    "scp": (
        Seed("default table", _file("f.scp", lambda: _without_checksums(_scp()))),
        Seed("tables and beats", _file("f.scp", lambda: _without_checksums(_scp_beats()))),
        Seed("plain numbers", _file("f.scp", lambda: _without_checksums(_scp(coding="raw", order=0)))),
        Seed("with checksums", _file("f.scp", _scp_beats)),
    ),
    "ishne": (
        Seed("with checksum", _file("f.ecg", lambda: ishne(waves(3, 40)))),
        Seed("without", _file("f.ecg", lambda: ishne(waves(3, 40))[:8] + bytes(2) + ishne(waves(3, 40))[10:])),
    ),
    "gdf": tuple(
        Seed(f"{version}, type {kind}", _file("f.gdf", partial(_gdf, version, kind)))
        for version, kind in (("1.25", 3), ("2.20", 3), ("2.20", 279), ("2.20", 16))
    ),
    "mfer": (
        Seed("little-endian", _file("f.mwf", lambda: mfer(waves(3, 40), ("I", "II", "V1"), block=20, beat=waves(3, 20)))),
        Seed("big-endian", _file("f.mwf", lambda: mfer(waves(3, 40), ("I", "II", "V1"), block=20, little=False, kind="f4"))),
    ),
    "hdf5": (
        Seed("CODE", partial(_hdf5, layout="code")),
        Seed("CODE, gzip", partial(_hdf5, layout="code", compression="gzip", shuffle=True)),
        Seed("attributes", partial(_hdf5, layout="plain")),
        Seed("LZF", partial(_hdf5, layout="plain", compression="lzf", fletcher32=True)),
        Seed("SPH", partial(_hdf5, layout="sph")),
    ),
    "parquet": (Seed("snappy", _parquet), Seed("zstd", partial(_parquet, compression="zstd", use_dictionary=False))),
}  # fmt: skip
