"""Apple, orange and banana."""

import math

import numpy as np

from ..solids import around_y
from ..vectors import F, Floats, choose, length, smooth_noise, vector
from .base import Shape, new_seed, paint

_APPLE_SKINS = (
    (0.62, 0.05, 0.07, 0.85, 0.55, 0.15),
    (0.45, 0.62, 0.12, 0.70, 0.72, 0.25),
    (0.70, 0.12, 0.10, 0.50, 0.03, 0.05),
)
_ORANGE_SKINS = ((0.93, 0.45, 0.05), (0.95, 0.55, 0.08), (0.88, 0.38, 0.05))


def apple(rng: np.random.Generator) -> Shape:
    """Draw an apple: a ball with a dimple and a stem, two skin colours mixed."""
    size, seed = rng.uniform(0.036, 0.046), new_seed(rng)
    skin = choose(rng, _APPLE_SKINS)

    def distance(p: Floats) -> Floats:
        rho = around_y(p)
        ball = np.sqrt(rho**2 + (p[:, 1] * F(1.08)) ** 2) - size * (
            1 + 0.06 * rho / size
        )
        ball += size * 0.30 * np.exp(-((rho / (size * 0.30)) ** 2)) * (p[:, 1] > 0)
        nearest = np.zeros_like(p)
        nearest[:, 1] = np.clip(p[:, 1], size * 0.55, size * 1.15)
        stem = length(p - nearest) - size * 0.06
        result: Floats = np.minimum(ball * 0.8, stem)
        return result

    def colour(p: Floats, normals: Floats) -> Floats:  # noqa: ARG001 - one signature
        stem = (around_y(p) < size * 0.12) & (p[:, 1] > size * 0.72)
        height = p[:, 1] / size
        blush = 0.55 * np.clip(
            0.5 + 0.5 * smooth_noise(p, 1.1 / size, seed) + 0.3 * height, 0, 1
        )
        around = np.arctan2(p[:, 2], p[:, 0])
        stripe = 0.5 + 0.5 * np.sin(around * 17 + 3 * smooth_noise(p, 40, seed + 1))
        mixed = skin[:3] * (1 - blush[:, None]) + skin[3:] * blush[:, None]
        return paint(
            stem, vector(0.25, 0.16, 0.08), mixed * (0.9 + 0.12 * stripe[:, None])
        )

    return Shape("apple", distance, colour, size * 1.35, size * 0.9, size, shine=0.5)


def orange(rng: np.random.Generator) -> Shape:
    """Draw an orange: a slightly flat ball with pitted skin."""
    size, seed = rng.uniform(0.038, 0.048), new_seed(rng)
    skin = choose(rng, _ORANGE_SKINS)

    def distance(p: Floats) -> Floats:
        return (length(p * vector(1, 1.06, 1)) - size) * 0.95

    def colour(p: Floats, normals: Floats) -> Floats:  # noqa: ARG001 - one signature
        navel = (around_y(p) < size * 0.10) & (p[:, 1] > 0)
        peel = skin * (0.94 + 0.08 * smooth_noise(p, 160, seed)[:, None])
        return paint(navel, vector(0.28, 0.36, 0.1), peel)

    return Shape(
        "orange", distance, colour, size * 1.1, size * 0.94, size, shine=0.35, grain=450
    )


def banana(rng: np.random.Generator) -> Shape:
    """Draw a banana: an arc of a torus that thins towards both ends, lying flat."""
    bend, thick = rng.uniform(0.075, 0.1), rng.uniform(0.015, 0.019)
    half_angle = rng.uniform(0.75, 1.0)
    sine, cosine = math.sin(half_angle), math.cos(half_angle)
    centre = bend * (1 + cosine) / 2
    green, seed = rng.uniform(0, 0.5), new_seed(rng)

    def distance(p: Floats) -> Floats:
        x, y, z = np.abs(p[:, 0]), p[:, 2] + centre, p[:, 1]
        along = np.where(cosine * x > sine * y, x * sine + y * cosine, np.hypot(x, y))
        end = np.clip(np.arctan2(x, y) / half_angle, 0, 1.05)
        radius = thick * (1 - 0.62 * end**5 - 0.10 * np.minimum(end, 1) ** 2)
        squared = x * x + y * y + z * z + bend * bend - 2 * bend * along
        result: Floats = (np.sqrt(np.maximum(squared, 0)) - radius) * 0.85
        return result

    def colour(p: Floats, normals: Floats) -> Floats:  # noqa: ARG001 - one signature
        end = np.abs(np.arctan2(p[:, 0], p[:, 2] + centre)) / half_angle
        facet = np.sin(np.arctan2(p[:, 1], p[:, 2] + centre - bend) * 5) > 0.6
        tone = (1 - 0.25 * green * (end > 0.6)) * (1 - 0.10 * facet)
        skin = vector(0.93, 0.76, 0.15) * tone[:, None].astype(F)
        if green < 0.3:
            skin = paint(smooth_noise(p, 130, seed) > 0.52, skin * 0.62, skin)
        skin = paint((end > 0.8) & (end <= 0.93), skin * vector(0.8, 0.95, 0.7), skin)
        return paint(end > 0.93, vector(0.25, 0.19, 0.08), skin)

    return Shape(
        "banana",
        distance,
        colour,
        bend * sine + thick * 1.6,
        thick * 0.95,
        bend * sine * 0.75,
    )
