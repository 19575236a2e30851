"""One scene from one seed: draws, renders, and cuts the exact masks."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from .camera import Camera, random_camera
from .layout import Placed, arrange
from .lighting import Light, random_light, shade
from .march import Surfaces, draw_shape, empty_surfaces
from .shapes import COCO_CATEGORIES
from .textures import Floor, random_floor
from .vectors import Bools, F, Floats

# Raise it with every change that alters a picture or a mask of any seed.
GENERATOR_VERSION = 1
_FAR_SHARE = 0.22
_SMALLEST = 1 / 5120  # of the picture: 60 px at 640 x 480
_LENS_WIDTH = 640  # the picture width that blur and grain are stated for


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One labelled object: its visible pixels `[H, W]`, and how much of it they are (0..1).

    `visible_fraction` counts what others hide; what the picture's border cuts off does not
    count. `depth` is in metres along the view direction.
    """

    label: str
    mask: Bools
    visible_fraction: float
    depth: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, uint8 RGB `[H, W, 3]`, and the objects in it; their masks never overlap."""

    image: npt.NDArray[np.uint8]
    objects: tuple[SceneObject, ...]
    floor: str
    seed: int


def render_scene(
    seed: int, width: int = 640, height: int = 480, supersample: float = 1.5
) -> Scene:
    """Render the scene of that seed; the same arguments always give the same scene.

    Objects that show less than 1/5120 of the picture are drawn but not listed.
    """
    rng = np.random.default_rng(seed)
    far = bool(rng.random() < _FAR_SHARE)
    size = int(width * supersample), int(height * supersample)
    camera = random_camera(rng, *size, far=far)
    placed = arrange(rng, camera, far=far)
    floor, light = random_floor(rng), random_light(rng)
    surfaces = empty_surfaces(camera)
    wall = _draw_room(rng, surfaces, camera, floor)
    alone = [draw_shape(surfaces, i, p, camera) for i, p in enumerate(placed)]
    wall &= surfaces.owner < 0
    linear = _shaded(surfaces, placed, camera, light, wall)
    image = _develop(
        rng, cv2.resize(linear, (width, height), interpolation=cv2.INTER_AREA)
    )
    objects = _objects(surfaces, placed, alone, camera, (width, height))
    return Scene(image, objects, floor.kind, seed)


def _draw_room(
    rng: np.random.Generator, surfaces: Surfaces, camera: Camera, floor: Floor
) -> Bools:
    """Paint the floor and the wall behind it; return where the wall is."""
    angle, tiles = rng.uniform(0, 2 * math.pi), rng.uniform(0.9, 1.6)
    wall_colour = rng.uniform(0.35, 0.85, 3).astype(F)
    points = surfaces.points(camera.eye)
    x, z = points[..., 0], points[..., 2]
    u = (x * math.cos(angle) - z * math.sin(angle)) * F(tiles)
    v = (x * math.sin(angle) + z * math.cos(angle)) * F(tiles)
    slant = np.sqrt(np.maximum(-surfaces.rays[..., 1], F(0.02)))
    distance = np.minimum(surfaces.depth, 50)
    texels = distance / camera.focal / slant * F(tiles * floor.pyramid[0].shape[0])
    surfaces.colour[:] = floor.sample(u, v, texels)
    wall_z = 1.2 + camera.reach
    wall: Bools = ~np.isfinite(surfaces.depth) | (z > wall_z)
    ahead = (F(wall_z) - camera.eye[2]) / np.maximum(surfaces.rays[..., 2], F(0.05))
    height = np.maximum(camera.eye[1] + surfaces.rays[..., 1] * ahead, 0)
    tone = 0.55 + 0.35 * np.clip(height / 0.6, 0, 1) - 0.18 * np.exp(-height / 0.03)
    surfaces.colour[wall] = wall_colour * tone[wall][:, None].astype(F)
    return wall


def _shaded(
    surfaces: Surfaces,
    placed: tuple[Placed, ...],
    camera: Camera,
    light: Light,
    wall: Bools,
) -> Floats:
    lit = np.isfinite(surfaces.depth) & ~wall
    linear = shade(surfaces, placed, camera, light, lit)
    linear[wall] = surfaces.colour[wall]
    return linear


def _develop(rng: np.random.Generator, linear: Floats) -> npt.NDArray[np.uint8]:
    """Turn linear light into a photograph: exposure, tone curve, blur, vignette, grain."""
    height, width = linear.shape[:2]
    scale = max(width, height) / _LENS_WIDTH
    exposed = linear * F(rng.uniform(0.85, 1.15))
    toned: Floats = np.clip(exposed / (1 + 0.18 * exposed) * 1.12, 0, 1) ** F(1 / 1.55)
    blur = rng.uniform(0.3, 0.8) * scale
    if rng.random() < 0.5:
        toned = cv2.GaussianBlur(toned, (0, 0), blur)
    y, x = np.mgrid[0:height, 0:width].astype(F)
    from_centre = (x / width - 0.5) ** 2 + (y / height - 0.5) ** 2
    toned = toned * (1 - 0.44 * rng.uniform(0, 1) * from_centre)[..., None]
    grain = rng.uniform(0.004, 0.016) * min(scale, 1)
    noisy = toned + F(grain) * rng.standard_normal(toned.shape, dtype=F)
    image: npt.NDArray[np.uint8] = (np.clip(noisy, 0, 1) * 255).astype(np.uint8)
    return image


def _objects(
    surfaces: Surfaces,
    placed: tuple[Placed, ...],
    alone: list[Bools],
    camera: Camera,
    size: tuple[int, int],
) -> tuple[SceneObject, ...]:
    found = []
    for index, thing in enumerate(placed):
        mask = _shrunk(surfaces.owner == index, size)
        pixels = int(mask.sum())
        if thing.shape.label not in COCO_CATEGORIES or pixels < _SMALLEST * mask.size:
            continue
        whole = int(_shrunk(alone[index], size).sum())
        depth = camera.project(thing.centre)[2]
        visible = min(1.0, pixels / max(1, whole))
        found.append(SceneObject(thing.shape.label, mask, visible, depth))
    return tuple(found)


def _shrunk(mask: Bools, size: tuple[int, int]) -> Bools:
    """Return the pixels of which the mask covers more than half."""
    covered = cv2.resize(mask.astype(F), size, interpolation=cv2.INTER_AREA)
    result: Bools = covered > 0.5
    return result
