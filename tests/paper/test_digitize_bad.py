"""Whatever is given as a page: read, or refused in one clear line, and never with more memory than a large page needs."""

from __future__ import annotations

import io
import subprocess
import sys
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_sample_images

import ecglm
from ecglm.cli import main
from ecglm.errors import PageError, UsageError
from ecglm.inference import open_page
from ecglm.paper import render
from ecglm.paper.digitize.load import load_picture
from ecglm.records.leads import STANDARD_12
from ecglm.records.record import Record
from ecglm.signal.simulate import simulate

#: Loads a file and says how many MB the process needed at most.
LOADING = """
import sys
from ecglm.errors import PageError
from ecglm.paper.digitize.load import load_picture
for name in sys.argv[1:]:
    try:
        shape = load_picture(name).image.shape
    except PageError as error:
        shape = error.reason
    most = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # getrusage counts the parent in
    print(name.rsplit("/", 1)[-1], shape, int(most.split()[1]) // 1024)
"""


@cache
def sinus() -> Record:
    return simulate("normal", 1, seed=5)[0].record


@cache
def page() -> Image.Image:
    return Image.fromarray(render(sinus(), dpi=130).image)


def deep(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


def on_glass(image: Image.Image) -> Image.Image:
    """The page with paper that is the more transparent the whiter it is."""
    dark = 255 - np.asarray(image.convert("RGB")).min(axis=2)
    ink = np.asarray(image.convert("RGB")).astype(int)
    alpha = np.maximum(dark, 1).astype(int)
    colour = np.clip(255 - (255 - ink) * 255 // alpha[..., None], 0, 255)
    return Image.fromarray(np.dstack([colour, dark]).astype(np.uint8))


@pytest.mark.parametrize(("kind", "change"), [
    ("JPEG", lambda image: image.convert("CMYK")), ("TIFF", deep), ("PNG", on_glass), ("GIF", lambda image: image.convert("P"))])
def test_a_page_is_read_from_every_kind_of_file(kind: str, change, tmp_path: Path) -> None:
    path = tmp_path / f"page.{kind.lower()}"
    change(page()).save(path, kind, **({"quality": 92} if kind == "JPEG" else {}))
    found = ecglm.digitize(path, text=False)
    assert found.leads == STANDARD_12
    assert ecglm.measure(found).heart_rate.value == pytest.approx(ecglm.measure(sinus()).heart_rate.value, abs=3)


@pytest.mark.parametrize("which", [0, 1])
def test_a_photo_without_an_ecg_is_refused(which: int) -> None:
    photo = Image.fromarray(load_sample_images().images[which])
    with pytest.raises(PageError) as caught:
        ecglm.digitize(np.asarray(photo.resize((1280, 854))))
    assert caught.value.reason in ("grid", "traces", "size", "layout", "unsure")


@pytest.mark.parametrize(("how", "said"), [
    (Image.Transpose.ROTATE_180, "upside down"), (Image.Transpose.ROTATE_90, "on its side"),
    (Image.Transpose.ROTATE_270, "on its side"), (Image.Transpose.FLIP_LEFT_RIGHT, "mirrored")])
def test_a_page_that_lies_the_wrong_way_is_refused(how: Image.Transpose, said: str) -> None:
    with pytest.raises(PageError, match=said) as caught:
        open_page(np.asarray(page().transpose(how)), text=False)  # nor is it looked at
    assert caught.value.reason == "turned"


def ruled() -> Image.Image:
    """A sheet of ECG paper without an ECG, 130 dpi."""
    sheet, px = np.full((1100, 1430, 3), 255, np.uint8), 130 / 25.4
    for pitch, colour in ((px, (255, 200, 200)), (5 * px, (235, 130, 130))):
        for axis, size in ((0, 1100), (1, 1430)):
            lines = np.round(np.arange(0, size - 1, pitch)).astype(int)
            sheet[(lines,) if axis == 0 else (slice(None), lines)] = colour
    return Image.fromarray(sheet)


@pytest.mark.parametrize(("lines", "size"), [(25, 18), (9, 44)])
def test_a_letter_on_ruled_paper_is_neither_read_nor_looked_at(lines: int, size: int) -> None:
    letter = ruled()
    for k in range(lines):
        words = "Dear colleague, thank you for referring this patient. " * (3 if size < 30 else 1)
        ImageDraw.Draw(letter).text((60, 40 + k * 1000 // lines), words, fill="black", font=ImageFont.load_default(size))
    with pytest.raises(PageError) as caught:
        open_page(np.asarray(letter), text=False)
    assert caught.value.reason in ("grid", "traces")


def test_a_letter_on_plain_paper_is_not_said_to_be_ruled() -> None:
    letter = Image.new("RGB", (1200, 900), "white")
    for row in range(20):
        words = "The patient was seen in the clinic on the usual day."
        ImageDraw.Draw(letter).text((60, 40 + 40 * row), words, fill="black", font=ImageFont.load_default(34))
    with pytest.raises(PageError) as caught:
        ecglm.digitize(np.asarray(letter), text=False)
    assert "its ruled paper" not in str(caught.value)


def large(path: Path, side: int) -> Path:
    """A PNG of side x side grey pixels, all there, in a file of some kilobytes."""
    from tests.paper.test_digitize_load import png_header

    packer, rows = zlib.compressobj(1), bytes(1 + 3 * side)
    body = b"".join([*(packer.compress(rows) for _ in range(side)), packer.flush()])
    head = png_header(side, side)
    name = b"IDAT" + body
    path.write_bytes(head[:-12] + len(body).to_bytes(4, "big") + name + zlib.crc32(name).to_bytes(4, "big") + head[-12:])
    return path


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="memory is read from Linux's /proc")
def test_memory_is_bounded(tmp_path: Path) -> None:
    size = (7600, 7800)  # just below the most that is taken
    files = [large(tmp_path / "bomb.png", 10_000)]
    for name, image in (("clear.png", Image.new("RGBA", size, (9, 9, 9, 128))), ("deep.png", Image.new("I;16", size, 40_000)),
                        ("palette.png", Image.new("P", size, 3))):
        options = {"transparency": 3} if image.mode == "P" else {}
        image.save(tmp_path / name, compress_level=1, **options)
        files.append(tmp_path / name)
    done = subprocess.run([sys.executable, "-c", LOADING, *map(str, files)], capture_output=True, text=True, check=True)
    rows = [line.rsplit(" ", 1) for line in done.stdout.splitlines()]
    assert rows[0][0] == "bomb.png size"
    assert int(rows[0][1]) < 450  # libraries, and no pixels
    sizes = (2534, 2533, 2534)  # a third, rounded up; numbers of 16 bits rounded down
    assert [row[0] for row in rows[1:]] == [f"{path.name} (2600, {wide}, 3)" for path, wide in zip(files[1:], sizes, strict=True)]
    assert int(rows[-1][1]) < 1000  # the file's pixels twice, at four bytes


def test_refusals_are_one_line_with_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = io.BytesIO()
    page().save(whole, "PNG")
    (tmp_path / "cut.png").write_bytes(whole.getvalue()[:20_000])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "letter.png").write_bytes(b"Dear doctor,\n" * 50)
    Image.new("RGB", (1200, 900), "white").save(tmp_path / "blank.jpg")
    large(tmp_path / "bomb.png", 10_000)
    for name in ("cut.png", "empty.jpg", "letter.png", "blank.jpg", "bomb.png", "none.png"):
        assert main(["digitize", str(tmp_path / name), "-o", str(tmp_path / "out.csv")]) == 2, name
        said = capsys.readouterr().err
        assert said.count("\n") == 1, said
        assert name in said
        assert "; " in said
    assert not (tmp_path / "out.csv").exists()


def test_a_page_of_a_tiff_file_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pages.tiff"
    Image.new("RGB", page().size, "white").save(path, save_all=True, append_images=[page().copy()])
    assert main(["digitize", str(path), "--page", "2", "--no-text"]) == 0
    assert "page 2 of 2 was read" in capsys.readouterr().out
    assert main(["digitize", str(path)]) == 2
    assert "this is page 1 of 2; try --page 2" in capsys.readouterr().err
    assert main(["digitize", str(path), "--page", "3"]) == 2
    assert "page 3 is not there, it has 2" in capsys.readouterr().err


def pdf(path: Path, *images: Image.Image, **options) -> Path:
    images[0].save(path, "PDF", resolution=130, save_all=True, append_images=list(images[1:]), **options)
    return path


def test_a_page_of_a_pdf_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pypdfium2")
    path = pdf(tmp_path / "pages.pdf", Image.new("RGB", page().size, "white"), page())
    picture = load_picture(path, page=2)
    assert picture.notes == ("page 2 of 2 was read",)
    assert picture.image.shape[1] == pytest.approx(page().width * 200 / 130, abs=2)
    assert main(["digitize", str(path), "--page", "2", "--no-text"]) == 0
    assert "page 2 of 2 was read" in capsys.readouterr().out
    with pytest.raises(UsageError, match="page 3 is not there, it has 2"):
        load_picture(path, page=3)


def test_pdf_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    with pytest.raises(PageError, match="cannot be opened"):
        load_picture(b"%PDF-1.7 nothing")
    whole = pdf(tmp_path / "page.pdf", page()).read_bytes()
    for cut in (100, len(whole) // 2):  # PDFium repairs some; what it makes of others has no page
        with pytest.raises((PageError, UsageError)):
            load_picture(whole[:cut])
    path = pdf(tmp_path / "bomb.pdf", Image.new("1", (10_000, 10_000), 1))
    with pytest.raises(PageError, match="more than 60 million") as caught:
        load_picture(path)
    assert caught.value.reason == "size"


def test_a_protected_pdf_file_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    pypdf = pytest.importorskip("pypdf")
    writer = pypdf.PdfWriter(clone_from=pdf(tmp_path / "page.pdf", page()))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "protected.pdf")
    with pytest.raises(PageError, match="protected"):
        load_picture(tmp_path / "protected.pdf")
