"""`Page`: the picture of an ECG page together with its truth, and how it is saved."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ecglm.atomic import write_output
from ecglm.errors import UsageError
from ecglm.paper.truth import PageTruth


@dataclass(frozen=True, eq=False)
class Page:
    """image: uint8 ``[height, width, 3]`` RGB. truth: what is exactly where on it."""

    image: NDArray[np.uint8]
    truth: PageTruth

    def png(self) -> bytes:
        """The page as PNG with its resolution noted, so that it prints at true scale (5 mm is 5 mm)."""
        return _png_with_dpi(self._encode(".png", [cv2.IMWRITE_PNG_COMPRESSION, 3]), self.truth.dpi)

    def jpeg(self, quality: int = 92) -> bytes:
        """The page as JPEG with its resolution noted."""
        return _jpeg_with_dpi(self._encode(".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality]), self.truth.dpi)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write .png, .jpg or .jpeg; the file appears whole or not at all. Raises UsageError for other names."""
        suffix = Path(path).suffix.lower()
        if suffix not in (".png", ".jpg", ".jpeg"):
            raise UsageError(f"{os.fspath(path)}: a page is saved as .png, .jpg or .jpeg; change the extension")
        write_output(path, self.png() if suffix == ".png" else self.jpeg())

    def _encode(self, extension: str, options: list[int]) -> bytes:
        return _encoded(self.image, extension, options)


def undistorted(page: Page) -> None:
    """Raises UsageError for a page whose leads no longer lie on straight lines."""
    if page.truth.warp is not None:
        raise UsageError("the page is distorted: its leads are bent; mark the page as it was drawn, then distort it")


def save_image(image: NDArray[np.uint8], path: str | os.PathLike[str]) -> None:
    """Write an RGB image as .png; the file appears whole or not at all. Raises UsageError for other names."""
    check_sheet(path)
    write_output(path, _encoded(image, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 3]))


def check_sheet(path: str | os.PathLike[str]) -> None:
    """Raises UsageError where `save_image` would, before there is an image."""
    if Path(path).suffix.lower() != ".png":
        raise UsageError(f"{os.fspath(path)}: a sheet is saved as .png; change the extension")


def _encoded(image: NDArray[np.uint8], extension: str, options: list[int]) -> bytes:
    done, data = cv2.imencode(extension, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise UsageError(f"this OpenCV cannot write {extension}; reinstall opencv-python-headless")
    return bytes(data)


def _png_with_dpi(png: bytes, dpi: int) -> bytes:
    """Add the pHYs chunk (pixels per metre) behind the header chunk, where the PNG standard wants it."""
    per_metre = round(dpi / 0.0254)
    body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    header_end = 8 + 25  # signature, then IHDR: length 4, name 4, data 13, checksum 4
    return png[:header_end] + chunk + png[header_end:]


def _jpeg_with_dpi(jpeg: bytes, dpi: int) -> bytes:
    """Set the density fields of the JFIF header (units: dots per inch)."""
    if jpeg[6:11] != b"JFIF\0":
        return jpeg
    return jpeg[:13] + struct.pack(">BHH", 1, dpi, dpi) + jpeg[18:]
