"""Signed distances to simple solids: `[N, 3]` points in, `[N]` metres out, negative inside."""

import numpy as np

from .vectors import F, Floats, length


def around_y(points: Floats) -> Floats:
    """Return each point's distance from the y axis."""
    result: Floats = np.hypot(points[:, 0], points[:, 2])
    return result


def cylinder(points: Floats, radius: float, half_height: float) -> Floats:
    """Return the distance to an upright cylinder about the origin."""
    beyond = np.stack(
        [around_y(points) - F(radius), np.abs(points[:, 1]) - F(half_height)], 1
    )
    return _outside_and_inside(beyond)


def rounded_box(points: Floats, half: Floats, rounding: float) -> Floats:
    """Return the distance to a box of half sizes `half` whose edges are rounded."""
    beyond = np.abs(points) - (half - F(rounding))
    return _outside_and_inside(beyond) - F(rounding)


def smooth_union(a: Floats, b: Floats, blend: float) -> Floats:
    """Return the union of two solids with a fillet of width `blend` between them."""
    h = np.clip(0.5 + 0.5 * (b - a) / blend, 0, 1)
    result: Floats = b + (a - b) * h - blend * h * (1 - h)
    return result


def _outside_and_inside(beyond: Floats) -> Floats:
    result: Floats = np.minimum(beyond.max(1), 0) + length(np.maximum(beyond, 0))
    return result
