"""What stands where: draws the shapes of a scene and finds free places for them."""

import math
from dataclasses import dataclass

import numpy as np

from .camera import Camera
from .shapes import DISTRACTORS, LABELS, Shape, make_shape
from .vectors import F, Floats, turn_about_y, vector

_ATTEMPTS = 400
_PLATE_HEIGHT = 0.008


@dataclass(frozen=True, slots=True)
class Placed:
    """A shape in the world: `centre` in metres, `turn` takes its own frame to the world's."""

    shape: Shape
    centre: Floats
    turn: Floats

    def to_own_frame(self, points: Floats) -> Floats:
        """Take world points `[..., 3]` to the frame the shape is described in."""
        result: Floats = (points - self.centre) @ self.turn
        return result

    def distance(self, points: Floats) -> Floats:
        """Return signed distances of world points `[N, 3]`."""
        return self.shape.distance(self.to_own_frame(points))

    def apart(self, other: "Placed") -> float:
        """Return the distance over the floor."""
        gap = self.centre - other.centre
        return math.hypot(float(gap[0]), float(gap[2]))


def arrange(
    rng: np.random.Generator, camera: Camera, *, far: bool
) -> tuple[Placed, ...]:
    """Place a random choice of shapes where the camera sees them, none inside another."""
    names = _names(rng, far=far)
    placed: list[Placed] = []
    for _ in range(_ATTEMPTS):
        if not names:
            break
        candidate = _settle(_toss(rng, names[0], camera, far=far), placed)
        if candidate is not None and _in_view(candidate, camera):
            placed.append(candidate)
            names.pop(0)
    return tuple(placed)


def _names(rng: np.random.Generator, *, far: bool) -> list[str]:
    count = int(rng.integers(6, 13) if far else rng.integers(3, 10))
    names = [str(name) for name in rng.choice(LABELS, size=count)]
    if rng.random() < 0.35:  # several of a kind
        names = [names[0]] * int(rng.integers(2, 4)) + names
    extra = rng.choice(DISTRACTORS, size=int(rng.integers(0, 3)), replace=False)
    return [str(name) for name in extra] + names


def _toss(rng: np.random.Generator, name: str, camera: Camera, *, far: bool) -> Placed:
    shape = make_shape(name, rng)
    turn = turn_about_y(rng.uniform(0, 2 * math.pi)) @ shape.tilt
    spread = camera.reach * camera.half_view * (0.6 if far else 0.95)
    x = rng.uniform(-spread, spread)
    z = rng.uniform(-spread * 0.62, spread * 1.4)
    return Placed(shape, vector(x, shape.rest_height, z), turn.astype(F))


def _settle(new: Placed, placed: list[Placed]) -> Placed | None:
    """Return the shape on the floor or on a plate, or None where there is no room."""
    below = [
        p
        for p in placed
        if p.shape.label == "plate"
        and new.shape.label != "plate"
        and p.apart(new) < p.shape.footprint - new.shape.footprint * 0.5
    ]
    for other in placed:
        room = (other.shape.footprint + new.shape.footprint) * 1.02
        if not any(other is plate for plate in below) and other.apart(new) < room:
            return None
    if below:
        return Placed(new.shape, new.centre + vector(0, _PLATE_HEIGHT, 0), new.turn)
    return new


def _in_view(placed: Placed, camera: Camera) -> bool:
    x, y, _ = camera.project(placed.centre)
    return abs(x) <= camera.width * 0.52 and abs(y) <= camera.height * 0.52
