"""What every shape is: a distance field with a colour, and how it stands on the floor."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..vectors import Bools, F, Floats


def _upright() -> Floats:
    return np.eye(3, dtype=F)


@dataclass(frozen=True, slots=True)
class Shape:
    """One object in its own frame (centre at the origin, y up when untilted, metres).

    `distance` maps points `[N, 3]` to `[N]`, `colour` maps points and normals to linear
    RGB `[N, 3]`. `radius` bounds the shape, `rest_height` is its centre above the floor,
    `footprint` the radius of floor it needs. `grain` > 0 roughens the normals.
    """

    label: str
    distance: Callable[[Floats], Floats]
    colour: Callable[[Floats, Floats], Floats]
    radius: float
    rest_height: float
    footprint: float
    shine: float = 0.25
    grain: float = 0.0
    tilt: Floats = field(default_factory=_upright)


def lying_on_side() -> Floats:
    """Return the tilt that lays the y axis along x."""
    return np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], F)


def new_seed(rng: np.random.Generator) -> int:
    """Draw a seed for the noise of one shape."""
    return int(rng.integers(1 << 30))


def paint(where: Bools, colour: Floats, below: Floats) -> Floats:
    """Return `below` `[N, 3]` with `colour` where the mask `[N]` is set."""
    result: Floats = np.where(where[:, None], colour, below)
    return result
