"""The colour of a thing, in words: the name nearest to the middle of its pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..values import Frame
from .sight import Pixels, Thing

_NAMES: Mapping[str, tuple[int, int, int]] = {
    "black": (25, 25, 25),
    "grey": (128, 128, 128),
    "white": (240, 240, 240),
    "red": (200, 35, 35),
    "orange": (235, 135, 30),
    "yellow": (235, 210, 50),
    "green": (60, 150, 60),
    "blue": (45, 85, 190),
    "purple": (130, 60, 160),
    "pink": (235, 150, 175),
    "brown": (120, 75, 40),
}
_SPELLED = {"gray": "grey"}
_SURELY = 0.5


def colour_of(
    thing: Thing, frame: Frame, pixels: Pixels, choices: Sequence[str] = ()
) -> str | None:
    """Name the colour; of the choices, where there are any, or None if none is known."""
    known = {c: _NAMES.get(_SPELLED.get(c.casefold(), c.casefold())) for c in choices}
    named = {name: rgb for name, rgb in known.items() if rgb} if choices else _NAMES
    if not named:
        return None
    seen = _lab(np.median(_pixels_of(thing, frame, pixels), axis=0))
    return min(
        named,
        key=lambda name: float(np.linalg.norm(_lab(np.array(named[name])) - seen)),
    )


def _lab(rgb: NDArray[Any]) -> NDArray[np.float32]:
    """Turn one colour into CIE Lab, where distances are about what the eye sees."""
    one = (rgb.reshape(1, 1, 3) / 255).astype(np.float32)
    return cv2.cvtColor(one, cv2.COLOR_RGB2LAB).reshape(3).astype(np.float32)


def _pixels_of(thing: Thing, frame: Frame, pixels: Pixels) -> NDArray[np.uint8]:
    """Give the pixels of a thing, [N, 3]: under its mask, else in its box."""
    height, width = pixels.shape[:2]
    region = thing.box if thing.mask is None else thing.mask.region
    x0, y0, x1, y1 = region.xyxy_px
    across, down = width / frame.width, height / frame.height
    left, right = _within(x0 * across, x1 * across, width)
    top, bottom = _within(y0 * down, y1 * down, height)
    crop: NDArray[np.uint8] = pixels[top:bottom, left:right]
    if thing.mask is not None:
        size = (crop.shape[1], crop.shape[0])
        sure = cv2.resize(thing.mask.probability, size) > _SURELY
        if sure.any():
            return crop[sure]
    return crop.reshape(-1, 3)


def _within(start: float, end: float, size: int) -> tuple[int, int]:
    """Give a pixel or more of a picture, nearest to what may lie outside of it."""
    first = min(max(int(start), 0), size - 1)
    return first, min(max(int(end), first + 1), size)
