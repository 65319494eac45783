"""Every kind of image file is shown upright in RGB, or refused before it can do harm."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ecglm.errors import EcglmError, PageError, UsageError
from ecglm.paper.digitize.load import MAX_PIXELS, WORK_PIXELS, load_picture

PICTURE = np.zeros((200, 300, 3), np.uint8)
PICTURE[:, :, 0] = np.linspace(0, 255, 300).astype(np.uint8)
PICTURE[:60, :, 1] = 200


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGB"), ("BMP", "RGB"), ("TIFF", "RGB"), ("TIFF", "CMYK"), ("JPEG", "CMYK"),
                                            ("PNG", "RGBA"), ("WEBP", "RGB"), ("JPEG", "RGB")])
def test_formats_and_modes_give_the_same_picture(kind: str, mode: str) -> None:
    options = {"quality": 95} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    found = load_picture(encoded(Image.fromarray(PICTURE).convert(mode), kind, **options)).image
    assert found.shape == PICTURE.shape
    assert np.abs(found.astype(int) - PICTURE).mean() < (30 if mode == "CMYK" else 6)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "I;16"])
def test_grey_palette_and_16_bit(mode: str) -> None:
    grey = PICTURE[:, :, 0]
    image = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    found = load_picture(encoded(image, "PNG")).image
    assert found.shape == PICTURE.shape
    assert found[:, :20].mean() < 60 < 190 < found[:, -20:].mean()


def test_transparent_is_white() -> None:
    clear = np.dstack([PICTURE, np.zeros((200, 300), np.uint8)])
    assert (load_picture(encoded(Image.fromarray(clear), "PNG")).image == 255).all()
    assert (load_picture(clear).image == 255).all()


#: What turns an upright picture into the one that is stored with each orientation of EXIF.
STORED = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
          5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a),
          7: lambda a: a[::-1, ::-1].transpose(1, 0, 2), 8: lambda a: np.rot90(a, -1)}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_rotation_is_undone(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](PICTURE)))
    picture = load_picture(encoded(stored, kind, exif=exif, **({"quality": 95} if kind in ("JPEG", "WEBP") else {})))
    assert picture.image.shape == PICTURE.shape
    assert np.abs(picture.image.astype(int) - PICTURE).mean() < 4
    assert any("upright" in note for note in picture.notes) == (orientation != 1)


def tiff_of_16_bits(array: np.ndarray) -> bytes:
    """A TIFF file with three channels of 16 bits, which Pillow does not write."""
    height, width, _ = array.shape
    pixels = array.astype("<u2").tobytes()
    bits_at, pixels_at = 8 + 2 + 10 * 12 + 4, 8 + 2 + 10 * 12 + 4 + 6
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, bits_at), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, pixels_at),
            (277, 3, 1, 3), (278, 4, 1, height), (279, 4, 1, len(pixels)), (284, 3, 1, 1)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<IHHH", 0, 16, 16, 16) + pixels


def test_16_bits_in_tiff() -> None:
    deep = PICTURE.astype(np.uint16) * 257
    assert np.abs(load_picture(tiff_of_16_bits(deep)).image.astype(int) - PICTURE).max() <= 1
    grey = load_picture(encoded(Image.fromarray(deep[:, :, 0]), "TIFF")).image
    assert np.abs(grey[:, :, 1].astype(int) - PICTURE[:, :, 0]).max() <= 1


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG"])
def test_one_page_of_several(kind: str) -> None:
    pages = [Image.fromarray(np.full((150, 150, 3), level, np.uint8)) for level in (0, 120, 250)]
    data = encoded(pages[0], kind, save_all=True, append_images=pages[1:])
    assert load_picture(data).notes == ("page 1 of 3 was read",)
    assert load_picture(data, page=2).image.mean() == pytest.approx(120, abs=3)
    with pytest.raises(UsageError, match="page 4 is not there, it has 3"):
        load_picture(data, page=4)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims its size and has no pixels."""
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_bomb_is_refused_by_its_header(side: int, tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(side, side))
    with pytest.raises(PageError, match="million") as caught:
        load_picture(path)
    assert caught.value.reason == "size"
    assert "bomb.png" in str(caught.value)


def test_a_large_page_is_averaged_down() -> None:
    large = load_picture(encoded(Image.fromarray(np.full((4000, 5000), 200, np.uint8)), "PNG")).image
    assert large.shape[0] * large.shape[1] <= WORK_PIXELS < MAX_PIXELS
    assert (large == 200).all()


def test_an_array_that_is_no_image_is_refused() -> None:
    for array in (np.zeros((3, 4, 5, 3)), np.zeros((0, 10, 3)), np.zeros((400, 400, 7)), np.zeros(100)):
        with pytest.raises(PageError, match="not an image"):
            load_picture(array)
    assert (load_picture(np.ones((200, 200))).image == 255).all()  # floats from 0 to 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"])
def test_damaged_files_are_refused(kind: str) -> None:
    whole = encoded(Image.fromarray(PICTURE), kind)
    rng = np.random.default_rng(3)
    for cut in (0, 5, 30, len(whole) // 2):
        with pytest.raises(EcglmError) as caught:
            load_picture(whole[:cut])
        assert "\n" not in str(caught.value)
    for _ in range(25):
        broken = bytearray(whole)
        for at in rng.integers(0, min(len(broken), 600), 4):
            broken[at] = rng.integers(0, 256)
        with suppress(EcglmError):  # and no other error
            load_picture(bytes(broken))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="cannot be read"):
        load_picture(tmp_path / "none.png")


def test_pdf_needs_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(PageError, match=r"pip install 'ecglm\[images\]'"):
        load_picture(b"%PDF-1.7 nothing")
