"""Encoded pictures -> pixels, and recognising a known picture after recompression."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from .failures import invalid
from .media import Medium
from .settings import EmulatorError
from .sight import Pixels

UNREADABLE = "Unable to process input image. Please retry or report in "
HELP = "https://developers.generativeai.google/guide/troubleshooting"
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
THUMB = 16
TOLERANCE = 8.0
"""Largest root mean square difference of two thumbnails of one picture, of 255."""
ASPECT_TOLERANCE = 0.04
_PILLOW_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def open_pixels(picture: Medium) -> Pixels:
    """Decode a picture as it is stored; raise GoogleError (400) if that is impossible.

    EXIF orientation is not applied: a client that relies on it should notice.
    """
    try:
        with Image.open(_source(picture)) as image:
            return np.asarray(image.convert("RGB"))
    except _PILLOW_ERRORS as error:
        raise invalid(UNREADABLE + HELP) from error


def picture_size(picture: Medium) -> tuple[int, int]:
    """Read width and height from the header; raise GoogleError (400)."""
    try:
        with Image.open(_source(picture)) as image:
            return image.size
    except _PILLOW_ERRORS as error:
        raise invalid(UNREADABLE + HELP) from error


def _source(picture: Medium) -> Path | io.BytesIO:
    """Give Pillow the file, or the bytes."""
    if isinstance(picture.source, Path):
        return picture.source
    return io.BytesIO(picture.read())


def thumbnail(image: Image.Image) -> NDArray[np.float32]:
    """Shrink a picture to 16x16 colours and the logarithm of its aspect ratio."""
    tiny = image.convert("RGB").resize((THUMB, THUMB), Image.Resampling.BOX)
    aspect = math.log(image.width / image.height)
    return np.append(np.asarray(tiny, np.float32).ravel(), np.float32(aspect))


class PictureIndex:
    """Finds the name of a picture among known ones by how it looks.

    Survives resizing and recompression; pictures are indexed upright.
    """

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self.names = tuple(names)
        rows = [_file_thumbnail(folder / name) for name in self.names]
        self._rows = np.array(rows, np.float32).reshape(-1, 3 * THUMB * THUMB + 1)

    def find(self, pixels: Pixels) -> str:
        """Name the known picture that looks like this one, or give an empty string."""
        if not self.names:
            return ""
        row = thumbnail(Image.fromarray(pixels))
        far = np.abs(self._rows[:, -1] - row[-1]) > ASPECT_TOLERANCE
        error = np.sqrt(((self._rows[:, :-1] - row[:-1]) ** 2).mean(1))
        error[far] = np.inf
        best = int(error.argmin())
        return self.names[best] if error[best] <= TOLERANCE else ""


def pictures_in(folder: Path) -> list[str]:
    """Name the pictures of a folder; raise EmulatorError when there is no folder."""
    if not folder.is_dir():
        raise EmulatorError(f"There is no folder {folder}.")
    return sorted(f.name for f in folder.iterdir() if f.suffix.lower() in SUFFIXES)


def _file_thumbnail(path: Path) -> NDArray[np.float32]:
    """Make the thumbnail of a file, upright; raise EmulatorError."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (256, 256))
            return thumbnail(ImageOps.exif_transpose(image))
    except _PILLOW_ERRORS as error:
        raise EmulatorError(f"Cannot read the picture {path}: {error}.") from error
