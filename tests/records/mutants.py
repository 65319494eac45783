"""Mutants of files: seeded edits of bytes, and of the numbers, lines and elements that a format is made of.

A grammar takes a file and a random generator and returns the damaged file. Text is edited as latin-1, which keeps
every byte.
"""

from __future__ import annotations

import base64
import io
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

Grammar = Callable[[bytes, random.Random], bytes]
MOST_BYTES = 40_000  #: of a mutant: larger files are the business of test_bombs.py
EXPANDED = "EXPANDED"  #: what stands in no file, and in what was read only where an entity was expanded

_HEAD = 1500  # where most formats keep their sizes
_TIMES = (1, 1, 2, 3, 6)  # edits of one mutant
_WORDS = (b"9999999999", b"-1", b"nan", b"1e999", b"\n", b" ", b"\0", b"../", b"x", b"0")
_EXTREMES = (0, 1, -1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, (1 << 63) - 1)
_ABSURD = ("", "-1", "0", "nan", "inf", "1e999", "1e-300", "99999999999999999999", "x", "\u00e9", "-32768", "1 2", "0x10",
           "A" * 999, "65536", "2147483648", "4294967295", "0.5", "-0", "1e9", "../x", "/etc/passwd")  # fmt: skip
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")
_VALUE = re.compile(r'(?<=[">])[^"<>]+(?=["<])')
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]{40,}")
_ENTITIES = (
    '<!DOCTYPE x [<!ENTITY e "&#69;XPANDED">]>',
    '<!DOCTYPE x [<!ENTITY a "&#69;XPANDED"><!ENTITY e "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE x [<!ENTITY % p "<!ENTITY e \'&#69;XPANDED\'>"> %p;]>',
    '<!DOCTYPE x SYSTEM "../outside.dtd" [<!ENTITY % p SYSTEM "http://127.0.0.1:9/outside.dtd"> %p;]>',
    '<!DOCTYPE x [<!ATTLIST x a CDATA "&e;"><!ENTITY e "&#69;XPANDED">]>',
)


def binary(data: bytes, rng: random.Random) -> bytes:
    """Bytes replaced, lost, put in, moved, doubled; integers at their extremes; the file cut short."""
    out = bytearray(data)
    for _ in range(rng.choice(_TIMES)):
        n = len(out)
        at = (rng.randrange(min(_HEAD, n)) if rng.random() < 0.6 else rng.randrange(n)) if out else 0
        other, size = rng.randrange(n + 1), rng.choice((1, 2, 4, 8, 16, 100))
        match rng.randrange(11):
            case 0:
                out[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                out[at : at + 1] = bytes([out[at] ^ 1 << rng.randrange(8)]) if out else b""
            case 2:
                del out[at : at + size]
            case 3:
                out[at:at] = rng.randbytes(size)
            case 4 | 5:
                width = rng.choice((1, 2, 4, 8))
                value = rng.choice(_EXTREMES) & (1 << 8 * width) - 1
                out[at : at + width] = value.to_bytes(width, rng.choice(("little", "big")))  # type: ignore[arg-type]
            case 6:
                out[at : at + 1] = rng.choice(_WORDS)
            case 7 if rng.random() < 0.4:
                del out[at:]
            case 8:
                out[at : at + size] = out[other : other + size]
            case 9:
                out[at:at] = out[other : other + size] * rng.choice((1, 1, 2, 50))
            case 10:
                out[at : at + size], out[other : other + size] = out[other : other + size], out[at : at + size]
    return bytes(out[:MOST_BYTES])


def numbers(data: bytes, rng: random.Random) -> bytes:
    """Numbers of a text replaced by absurd ones or by each other."""
    return _replaced(data, rng, _NUMBER, keep_width=False)


def fields(data: bytes, rng: random.Random) -> bytes:
    """The same in a header of fixed widths, which stay."""
    return _replaced(data[:_HEAD], rng, _NUMBER, keep_width=True) + data[_HEAD:]


def _replaced(data: bytes, rng: random.Random, what: re.Pattern[str], keep_width: bool) -> bytes:
    text = data.decode("latin-1")
    spots = [spot.span() for spot in what.finditer(text)]
    for first, last in sorted(rng.sample(spots, min(len(spots), rng.choice(_TIMES))), reverse=True):
        other = text[slice(*rng.choice(spots))] if rng.random() < 0.3 else rng.choice(_ABSURD)
        if keep_width:
            last = first + max(last - first, rng.choice((0, 0, 8)))
            other = other[: last - first].ljust(last - first)
        text = text[:first] + other + text[last:]
    return text[:MOST_BYTES].encode("latin-1", "replace")


def lines(data: bytes, rng: random.Random) -> bytes:
    """Lines exchanged, lost, repeated, joined, and their words exchanged."""
    rows = data.decode("latin-1").splitlines(keepends=True)
    for _ in range(rng.choice(_TIMES)):
        if not rows:
            break
        here, there = rng.randrange(len(rows)), rng.randrange(len(rows))
        match rng.randrange(5):
            case 0:
                rows[here], rows[there] = rows[there], rows[here]
            case 1:
                del rows[here]
            case 2:
                rows[here:here] = [rows[there]] * rng.choice((1, 1, 2, 600))
            case 3:
                rows[here] = rows[here].rstrip("\r\n") + rng.choice(("", " ", ",", "\t"))
            case 4:
                words = re.split(r"([ ,\t]+)", rows[here])
                left, right = rng.randrange(len(words)), rng.randrange(len(words))
                words[left], words[right] = words[right], words[left]
                rows[here] = "".join(words)
    return "".join(rows)[:MOST_BYTES].encode("latin-1")


def values(data: bytes, rng: random.Random) -> bytes:
    """Values of attributes and elements replaced, in a document that stays well-formed."""
    return _replaced(data, rng, _VALUE, keep_width=False)


def elements(data: bytes, rng: random.Random) -> bytes:
    """Elements lost, repeated, nested in themselves or put elsewhere, in a document that stays well-formed."""
    text = data.decode("latin-1")
    for _ in range(rng.choice(_TIMES)):
        names = re.findall(r"<(\w[\w.:-]*)", text)
        if not names:
            break
        name = rng.choice(names)
        spot = re.search(rf"<{re.escape(name)}(?:\s[^<>]*)?(?:/>|>.*?</{re.escape(name)}>)", text, re.DOTALL)
        if spot is None:
            continue
        found, (first, last) = spot[0], spot.span()
        match rng.randrange(4):
            case 0:
                text = text[:first] + text[last:]
            case 1:
                text = text[:first] + found * min(rng.choice((2, 2, 3, 300)), 1 + MOST_BYTES // len(found)) + text[last:]
            case 2:
                depth = rng.choice((1, 2, 100))
                text = text[:first] + f"<{name}>" * depth + found + f"</{name}>" * depth + text[last:]
            case 3:
                rest = text[:first] + text[last:]
                at = rest.find(">", rest.find("</", rng.randrange(len(rest) + 1))) + 1  # 0: not well-formed
                text = rest[:at] + found + rest[at:]
        if len(text) > 2 * MOST_BYTES:
            break
    return text.encode("latin-1")


def entities(data: bytes, rng: random.Random) -> bytes:
    """Declared entities, of which some values are made; what they say stands nowhere in the file as it is."""
    text = re.sub(r"<!DOCTYPE[^>]*>", "", data.decode("latin-1"))
    spots = [spot.span() for spot in _VALUE.finditer(text) if spot.start() > text.find("?>")]
    for first, last in sorted(rng.sample(spots, min(len(spots), 3)), reverse=True):
        text = text[:first] + rng.choice(("&e;", "1&e;", "&e;&e;")) + text[last:]
    at = text.find("?>") + 2 if "?>" in text else 0
    return (text[:at] + rng.choice(_ENTITIES) + text[at:]).encode("latin-1")


def inside_base64(data: bytes, rng: random.Random) -> bytes:
    """The bytes behind a list of base64 damaged, and packed again."""
    text = data.decode("latin-1")
    spots = [spot for spot in _BASE64.finditer(text) if text[spot.start() - 1] == ">"]
    if not spots:
        return binary(data, rng)
    spot = rng.choice(spots)
    try:
        raw = base64.b64decode(spot[0])
    except ValueError:  # after another grammar
        return binary(data, rng)
    return (text[: spot.start()] + base64.b64encode(binary(raw, rng)).decode() + text[spot.end() :]).encode("latin-1")


def inside_zip(data: bytes, rng: random.Random) -> bytes:
    """A member of a ZIP archive damaged, and the archive written anew."""
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w") as copy:
            names = archive.namelist()
            hit = rng.choice(names)
            for name in names:
                body = archive.read(name)
                copy.writestr(zipfile.ZipInfo(name), binary(body, rng) if name == hit else body)
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, OSError, IndexError, zlib.error):  # encrypted: RuntimeError
        return binary(data, rng)
    return out.getvalue()


def inside_mat(data: bytes, rng: random.Random) -> bytes:
    """A compressed variable of a MATLAB 5 file damaged, and packed again."""
    parts, at = [], 128
    try:
        while at + 8 <= len(data):
            kind, length = struct.unpack_from("<II", data, at)
            if kind != 15:
                return binary(data, rng)
            parts.append(zlib.decompress(data[at + 8 : at + 8 + length]))
            at += 8 + length
        hit = rng.randrange(len(parts))
    except (zlib.error, ValueError, struct.error):
        return binary(data, rng)
    packed = [zlib.compress(binary(part, rng) if place == hit else part) for place, part in enumerate(parts)]
    return data[:128] + b"".join(struct.pack("<II", 15, len(part)) + part for part in packed)
