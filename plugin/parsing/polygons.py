"""Read a polygon mask and place it; `fill.py` fills it.

The documented form is `[[x, y], ...]`, 0..1000 over the whole picture. Models also write
`[y, x]`, and Google's wording can be read as "relative to the box": which one it is
shows in how well the polygon fits the item's own box. (Relative to the box, an outline
spans 0..1000 both ways, so there its order cannot be told and is taken as documented.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..values import Frame, Issue, JsonValue
from .boxes import Box1000
from .fields import read_number
from .fill import Outline, Ring
from .scale import Scale

_MAX_POINTS = 2000
_CLEARLY = 0.1
"""By how much another reading must fit the box better than the documented one."""
_POOR = 0.5


def rings_of(value: JsonValue) -> list[Ring] | None:
    """Read pairs, a flat list of numbers, or a list of either; None for all else.

    Lists of only 0 and 1 are no polygon, nor is anything of fewer than three points.
    """
    ring = _ring(value)
    if ring is not None:
        return [ring]
    if not isinstance(value, list) or not value or len(value) > _MAX_POINTS:
        return None
    rings = [_ring(inner) for inner in value]
    whole = [ring for ring in rings if ring is not None]
    return whole if len(whole) == len(value) else None


def _ring(value: JsonValue) -> Ring | None:
    if not isinstance(value, list) or not value:
        return None
    kinds = set(map(type, value))
    if kinds == {dict}:
        value = [[point.get("x"), point.get("y")] for point in value]  # type: ignore[union-attr]
        kinds = {list}
    if kinds == {list} and set(map(len, value)) == {2}:  # type: ignore[arg-type]
        value = list(chain.from_iterable(value))  # type: ignore[arg-type]
    enough = 6 <= len(value) <= 2 * _MAX_POINTS and len(value) % 2 == 0  # noqa: PLR2004
    numbers = _numbers(value) if enough else None
    if numbers is None or (numbers[0] in {0, 1} and np.isin(numbers, (0, 1)).all()):
        return None
    return numbers.reshape(-1, 2)


def _numbers(values: list[JsonValue]) -> NDArray[np.float64] | None:
    """Read finite numbers, at once where no number is written as a string."""
    kinds = set(map(type, values))
    if kinds <= {int, float}:
        try:
            numbers = np.array(values, np.float64)
        except OverflowError:
            return None
        return numbers if kinds == {int} or np.isfinite(numbers).all() else None
    read = [read_number(value) for value in values]
    whole = [number for number in read if number is not None]
    return np.array(whole) if len(whole) == len(read) else None


def extent(rings: list[Ring]) -> list[float]:
    """Give the box around rings of [x, y], in their units, as `box_2d` is written."""
    points = np.concatenate(rings)
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return [y0, x0, y1, x1]


@dataclass(frozen=True, slots=True)
class Polygon:
    """Rings as they stand in the reply, the box of their object, and its issues so far.

    `place` is the box on whole pixels: left, top, right, bottom.
    """

    rings: list[Ring]
    box: Box1000
    place: tuple[int, int, int, int]
    path: str
    issues: list[Issue]


class _Reading(NamedTuple):
    """A way to read points: their order, and what takes x and y to 0..1000."""

    name: str
    swapped: bool
    factor: tuple[float, float]
    offset: tuple[float, float] = (0.0, 0.0)

    def fit(self, low: list[float], high: list[float], box: Box1000) -> float:
        """IoU of the box around the points, from `low` to `high`, with the item's."""
        (fx, fy), (ox, oy) = self.factor, self.offset
        across, down = (1, 0) if self.swapped else (0, 1)
        x0, x1 = low[across] * fx + ox, high[across] * fx + ox
        y0, y1 = low[down] * fy + oy, high[down] * fy + oy
        wide = max(min(x1, box.xmax) - max(x0, box.xmin), 0)
        tall = max(min(y1, box.ymax) - max(y0, box.ymin), 0)
        areas = (x1 - x0) * (y1 - y0) + (box.xmax - box.xmin) * (box.ymax - box.ymin)
        return wide * tall / (areas - wide * tall)


def place_polygons(
    polygons: Sequence[Polygon], frame: Frame, scale: Scale
) -> list[Outline]:
    """Place polygons in the crops of their boxes, each in the way that fits its box.

    The documented reading is kept unless another is clearly better; then, and when none
    fits, there is an issue.
    """
    rings = [ring for polygon in polygons for ring in polygon.rings]
    points = np.concatenate(rings)
    sizes = [sum(map(len, polygon.rings)) for polygon in polygons]
    starts = np.cumsum([0, *sizes[:-1]])
    lows = np.minimum.reduceat(points, starts).tolist()
    highs = np.maximum.reduceat(points, starts).tolist()
    corners = zip(polygons, lows, highs, strict=True)
    readings = [_best_reading(one, low, high, scale) for one, low, high in corners]
    pixels = np.array([frame.width, frame.height]) / 1000
    factor = np.array([reading.factor for reading in readings]) * pixels
    offset = np.array([reading.offset for reading in readings]) * pixels
    offset -= np.array([polygon.place[:2] for polygon in polygons])
    swapped = np.repeat([reading.swapped for reading in readings], sizes)
    points = np.where(swapped[:, np.newaxis], points[:, ::-1], points)
    points = points * factor.repeat(sizes, axis=0) + offset.repeat(sizes, axis=0)
    return list(_outlines(polygons, points))


def _outlines(polygons: Iterable[Polygon], points: Ring) -> Iterator[Outline]:
    """Hand out the placed points of all polygons, ring by ring."""
    used = 0
    for polygon in polygons:
        rings = []
        for ring in polygon.rings:
            rings.append(points[used : used + len(ring)])
            used += len(ring)
        x0, y0, x1, y1 = polygon.place
        yield Outline(rings, x1 - x0, y1 - y0)


def _best_reading(
    polygon: Polygon, low: list[float], high: list[float], scale: Scale
) -> _Reading:
    # Each reading takes corners to corners, so the fit needs no other point.
    box, issues = polygon.box, polygon.issues
    declared = _Reading("[x, y] of the picture", swapped=False, factor=scale.xy_to_1000)
    best, fit = declared, declared.fit(low, high, box)
    if fit + _CLEARLY < 1:  # else none can be clearly better
        others = [(one.fit(low, high, box), one) for one in _other_readings(box, scale)]
        other_fit, other = max(others, key=lambda pair: pair[0])
        if other_fit > fit + _CLEARLY:
            best, fit = other, other_fit
            message = f"the polygon was read as {best.name}"
            issues.append(Issue(polygon.path, "mask_axes", message))
    if fit < _POOR:
        message = f"the polygon fits its box poorly (IoU {fit:.2f})"
        issues.append(Issue(polygon.path, "mask_fit", message))
    return best


def _other_readings(box: Box1000, scale: Scale) -> tuple[_Reading, ...]:
    share = (box.xmax - box.xmin) / 1000, (box.ymax - box.ymin) / 1000
    return (
        _Reading("[y, x] of the picture", swapped=True, factor=scale.xy_to_1000),
        _Reading("[x, y] of the box", False, share, (box.xmin, box.ymin)),
    )
