"""A box in space to lines in the picture, by an assumed camera.

The camera of Google's cookbook (`Spatial_understanding_3d`): it stands at the origin and
looks along y, z up; the focal length follows from the horizontal field of view, and the
picture's middle is the optical axis. Gemini states no camera, so the lines are no
better than the assumption.
"""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from ..values import Box3d, Frame

Line = tuple[tuple[float, float], ...]
_NEAR = 1e-6
_FARTHEST = 20.0
"""Sides of the picture that a corner may lie outside of it."""


def edges_xy_px(box: Box3d, frame: Frame, fov_degrees: float) -> tuple[Line, ...]:
    """Give the twelve edges of a box; none where a corner is not before the camera."""
    signs = list(product((-0.5, 0.5), repeat=3))
    corners = np.array(signs) * box.size_xyz @ rotation(*box.roll_pitch_yaw).T
    x, depth, up = (corners + box.centre_xyz).T
    if depth.min() <= _NEAR:
        return ()
    focal = frame.width / (2 * math.tan(math.radians(fov_degrees) / 2))
    across = frame.width / 2 + focal * x / depth
    down = frame.height / 2 - focal * up / depth
    far = _FARTHEST * max(frame.width, frame.height)
    if max(abs(across).max(), abs(down).max()) > far:
        return ()
    places = [(float(a), float(d)) for a, d in zip(across, down, strict=True)]
    return tuple(
        (places[i], places[j])
        for i, j in combinations(range(len(signs)), 2)
        if sum(a != b for a, b in zip(signs[i], signs[j], strict=True)) == 1
    )


def rotation(roll: float, pitch: float, yaw: float) -> NDArray[np.float64]:
    """Turn by roll about x, then pitch about y, then yaw about z, in degrees."""
    (sr, sp, sy), (cr, cp, cy) = (
        [turn(math.radians(angle)) for angle in (roll, pitch, yaw)]
        for turn in (math.sin, math.cos)
    )
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    found: NDArray[np.float64] = about_z @ about_y @ about_x
    return found
