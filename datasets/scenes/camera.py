"""The camera: where it stands, the ray of every pixel, and where a point falls."""

import math
from dataclasses import dataclass

import numpy as np

from .vectors import F, Floats, length, unit, vector


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera; `focal`, `width` and `height` in rendered pixels, `reach` in metres."""

    eye: Floats
    forward: Floats
    right: Floats
    up: Floats
    focal: float
    width: int
    height: int
    reach: float
    half_view: float  # tangent of half the field of view along the long side

    def rays(self) -> Floats:
        """Return unit directions `[H, W, 3]`."""
        x = (np.arange(self.width, dtype=F) - self.width / 2 + 0.5) / self.focal
        y = (np.arange(self.height, dtype=F) - self.height / 2 + 0.5) / self.focal
        across = x.astype(F)[None, :, None] * self.right
        down = y.astype(F)[:, None, None] * self.up
        return unit(across - down + self.forward)

    def project(self, point: Floats) -> tuple[float, float, float]:
        """Return x and y in pixels from the picture's centre, and the depth in metres."""
        seen = point - self.eye
        depth = float(seen @ self.forward)
        scale = self.focal / depth
        return scale * float(seen @ self.right), -scale * float(seen @ self.up), depth


def random_camera(
    rng: np.random.Generator, width: int, height: int, *, far: bool
) -> Camera:
    """Draw a camera that looks down at the table; `far` ones stand back and see more of it."""
    pitch = math.radians(rng.uniform(24, 52))
    reach = rng.uniform(1.4, 2.3) if far else rng.uniform(0.55, 0.95)
    half_view = math.tan(math.radians(rng.uniform(38, 50)) / 2)
    target = vector(0, 0.03, 0)
    eye = target + F(reach) * vector(0, math.sin(pitch), -math.cos(pitch))
    forward = (target - eye) / length(target - eye)
    right = unit(np.cross(vector(0, 1, 0), forward).astype(F))
    up = np.cross(forward, right).astype(F)
    focal = 0.5 * max(width, height) / half_view
    return Camera(eye, forward, right, up, focal, width, height, reach, half_view)
