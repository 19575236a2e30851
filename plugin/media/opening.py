"""Files and URLs to opened pictures, or to a sentence that says why not."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageFile, UnidentifiedImageError

from ..errors import FormatError, MediaError
from ..storage import local_path, read
from .fetch import fetch, is_web_url, shown_url

Place: TypeAlias = Path | str
"""A local path, or the URL of a file: on the web, or where fsspec reaches it."""
MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)
"""Where Pillow itself gives up (179 million): more is taken for a bomb."""
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"heif"}
# What Pillow and its plug-ins raise on damaged files.
BROKEN = (
    *(OSError, ValueError, SyntaxError, EOFError, RuntimeError, TypeError, KeyError),
    *(IndexError, OverflowError, AttributeError, struct.error, zlib.error),
)


def read_picture(path: Place, *, private: bool = False) -> bytes:
    """Read a file, or fetch a URL (`private`: from any network); or say why not."""
    if is_web_url(str(path)):
        return fetch(str(path), private=private)
    here = local_path(path)
    try:
        data = here.read_bytes() if here else read(str(path))
    except FormatError as error:
        raise MediaError(str(error)) from error
    except OSError as error:
        raise unreadable(path, error) from error
    if not data:
        raise MediaError(f"{named(path)} is empty (0 bytes). Copy the picture again.")
    return data


def unreadable(path: Place, error: OSError) -> MediaError:
    """Say why a file cannot be read."""
    here = local_path(path)
    if here is not None and here.is_dir():
        return MediaError(
            f"{named(path)} is a folder, not a picture. Give a picture's path."
        )
    if isinstance(error, FileNotFoundError):
        return MediaError(
            f"{named(path)} does not exist. Check the path of the sample."
        )
    if error.errno is None:
        return damaged(path)
    return MediaError(
        f"{named(path)} cannot be read ({error.strerror}). Check its rights."
    )


def damaged(path: Place) -> MediaError:
    """Say that a file looks like a picture and is not whole."""
    return MediaError(
        f"{named(path)} is damaged or cut short: its pixels cannot be read. "
        "Copy or export the picture again."
    )


def open_picture(
    file: io.BufferedReader | io.BytesIO, path: Place
) -> ImageFile.ImageFile:
    """Open a picture by its content, whatever its name; no pixels are read."""
    head = file.read(12)
    file.seek(0)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        _register_heif()
    try:
        image = Image.open(file)
    except UnidentifiedImageError as error:
        raise MediaError(
            f"{named(path)} is not a picture that can be read. Use JPEG, PNG, WEBP or HEIC."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(path) from error
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(path)
    return image


def _too_large(path: Place) -> MediaError:
    """Say that a picture has more pixels than will be decoded."""
    return MediaError(
        f"{named(path)} has more than {MAX_PIXELS // 1_000_000} million pixels, which is "
        "refused for safety. Make it smaller, or cut it into tiles."
    )


@cache
def _register_heif() -> None:
    """Teach Pillow HEIC, on the first such file only."""
    import pillow_heif

    pillow_heif.register_heif_opener()


def named(path: Place) -> str:
    """Name a file in a sentence; a URL without what may be secret in it."""
    return shown_url(str(path)) if is_web_url(str(path)) else str(path)
