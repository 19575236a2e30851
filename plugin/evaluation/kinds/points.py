"""Points against objects (inside or not), or against true points (near or not).

Within an item and a label, each point is for one object at most: as many pairs as can be
made, and of these the nearest (scipy's assignment). A second point on an object is
invented, like one that hits nothing; an object without a point is missed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.optimize import linear_sum_assignment

from ...values import Detection, Frame, Point, Value
from ..intervals import FloatArray
from .counts import ClassCounts
from .numbers import ItemVerdict, Judgement, Mark, Measure, ratio_of_sums
from .pairs import ItemPair

RADIUS = 0.05
"""How near to a true point is right: this share of the picture's diagonal."""
_NEVER = 1e6
Target: TypeAlias = Point | Detection


@dataclass(frozen=True, slots=True)
class Hit:
    """A point that was said, and the target it is for; one of the two may be missing.

    `distance` is a share of the diagonal: 0 inside of an object.
    """

    label: str
    point: int | None
    target: int | None
    distance: float = 0.0


def judge_points(pairs: Sequence[ItemPair], radius: float = RADIUS) -> Judgement:
    """Compare points: inside masks (else boxes) where the truth has objects."""
    targets = [targets_of(pair.true) for pair in pairs]
    points = [points_of(pair.said) for pair in pairs]
    frames = [pair.truth.frame for pair in pairs]
    both = zip(points, targets, frames, strict=True)
    hits = [list(match_points(*one, radius=radius)) for one in both]
    labels = {t.label for side in targets for t in side if not is_crowd(t)}
    classes = sorted(labels | {p.label for side in points for p in side})
    counts = ClassCounts.blank(len(pairs), classes)
    for item, found in enumerate(hits):
        for hit in found:
            counts.add(item, hit.label, _column(hit))
    objects = any(isinstance(t, Detection) for side in targets for t in side)
    where = "inside its object" if objects else f"within {radius:.0%} of the diagonal"
    extra = _inside(points, targets) if objects else _distance(hits)
    return Judgement(
        (*counts.measures(f"right is {where}"), *extra),
        (counts.sheet(),),
        tuple(_verdict(p, found) for p, found in zip(pairs, hits, strict=True)),
    )


def targets_of(values: Sequence[Value]) -> tuple[Target, ...]:
    """Give what points are meant for: true points, or objects."""
    return tuple(v for v in values if isinstance(v, Point | Detection))


def points_of(values: Sequence[Value]) -> tuple[Point, ...]:
    """Give the points among values."""
    return tuple(v for v in values if isinstance(v, Point))


def is_crowd(target: Target) -> bool:
    """Tell whether a target is a crowd: points inside it are not judged."""
    return isinstance(target, Detection) and target.is_crowd


def is_inside(point: Point, target: Detection) -> bool:
    """Tell whether a point lies in an object: in its mask, else in its box."""
    if target.mask is None:
        x0, y0, x1, y1 = target.box.xyxy_px
        return x0 <= point.x <= x1 and y0 <= point.y <= y1
    column = math.floor(point.x) - target.mask.x
    row = math.floor(point.y) - target.mask.y
    height, width = target.mask.crop.shape
    in_crop = 0 <= row < height and 0 <= column < width
    return in_crop and bool(target.mask.crop[row, column])


def match_points(
    points: Sequence[Point], targets: Sequence[Target], frame: Frame, radius: float
) -> Iterator[Hit]:
    """Match the points of one picture with its targets, label by label."""
    diagonal = math.hypot(frame.width, frame.height) or 1.0
    for label in sorted({v.label for v in (*points, *targets)}):
        said = [i for i, point in enumerate(points) if point.label == label]
        same = [i for i, target in enumerate(targets) if target.label == label]
        true = [i for i in same if not is_crowd(targets[i])]
        table = np.array(
            [
                [_distance_to(points[i], targets[j], diagonal, radius) for j in true]
                for i in said
            ]
        ).reshape(len(said), len(true))
        found = dict(_assigned(table))
        for row, point in enumerate(said):
            if row in found:
                column = found[row]
                distance = float(table[row, column])
                yield Hit(label, point, true[column], min(distance, 1.0))
            elif not _in_a_crowd(points[point], [targets[i] for i in same]):
                yield Hit(label, point, None)
        missed = set(range(len(true))) - set(found.values())
        yield from (Hit(label, None, true[column]) for column in sorted(missed))


def _distance_to(point: Point, target: Target, diagonal: float, radius: float) -> float:
    """Give a distance as a share of the diagonal; `_NEVER` when it is too far.

    Inside an object, the distance to the middle of its box is a tie break alone.
    """
    if isinstance(target, Point):
        away = math.hypot(point.x - target.x, point.y - target.y) / diagonal
        return away if away <= radius else _NEVER
    if not is_inside(point, target):
        return _NEVER
    x, y = _middle(target)
    return math.hypot(point.x - x, point.y - y) / diagonal


def _assigned(table: FloatArray) -> Iterator[tuple[int, int]]:
    rows, columns = linear_sum_assignment(table)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if table[row, column] < _NEVER:
            yield row, column


def _in_a_crowd(point: Point, targets: Sequence[Target]) -> bool:
    crowds = (t for t in targets if isinstance(t, Detection) and t.is_crowd)
    return any(is_inside(point, crowd) for crowd in crowds)


def _column(hit: Hit) -> int:
    """Say which column of the counts a hit belongs to: right, invented, missed."""
    if hit.point is None:
        return 2
    return 1 if hit.target is None else 0


def _inside(
    points: Sequence[Sequence[Point]], targets: Sequence[Sequence[Target]]
) -> tuple[Measure, ...]:
    """Count points inside any object of their label, and of any label."""
    own, any_label, said = (np.zeros(len(points)) for _ in range(3))
    for item, (some, true) in enumerate(zip(points, targets, strict=True)):
        objects = [t for t in true if isinstance(t, Detection)]
        for point in some:
            hit = [t.label for t in objects if is_inside(point, t)]
            said[item] += 1
            own[item] += point.label in hit
            any_label[item] += bool(hit)
    return (
        Measure(
            "Inside rate",
            "share of points inside an object of their label, duplicates too",
            ratio_of_sums(own, said),
        ),
        Measure(
            "Inside anything",
            "the same whatever the label: seeing without naming",
            ratio_of_sums(any_label, said),
        ),
    )


def _distance(hits: Sequence[Sequence[Hit]]) -> tuple[Measure, ...]:
    right = [[hit.distance for hit in found if _column(hit) == 0] for found in hits]
    away = np.array([sum(distances) for distances in right])
    count = np.array([float(len(distances)) for distances in right])
    return (
        Measure(
            "Mean distance",
            "of right points, as a share of the diagonal; lower is better",
            ratio_of_sums(away, count),
            "low",
        ),
    )


def _verdict(pair: ItemPair, hits: Sequence[Hit]) -> ItemVerdict:
    columns = [_column(hit) for hit in hits]
    right, invented, missed = (columns.count(n) for n in range(3))
    whole = 2 * right + invented + missed
    return ItemVerdict(
        pair.truth.image_id,
        pair.truth.path,
        pair.status,
        2 * right / whole if whole else 1.0,
        f"{right + missed} true: {missed} missed",
        f"{right + invented} said: {right} right, {invented} invented",
        tuple(_mark(pair, hit) for hit in hits),
    )


def _mark(pair: ItemPair, hit: Hit) -> Mark:
    """Show a point where it was said, and what was missed in the middle of it."""
    frame = pair.truth.frame
    if hit.point is not None:
        point = points_of(pair.said)[hit.point]
        x, y = point.x, point.y
    else:
        assert hit.target is not None
        x, y = _middle(targets_of(pair.true)[hit.target])
    verdict: Literal["right", "invented", "missed"] = ("right", "invented", "missed")[
        _column(hit)
    ]
    return Mark(x / max(1, frame.width), y / max(1, frame.height), verdict)


def _middle(target: Target) -> tuple[float, float]:
    if isinstance(target, Point):
        return target.x, target.y
    x0, y0, x1, y1 = target.box.xyxy_px
    return (x0 + x1) / 2, (y0 + y1) / 2
