"""Book, and the distractors that carry no label of the set: plate, napkin, pencil."""

import numpy as np

from ..solids import around_y, cylinder, rounded_box
from ..vectors import F, Floats, choose, length, vector
from .base import Shape, paint

_PLATES = ((0.9, 0.9, 0.88), (0.55, 0.65, 0.72), (0.86, 0.8, 0.68))


def book(rng: np.random.Generator) -> Shape:
    """Draw a closed book with a title block; one in four stands on its spine."""
    half = vector(
        rng.uniform(0.055, 0.08), rng.uniform(0.009, 0.022), rng.uniform(0.08, 0.11)
    )
    x, y, z = (float(v) for v in half)
    cover = rng.uniform(0.08, 0.85, 3).astype(F)
    title = rng.uniform(0.3, 1, 3).astype(F)

    def distance(p: Floats) -> Floats:
        return rounded_box(p, half, 0.0025)

    def colour(p: Floats, normals: Floats) -> Floats:  # noqa: ARG001 - one signature
        across, height, along = p[:, 0], p[:, 1], p[:, 2]
        pages = (across > x * 0.93) | (np.abs(along) > z * 0.955)
        pages &= np.abs(height) < y * 0.75
        lines = vector(0.92, 0.9, 0.82) * (0.82 + 0.10 * np.sin(height * 6000))[:, None]
        block = (along > -z * 0.62) & (along < -z * 0.36)
        author = (np.abs(along - z * 0.6) < z * 0.06) & (np.abs(across) < x * 0.4)
        printed = (height > 0) & (np.abs(across) < x * 0.68) & (block | author)
        skin = paint(printed, title, np.repeat(cover[None], len(p), 0))
        return paint(pages, lines.astype(F), skin)

    radius = float(length(half))
    if rng.random() < 0.25:
        on_spine = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], F)
        return Shape(
            "book", distance, colour, radius, x, z * 0.8, shine=0.2, tilt=on_spine
        )
    return Shape("book", distance, colour, radius, y, (x + z) / 2, shine=0.2)


def plate(rng: np.random.Generator) -> Shape:
    """Draw a plate: smaller things may stand on it."""
    r = rng.uniform(0.09, 0.12)
    glaze = choose(rng, _PLATES)

    def distance(p: Floats) -> Floats:
        flat = p.copy()
        flat[:, 1] -= 0.012 * np.clip(around_y(p) / r, 0, 1) ** 3
        return cylinder(flat, r, 0.0025) * 0.9

    def colour(p: Floats, normals: Floats) -> Floats:  # noqa: ARG001 - one signature
        rim = np.abs(around_y(p) - r * 0.9) < 0.0025
        return paint(rim, glaze * 0.6, np.repeat(glaze[None], len(p), 0))

    return Shape("plate", distance, colour, r * 1.02, 0.004, r, shine=0.4)


def napkin(rng: np.random.Generator) -> Shape:
    """Draw a chequered napkin, lying flat."""
    half = vector(rng.uniform(0.05, 0.08), 0.0015, rng.uniform(0.05, 0.08))
    one, two = rng.uniform(0.3, 1, (2, 3)).astype(F)

    def distance(p: Floats) -> Floats:
        return rounded_box(p, half, 0.001)

    def colour(p: Floats, normals: Floats) -> Floats:  # noqa: ARG001 - one signature
        odd = (np.sin(p[:, 0] * 260) > 0) ^ (np.sin(p[:, 2] * 260) > 0)
        return paint(odd, one, np.repeat(two[None], len(p), 0))

    return Shape("napkin", distance, colour, float(length(half)), 0.0015, 0.06, shine=0)


def pencil(rng: np.random.Generator) -> Shape:
    """Draw a pencil, lying flat, its tip bare wood."""
    h = rng.uniform(0.06, 0.085)
    paintwork = rng.uniform(0.1, 0.95, 3).astype(F)

    def distance(p: Floats) -> Floats:
        taper = np.clip((p[:, 0] - h * 0.8) / (h * 0.2), 0, 1)
        radius = 0.004 - 0.0035 * taper
        upright = p[:, [1, 0, 2]]
        beyond = np.stack([around_y(upright) - radius, np.abs(upright[:, 1]) - h], 1)
        result: Floats = np.minimum(beyond.max(1), 0) + length(np.maximum(beyond, 0))
        return result

    def colour(p: Floats, normals: Floats) -> Floats:  # noqa: ARG001 - one signature
        painted = np.repeat(paintwork[None], len(p), 0)
        return paint(p[:, 0] > h * 0.8, vector(0.85, 0.68, 0.45), painted)

    return Shape("pencil", distance, colour, h * 1.05, 0.004, 0.02, shine=0.3)
