"""Sports balls: tennis ball, football, basketball."""

import math

import numpy as np

from ..vectors import F, Floats, length, smooth_noise, unit, vector
from .base import Shape, new_seed, paint


def sports_ball(rng: np.random.Generator) -> Shape:
    """Draw one of three balls, turned at random; the large ones are children's sizes."""
    kind = int(rng.integers(3))
    size = (0.034, 0.060, 0.065)[kind] * rng.uniform(0.9, 1.1)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0].astype(F)
    skin = (_tennis, _football, _basketball)[kind]
    seed = new_seed(rng)

    def distance(p: Floats) -> Floats:
        return length(p) - size

    def colour(p: Floats, normals: Floats) -> Floats:  # noqa: ARG001 - one signature
        return skin(p, (p / size) @ turn, seed)

    shine = 0.12 if kind == 0 else 0.3
    return Shape("sports ball", distance, colour, size * 1.02, size, size, shine=shine)


def _tennis(p: Floats, q: Floats, seed: int) -> Floats:
    ring = np.sqrt(np.maximum(0, 1 - q[:, 0] ** 2))
    wave = 0.55 * np.sin(2 * np.arctan2(q[:, 2], q[:, 1])) * ring
    felt = vector(0.72, 0.83, 0.16) * (0.9 + 0.12 * smooth_noise(p, 400, seed)[:, None])
    return paint(np.abs(q[:, 0] - wave) < 0.07, vector(0.92, 0.93, 0.9), felt)


def _football(p: Floats, q: Floats, seed: int) -> Floats:
    dirt = 0.97 + 0.03 * smooth_noise(p, 60, seed)[:, None]
    patch = (q @ _ICOSAHEDRON.T).max(1) > 0.93
    return paint(patch, vector(0.06, 0.06, 0.07), vector(0.93, 0.93, 0.92) * dirt)


def _basketball(p: Floats, q: Floats, seed: int) -> Floats:
    seam = np.abs(np.abs(q[:, 2]) - 0.55 - 0.25 * q[:, 0] ** 2) < 0.03
    seam |= (np.abs(q[:, 0]) < 0.03) | (np.abs(q[:, 1]) < 0.03)
    rubber = vector(0.72, 0.33, 0.13) * (
        0.93 + 0.1 * smooth_noise(p, 300, seed)[:, None]
    )
    return paint(seam, vector(0.07, 0.05, 0.05), rubber)


def _icosahedron() -> Floats:
    golden = (1 + math.sqrt(5)) / 2
    corners = [
        corner
        for a in (-1.0, 1.0)
        for b in (-golden, golden)
        for corner in ((0.0, a, b), (a, b, 0.0), (b, 0.0, a))
    ]
    return unit(np.array(corners, F))


_ICOSAHEDRON = _icosahedron()
