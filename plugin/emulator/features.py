"""What a pixel is judged by: colour and texture at several scales, and its surroundings."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .network import Floats

U8Image = NDArray[np.uint8]  # [H, W, 3], RGB
FEATURES = 37
_AWAY = 8  # how far the four neighbours of the context are, in pixels


def working_picture(image: U8Image, long_side: int) -> U8Image:
    """Return the picture at its working size, both sides multiples of 8."""
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    size = [max(32, round(side * scale / 8) * 8) for side in (width, height)]
    small = cv2.resize(image, (size[0], size[1]), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def lab_colours(image: U8Image) -> Floats:
    """Return lightness and the two colour axes `[H, W, 3]`, each about -1..1."""
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.float32) - 128
    return lab * np.array((1 / 128, 1 / 64, 1 / 64), np.float32)


def pixel_features(image: U8Image) -> Floats:
    """Return `[H, W, 37]` features of a working picture."""
    lab = lab_colours(image)
    half = _halved(lab)
    quarter = _halved(half)
    near = _blurred(lab, 1.5)
    mid = _grown(_blurred(half, 1.5), lab)
    wide = _grown(_blurred(quarter, 1.5), lab)
    widest = _grown(_blurred(quarter, 3), lab)
    ground = np.median(quarter.reshape(-1, 3), 0)
    row_ground = np.repeat(np.median(quarter, 1), 4, 0)[: len(lab), None]
    from_row = near - row_ground
    colours = [lab, near, mid, wide, widest, from_row, np.abs(from_row)]
    contrasts = [near - ground, near - wide, mid - widest]
    bright, dark = (np.asarray(f(2), np.float32) for f in (image.max, image.min))
    saturation = ((bright - dark) / (bright + 8))[..., None]
    down = np.linspace(0, 1, len(lab), dtype=np.float32)[:, None, None]
    down = np.broadcast_to(down, saturation.shape)
    parts = [*colours, *contrasts, _texture(lab), saturation, down]
    return np.concatenate(parts, 2, dtype=np.float32)


def context(probabilities: Floats) -> Floats:
    """Return what the pixels around are thought to be: `[H, W, 9 * classes]`."""
    shape = probabilities
    near = _blurred(probabilities, 2)
    quarter = _halved(probabilities)
    around = [_grown(_blurred(quarter, size), shape) for size in (2.5, 6, 14)]
    steps = ((0, _AWAY), (0, -_AWAY), (_AWAY, 0), (-_AWAY, 0))
    moved = [_shifted(near, dx, dy) for dx, dy in steps]
    return np.concatenate([probabilities, near, *around, *moved], 2)


def _texture(lab: Floats) -> Floats:
    """Return edge strength at two scales and how much edges agree in direction."""
    light = np.ascontiguousarray(lab[..., 0])
    gx = cv2.Sobel(light, cv2.CV_32F, 1, 0)
    gy = cv2.Sobel(light, cv2.CV_32F, 0, 1)
    strength = cv2.magnitude(gx, gy)
    second = np.abs(cv2.Laplacian(light, cv2.CV_32F))
    maps = _halved(np.stack([strength, second, gx * gx, gy * gy, gx * gy], 2))
    fine, coarse = _blurred(maps, 1), _blurred(maps, 2.5)
    xx, yy, xy = (coarse[..., k] for k in (2, 3, 4))
    agreement = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 1e-4)
    stack = np.dstack([fine[..., :2], coarse[..., :2], agreement])
    return _grown(np.asarray(stack, np.float32), lab)


def _halved(maps: Floats) -> Floats:
    size = (maps.shape[1] // 2, maps.shape[0] // 2)
    return np.asarray(cv2.resize(maps, size, interpolation=cv2.INTER_AREA), np.float32)


def _blurred(maps: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(maps, (0, 0), sigma), np.float32)


def _grown(maps: Floats, like: Floats) -> Floats:
    size = (like.shape[1], like.shape[0])
    return np.asarray(cv2.resize(maps, size), np.float32)


def _shifted(maps: Floats, dx: int, dy: int) -> Floats:
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size = (maps.shape[1], maps.shape[0])
    moved = cv2.warpAffine(maps, move, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)
