"""Cup, bottle and donut."""

import math

import numpy as np

from ..solids import around_y, cylinder, smooth_union
from ..vectors import F, Floats, choose, smooth_noise, vector
from .base import Shape, lying_on_side, new_seed, paint

_GLAZES = (
    (0.88, 0.87, 0.84),
    (0.16, 0.28, 0.52),
    (0.72, 0.18, 0.15),
    (0.15, 0.42, 0.36),
    (0.85, 0.68, 0.2),
    (0.12, 0.12, 0.14),
)
_GLASS = (
    (0.08, 0.30, 0.14),
    (0.36, 0.18, 0.06),
    (0.15, 0.35, 0.55),
    (0.75, 0.78, 0.78),
    (0.65, 0.1, 0.1),
)
_CAPS = ((0.75, 0.1, 0.1), (0.15, 0.15, 0.6), (0.85, 0.75, 0.3), (0.1, 0.1, 0.1))
_ICINGS = (
    (0.86, 0.45, 0.55),
    (0.30, 0.16, 0.09),
    (0.93, 0.90, 0.84),
    (0.55, 0.40, 0.75),
)


def cup(rng: np.random.Generator) -> Shape:
    """Draw a mug with a handle, sometimes a coloured band, sometimes full of tea."""
    r, h = rng.uniform(0.034, 0.042), rng.uniform(0.040, 0.052)
    glaze, band = choose(rng, _GLAZES), rng.uniform(0, 1, 3).astype(F)
    has_band, has_tea = rng.random() < 0.5, rng.random() < 0.6

    def distance(p: Floats) -> Floats:
        hollow = cylinder(p - vector(0, 0.008, 0), r - 0.0045, h)
        body: Floats = np.maximum(cylinder(p, r, h) - 0.002, -hollow)
        q = p - vector(r + 0.004, 0, 0)
        handle = np.hypot(np.hypot(q[:, 0], q[:, 1] * 0.8) - h * 0.52, q[:, 2]) - 0.0048
        handle = np.maximum(handle, -(p[:, 0] - r * 0.9))
        body = np.minimum(body, handle * 0.85)
        if has_tea:
            tea = cylinder(p - vector(0, h * 0.25, 0), r - 0.003, h * 0.4)
            body = np.minimum(body, tea)
        return body

    def colour(p: Floats, normals: Floats) -> Floats:
        rho = around_y(p)
        skin = np.repeat(glaze[None], len(p), 0)
        if has_band:
            skin = paint(
                (np.abs(p[:, 1] - h * 0.15) < h * 0.22) & (rho > r - 0.001), band, skin
            )
        if has_tea:
            surface = (rho < r - 0.003) & (p[:, 1] < h * 0.72) & (normals[:, 1] > 0.7)
            skin = paint(surface, vector(0.22, 0.11, 0.05), skin)
        return skin

    return Shape(
        "cup", distance, colour, math.hypot(r * 1.75, h), h, r * 1.25, shine=0.55
    )


def bottle(rng: np.random.Generator) -> Shape:
    """Draw a bottle with a printed label and a cap; one in five lies on its side."""
    r, body_half = rng.uniform(0.026, 0.034), rng.uniform(0.075, 0.1)
    half = body_half * 1.35
    glass, cap = choose(rng, _GLASS), choose(rng, _CAPS)
    label = rng.uniform(0.25, 1, 3).astype(F)

    def distance(p: Floats) -> Floats:
        centred = p - vector(0, body_half - half, 0)
        body = cylinder(centred, r - 0.006, body_half - 0.006) - 0.006
        neck = cylinder(p - vector(0, half * 0.62, 0), r * 0.38, half * 0.38)
        joined: Floats = smooth_union(body, neck, r * 0.9) * 0.85
        return joined

    def colour(p: Floats, normals: Floats) -> Floats:  # noqa: ARG001 - one signature
        up = (p[:, 1] + half) / body_half
        printed = (np.sin(p[:, 1] * 520) > 0.2) & (up < 1.2)
        printed &= np.abs(np.arctan2(p[:, 2], p[:, 0])) < 1.1
        on_label = (up > 0.55) & (up < 1.45) & (around_y(p) > r * 0.9)
        skin = np.repeat(glass[None], len(p), 0)
        skin = paint(on_label, paint(printed, label * 0.45, label), skin)
        return paint(p[:, 1] > half * 0.86, cap, skin)

    if rng.random() < 0.2:
        return Shape(
            "bottle",
            distance,
            colour,
            half,
            r,
            half * 0.75,
            shine=0.8,
            tilt=lying_on_side(),
        )
    return Shape("bottle", distance, colour, half, half * 0.985, r, shine=0.8)


def donut(rng: np.random.Generator) -> Shape:
    """Draw an iced donut, often with sprinkles."""
    ring, thick = rng.uniform(0.030, 0.036), rng.uniform(0.016, 0.019)
    icing, seed = choose(rng, _ICINGS), new_seed(rng)
    sprinkles = _sprinkles(rng, ring, thick) if rng.random() < 0.6 else None

    def distance(p: Floats) -> Floats:
        result: Floats = np.hypot(around_y(p) - ring, p[:, 1]) - thick
        return result

    def colour(p: Floats, normals: Floats) -> Floats:  # noqa: ARG001 - one signature
        around = np.arctan2(p[:, 2], p[:, 0])
        edge = (
            thick * (0.22 * np.sin(around * 7 + 1) + 0.12 * np.sin(around * 13)) - 0.002
        )
        iced = p[:, 1] > edge
        dough = vector(0.76, 0.52, 0.27) * (
            0.92 + 0.1 * smooth_noise(p, 120, seed)[:, None]
        )
        skin = paint(iced, icing, dough)
        if sprinkles is None:
            return skin
        places, colours = sprinkles
        squared = ((p[:, None] - places[None]) ** 2).sum(2)
        return paint(
            (squared.min(1) < 0.003**2) & iced, colours[squared.argmin(1)], skin
        )

    return Shape(
        "donut",
        distance,
        colour,
        ring + thick * 1.1,
        thick * 0.95,
        ring + thick,
        shine=0.45,
    )


def _sprinkles(
    rng: np.random.Generator, ring: float, thick: float
) -> tuple[Floats, Floats]:
    around, up = rng.uniform(0, 2 * math.pi, 40), rng.uniform(0.35, 2.8, 40)
    out = ring + thick * np.cos(up)
    places = np.stack(
        [out * np.cos(around), thick * np.sin(up), out * np.sin(around)], 1
    )
    return places.astype(F), rng.uniform(0, 1, (40, 3)).astype(F)
