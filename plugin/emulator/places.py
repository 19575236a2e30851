"""Things as points, paths and boxes in space, as Gemini writes them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import cv2
import numpy as np

from ..values import Frame, JsonValue
from .sight import Thing

_FOV_DEGREES = 60.0
_DEPTH = 1.0
"""Where everything stands for the emulator, in metres: it has no eye for depth."""
_THICK = 0.1
_STEPS = 4


def point_yx_1000(thing: Thing, frame: Frame) -> list[JsonValue]:
    """Point at the middle of a thing, inside of its mask."""
    x, y = _middle(thing)
    return [
        min(1000, max(0, round(y / frame.height * 1000))),
        min(1000, max(0, round(x / frame.width * 1000))),
    ]


def _middle(thing: Thing) -> tuple[float, float]:
    """Find the point farthest from the outline; the middle of the box without a mask."""
    mask = thing.mask
    inside = None if mask is None else (mask.probability > 0.5).astype(np.uint8)  # noqa: PLR2004
    if mask is None or inside is None or not inside.any():
        box = thing.box
        return box.x + box.width / 2, box.y + box.height / 2
    walled = np.pad(inside, 1)
    depth = cv2.distanceTransform(walled, cv2.DIST_L2, 3)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    height, width = inside.shape
    region = mask.region
    return (
        region.x + (float(column) + 0.5) * region.width / width,
        region.y + (float(row) + 0.5) * region.height / height,
    )


def path_yx_1000(things: Sequence[Thing], frame: Frame) -> list[JsonValue]:
    """Go from thing to thing, left to right, in even steps between."""
    middles = sorted(_middle(thing) for thing in things)
    places: list[tuple[float, float]] = middles[:1]
    for (x0, y0), (x1, y1) in itertools.pairwise(middles):
        shares = [step / _STEPS for step in range(1, _STEPS + 1)]
        places += [(x0 + (x1 - x0) * s, y0 + (y1 - y0) * s) for s in shares]
    return [
        [round(y / frame.height * 1000), round(x / frame.width * 1000)]
        for x, y in places
    ]


def box_3d(thing: Thing, frame: Frame) -> list[JsonValue]:
    """Put a thing one metre before a camera of 60 degrees, facing it.

    Nine numbers: centre x, y, z, size x, y, z (right, away, up), roll, pitch, yaw.
    """
    focal = frame.width / (2 * math.tan(math.radians(_FOV_DEGREES) / 2))
    box = thing.box
    x = (box.x + box.width / 2 - frame.width / 2) / focal * _DEPTH
    z = -(box.y + box.height / 2 - frame.height / 2) / focal * _DEPTH
    sizes = (box.width / focal * _DEPTH, _THICK, box.height / focal * _DEPTH)
    return [*(round(n, 4) for n in (x, _DEPTH, z, *sizes)), 0, 0, 0]
