"""Labels of a part of a picture, moved to where they are in the whole."""

from __future__ import annotations

from dataclasses import replace

from .geometry import Box, Mask
from .labels import Box3d, Detection, Point, Trajectory, Value


def moved(value: Value, right: int, down: int) -> Value:
    """Move what has a place in the picture; all else stays as it is."""
    if isinstance(value, Detection):
        box, mask = value.box, value.mask
        there = Box(box.x + right, box.y + down, box.width, box.height)
        crop = mask and Mask(mask.x + right, mask.y + down, mask.crop)
        return replace(value, box=there, mask=crop)
    if isinstance(value, Point):
        return replace(value, x=value.x + right, y=value.y + down)
    if isinstance(value, Trajectory):
        places = tuple((x + right, y + down) for x, y in value.points_xy_px)
        return replace(value, points_xy_px=places)
    if isinstance(value, Box3d):
        edges = tuple(
            tuple((x + right, y + down) for x, y in edge) for edge in value.edges_xy_px
        )
        return replace(value, edges_xy_px=edges)
    return value
