"""Small vector helpers, float32 throughout: points are `[..., 3]`, x right, y up, z away, metres."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

# float32 by construction; numpy types every mixed expression too widely to say so.
Floats = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
F = np.float32


def vector(*values: float) -> Floats:
    """Return the values as one float32 vector."""
    return np.array(values, F)


def length(vectors: Floats) -> Floats:
    """Return the lengths along the last axis, never exactly zero."""
    result: Floats = np.sqrt(np.maximum((vectors * vectors).sum(-1), F(1e-12)))
    return result


def unit(vectors: Floats) -> Floats:
    """Scale to length 1 along the last axis."""
    return vectors / length(vectors)[..., None]


def turn_about_y(angle: float) -> Floats:
    """Return the rotation matrix about the vertical."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], F)


def smooth_noise(points: Floats, frequency: float, seed: int) -> Floats:
    """Return noise in -1..1 for `[N, 3]` points: a sum of six sine waves of random direction."""
    rng = np.random.default_rng(seed)
    waves = rng.normal(size=(6, 3)).astype(F) * F(1.3 * frequency)
    phases = rng.uniform(0, 2 * math.pi, 6).astype(F)
    noise: Floats = np.sin(points @ waves.T + phases).mean(1)
    return noise


def choose(rng: np.random.Generator, options: tuple[tuple[float, ...], ...]) -> Floats:
    """Return one of the rows (a colour, say) as a vector."""
    return np.array(options[rng.integers(len(options))], F)
