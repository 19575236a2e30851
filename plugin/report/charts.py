"""Charts as plain geometry: curves and calibration, laid out as SVG by the template.

Both axes run from 0 to 1. No script, no library, no text but our own words and names,
which the template escapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..evaluation.curves import Calibration, Curve

LEFT, TOP, SIDE = 34.0, 10.0, 150.0
"""Place and size of the square that is drawn in, in units of the SVG."""
MAX_POINTS = 200
SMALLEST_DOT, DOT_GROWTH = 2.0, 4.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A point with a whisker from `low` to `high`; in units of the SVG."""

    x: float
    y: float
    radius: float
    low: float
    high: float
    note: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One square chart; `line` is the `points` of an SVG polyline, "" draws none."""

    title: str
    x_name: str
    y_name: str
    line: str = ""
    dots: tuple[Dot, ...] = ()
    diagonal: bool = False
    caption: str = ""


def draw_curve(curve: Curve) -> Chart:
    """Draw precision over recall as it was counted, and mark the best F1."""
    points = [(p.recall or 0.0, p.precision) for p in curve.points]
    best = curve.best
    note = (
        f"best F1 {best.f1:.3f} at confidence {best.threshold:.2f}: "
        f"precision {best.precision:.3f}, recall {best.recall or 0:.3f}"
    )
    x, y = _x(best.recall or 0.0), _y(best.precision)
    return Chart(
        curve.label,
        "recall",
        "precision",
        line=_polyline(list(thinned(points))),
        dots=(Dot(x, y, DOT_GROWTH, y, y, note),),
        caption=f"best F1 {best.f1:.3f} at {best.threshold:.2f}",
    )


def draw_calibration(calibration: Calibration) -> Chart:
    """Draw the share right over the confidence; dots grow with their predictions."""
    most = max(bin_.predictions for bin_ in calibration.bins)
    dots = tuple(
        Dot(
            _x(b.confidence),
            _y(b.accuracy),
            SMALLEST_DOT + DOT_GROWTH * (b.predictions / most) ** 0.5,
            _y(b.interval.low),
            _y(b.interval.high),
            f"{b.right} of {b.predictions} right at confidence {b.confidence:.2f}",
        )
        for b in calibration.bins
    )
    line = _polyline([(b.confidence, b.accuracy) for b in calibration.bins])
    return Chart(
        calibration.label or "all classes",
        "confidence",
        "share right",
        line=line,
        dots=dots,
        diagonal=True,
        caption=f"calibration error {calibration.error:.3f}",
    )


def thinned(
    points: Sequence[tuple[float, float]],
) -> Iterator[tuple[float, float]]:
    """Keep evenly many points, the last one always."""
    step = max(1, -(-len(points) // MAX_POINTS))
    yield from points[:-1:step]
    yield points[-1]


def _polyline(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_x(x)},{_y(y)}" for x, y in points)


def _x(share: float) -> float:
    return round(LEFT + SIDE * share, 1)


def _y(share: float) -> float:
    return round(TOP + SIDE * (1 - share), 1)
