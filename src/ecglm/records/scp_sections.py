"""The frame of an SCP-ECG file: pointers, section headers, checksums.

Standard: EN 1064:2005+A1 (ISO 11073-91064), clauses 5.2 and 5.3.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

from ecglm.errors import ReadError
from ecglm.records.request import checked_size

MAX_FILE_BYTES = 64 << 20  #: a section of a resting ECG holds at most 65,535 bytes per lead
HEADER = 16
_DAMAGED = "it is damaged; get it again"


@dataclass(frozen=True)
class Sections:
    """Bodies of the sections by number (without their headers) and which of them fail their checksum."""

    path: str
    bodies: dict[int, bytes]
    failed: frozenset[int]
    notes: tuple[str, ...]

    def get(self, number: int, what: str, least: int) -> bytes:
        """A section that the signal needs. Raises ReadError when it is absent, short or damaged."""
        body = self.bodies.get(number)
        if body is None:
            raise ReadError(self.path, f"it has no section {number} ({what})", "export the ECG again with its waveforms")
        self.check(number, what)
        if len(body) < least:
            raise ReadError(self.path, f"its section {number} ({what}) has only {len(body)} bytes", _DAMAGED)
        return body

    def check(self, number: int, what: str) -> None:
        """Raise ReadError when the section fails its checksum."""
        if number in self.failed:
            raise ReadError(self.path, f"its section {number} ({what}) fails its checksum", _DAMAGED)


def u16(data: bytes, at: int) -> int:
    """Little-endian 16 bits; 0 behind the end."""
    return int.from_bytes(data[at : at + 2], "little")


def u32(data: bytes, at: int) -> int:
    """Little-endian 32 bits; 0 behind the end."""
    return int.from_bytes(data[at : at + 4], "little")


def i16(data: bytes, at: int) -> int:
    """Little-endian signed 16 bits; 0 behind the end."""
    return int.from_bytes(data[at : at + 2], "little", signed=True)


def crc(data: bytes) -> int:
    """CRC-CCITT (polynomial 0x1021, initially all ones) as EN 1064 uses it."""
    return binascii.crc_hqx(data, 0xFFFF)


def load(path: str) -> Sections:
    """All sections of the file. Raises ReadError when the frame does not fit the file."""
    checked_size(path, MAX_FILE_BYTES, "SCP-ECG", "export a shorter recording")
    with open(path, "rb") as stream:
        data = stream.read(MAX_FILE_BYTES)
    stated = u32(data, 2)
    if len(data) < 6 + HEADER or stated > len(data):
        raise ReadError(
            path, f"it has {len(data)} bytes where its header promises {stated}", "it was cut short; get it again"
        )
    notes = []
    if stated != 0 and u16(data, 0) != crc(data[2:stated]):
        notes.append("the checksum of the whole file is wrong: it was changed after it was written")
    directory = u32(data, 10)
    if u16(data, 8) != 0 or not HEADER + 10 <= directory <= len(data) - 6:
        raise ReadError(path, "its section 0 is not a directory of sections", _DAMAGED)
    bodies: dict[int, bytes] = {}
    failed: set[int] = set()
    for at in range(6 + HEADER, 6 + directory - 9, 10):
        number, length, index = u16(data, at), u32(data, at + 2), u32(data, at + 6)
        if number == 0 or length <= HEADER or number in bodies:
            continue  # the directory itself, an absent section, a repetition
        first = index - 1
        if first < 6 or first + length > len(data) or u16(data, first + 2) != number:
            raise ReadError(
                path, f"section {number} of {length} bytes is not at byte {index}", "it was cut short or damaged; get it again"
            )
        bodies[number] = data[first + HEADER : first + length]
        if u16(data, first) not in (0, crc(data[first + 2 : first + length])):  # some writers leave it 0
            failed.add(number)
    return Sections(path, bodies, frozenset(failed), tuple(notes))
