"""Read the mask of one item, in whatever form it came.

PNG (data URI, bare or URL-safe base64) covers the inside of the box; polygons go to
`polygons.py`. What cannot be decoded (placeholders, lists of booleans, segmentation
tokens without a decoder) gives no mask and an issue: the box is kept.
"""

from __future__ import annotations

import binascii
import re
import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..values import Frame, Issue, JsonValue, Mask
from .boxes import Box1000
from .png import SIGNATURE, grey_pixels, read_chunks
from .polygons import Ring, polygon_mask, rings_of
from .rules import ReadRules
from .scale import Scale

_MAX_BASE64 = 4_000_000
_MAX_PIXELS = 4096 * 4096
_PREFIX = re.compile(r"\s*data:image/[\w.+-]+\s*;\s*base64\s*,", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_NUMBERS = re.compile(r"[\s\d.,()\[\]-]+")
_TOKEN = re.compile(r"<seg_(\d{1,4})>")
_URL_SAFE = str.maketrans("-_", "+/")
_PNG_BASE64 = "iVBORw0KGgo"
_HEADER = struct.Struct(">8xI4sIIBB")
_NORMAL = (256, 256, 8, 0)
"""Width, height, bit depth and colour type of every real mask that was seen."""


class MaskError(ValueError):
    """A mask that cannot be decoded; `code` is that of the issue."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Budget:
    """Pixels that may still be decoded and filled for the masks of one reply."""

    pixels: int

    def spend(self, pixels: int) -> None:
        """Take pixels; raises MaskError when too few are left."""
        if pixels > self.pixels:
            raise MaskError("mask_budget", "the masks of the reply are too large")
        self.pixels -= pixels


def read_mask(
    value: JsonValue,
    box: Box1000,
    frame: Frame,
    path: str,
    issues: list[Issue],
    *,
    rules: ReadRules,
    scale: Scale,
    budget: Budget,
) -> Mask | None:
    """Read one mask; its crop covers exactly `box.snapped(frame)`.

    None, with an issue, where there is no mask that can be decoded, no pixel of it
    lies in the box, or the budget is spent. `scale` is that of the reply's boxes;
    polygons share it.
    """
    x0, y0, x1, y1 = box.snapped(frame)
    try:
        rings = rings_in(value)
        if rings is not None:
            budget.spend((x1 - x0) * (y1 - y0))
            mask = polygon_mask(rings, box, frame, path, issues, scale=scale)
        else:
            grey = _grey(value, path, issues, rules, budget)
            budget.spend((x1 - x0) * (y1 - y0))
            mask = _placed(grey, box, frame, rules.threshold)
    except MaskError as error:
        issues.append(Issue(path, error.code, str(error)))
        return None
    if not mask.crop.any():
        issues.append(Issue(path, "mask_empty", "the mask has no pixel in its box"))
        return None
    return mask


def rings_in(value: JsonValue) -> list[Ring] | None:
    """Read a polygon in any form, also as a string of numbers; None for all else."""
    if isinstance(value, str) and _NUMBERS.fullmatch(value[:100_000]):
        value = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", value)[:100_000]]
    return rings_of(value)


def _grey(
    value: JsonValue,
    path: str,
    issues: list[Issue],
    rules: ReadRules,
    budget: Budget,
) -> NDArray[np.uint8]:
    """Decode the grey picture of the inside of the box."""
    if not value or isinstance(value, bool):
        raise MaskError("mask_missing", "there is no mask")
    if not isinstance(value, str):
        raise MaskError("mask_kind", "neither a PNG nor a polygon")
    if len(value) > _MAX_BASE64:
        raise MaskError("mask_size", f"a mask of {len(value)} characters")
    if "<seg_" in value or "<start_of_mask>" in value:
        return _from_tokens(value, rules)
    return _decode_png(_png_bytes(value), path, issues, budget)


def _from_tokens(text: str, rules: ReadRules) -> NDArray[np.uint8]:
    tokens = tuple(int(number) for number in _TOKEN.findall(text))
    if rules.decoder is None:
        message = f"{len(tokens)} segmentation tokens, which nothing here decodes"
        raise MaskError("mask_tokens", message)
    grey = rules.decoder(tokens)
    if grey is None or grey.ndim != 2 or not grey.size or grey.dtype != np.uint8:  # noqa: PLR2004
        message = f"the decoder made no picture of {len(tokens)} segmentation tokens"
        raise MaskError("mask_tokens", message)
    return grey


def _placed(
    grey: NDArray[np.uint8], box: Box1000, frame: Frame, threshold: int
) -> Mask:
    """Resize a picture to the pixels of its box and cut it at the threshold."""
    x0, y0, x1, y1 = box.snapped(frame)
    size = (x1 - x0, y1 - y0)
    placed = cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR) > threshold
    return Mask(x0, y0, np.ascontiguousarray(placed))


def _png_bytes(text: str) -> bytes:
    prefix = _PREFIX.match(text)
    if not prefix and not re.sub(r"\s+", "", text[:100]).startswith(_PNG_BASE64):
        raise MaskError("mask_kind", f"no mask but the text {text[:40]!r}")
    packed = text[prefix.end() :] if prefix else text
    try:
        data = binascii.a2b_base64(packed, strict_mode=True)
    except ValueError:
        data = b""
    return data or _loose_base64(packed)


def _loose_base64(text: str) -> bytes:
    """Read base64 with white space, of the URL-safe kind or without its padding."""
    packed = re.sub(r"\s+", "", text).translate(_URL_SAFE)
    if not _BASE64.fullmatch(packed):
        raise MaskError("mask_damaged", "not valid base64")
    packed = packed.rstrip("=")
    try:
        return binascii.a2b_base64(packed + "=" * (-len(packed) % 4))
    except binascii.Error as error:
        raise MaskError("mask_damaged", "not valid base64") from error


def _decode_png(
    data: bytes, path: str, issues: list[Issue], budget: Budget
) -> NDArray[np.uint8]:
    """Decode to grey, after its size was read from the header; only a whole PNG."""
    if not data.startswith(SIGNATURE) or len(data) < _HEADER.size:
        raise MaskError("mask_kind", "not a PNG")
    _, chunk, width, height, depth, colour = _HEADER.unpack_from(data)
    if chunk != b"IHDR" or not 0 < width * height <= _MAX_PIXELS:
        raise MaskError("mask_size", f"a PNG of {width} x {height} pixels")
    chunks = read_chunks(data)
    if chunks is None:
        raise MaskError("mask_damaged", "the PNG is cut short or changed")
    if (width, height, depth, colour) != _NORMAL:
        message = f"unusual PNG: {width} x {height}, {depth} bit, colour type {colour}"
        issues.append(Issue(path, "mask_unusual", message))
    budget.spend(width * height)
    grey = grey_pixels(data, chunks)
    if grey is None or grey.shape != (height, width):
        raise MaskError("mask_damaged", "the PNG cannot be decoded")
    return grey
