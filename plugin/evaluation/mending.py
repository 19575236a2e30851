"""What a kind of error costs: the AP gained were it mended, as TIDE defines it (dAP)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .faults import ErrorKind

RECALLS = np.linspace(0, 1, 101)  # as COCO samples the curve


@dataclass(frozen=True, slots=True)
class Point:
    """One prediction on the curves: right where `kind` is None.

    `mended` is the class under which it is right once its error is mended; None: it is
    taken away then.
    """

    label: str
    confidence: float
    kind: ErrorKind | None = None
    mended: str | None = None


def gains(
    points: Sequence[Point],
    objects: Mapping[str, int],
    missed: Mapping[str, int],
) -> tuple[float | None, dict[ErrorKind, float | None]]:
    """Compute the AP, and what is gained by mending each kind alone.

    `points` stand in COCO's order of images. `objects` and `missed` count the true
    objects of each class: mending `missed` takes those away. As in TIDE, a gain below 0
    is 0. Over no object, all is None.
    """
    before = _mean_ap(_mended(points, None), objects)
    if before is None:
        return None, dict.fromkeys(ErrorKind)
    found: dict[ErrorKind, float | None] = {}
    for kind in ErrorKind:
        left = dict(objects)
        if kind is ErrorKind.MISSED:
            left = {label: n - missed.get(label, 0) for label, n in objects.items()}
        after = _mean_ap(_mended(points, kind), left)
        # Nothing is left to find and nothing was invented: as good as it gets.
        found[kind] = max((1.0 if after is None else after) - before, 0.0)
    return before, found


def _mended(
    points: Sequence[Point], kind: ErrorKind | None
) -> Iterator[tuple[str, float, bool]]:
    """Give class, confidence and rightness of each prediction, one kind mended."""
    for point in points:
        if point.kind is None or point.kind is not kind:
            yield point.label, point.confidence, point.kind is None
        elif point.mended is not None:
            yield point.mended, point.confidence, True


def _mean_ap(
    points: Iterable[tuple[str, float, bool]], objects: Mapping[str, int]
) -> float | None:
    """Average AP over the classes of the truth that have an object or a prediction."""
    by_class: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for label, confidence, right in points:
        by_class[label].append((confidence, right))
    found = [
        _ap(by_class[label], count)
        for label, count in objects.items()
        if count or by_class[label]
    ]
    return float(np.mean(found)) if found else None


def _ap(points: Sequence[tuple[float, bool]], objects: int) -> float:
    """Compute AP at 101 recalls; ties in confidence keep their order."""
    if not objects or not points:
        return 0.0
    confidence = np.array([c for c, _ in points])
    right = np.array([r for _, r in points])
    right = right[np.argsort(-confidence, kind="stable")]
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(hits / objects, RECALLS, side="left")
    return float(np.append(envelope, 0.0)[places].mean())
