"""Floors: each maker returns a tileable picture `[SIZE, SIZE, 3]` of linear RGB in 0..1."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .noise import SIZE, cells, cloud, speckle
from .vectors import F, Floats, choose, vector

_LEVELS = 5


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor's name and its picture at halved sizes, for clean sampling far away."""

    kind: str
    pyramid: tuple[Floats, ...]

    def sample(self, u: Floats, v: Floats, texels: Floats) -> Floats:
        """Return colours at `u`, `v` (in tiles), one pixel covering `texels` texels."""
        level = np.clip(np.log2(np.maximum(texels, 1)), 0, _LEVELS - 1).astype(F)
        colour = np.zeros((*u.shape, 3), F)
        for index, picture in enumerate(self.pyramid):
            weight = np.maximum(1 - np.abs(level - index), 0)[..., None]
            size = picture.shape[0]
            at_x, at_y = (u % 1 * size).astype(F), (v % 1 * size).astype(F)
            colour += weight * cv2.remap(
                picture, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
            )
        return colour


def random_floor(rng: np.random.Generator) -> Floor:
    """Draw one of the floors, wood twice as often as the others."""
    kind = str(rng.choice(["wood", *_MAKERS]))
    picture = np.clip(_MAKERS[kind](rng), 0, 1).astype(F)
    pyramid: list[Floats] = [picture]
    for _ in range(_LEVELS - 1):
        size = pyramid[-1].shape[0] // 2
        pyramid.append(
            cv2.resize(pyramid[-1], (size, size), interpolation=cv2.INTER_AREA)
        )
    return Floor(kind, tuple(pyramid))


def _grid() -> tuple[Floats, Floats]:
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(F) / F(SIZE)
    return x, y


def _muted(rng: np.random.Generator) -> Floats:
    """Return a colour that is never garish."""
    colour = rng.uniform(0.25, 0.8, 3).astype(F)
    result: Floats = colour.mean() + F(0.55) * (colour - colour.mean())
    return result


def _wood(rng: np.random.Generator) -> Floats:
    x, y = _grid()
    boards = int(rng.integers(4, 8))
    board = np.minimum((x * boards).astype(int), boards - 1)
    joint = rng.uniform(0, 1, boards)[board]
    piece = 2 * board + ((y - joint) % 1 < 0.5)
    tone = rng.normal(0, 0.07, 2 * boards)[piece]
    shift = rng.uniform(0, 9, 2 * boards)[piece]
    bend = 0.25 * cloud(rng, 14, 3)
    ring = np.sin((x * boards * 2.2 + bend + shift) * 2 * math.pi)
    grain = 0.06 * ring + 0.07 * cloud(rng, 128, 4) + 0.02 * speckle(rng)
    gap = ((x * boards) % 1 < 0.02) | ((y - joint) % 0.5 < 0.003)
    base = choose(
        rng,
        (
            (0.52, 0.34, 0.20),
            (0.70, 0.53, 0.34),
            (0.36, 0.22, 0.13),
            (0.62, 0.44, 0.30),
        ),
    )
    result: Floats = base * ((1 + tone + grain) * np.where(gap, 0.5, 1))[..., None]
    return result


def _cloth(rng: np.random.Generator) -> Floats:
    x, y = _grid()
    weave = np.sin(x * 2 * math.pi * 150) * np.sin(y * 2 * math.pi * 150)
    fold = 0.05 * cloud(rng, 8, 8)
    base = _muted(rng)
    return base * (1 + 0.05 * weave + 0.025 * speckle(rng) + fold)[..., None]


def _check(rng: np.random.Generator) -> Floats:
    x, y = _grid()
    stripes = int(rng.integers(6, 12))
    one = (np.sin(x * 2 * math.pi * stripes) > 0).astype(F)
    other = (np.sin(y * 2 * math.pi * stripes) > 0).astype(F)
    share = ((one + other) / 2)[..., None]
    colour = rng.uniform(0.3, 0.9, 3).astype(F)
    woven = colour * share + vector(0.9, 0.9, 0.88) * (1 - share)
    return woven * (1 + 0.03 * speckle(rng))[..., None]


def _marble(rng: np.random.Generator) -> Floats:
    x, y = _grid()
    warp = 0.5 * cloud(rng, 8, 8) + 0.12 * cloud(rng, 32, 32)
    vein = np.abs(np.sin((x * 2 + y * 2 + warp) * 2 * math.pi)) ** 0.3
    base = choose(rng, ((0.86, 0.85, 0.83), (0.30, 0.31, 0.33)))
    result: Floats = base * (0.8 + 0.2 * vein)[..., None]
    return result * (1 + 0.01 * speckle(rng))[..., None]


def _tiles(rng: np.random.Generator) -> Floats:
    x, y = _grid()
    count = int(rng.integers(4, 8))
    column, row = (x * count).astype(int) % count, (y * count).astype(int) % count
    tone = rng.normal(0, 0.03, (count, count))[row, column]
    grout = ((x * count) % 1 < 0.03) | ((y * count) % 1 < 0.03)
    one = _muted(rng)
    two = one * F(rng.choice([1.0, 0.55]))
    glaze = np.where(((row + column) % 2 == 0)[..., None], one, two)
    glaze = glaze * (1 + tone + 0.03 * cloud(rng, 16, 16))[..., None]
    return np.where(grout[..., None], vector(0.5, 0.49, 0.47), glaze)


def _brick(rng: np.random.Generator) -> Floats:
    x, y = _grid()
    rows, columns = 12, 5
    row = np.minimum((y * rows).astype(int), rows - 1)
    along = (x * columns + 0.5 * (row % 2)) % columns
    tone = rng.normal(0, 0.13, (rows, columns))[row, along.astype(int)]
    wobble = 0.015 * cloud(rng, 64, 64)
    mortar = (along % 1 + wobble < 0.045) | ((y * rows) % 1 + wobble < 0.10)
    base = choose(rng, ((0.60, 0.30, 0.22), (0.55, 0.42, 0.34), (0.45, 0.40, 0.38)))
    stone = base * (1 + tone + 0.08 * cloud(rng, 90, 90))[..., None]
    laid = np.where(mortar[..., None], vector(0.62, 0.59, 0.54), stone)
    return laid * (1 + 0.05 * speckle(rng))[..., None]


def _gravel(rng: np.random.Generator) -> Floats:
    tone, distance = cells(rng, int(rng.integers(2500, 6000)))
    dome = 1.15 - 0.5 * np.clip(distance / 14, 0, 1) ** 2
    base = choose(rng, ((0.55, 0.53, 0.50), (0.60, 0.52, 0.42), (0.42, 0.43, 0.45)))
    return base * (dome * (1 + 0.35 * tone) * (1 + 0.06 * speckle(rng)))[..., None]


def _grass(rng: np.random.Generator) -> Floats:
    picture = np.full((SIZE, SIZE, 3), (0.13, 0.20, 0.07), F)
    base = choose(rng, ((0.36, 0.50, 0.17), (0.30, 0.45, 0.20), (0.48, 0.50, 0.22)))
    start = rng.integers(0, SIZE, (9000, 2))
    reach = rng.normal(0, 13, (9000, 2)).astype(int)
    shade = rng.uniform(0.45, 1.25, (9000, 1)) * base
    for (x, y), (dx, dy), colour in zip(
        start.tolist(), reach.tolist(), shade.tolist(), strict=True
    ):
        for ox, oy in {(0, 0), _beyond(x, dx, y, dy)}:
            tip = (x + dx - ox, y + dy - oy)
            cv2.line(picture, (x - ox, y - oy), tip, colour, 2)
    return picture * (1 + 0.08 * cloud(rng, 8, 8))[..., None]


def _beyond(x: int, dx: int, y: int, dy: int) -> tuple[int, int]:
    """Return the shift that redraws a blade on the side where it comes back in."""
    return (x + dx) // SIZE * SIZE, (y + dy) // SIZE * SIZE


def _plain(rng: np.random.Generator) -> Floats:
    base = _muted(rng)
    return base * (1 + 0.02 * speckle(rng) + 0.02 * cloud(rng, 8, 8))[..., None]


_MAKERS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "wood": _wood,
    "cloth": _cloth,
    "check": _check,
    "marble": _marble,
    "tiles": _tiles,
    "brick": _brick,
    "gravel": _gravel,
    "grass": _grass,
    "plain": _plain,
}
