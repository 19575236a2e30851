"""Tell by a whole reply what its coordinates are: 0..1000, fractions or pixels.

Never box by box: one box among others is as small, or as wrong, as it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..values import Frame, Issue

_FULL = 1000.0
_FAR = 1050.0
"""What goes beyond 1000 by less overshot the border; it is no pixel coordinate."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The numbers that stand for the right and the bottom border of the picture."""

    right: float = _FULL
    bottom: float = _FULL

    @property
    def xy_to_1000(self) -> tuple[float, float]:
        """Factors that turn x and y into 0..1000."""
        return _FULL / self.right, _FULL / self.bottom


THOUSAND = Scale()


def find_scale(
    places: Sequence[Sequence[float]], frame: Frame, issues: list[Issue]
) -> Scale:
    """Find the scale of all boxes or points of a reply, as `[y, x, ...]` numbers.

    Fractions: all lie in 0..1. Pixels: every one goes far beyond 1000 and lies in the
    picture. Both leave an issue, and so do numbers far beyond 1000 that are neither.
    """
    highest = [max(place) for place in places]
    if not highest:
        return THOUSAND
    if max(highest) <= 1:
        message = "all lie in 0..1 and were read so, not in 0..1000"
        issues.append(Issue("", "box_scale", message))
        return Scale(1.0, 1.0)
    far = [top for top in highest if top > _FAR]
    if len(far) == len(highest) and all(_lies_in(place, frame) for place in places):
        size = f"{frame.width} x {frame.height}"
        message = f"none lies in 0..1000, all in {size} pixels: read as pixels"
        issues.append(Issue("", "box_scale", message))
        return Scale(float(frame.width), float(frame.height))
    if far:
        message = f"{len(far)} of {len(highest)} go far beyond 1000; read in 0..1000"
        issues.append(Issue("", "box_scale_unclear", message))
    return THOUSAND


def _lies_in(place: Sequence[float], frame: Frame) -> bool:
    down, across = place[::2], place[1::2]
    inside = max(down) <= frame.height and max(across) <= frame.width
    return inside and min(place) >= 0
