"""Read `box_2d` and place it in pixels.

Gemini writes `[ymin, xmin, ymax, xmax]`, 0..1000 over the picture, whatever its shape.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..values import Box, Frame, Issue, JsonValue
from .fields import read_number
from .scale import Scale

_BOX_KEYS = ("box_2d", "box2d", "box", "bounding_box", "bbox")
SIDES = ("ymin", "xmin", "ymax", "xmax")
_SCALE = 1000.0
_FOUR = re.compile(r"\s*\[?(?:\s*-?[\d.]{1,20}\s*,){3}\s*-?[\d.]{1,20}\s*\]?\s*")
"""A box in a string."""


@dataclass(frozen=True, slots=True)
class Box1000:
    """A box as Gemini writes it: 0..1000 over the picture, ordered, with an area."""

    ymin: float
    xmin: float
    ymax: float
    xmax: float

    def in_pixels(self, frame: Frame) -> Box:
        """Place the box in a picture; edges keep their fractions of a pixel."""
        w, h = frame.width / _SCALE, frame.height / _SCALE
        return Box.from_xyxy_px(
            self.xmin * w, self.ymin * h, self.xmax * w, self.ymax * h
        )

    def snapped(self, frame: Frame) -> tuple[int, int, int, int]:
        """Place the box on whole pixels: left, top, right, bottom.

        It lies in the picture and is at least one pixel wide and high. On whole pixels
        a crop mask means the same to FiftyOne and to pycocotools.
        """
        x0, x1 = _snap(self.xmin, self.xmax, frame.width)
        y0, y1 = _snap(self.ymin, self.ymax, frame.height)
        return x0, y0, x1, y1


def _snap(low: float, high: float, size: int) -> tuple[int, int]:
    start = min(math.floor(low / _SCALE * size + 0.5), size - 1)
    return start, max(math.floor(high / _SCALE * size + 0.5), start + 1)


@dataclass(frozen=True, slots=True)
class RawBox:
    """The four numbers of a box as they stand in the reply, and where they stand."""

    path: str
    numbers: list[float]

    @property
    def has_area(self) -> bool:
        """Whether its edges differ."""
        ymin, xmin, ymax, xmax = self.numbers
        return ymin != ymax and xmin != xmax

    def placed(self, scale: Scale, issues: list[Issue]) -> Box1000 | None:
        """Place the box in 0..1000; None, with an issue, where it has no area.

        Swapped edges are put in order and edges outside of the picture moved to its
        border; both leave an issue.
        """
        full = (scale.bottom, scale.right) * 2
        numbers = [n * _SCALE / far for n, far in zip(self.numbers, full, strict=True)]
        inside = _clamped(numbers, self.path, issues)
        ymin, xmin, ymax, xmax = _ordered(inside, self.path, issues)
        if ymin >= ymax or xmin >= xmax:
            message = "the box has no area in the picture"
            issues.append(Issue(self.path, "box_empty", message))
            return None
        return Box1000(ymin, xmin, ymax, xmax)


def find_box(
    item: Mapping[str, JsonValue], path: str, issues: list[Issue]
) -> RawBox | None:
    """Find the box of an item; None when it has no four numbers: the last issue says why."""
    key = box_key(item)
    if key is None:
        here = f"{path}.box_2d".lstrip(".")
        issues.append(Issue(here, "box_missing", "there is no box"))
        return None
    here = f"{path}.{key}".lstrip(".")
    if key != "box_2d":
        issues.append(Issue(here, "box_key", f"{key} was read as box_2d"))
    numbers = _four_numbers(item[key], here, issues)
    return None if numbers is None else RawBox(here, numbers)


def box_key(item: Mapping[str, JsonValue]) -> str | None:
    """Name the key that holds the box of an item."""
    return next((key for key in _BOX_KEYS if key in item), None)


def _four_numbers(
    value: JsonValue, path: str, issues: list[Issue]
) -> list[float] | None:
    if isinstance(value, str) and _FOUR.fullmatch(value):
        value = list(re.findall(r"[^\s,\[\]]+", value))
    if (
        isinstance(value, list)
        and len(value) == 1
        and isinstance(value[0], list | dict)
    ):
        value = value[0]
    if isinstance(value, dict):
        value = [value.get(side) for side in SIDES]
    if not isinstance(value, list) or len(value) != len(SIDES):
        issues.append(Issue(path, "box_count", "a box has four numbers"))
        return None
    numbers = [read_number(number) for number in value]
    for index, number in enumerate(numbers):
        if number is None:
            message = f"not a number: {str(value[index])[:40]!r}"
            issues.append(Issue(f"{path}[{index}]", "box_number", message))
    whole = [number for number in numbers if number is not None]
    return whole if len(whole) == len(SIDES) else None


def _clamped(numbers: list[float], path: str, issues: list[Issue]) -> list[float]:
    for index, number in enumerate(numbers):
        if not 0 <= number <= _SCALE:
            message = f"{number:g} is not in 0..1000"
            issues.append(Issue(f"{path}[{index}]", "box_range", message))
    return [min(max(number, 0.0), _SCALE) for number in numbers]


def _ordered(numbers: list[float], path: str, issues: list[Issue]) -> list[float]:
    ymin, xmin, ymax, xmax = numbers
    for index, low, high in ((0, ymin, ymax), (1, xmin, xmax)):
        if low > high:
            message = f"{SIDES[index]} {low:g} is over {SIDES[index + 2]} {high:g}"
            issues.append(Issue(f"{path}[{index}]", "box_order", message))
    return [min(ymin, ymax), min(xmin, xmax), max(ymin, ymax), max(xmin, xmax)]
