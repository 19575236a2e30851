"""A mask as the polygon that Gemini writes: the reverse of `polygons`, for examples."""

from __future__ import annotations

import cv2
import numpy as np

from ..values import Frame, Mask

_EPSILON_PX = 1.0


def outline_xy_1000(mask: Mask, frame: Frame) -> list[list[int]]:
    """Draw the outline of the largest part as [x, y], 0..1000 over the whole picture.

    Empty where the mask has no area, or is thinner than an outline.
    """
    # Twice as large, so that an outline through pixel centres runs along the edges.
    doubled = np.kron(np.pad(mask.crop, 1), np.ones((2, 2), np.uint8))
    rings, _ = cv2.findContours(
        doubled.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    if not rings:
        return []
    largest = max(rings, key=cv2.contourArea)
    ring = cv2.approxPolyDP(largest, 2 * _EPSILON_PX, closed=True).reshape(-1, 2)
    places = (ring + 0.5) / 2 - 1 + (mask.x, mask.y)
    scaled = np.clip(np.round(places * 1000 / (frame.width, frame.height)), 0, 1000)
    points = [list(map(int, point)) for point in scaled.tolist()]
    return points if len(points) > 2 else []  # noqa: PLR2004
