"""Read a polygon mask and place it; `fill.py` fills it.

The documented form is `[[x, y], ...]`, 0..1000 over the whole picture. Models also write
`[y, x]`, and Google's wording can be read as "relative to the box": which one it is
shows in how well the polygon fits the item's own box. (Relative to the box, an outline
spans 0..1000 both ways, so there its order cannot be told and is taken as documented.)
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

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
    if set(map(type, value)) == {list} and set(map(len, value)) == {2}:  # type: ignore[arg-type]
        value = list(chain.from_iterable(value))  # type: ignore[arg-type]
    enough = 6 <= len(value) <= 2 * _MAX_POINTS and len(value) % 2 == 0  # noqa: PLR2004
    numbers = _numbers(value) if enough else None
    if numbers is None or (numbers.max() <= 1 and np.isin(numbers, (0, 1)).all()):
        return None
    return numbers.reshape(-1, 2)


def _numbers(values: list[JsonValue]) -> NDArray[np.float64] | None:
    """Read finite numbers, at once where no number is written as a string."""
    if set(map(type, values)) <= {int, float}:
        try:
            numbers = np.array(values, np.float64)
        except OverflowError:
            return None
        return numbers if np.isfinite(numbers).all() else None
    read = [read_number(value) for value in values]
    whole = [number for number in read if number is not None]
    return np.array(whole) if len(whole) == len(read) else None


def extent(rings: list[Ring]) -> list[float]:
    """Give the box around rings of [x, y], in their units, as `box_2d` is written."""
    points = np.concatenate(rings)
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return [y0, x0, y1, x1]


def outline(
    rings: list[Ring],
    box: Box1000,
    frame: Frame,
    path: str,
    issues: list[Issue],
    *,
    scale: Scale,
) -> Outline:
    """Place rings in the crop of the box, read in the way that fits the box best.

    The documented reading is kept unless another is clearly better; then, and when none
    fits, there is an issue.
    """
    placed = _best_reading(rings, box, scale, path, issues)
    x0, y0, x1, y1 = box.snapped(frame)
    pixels, corner = np.array([frame.width, frame.height]) / 1000, np.array([x0, y0])
    return Outline([ring * pixels - corner for ring in placed], x1 - x0, y1 - y0)


def _best_reading(
    rings: list[Ring], box: Box1000, scale: Scale, path: str, issues: list[Issue]
) -> list[Ring]:
    # Each reading takes corners to corners, so the fit needs no other point.
    points = rings[0] if len(rings) == 1 else np.concatenate(rings)
    corners = np.array([points.min(axis=0), points.max(axis=0)])
    readings = _readings(box, scale)
    declared = next(iter(readings))
    fits = {declared: _fit(readings[declared](corners), box)}
    if fits[declared] + _CLEARLY < 1:  # else none can be clearly better
        fits |= {name: _fit(read(corners), box) for name, read in readings.items()}
    best = max(fits, key=lambda name: fits[name])
    if fits[best] <= fits[declared] + _CLEARLY:
        best = declared
    if best != declared:
        issues.append(Issue(path, "mask_axes", f"the polygon was read as {best}"))
    if fits[best] < _POOR:
        message = f"the polygon fits its box poorly (IoU {fits[best]:.2f})"
        issues.append(Issue(path, "mask_fit", message))
    return [readings[best](ring) for ring in rings]


def _readings(box: Box1000, scale: Scale) -> dict[str, Callable[[Ring], Ring]]:
    """Name the ways to read points, the documented one first; they give 0..1000."""
    units = np.array(scale.xy_to_1000)

    def of_the_box(points: Ring) -> Ring:
        share = np.array([box.xmax - box.xmin, box.ymax - box.ymin]) / 1000
        return points * share + (box.xmin, box.ymin)

    return {
        "[x, y] of the picture": lambda points: points * units,
        "[y, x] of the picture": lambda points: points[:, ::-1] * units,
        "[x, y] of the box": of_the_box,
    }


def _fit(corners: NDArray[np.float64], box: Box1000) -> float:
    """IoU of the rings' own bounding box, two corners, with the item's box."""
    (x0, y0), (x1, y1) = corners.tolist()
    wide = max(min(x1, box.xmax) - max(x0, box.xmin), 0)
    high = max(min(y1, box.ymax) - max(y0, box.ymin), 0)
    areas = (x1 - x0) * (y1 - y0) + (box.xmax - box.xmin) * (box.ymax - box.ymin)
    return float(wide * high / (areas - wide * high))
