"""Boxes and masks in the numbers of Gemini: 0..1000 of the picture, PNG of a box."""

from __future__ import annotations

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

from ..values import Box, Frame
from .sight import SoftMask

PNG_SIDE = 256
"""All real PNG masks seen in public replies are 256 x 256, grey, 0 or 255."""
EPSILON = 0.8
"""How far, in thousandths, a simplified ring may leave the outline."""
FINE, FINEST = 4, 4096
"""How many times a crop is enlarged for its outline, and its largest size then."""


def box_yxyx_1000(box: Box, frame: Frame) -> list[int]:
    """Round a box to [ymin, xmin, ymax, xmax] in thousandths, never without area."""
    x0, y0, x1, y1 = box.xyxy_px
    left, right = _span(x0 / frame.width, x1 / frame.width)
    top, bottom = _span(y0 / frame.height, y1 / frame.height)
    return [top, left, bottom, right]


def ring_xy_1000(mask: SoftMask, frame: Frame) -> list[list[int]]:
    """Trace the largest outline as [[x, y], ...] in thousandths of the picture.

    Empty when no pixel is likelier in than out, or the object is thinner than a ring.
    """
    height, width = mask.probability.shape
    fine = max(1, min(FINE, FINEST // max(height, width)))
    size = (width * fine, height * fine)
    large = cv2.resize(mask.probability, size, interpolation=cv2.INTER_LINEAR)
    inside = (large > 0.5).astype(np.uint8)  # noqa: PLR2004
    outlines, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return []
    # Outlines run through pixel centres, the edge is half a (small) pixel outside.
    points = max(outlines, key=cv2.contourArea).reshape(-1, 2) + 0.5
    region = mask.region
    points *= (region.width / size[0], region.height / size[1])
    points += (region.x, region.y)
    points *= (1000 / frame.width, 1000 / frame.height)
    ring = cv2.approxPolyDP(points.astype(np.float32), EPSILON, closed=True)
    return _whole_numbers(np.round(ring.reshape(-1, 2)).astype(np.int64))


def png_data_uri(mask: SoftMask, box_1000: list[int], frame: Frame) -> str:
    """Write what lies inside a (rounded) box as a 256 x 256 PNG, 255 where the object is.

    `box_1000` is [ymin, xmin, ymax, xmax].
    """
    y0, x0, y1, x1 = (
        value / 1000 * side
        for value, side in zip(box_1000, (frame.height, frame.width) * 2, strict=True)
    )
    height, width = mask.probability.shape
    sx, sy = width / mask.region.width, height / mask.region.height
    step_x, step_y = (x1 - x0) / PNG_SIDE * sx, (y1 - y0) / PNG_SIDE * sy
    # Centre of PNG pixel i -> centre of the crop's pixel that lies there.
    place = np.array(
        [
            [step_x, 0, (x0 - mask.region.x) * sx + step_x / 2 - 0.5],
            [0, step_y, (y0 - mask.region.y) * sy + step_y / 2 - 0.5],
        ]
    )
    inside = cv2.warpAffine(
        mask.probability,
        place,
        (PNG_SIDE, PNG_SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    grey = np.where(inside > 0.5, 255, 0).astype(np.uint8)  # noqa: PLR2004
    _, png = cv2.imencode(".png", grey, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    return "data:image/png;base64," + base64.b64encode(png.tobytes()).decode()


def _span(low: float, high: float) -> tuple[int, int]:
    """Round a stretch of fractions to thousandths, at least one of them long."""
    start, end = (min(1000, max(0, round(value * 1000))) for value in (low, high))
    if end > start:
        return start, end
    start = min(start, 999)
    return start, start + 1


def _whole_numbers(ring: NDArray[np.int64]) -> list[list[int]]:
    """Drop points of a ring that fall together; fewer than three are none."""
    points: list[list[int]] = []
    for x, y in np.clip(ring, 0, 1000).tolist():
        if [x, y] != (points[-1] if points else None):
            points.append([x, y])
    return points if len(points) > 2 else []  # noqa: PLR2004
