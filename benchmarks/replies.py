"""Made replies of known size: smooth shapes in boxes that add up to 47 % of the frame."""

from __future__ import annotations

import base64
import io
import json
import math
import struct
import zlib
from enum import StrEnum
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Points: TypeAlias = NDArray[np.float64]  # [N, 2], x and y in 0..1

_BOX_SHARE = 0.47
_VERTICES = 75
_SIDE = 256


class Kind(StrEnum):
    """The form of the masks of a reply."""

    TWO_LEVEL = "PNG, 0 and 255"
    """As in every real reply that we have: two levels, no row filters; 1 kB a mask."""
    GREY = "PNG, grey edges"
    """The probability map that Google documents, packed in the same way."""
    FILTERED = "PNG, grey, row filters"
    """The same, packed small by a general encoder; never seen in a real reply."""
    POLYGON = "polygon"


def make_reply(kind: Kind, objects: int, seed: int) -> str:
    """Write a fenced reply in the form of Gemini 2.5 (PNG) or of 3.6 (polygon)."""
    rng = np.random.default_rng(seed)
    items = [_item(rng, kind, number, objects) for number in range(objects)]
    answer = {"boxes": items} if kind is Kind.POLYGON else items
    return f"```json\n{json.dumps(answer)}\n```"


def _item(
    rng: np.random.Generator, kind: Kind, number: int, objects: int
) -> dict[str, object]:
    side = 1000 * math.sqrt(_BOX_SHARE / objects)
    width = side * rng.uniform(0.7, 1.4)
    height = side * side / width
    x, y = rng.uniform(0, 1000 - width), rng.uniform(0, 1000 - height)
    box = [round(y), round(x), round(y + height), round(x + width)]
    if kind is Kind.POLYGON:
        outline = _outline(rng, _VERTICES) * (width, height) + (x, y)
        mask: object = outline.round().astype(int).tolist()
    else:
        mask = "data:image/png;base64," + _png(rng, kind)
    return {"box_2d": box, "mask": mask, "label": f"cup {number}"}


def _outline(rng: np.random.Generator, vertices: int) -> Points:
    """Draw a round shape with bumps that touches all four sides of 0..1."""
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    radius = np.full(vertices, 0.8)
    for waves in (2, 3, 5, 9):
        bump = rng.uniform(-0.09, 0.09)
        radius += bump * np.cos(waves * angle + rng.uniform(0, 2 * np.pi))
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    low = points.min(axis=0)
    return (points - low) / (points.max(axis=0) - low)


def _png(rng: np.random.Generator, kind: Kind) -> str:
    grey = np.zeros((_SIDE, _SIDE), np.uint8)
    corners = (_outline(rng, 300) * (_SIDE - 1)).round().astype(np.int32)
    cv2.fillPoly(grey, [corners], 255)
    if kind is not Kind.TWO_LEVEL:
        grey = cv2.GaussianBlur(grey, (0, 0), 1.0)
    data = _with_filters(grey) if kind is Kind.FILTERED else _without_filters(grey)
    return base64.b64encode(data).decode()


def _with_filters(grey: NDArray[np.uint8]) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(grey).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def _without_filters(grey: NDArray[np.uint8]) -> bytes:
    """Pack a PNG as Gemini does: one block, no row filters, the highest compression."""
    rows = np.pad(grey, [(0, 0), (1, 0)]).tobytes()
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    ]
    packed = [
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
