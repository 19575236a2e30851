"""From pixel classes to pieces: a watershed that cuts too much rather than too little."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .features import U8Image, lab_colours
from .network import Floats
from .pixel_stage import EDGE

Labels = NDArray[np.int32]  # [H, W], 0 = no piece
Bools = NDArray[np.bool_]
SMALLEST = 12  # pixels of the working picture
_ROUND = {1, 7, 8}  # apple, orange, sports ball: touching ones are cut at the waist
# Probabilities from which a pixel seeds a piece, belongs to one, or surely does not.
_SEED, _PRESENT, _ABSENT = 0.55, 0.5, 0.35
_SEED_EDGE = 0.30
_LEAST_CORE = 5  # pixels left after erosion
_LEAST_DEPTH = 4  # radius of the smallest ball that is looked for
_NARROW = 0.8
_BLOCK = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Scenery:
    """A working picture's smoothed pixel classes `[H, W, 10]` and colours `[H, W, 3]`."""

    classes: Floats
    colours: Floats

    @classmethod
    def of(cls, probabilities: Floats, picture: U8Image) -> Scenery:
        """Smooth the probabilities a little, so that single pixels do not matter."""
        smooth = cv2.GaussianBlur(probabilities, (0, 0), 1.0)
        return cls(np.asarray(smooth, np.float32), lab_colours(picture))

    def object_probability(self) -> Floats:
        """Return `[H, W]`: how surely a pixel is any object."""
        return 1 - self.classes[..., 0]


def cut(scenery: Scenery) -> Labels:
    """Return the pieces, numbered from 1; an object is one piece or several."""
    present = scenery.object_probability()
    markers = _markers(scenery, present)
    background = int(markers.max()) + 1
    if background == 1:
        return markers
    best = scenery.classes[..., 1:EDGE].max(2)
    height = scenery.classes[..., EDGE] * 1.6 + (1 - present) * 0.8 + 0.35 * (1 - best)
    relief = np.clip(height * 200, 0, 255).astype(np.uint8)
    markers[present < _ABSENT] = background
    pieces = cv2.watershed(cv2.cvtColor(relief, cv2.COLOR_GRAY2BGR), markers)
    pieces[(pieces == -1) | (pieces == background)] = 0
    grown = cv2.dilate(pieces.astype(np.uint16), _BLOCK)  # over the watershed's lines
    pieces = np.where((pieces == 0) & (present > _PRESENT), grown, pieces)
    pieces[present <= _PRESENT] = 0
    return pieces.astype(np.int32)


def _markers(scenery: Scenery, present: Floats) -> Labels:
    """Return one numbered seed for every piece."""
    likeliest = scenery.classes[..., 1:EDGE].argmax(2) + 1
    inner = (present > _SEED) & (scenery.classes[..., EDGE] < _SEED_EDGE)
    markers = np.zeros(present.shape, np.int32)
    for kind in range(1, EDGE):
        _mark_kind(markers, (likeliest == kind) & inner, round_kind=kind in _ROUND)
    return markers


def _mark_kind(markers: Labels, where: Bools, *, round_kind: bool) -> None:
    spots = where.astype(np.uint8)
    if spots.sum() < SMALLEST:
        return
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(spots, connectivity=4)
    for i in range(1, count):
        left, top, width, height, area = (int(v) for v in stats[i])
        if area < SMALLEST:
            continue
        window = slice(top, top + height), slice(left, left + width)
        spot = (numbers[window] == i).astype(np.uint8)
        centres = _centres(spot) if round_kind else []
        if len(centres) > 1:
            for x, y in centres:
                number = int(markers.max()) + 1
                cv2.circle(markers, (left + x, top + y), 2, number, -1)
            continue
        core = cv2.erode(spot, _BLOCK)
        core = core if core.sum() > _LEAST_CORE else spot
        markers[window][core > 0] = int(markers.max()) + 1


def _centres(spot: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return the middles `(x, y)` of the balls that a spot is made of."""
    padded = np.pad(spot, 1)
    depth = np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 5), np.float32)
    deepest = float(depth.max())
    if deepest < _LEAST_DEPTH:
        return []
    top = depth >= cv2.dilate(depth, np.ones((9, 9), np.uint8)) - 1e-6
    peaks = (top & (depth > 0.45 * deepest)).astype(np.uint8)
    middles = cv2.connectedComponentsWithStats(peaks)[3][1:]
    points = [(round(float(x)), round(float(y))) for x, y in middles]
    points.sort(key=lambda point: -depth[point[1], point[0]])
    kept: list[tuple[int, int]] = []
    for point in points[:12]:
        if all(_waist(depth, point, other) <= _NARROW for other in kept):
            kept.append(point)
    return [(x - 1, y - 1) for x, y in kept]


def _waist(depth: Floats, a: tuple[int, int], b: tuple[int, int]) -> float:
    """Return the narrowest depth between two peaks, relative to the first."""
    steps = max(2, int(np.hypot(a[0] - b[0], a[1] - b[1])))
    x = np.linspace(a[0], b[0], steps).round().astype(int)
    y = np.linspace(a[1], b[1], steps).round().astype(int)
    return float(depth[y, x].min() / max(float(depth[a[1], a[0]]), 1e-6))
