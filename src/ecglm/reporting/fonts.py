"""Fonts for a PDF: which family has which letters, so that no letter is printed as an empty box unnoticed.

Typst carries a serif font for European scripts. Others come from the system, or from packages that carry fonts.
"""

from __future__ import annotations

import mmap
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typst

BODY = "Libertinus Serif"
#: What the body font surely has: Latin, Greek, Cyrillic, and the signs that reports use.
_BODY = (*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x384, 0x3CF), *range(0x400, 0x460), *range(0x2010, 0x2027), 0x2030,
         0x2032, 0x2033, 0x2039, 0x203A, 0x20AC, 0x2190, 0x2191, 0x2192, 0x2193, 0x2212, 0x2248, 0x2260, 0x2264, 0x2265, 0xFFFD)
_BODY_SET = frozenset(_BODY)
#: Families that are asked first, for the letters that the body font lacks.
_PREFERRED = ("Noto Serif CJK SC", "Source Han Serif SC", "Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans CJK TC",
              "Microsoft YaHei", "PingFang SC", "SimSun", "Songti SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
              "Noto Naskh Arabic", "Noto Sans Arabic", "DejaVu Sans", "Noto Emoji", "Noto Color Emoji", "Segoe UI Emoji",
              "Apple Color Emoji")
#: Packages that carry Chinese fonts: `pip install 'ecglm[chinese]'` (Noto, 16 MB), `pip install mplfonts`.
_PACKAGES = ("cvttf_NotoSansCJK_Regular", "mplfonts")


@dataclass(frozen=True)
class Chosen:
    """families: the body font and those that have what it lacks. lacking: letters that none has. folders: where packages
    keep fonts."""

    families: tuple[str, ...]
    lacking: frozenset[str]
    folders: tuple[str, ...]


def choose(text: str, only_body: bool = False) -> Chosen:
    """Families for a text. only_body: as on a machine without fonts of its own."""
    wanted = {letter for letter in set(text) if ord(letter) not in _BODY_SET and letter not in "\n\t"}
    if not wanted or only_body:
        return Chosen((BODY,), frozenset(wanted), ())
    folders = tuple(_package_folders())
    families, lacking = [BODY], set(wanted)
    for family, faces in _by_preference(folders):
        if not lacking:
            break
        has = covered(*faces[0], frozenset(map(ord, lacking)))
        found = {letter for letter in lacking if ord(letter) in has}
        if found:
            families.append(family)
            lacking -= found
    return Chosen(tuple(families), frozenset(lacking), folders)


def _package_folders() -> Iterator[str]:
    for name in _PACKAGES:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            folder = Path(spec.origin).parent
            yield str(folder / "fonts" if (folder / "fonts").is_dir() else folder)
    if (Path(sys.prefix) / "share" / "fonts").is_dir():
        yield str(Path(sys.prefix) / "share" / "fonts")


@cache
def system_fonts(folders: tuple[str, ...]) -> typst.Fonts:
    """The fonts that Typst finds; looked for once."""
    import typst

    return typst.Fonts(font_paths=list(folders))


def _by_preference(folders: tuple[str, ...]) -> Iterable[tuple[str, list[tuple[str, int]]]]:
    faces: dict[str, list[tuple[str, int]]] = {}
    for font in system_fonts(folders).fonts():
        if font.path is not None:
            upright = font.style == "normal" and font.weight == 400
            faces.setdefault(font.family, []).insert(0 if upright else len(faces.get(font.family, ())), (font.path, font.index))
    order = {name: rank for rank, name in enumerate(_PREFERRED)}
    return sorted(faces.items(), key=lambda item: (order.get(item[0], len(order)), item[0]))


@cache
def covered(path: str, index: int, wanted: frozenset[int]) -> frozenset[int]:
    """Which code points a font file has glyphs for, by its cmap table (OpenType 1.9, formats 4 and 12); none when unreadable."""
    try:
        with open(path, "rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        start = struct.unpack_from(">I", data, 12 + 4 * index)[0] if data[:4] == b"ttcf" else 0
        tables = struct.unpack_from(">H", data, start + 4)[0]
        entries = (struct.unpack_from(">4sIII", data, start + 12 + 16 * i) for i in range(tables))
        cmap = next(offset for tag, _, offset, _ in entries if tag == b"cmap")
        count = struct.unpack_from(">H", data, cmap + 2)[0]
        subtables = {cmap + struct.unpack_from(">HHI", data, cmap + 4 + 8 * i)[2] for i in range(count)}
        ranges = [pair for at in subtables for pair in _ranges(data, at)]
    except (OSError, ValueError, struct.error, StopIteration):
        return frozenset()
    return frozenset(code for code in wanted if any(first <= code <= last for first, last in ranges))


def _ranges(data: mmap.mmap, at: int) -> Iterator[tuple[int, int]]:
    kind = struct.unpack_from(">H", data, at)[0]
    if kind == 12:
        groups = min(struct.unpack_from(">I", data, at + 12)[0], 100_000)
        numbers = struct.unpack_from(f">{3 * groups}I", data, at + 16)
        yield from zip(numbers[::3], numbers[1::3], strict=True)
    elif kind == 4:
        n = struct.unpack_from(">H", data, at + 6)[0] // 2
        starts, ends = (struct.unpack_from(f">{n}H", data, at + o) for o in (16 + 2 * n, 14))
        yield from ((first, last) for first, last in zip(starts, ends, strict=True) if last != 0xFFFF)


def without_boxes(text: str, lacking: frozenset[str]) -> str:
    """The text with letters that no font has as their code, such as [U+1F600]."""
    return "".join(f"[U+{ord(letter):04X}]" if letter in lacking else letter for letter in text) if lacking else text
