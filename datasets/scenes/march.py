"""Rays against the world: fills per-pixel surfaces with floor, wall and shapes."""

from dataclasses import dataclass

import numpy as np

from .camera import Camera
from .layout import Placed
from .vectors import Bools, F, Floats, length, smooth_noise

_NOTHING = -1
_STEPS = 56
_TOUCH = 2.5e-4
_CORNERS = np.array([(1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)], F)


@dataclass(frozen=True, slots=True)
class Surfaces:
    """What each ray meets first; the arrays are filled in place, `[H, W]` or `[H, W, 3]`."""

    rays: Floats
    depth: Floats  # metres along the ray, infinite where nothing is hit
    owner: np.ndarray  # index of the shape, -1 for floor and wall
    colour: Floats
    normal: Floats
    shine: Floats

    def points(self, eye: Floats) -> Floats:
        """Return the points hit; 4 m along the ray where nothing is."""
        far = np.where(np.isfinite(self.depth), self.depth, F(4))
        points: Floats = eye + self.rays * far[..., None]
        return points


def empty_surfaces(camera: Camera) -> Surfaces:
    """Return surfaces that hold only the floor plane at height 0."""
    rays = camera.rays()
    size = rays.shape[:2]
    slope = rays[..., 1]
    down = slope < -1e-3
    depth = np.where(down, -camera.eye[1] / np.minimum(slope, F(-1e-3)), np.inf).astype(
        F
    )
    normal = np.zeros((*size, 3), F)
    normal[..., 1] = 1
    owner = np.full(size, _NOTHING, np.int16)
    return Surfaces(
        rays, depth, owner, np.zeros((*size, 3), F), normal, np.full(size, 0.06, F)
    )


def draw_shape(surfaces: Surfaces, index: int, placed: Placed, camera: Camera) -> Bools:
    """Draw one shape into the surfaces; return where it would be seen if it stood alone."""
    alone = np.zeros(surfaces.depth.shape, bool)
    window = _window(placed, camera)
    if window is None:
        return alone
    rows, columns = window
    rays = surfaces.rays[rows, columns].reshape(-1, 3)
    which, along = _meet(placed, camera.eye, rays)
    y, x = np.divmod(which, columns.stop - columns.start)
    y, x = y + rows.start, x + columns.start
    alone[y, x] = True
    nearer = along < surfaces.depth[y, x]
    y, x, along, which = y[nearer], x[nearer], along[nearer], which[nearer]
    if len(y):
        hit = camera.eye + rays[which] * along[:, None]
        _colour_hits(surfaces, (y, x), placed, hit)
        surfaces.depth[y, x], surfaces.owner[y, x] = along, index
    return alone


def _window(placed: Placed, camera: Camera) -> tuple[slice, slice] | None:
    """Return the part of the picture that the bounding ball can cover."""
    x, y, depth = camera.project(placed.centre)
    radius = placed.shape.radius
    size = camera.focal * radius / max(depth - radius, 0.05) * 1.05
    x, y = x + camera.width / 2, y + camera.height / 2
    left, right = max(0, int(x - size)), min(camera.width, int(x + size) + 2)
    top, bottom = max(0, int(y - size)), min(camera.height, int(y + size) + 2)
    if left >= right or top >= bottom:
        return None
    return slice(top, bottom), slice(left, right)


def _meet(placed: Placed, eye: Floats, rays: Floats) -> tuple[np.ndarray, Floats]:
    """Return which rays meet the shape, and how far along: sphere tracing in its ball."""
    shape = placed.shape
    to_centre = placed.centre - eye
    middle = rays @ to_centre
    inside = middle * middle - (to_centre @ to_centre) + F(shape.radius) ** 2
    which = np.flatnonzero(inside > 0)
    half = np.sqrt(inside[which])
    along = np.maximum(middle[which] - half, F(0.01)).astype(F)
    end = middle[which] + half
    origin = placed.to_own_frame(eye)
    own = (rays[which] @ placed.turn).astype(F)
    hit = np.zeros(len(which), bool)
    active = np.arange(len(which))
    for _ in range(_STEPS):
        if not len(active):
            break
        gap = shape.distance(origin + own[active] * along[active, None])
        touching = gap < _TOUCH
        hit[active[touching]] = True
        along[active] += np.where(touching, 0, np.maximum(gap * 0.95, 1e-4)).astype(F)
        active = active[~touching & (along[active] < end[active])]
    return which[hit], along[hit]


def _colour_hits(
    surfaces: Surfaces, at: tuple[np.ndarray, np.ndarray], placed: Placed, hit: Floats
) -> None:
    shape = placed.shape
    own = placed.to_own_frame(hit).astype(F)
    normal = _normals(placed, own)
    surfaces.colour[at] = shape.colour(own, normal)
    if shape.grain:
        normal = _roughened(own, normal, shape.grain)
    surfaces.normal[at] = normal @ placed.turn.T
    surfaces.shine[at] = shape.shine


def _normals(placed: Placed, own: Floats) -> Floats:
    step = F(4e-4)
    gradient = np.zeros_like(own)
    for corner in _CORNERS:
        gradient += corner * placed.shape.distance(own + step * corner)[:, None]
    result: Floats = gradient / length(gradient)[:, None]
    return result


def _roughened(own: Floats, normal: Floats, frequency: float) -> Floats:
    step = F(0.7) / F(frequency)
    rough = normal.copy()
    for seed in range(3):
        here = smooth_noise(own, frequency, seed)
        for axis in np.eye(3, dtype=F):
            there = smooth_noise(own + axis * step, frequency, seed)
            rough -= axis * (F(0.25) * (there - here))[:, None]
    result: Floats = rough / length(rough)[:, None]
    return result
