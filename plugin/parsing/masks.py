"""Read the masks of a reply, each in whatever form it came.

PNG (data URI, bare or URL-safe base64) covers the inside of the box; polygons go to
`polygons.py`. What cannot be decoded (placeholders, lists of booleans, segmentation
tokens without a decoder) gives no mask and an issue: the box is kept.
"""

from __future__ import annotations

import binascii
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..values import BoolArray, Frame, Issue, JsonValue, Mask
from .boxes import Box1000
from .fill import Drawing, Outline, Ring
from .png import SIGNATURE, grey_pixels, read_chunks
from .polygons import Polygon, place_polygons, rings_of
from .rules import ReadRules
from .scale import Scale

MAX_MASK_PIXELS = 150_000_000
"""Pixels of the masks of one reply; four whole pictures where those are more."""
_PIXELS_A_CROSSING = 32
"""As long as it takes to paint these pixels, an outline takes to cross one column."""
MASK_KEYS = ("mask", "polygon", "segmentation", "segmentation_mask", "outline")
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mask that is to be read: what stands for it, its box, and its issues so far.

    `place` is the box on whole pixels: left, top, right, bottom.
    """

    value: JsonValue
    box: Box1000
    place: tuple[int, int, int, int]
    path: str
    issues: list[Issue]

    def refuse(self, why: MaskError) -> None:
        """Say why there is no mask."""
        self.issues.append(Issue(self.path, why.code, str(why)))


@dataclass(slots=True)
class _Room:
    """Where the masks of one reply are painted: one block of memory, and no more.

    Memory that was never touched comes page by page, which takes longer than painting
    it; a block that was given back whole is there at once. `left`: pixels that may
    still be decoded and painted.
    """

    left: int
    block: BoolArray
    used: int = 0

    @classmethod
    def for_masks(cls, wanted: Iterable[Wanted], frame: Frame) -> _Room:
        """Make room for masks that fill their boxes, as far as they are allowed to."""
        left = max(MAX_MASK_PIXELS, 4 * frame.width * frame.height)
        places = (want.place for want in wanted if want.value)
        pixels = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in places)
        return cls(left, np.empty(min(pixels, left), np.bool_))

    def spend(self, pixels: int) -> None:
        """Take pixels; raises MaskError when too few are left."""
        if pixels > self.left:
            raise MaskError("mask_budget", "the masks of the reply are too large")
        self.left -= pixels

    def mask(self, place: tuple[int, int, int, int]) -> Mask:
        """Give a mask that is not painted yet; raises MaskError as `spend` does."""
        x0, y0, x1, y1 = place
        size = (x1 - x0) * (y1 - y0)
        self.spend(size)
        self.used += size
        crop = self.block[self.used - size : self.used].reshape(y1 - y0, x1 - x0)
        return Mask(x0, y0, crop)


def read_masks(
    wanted: Sequence[Wanted], frame: Frame, *, rules: ReadRules, scale: Scale
) -> list[Mask | None]:
    """Read the masks of one reply; the crop of each covers exactly its `place`.

    None, with an issue, where there is no mask that can be decoded, no pixel of it
    lies in the box, or the pixels of this reply are spent. `scale` is that of the
    reply's boxes; polygons share it.
    """
    room = _Room.for_masks(wanted, frame)
    masks: list[Mask | None] = [None] * len(wanted)
    polygons: dict[int, Polygon] = {}
    for number, want in enumerate(wanted):
        rings = rings_in(want.value)
        if rings is None:
            masks[number] = _read_grey(want, rules, room)
        else:
            given = (want.box, want.place, want.path, want.issues)
            polygons[number] = Polygon(rings, *given)
    if polygons:
        outlines = place_polygons(list(polygons.values()), frame, scale)
        filled = _fill(outlines, [wanted[number] for number in polygons], room)
        for number, mask in zip(polygons, filled, strict=True):
            masks[number] = mask
    for number, mask in enumerate(masks):
        if mask is not None and not mask.crop.any():
            masks[number] = None
            wanted[number].refuse(MaskError("mask_empty", "no pixel lies in its box"))
    return masks


def _fill(
    outlines: Sequence[Outline], wanted: Sequence[Wanted], room: _Room
) -> list[Mask | None]:
    """Fill outlines, as far as there is room."""
    drawing = Drawing.of(outlines)
    masks: list[Mask | None] = []
    for want, crossings in zip(wanted, drawing.crossings, strict=True):
        try:
            room.spend(crossings * _PIXELS_A_CROSSING)
            masks.append(room.mask(want.place))
        except MaskError as error:
            want.refuse(error)
            masks.append(None)
    drawing.fill([None if mask is None else mask.crop for mask in masks])
    return masks


def _read_grey(want: Wanted, rules: ReadRules, room: _Room) -> Mask | None:
    """Decode a grey picture, resize it to its box and cut it at the threshold."""
    try:
        grey = _grey(want.value, want.path, want.issues, rules, room)
        mask = room.mask(want.place)
    except MaskError as error:
        want.refuse(error)
        return None
    height, width = mask.crop.shape
    placed = cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
    np.greater(placed, rules.threshold, out=mask.crop)
    return mask


def mask_key(item: Mapping[str, JsonValue]) -> str:
    """Name the key that holds the mask of an item; nothing where there is none."""
    return next((key for key in MASK_KEYS if key in item), "")


def rings_in(value: JsonValue) -> list[Ring] | None:
    """Read a polygon in any form, also as a string of numbers; None for all else."""
    if isinstance(value, str) and _NUMBERS.fullmatch(value[:100_000]):
        value = [
            float(n) for n in re.findall(r"-?(?:\d+(?:\.\d*)?|\.\d+)", value)[:100_000]
        ]
    return rings_of(value)


def _grey(
    value: JsonValue,
    path: str,
    issues: list[Issue],
    rules: ReadRules,
    room: _Room,
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
    return _decode_png(_png_bytes(value), path, issues, room)


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
    data: bytes, path: str, issues: list[Issue], room: _Room
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
    room.spend(width * height)
    grey = grey_pixels(data, chunks)
    if grey is None or grey.shape != (height, width):
        raise MaskError("mask_damaged", "the PNG cannot be decoded")
    return grey
