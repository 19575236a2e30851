"""Light: one soft-shadowed lamp, sky fill darkened at contacts, highlights."""

import math
from dataclasses import dataclass

import numpy as np

from .camera import Camera
from .layout import Placed
from .march import Surfaces
from .vectors import Bools, F, Floats, unit, vector

_SHADOW_STEPS = 26
_SHARPNESS = 14.0
_CONTACT = 0.03


@dataclass(frozen=True, slots=True)
class Light:
    """A distant lamp: direction towards it, its colour, and the colour of the sky."""

    towards: Floats
    lamp: Floats
    sky: Floats


def random_light(rng: np.random.Generator) -> Light:
    """Draw a lamp 35 to 70 degrees above the table, warm or neutral."""
    around, above = rng.uniform(0, 2 * math.pi), math.radians(rng.uniform(35, 70))
    level = math.cos(above)
    towards = vector(
        level * math.cos(around), math.sin(above), level * math.sin(around)
    )
    warm = vector(1, rng.uniform(0.9, 1), rng.uniform(0.78, 1.02))
    sky = vector(0.9, 0.95, 1.05) * F(rng.uniform(0.28, 0.42))
    return Light(towards, warm * F(rng.uniform(0.75, 1.0)), sky)


def shade(
    surfaces: Surfaces,
    placed: tuple[Placed, ...],
    camera: Camera,
    light: Light,
    lit: Bools,
) -> Floats:
    """Return linear RGB `[H, W, 3]`; shadows fall only where `lit` is set."""
    points = surfaces.points(camera.eye)
    lamp, open_sky = np.ones_like(surfaces.depth), np.ones_like(surfaces.depth)
    raised = points + surfaces.normal * F(0.0015)  # off the surface that asks
    for index, thing in enumerate(placed):
        _cast_shadow(lamp, thing, raised, light.towards, lit)
        _darken_contact(open_sky, thing, points, lit & (surfaces.owner != index))
    facing = np.clip(surfaces.normal @ light.towards, 0, 1) * lamp
    fill = np.clip(0.6 + 0.4 * surfaces.normal[..., 1], 0, 1) * open_sky
    halfway = unit(light.towards - surfaces.rays)
    mirror = np.clip((surfaces.normal * halfway).sum(-1), 0, 1) ** 42
    diffuse = facing[..., None] * (light.lamp * F(1.05))
    diffuse += fill[..., None] * (light.sky * F(1.15))
    highlight = (mirror * surfaces.shine * lamp)[..., None] * light.lamp
    result: Floats = surfaces.colour * diffuse + highlight
    return result


def _cast_shadow(
    lamp: Floats,
    thing: Placed,
    points: Floats,
    towards: Floats,
    lit: Bools,
) -> None:
    """Multiply `lamp` by how much of it passes the shape (soft shadow by closest miss)."""
    ball = (thing.shape.radius * 1.25) ** 2
    offset = thing.centre - points
    middle = offset @ towards
    miss = (offset * offset).sum(-1) - middle * middle
    at = np.nonzero((miss < ball) & (middle > -thing.shape.radius) & lit)
    if not len(at[0]):
        return
    half = np.sqrt(np.maximum(ball - miss[at], 0))
    along = np.maximum(middle[at] - half, F(0.003)).astype(F)
    end = middle[at] + half
    start = thing.to_own_frame(points[at])
    ray = (towards @ thing.turn).astype(F)
    passed = np.ones(len(along), F)
    active = np.arange(len(along))
    for _ in range(_SHADOW_STEPS):
        gap = thing.shape.distance(start[active] + ray * along[active, None])
        wide = np.clip(_SHARPNESS * gap / np.maximum(along[active], 0.01), 0, 1)
        passed[active] = np.minimum(passed[active], wide)
        along[active] += np.clip(gap, 0.0015, 0.03).astype(F)
        active = active[(passed[active] > 0.02) & (along[active] < end[active])]
        if not len(active):
            break
    lamp[at] *= passed


def _darken_contact(
    open_sky: Floats, thing: Placed, points: Floats, others: Bools
) -> None:
    offset = thing.centre - points
    near = (offset * offset).sum(-1) < (thing.shape.radius + 0.035) ** 2
    at = np.nonzero(near & others)
    if len(at[0]):
        gap = thing.distance(points[at])
        open_sky[at] *= np.clip(0.45 + 0.55 * gap / _CONTACT, 0.45, 1)
