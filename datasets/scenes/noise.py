"""Noise that tiles, the raw material of the floors."""

import cv2
import numpy as np

from .vectors import F, Floats

SIZE = 1024


def cloud(rng: np.random.Generator, across: int, down: int) -> Floats:
    """Return smooth noise `[SIZE, SIZE]` of `across` x `down` bumps that tiles seamlessly."""
    grid = np.pad(rng.normal(size=(down, across)).astype(F), 2, mode="wrap")
    wide, high = SIZE * (across + 4) // across, SIZE * (down + 4) // down
    big = cv2.resize(grid, (wide, high), interpolation=cv2.INTER_CUBIC)
    top, left = 2 * SIZE // down, 2 * SIZE // across
    result: Floats = big[top : top + SIZE, left : left + SIZE]
    return result


def speckle(rng: np.random.Generator) -> Floats:
    """Return independent grain for every texel."""
    return rng.standard_normal((SIZE, SIZE), dtype=F)


def cells(rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Return Voronoi cells that tile: a random tone -1..1 and the distance to the nucleus in px."""
    places = rng.integers(0, SIZE, (count, 2))
    tones = rng.uniform(-1, 1, count).astype(F)
    ground = np.full((SIZE, SIZE), 255, np.uint8)
    ground[places[:, 0], places[:, 1]] = 0
    tone_at = np.zeros((SIZE, SIZE), F)
    tone_at[places[:, 0], places[:, 1]] = tones
    edge = 64
    wrapped = np.pad(ground, edge, mode="wrap")
    distance, nucleus = cv2.distanceTransformWithLabels(
        wrapped, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    tone_of = np.zeros(int(nucleus.max()) + 1, F)
    nuclei = wrapped == 0
    tone_of[nucleus[nuclei]] = np.pad(tone_at, edge, mode="wrap")[nuclei]
    inside = slice(edge, edge + SIZE)
    return tone_of[nucleus][inside, inside], distance[inside, inside].astype(F)
