"""Files, bytes and arrays → one upright RGB picture. Nothing is decoded before its size is known to be bearable."""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecglm.errors import PageError, UsageError

#: Formats that Pillow may decode; the many others it knows are not for strangers' files.
FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")
#: Most pixels of a file (a letter page at 700 dpi), and of what is worked on: more is averaged down.
MAX_PIXELS, WORK_PIXELS = 60_000_000, 9_000_000
MAX_BYTES = 256 << 20
#: Least height and width of a page, pixels.
MIN_SIDE = 120
PDF_DPI = 200
#: Kind of a page object that is an image (FPDF_PAGEOBJ_IMAGE of PDFium).
_PDF_IMAGE = 3
#: Rows of a picture that are made opaque at a time.
_STRIP = 256
#: Pillow's turns by the orientation in EXIF data (tag 0x0112), as `Image.Transpose`.
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


@dataclass(frozen=True, eq=False)
class Picture:
    """image: uint8 ``[y, x, 3]`` RGB, upright. name: of the file, for messages. notes: what was decided in loading it.
    pages: how many the file has."""

    image: NDArray[np.uint8]
    name: str = "image"
    notes: tuple[str, ...] = ()
    pages: int = 1


def load_picture(source: str | os.PathLike[str] | bytes | NDArray[Any], page: int = 1) -> Picture:
    """An image file, its bytes, or an array ``[y, x]``, ``[y, x, 3]`` or ``[y, x, 4]`` (uint8, uint16, or float 0..1).

    page: which one, of several in a file. Raises PageError for what cannot be decoded or is too large or small,
    UsageError for a page that is not there.
    """
    if not isinstance(page, int) or page < 1:
        raise UsageError(f"page={page!r} is not a page number; count from 1")
    if isinstance(source, np.ndarray):
        return _checked(Picture(_rgb(source, "image")))
    if isinstance(source, bytes):
        return _checked(_decoded(io.BytesIO(source), "image", source[:5] == b"%PDF-", page))
    name = os.fspath(source)
    try:
        if os.path.getsize(name) > MAX_BYTES:
            raise PageError(name, "size", f"the file has more than {MAX_BYTES >> 20} MB", "scale the image down")
        with open(name, "rb") as file:
            pdf = file.read(5) == b"%PDF-"
            file.seek(0)
            return _checked(_decoded(file, name, pdf, page))
    except OSError as problem:
        if isinstance(problem, PageError):
            raise
        raise PageError(name, "file", f"it cannot be read ({problem.strerror or problem})", "check the file") from None


def _decoded(file: Any, name: str, pdf: bool, page: int) -> Picture:
    return _from_pdf(file, name, page) if pdf else _from_image(file, name, page)


def _from_image(file: Any, name: str, page: int) -> Picture:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image: Any = Image.open(file, formats=FORMATS)
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise _too_large(name, width, height)
            notes = []
            count = int(getattr(image, "n_frames", 1))
            if image.format == "MPO":  # a phone's photo with a preview behind it
                count = 1
            if page > count:
                raise UsageError(f"{name}: page {page} is not there, it has {count}")
            if count > 1:
                image.seek(page - 1)
                if image.size[0] * image.size[1] > MAX_PIXELS:
                    raise _too_large(name, *image.size)
                notes.append(f"page {page} of {count} was read")
            told = image.getexif().get(0x0112, 1)
            image.load()
            turns = _TURNS.get(image.getexif().get(0x0112, 1))  # a TIFF file is upright once it is loaded, and says so
            image = _smaller(_plain(image))
            if turns is not None:
                image = image.transpose(turns)
            if told in _TURNS:
                notes.append("turned upright as its EXIF data say")
            return Picture(_rgb(np.asarray(image), name), name, tuple(notes), count)
    except (UnidentifiedImageError, Image.DecompressionBombError) as problem:
        if isinstance(problem, Image.DecompressionBombError):
            raise PageError(name, "size", f"it has more than {MAX_PIXELS / 1e6:.0f} million pixels",
                            "scale it down to 200 to 300 dpi") from None
        raise PageError(name, "file", "it is not an image that can be decoded",
                        "save it as PNG or JPEG; it may be damaged") from None
    except (SyntaxError, ValueError, EOFError, OSError, MemoryError, IndexError, KeyError, TypeError, OverflowError) as problem:
        if isinstance(problem, PageError):
            raise
        raise PageError(name, "file", f"it cannot be decoded ({str(problem)[:80] or type(problem).__name__})",
                        "it is damaged or cut short; get it again") from None


def _too_large(name: str, width: int, height: int) -> PageError:
    return PageError(name, "size", f"it has {width} x {height} pixels, more than {MAX_PIXELS / 1e6:.0f} million",
                     "scale it down to 200 to 300 dpi")


def _plain(image: Any) -> Any:
    """A Pillow image in a mode that can be averaged: L, RGB or I;16 (numbers of more than 8 bits). Transparency lies over white;
    this is done strip by strip, for a page of the largest size has 240 MB in every mode of four channels."""
    from PIL import Image

    if image.mode in ("L", "RGB", "I", "F") or image.mode.startswith("I;16"):
        if "transparency" not in image.info or image.mode not in ("L", "RGB"):
            return image
    elif image.mode not in ("RGBA", "LA", "PA", "RGBa") and "transparency" not in image.info:
        return image.convert("L" if image.mode == "1" else "RGB")
    plain = Image.new("RGB", image.size, (255, 255, 255))
    for top in range(0, image.height, _STRIP):
        strip = image.crop((0, top, image.width, min(image.height, top + _STRIP))).convert("RGBA")
        plain.paste(strip, (0, top), strip)
    return plain


def _smaller(image: Any) -> Any:
    """The image averaged over whole squares of pixels, so that it has about `WORK_PIXELS` at most."""
    times = int(np.ceil(np.sqrt(image.width * image.height / WORK_PIXELS)))
    if times < 2:
        return image
    if image.mode in ("L", "RGB"):
        return image.reduce(times)
    from PIL import Image

    values = np.asarray(image)
    rows, columns = values.shape[0] // times, values.shape[1] // times
    sums = np.zeros((rows, columns), np.float32)
    for down in range(times):
        for right in range(times):
            sums += values[down:rows * times:times, right:columns * times:times]
    return Image.fromarray(sums / times ** 2)


def _from_pdf(file: Any, name: str, page: int) -> Picture:
    try:
        pdfium = import_module("pypdfium2")
    except ImportError:
        raise PageError(name, "file", "reading pages of a PDF file needs pypdfium2",
                        "pip install 'ecglm[images]', or save the page as PNG") from None
    try:
        document = pdfium.PdfDocument(file.read(MAX_BYTES))
        count = len(document)
        if page > count:
            raise UsageError(f"{name}: page {page} is not there, it has {count}")
        leaf = document[page - 1]
        width, height = leaf.get_size()
        if not (width > 0 and height > 0):
            raise PageError(name, "size", f"page {page} has no extent", "save the page as PNG")
        for picture in leaf.get_objects(filter=[_PDF_IMAGE]):
            across, down = picture.get_px_size()
            if across * down > MAX_PIXELS:
                raise _too_large(name, across, down)
        scale = min(PDF_DPI / 72, float(np.sqrt(WORK_PIXELS / max(width * height, 1.0))))
        drawn = leaf.render(scale=scale).to_numpy()
        drawn = drawn[..., 2::-1] if drawn.ndim == 3 else drawn
        return Picture(_rgb(drawn, name), name, (f"page {page} of {count} was read",) if count > 1 else (), count)
    except (pdfium.PdfiumError, ValueError, OverflowError, MemoryError) as problem:
        raise PageError(name, "file", f"the PDF file cannot be opened ({str(problem)[:80]})",
                        "it is damaged or protected; save the page as PNG") from None


def _rgb(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """uint8 ``[y, x, 3]`` of the kinds of arrays that `load_picture` takes."""
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)) or 0 in array.shape:
        raise PageError(name, "file", f"an array of shape {array.shape} is not an image", "pass [y, x] or [y, x, 3]")
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise _too_large(name, array.shape[1], array.shape[0])
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8:
        values = array.astype(np.float32)
        top = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
        full = 1.0 if top <= 1.0 else 255.0 if top <= 255.0 else 65535.0 if top <= 65535.0 else top
        array = np.nan_to_num(np.clip(values / full, 0.0, 1.0) * 255.0).round().astype(np.uint8)
    if array.ndim == 2:
        array = array[..., None]
    if array.shape[2] == 4:
        alpha = array[..., 3:].astype(np.float32) / 255.0
        array = (array[..., :3] * alpha + 255.0 * (1.0 - alpha)).round().astype(np.uint8)
    if array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    return np.ascontiguousarray(array)


def _checked(picture: Picture) -> Picture:
    """The picture, averaged down where it is larger than need be. Raises PageError when nothing can be on it."""
    import cv2

    height, width = picture.image.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise PageError(picture.name, "size", f"it has {width} x {height} pixels, too few for an ECG page",
                        "scan it at 200 dpi or more")
    if height * width > WORK_PIXELS:
        shrink = float(np.sqrt(WORK_PIXELS / (height * width)))
        small = cv2.resize(picture.image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        return replace(picture, image=np.asarray(small, np.uint8))
    return picture
