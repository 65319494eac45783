"""What a file is, by its first bytes; the extension only decides between kinds of text.

Knows names and signatures; opens nothing.
"""

from __future__ import annotations

import re

from ecglm.records.wfdb_header import RECORD_LINE

#: How much of a file `sniff` wants to see.
HEAD_BYTES = 8192

_HDF5 = b"\x89HDF\r\n\x1a\n"
#: Signatures of pictures, which may show an ECG page.
_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"%PDF-")
#: Signatures of formats that are not ECG records, with what to tell the user.
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"MATLAB 7", "it is a MATLAB 7.3 file without its HDF5 part", "it was cut short; save it again, or with save -v7"),
    (b"\x1f\x8b", "it is compressed with gzip", "decompress it first"),
    (b"BZh", "it is compressed with bzip2", "decompress it first"),
    (b"\xfd7zXZ", "it is compressed with xz", "decompress it first"),
    (b"ANN  1.0", "it is an ISHNE annotation file", "pass the recording, whose file begins with ISHNE1.0"),
    (b"SQLite format 3", "it is a database", "export one record as .csv or .npz"),
)
#: Outermost element -> kind, and what else begins with "<".
_XML_KINDS = {
    "AnnotatedECG": "aecg",
    "RestingECG": "muse",
    "CardiologyXML": "cardiology",
    "restingecgdata": "sierra",
}
_XML_FOREIGN = {
    "svg": "it is a drawing (SVG), which is",
    "html": "it is a web page (HTML), which is",
}
_ELEMENT = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_ASIDE = re.compile(r"<\?.*?\?>|<!--.*?-->|<![^<\[>]*(?:\[.*?\]\s*)?>", re.DOTALL)
_CONTROL = bytes([*range(9), *range(14, 32), 127])
_SIGNAL_LINE = re.compile(r"\s*\S+\s+\d{1,3}(?:x\d+)?(?::\d+)?(?:\+\d+)?(?:\s|$)")


def sniff(head: bytes, size: int, extension: str) -> tuple[str, str, str]:
    """``(kind, problem, remedy)`` of a file whose first bytes are head.

    kind is wfdb, image (of a page), a key of the reader's table, flac (a WFDB signal file), binary (unknown), or ""
    for what cannot be an ECG record, and then problem and remedy say why and what to do.
    """
    if not head:
        return "", "the file is empty (0 bytes)", "get it again"
    if extension == ".hea" and b"\0" not in head and RECORD_LINE.match(head.split(b"\n", 1)[0].decode("latin-1")):
        return "wfdb", "", ""
    if head[128:132] == b"DICM":
        return "dicom", "", ""
    if head.startswith(b"0       ") and len(head) >= 192 and head[168:176].count(b".") == 2:
        return "edf", "", ""
    if head.startswith(b"\xffBIOSEMI"):
        return "bdf", "", ""
    if head.startswith(b"\x93NUMPY"):
        return "npy", "", ""
    if head.startswith(b"PK\x03\x04"):
        if b".npy" in head[:600] or extension == ".npz":
            return "npz", "", ""
        return "", "it is a ZIP archive (or an office document)", "unpack it and pass the recording inside"
    if head.startswith(b"PK"):
        return "", "it is an empty or split ZIP archive", "get it again"
    if head.startswith(b"ISHNE1.0"):
        return "ishne", "", ""
    if (head[:1] == b"\x40" and head[2:6] == b"MFR ") or extension in (".mwf", ".mfr", ".mfer"):
        return "mfer", "", ""
    if re.match(rb"GDF [ \d]\d?\.\d", head):
        return "gdf", "", ""
    if head.startswith(_HDF5):
        return "hdf5", "", ""
    if head.startswith(b"MATLAB") and head[512:].startswith(_HDF5):
        return "mat73", "", ""
    if head.startswith(b"PAR1"):
        return "parquet", "", ""
    if head.startswith(_IMAGES) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return "image", "", ""
    for signature, problem, remedy in _FOREIGN:
        if head.startswith(signature):
            return "", problem, remedy
    if head.startswith(b"RIFF"):
        return "", "it is WAV or AVI, not an ECG", "pass the recording itself"
    if head[4:8] == b"ftyp":
        return "", "it is a HEIC image or a video", "save the image as JPEG or PNG"
    if head[:2] == b"BM" and len(head) > 26 and int.from_bytes(head[2:6], "little") == size:
        return "image", "", ""
    if head[16:22] == b"SCPECG" or extension == ".scp" or _is_scp(head, size):
        return "scp", "", ""
    if head.startswith(b"fLaC"):
        return "flac", "", ""
    if head.startswith(b"MATLAB 5.0") or (len(head) >= 128 and head[126:128] in (b"IM", b"MI") and extension == ".mat"):
        return "mat", "", ""
    if head[:4] in (b"\x02\0\0\0", b"\x08\0\0\0", b"\x08\0\x05\0", b"\x08\0\x08\0") and (
        extension == ".dcm" or head[4:6].isalpha()
    ):
        return "dicom", "", ""  # a data set without the 128-byte preamble
    if _is_mat4(head, size):
        return "mat", "", ""
    return _sniff_text(head, extension)


def _is_scp(head: bytes, size: int) -> bool:
    """SCP-ECG without its optional mark: the file's own size, then section 0, whose first pointer is to itself."""
    return (
        len(head) > 32
        and int.from_bytes(head[2:6], "little") == size
        and head[8:10] == head[22:24] == b"\0\0"
        and head[10:14] == head[24:28]
        and int.from_bytes(head[28:32], "little") == 7
    )


def _is_mat4(head: bytes, size: int) -> bool:
    """MATLAB level 4: five 32-bit numbers, type < 1000 in a little- or big-endian way, then a name."""
    if len(head) < 21:
        return False
    for order in ("little", "big"):
        kind, rows, columns, imaginary, name = (int.from_bytes(head[i : i + 4], order) for i in range(0, 20, 4))
        if (
            kind % 1000 == kind
            and kind // 10 in (0, 1, 2, 3, 4, 5)
            and kind % 10 in (0, 1, 2)
            and imaginary in (0, 1)
            and 1 < name <= 64
            and 0 < rows <= size
            and 0 < columns <= size
            and head[20 : 20 + name].rstrip(b"\0").replace(b"_", b"").isalnum()
        ):
            return True
    return False


def _sniff_text(head: bytes, extension: str) -> tuple[str, str, str]:
    wide = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}.get(head[:2])
    wide = wide or {b"<\0?\0": "utf-16-le", b"\0<\0?": "utf-16-be"}.get(head[:4])  # without a byte order mark
    if wide is not None:
        text = head[: len(head) & ~1].decode(wide, "replace")
        if text.lstrip().startswith("<"):
            return _sniff_xml(text)
        return "table", "", ""  # UTF-16 with a byte order mark, as spreadsheets export
    if b"\0" in head or len(head) - len(head.translate(None, _CONTROL)) > len(head) // 100 + 1:
        return "binary", "", ""
    text = head.decode("utf-8", "replace").lstrip("\ufeff")
    shown = text.lstrip()
    if shown.startswith("<"):
        return _sniff_xml(text)
    if shown.startswith(("{", "[")):
        return "", "JSON files are not read", "export it as .csv or .npz"
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return "", "it has no data, only blank or comment lines", "get it again"
    if extension == ".hea" or (
        RECORD_LINE.match(lines[0])
        and (len(lines) == 1 or _SIGNAL_LINE.match(lines[1]))
        and extension not in (".csv", ".tsv", ".txt")
    ):
        return "wfdb", "", ""
    return "table", "", ""


def _sniff_xml(text: str) -> tuple[str, str, str]:
    """The kind of an XML file by the name of its outermost element."""
    found = _ELEMENT.search(_ASIDE.sub(" ", text))
    root = found[1] if found else ""
    if root in _XML_KINDS:
        return _XML_KINDS[root], "", ""
    what = _XML_FOREIGN.get(root) or _XML_FOREIGN.get(root.lower()) or f"XML files with outermost element <{root[:40]}> are"
    return "", f"{what} not read", "export it as DICOM, HL7 aECG, EDF or WFDB"
