"""Huffman decoding of SCP-ECG: the default table, tables in the file, switches between tables.

Standard: EN 1064:2005+A1 (ISO 11073-91064), clause 5.5 and annex C.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

DEFAULT_TABLE = 19999  #: what section 2 says instead of a number of tables
MAX_PREFIX_BITS = 32
MAX_VALUE_BITS = 24  #: no amplifier resolves more
MAX_TABLES = 64
MAX_CODES = 20_000  #: of all tables: differences of 16 bits have few that deserve a code of their own
_QUICK = 12  #: codes of up to so many bits are found in one step


class HuffmanError(ValueError):
    """A table or the coded data cannot be used."""


class Code(NamedTuple):
    """Bits of the prefix and of the literal that follows, the value without a literal, whether it switches tables."""

    prefix_bits: int
    literal_bits: int
    value: int
    switches: bool


@dataclass(frozen=True)
class Table:
    """Short codes by the next _QUICK bits, longer ones by (number of prefix bits, prefix)."""

    quick: list[Code | None]
    codes: dict[tuple[int, int], Code]
    lengths: tuple[int, ...]  #: of the longer ones


def _made(codes: dict[tuple[int, int], Code]) -> Table:
    quick: list[Code | None] = [None] * (1 << _QUICK)
    for length, prefix in sorted(codes, reverse=True):  # where codes clash the shortest counts
        if length <= _QUICK:
            span = 1 << (_QUICK - length)
            quick[prefix * span : (prefix + 1) * span] = [codes[length, prefix]] * span
    return Table(quick, codes, tuple(sorted({length for length, _ in codes if length > _QUICK})))


def _default() -> Table:
    """Values -8...8 in unary with a sign bit, then literals of 8 and 16 bits."""
    codes = {(1, 0): Code(1, 0, 0, False)}
    for value in range(1, 9):
        ones = (1 << value) - 1
        codes[value + 2, ones << 2] = Code(value + 2, 0, value, False)
        codes[value + 2, ones << 2 | 1] = Code(value + 2, 0, -value, False)
    codes[10, 0b1111111110] = Code(10, 8, 0, False)
    codes[10, 0b1111111111] = Code(10, 16, 0, False)
    return _made(codes)


def tables(section: bytes | None) -> list[Table] | None:
    """The tables of section 2 (its body), or None when there is none and nothing is coded. Raises HuffmanError."""
    if section is None:
        return None
    count = int.from_bytes(section[:2], "little")
    if count == DEFAULT_TABLE:
        return [_default()]
    if not 0 < count <= MAX_TABLES:
        raise HuffmanError(f"section 2 claims {count} tables")
    found: list[Table] = []
    at, seen = 2, 0
    for _ in range(count):
        n_codes = int.from_bytes(section[at : at + 2], "little")
        at += 2
        if n_codes == 0 or at + 9 * n_codes > len(section):
            raise HuffmanError(f"section 2 is too short for a table of {n_codes} codes")
        seen += n_codes
        if seen > MAX_CODES:
            raise HuffmanError(f"section 2 has more than {MAX_CODES} codes")
        found.append(_table([section[at + 9 * i : at + 9 * (i + 1)] for i in range(n_codes)]))
        at += 9 * n_codes
    return found


def _table(structures: list[bytes]) -> Table:
    codes: dict[tuple[int, int], Code] = {}
    for raw in structures:
        prefix_bits, total_bits, stays = raw[0], raw[1], raw[2]
        if not 0 < prefix_bits <= MAX_PREFIX_BITS or not 0 <= total_bits - prefix_bits <= MAX_VALUE_BITS:
            raise HuffmanError(f"section 2 has a code of {prefix_bits} bits in {total_bits}")
        stored = int.from_bytes(raw[5:9], "little")  # its least significant bit is sent first
        prefix = int(f"{stored & ((1 << prefix_bits) - 1):0{prefix_bits}b}"[::-1], 2)
        value = int.from_bytes(raw[3:5], "little", signed=True)
        codes[prefix_bits, prefix] = Code(prefix_bits, total_bits - prefix_bits, value, stays == 0)
    return _made(codes)


def decode(packed: bytes, known: list[Table], count: int) -> list[int]:
    """count values of a bit stream that begins in the first table. Raises HuffmanError.

    count bounds the work: a switch before every sample, and few codes too long for one step,
    are more than any encoder writes.
    """
    values: list[int] = []
    table = known[0]
    at, end = 0, 8 * len(packed)
    padded = packed + bytes(8)
    switches, searches = count + len(known), 4 * count + 1000
    while len(values) < count:
        # 64 bits from the byte at hold 7 bits of offset, a prefix and a literal.
        window = int.from_bytes(padded[at >> 3 : (at >> 3) + 8], "big")
        left = 64 - (at & 7)
        code = table.quick[window >> (left - _QUICK) & ((1 << _QUICK) - 1)]
        if code is None:
            code, tried = _long(table, window, left)
            searches -= tried
            if searches < 0:
                raise HuffmanError("its codes are longer than the samples they stand for")
        if code is None:
            raise HuffmanError(f"there is no such code at bit {at}")
        length, literal_bits, value, other_table = code
        at += length + literal_bits
        if at > end:
            raise HuffmanError(f"the data ends after {len(values)} of {count} samples")
        if other_table:
            switches -= 1
            if switches < 0:
                raise HuffmanError(f"it switches tables more than {count + len(known)} times in {count} samples")
            if not 0 < value <= len(known):
                raise HuffmanError(f"a code switches to table {value} of {len(known)}")
            table = known[value - 1]
            continue
        if literal_bits:
            value = window >> (left - length - literal_bits) & ((1 << literal_bits) - 1)
            value -= (value >> (literal_bits - 1)) << literal_bits
        values.append(value)
    return values


def _long(table: Table, window: int, left: int) -> tuple[Code | None, int]:
    """The code of more than _QUICK bits that comes next, and how many lengths were tried."""
    for tried, length in enumerate(table.lengths, 1):
        code = table.codes.get((length, window >> (left - length) & ((1 << length) - 1)))
        if code is not None:
            return code, tried
    return None, len(table.lengths)
