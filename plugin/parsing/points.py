"""Read points, trajectories and boxes in space: JSON items to small frozen values.

Gemini writes a point as `[y, x]`, 0..1000 over the picture; a trajectory as a list of
points in order; a box in space as nine numbers under `box_3d`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ..values import (
    Box3d,
    Frame,
    Issue,
    JsonValue,
    Point,
    Reading,
    Trajectory,
    Value,
)
from .fields import read_confidence, read_label, read_number
from .json_text import JsonItems, find_items
from .scale import Scale, find_scale

MAX_ITEMS = 1000
"""Items read of one reply; more is a model that runs in a loop."""
_POINT_KEYS = ("point", "point_2d", "position")
_PATH_KEYS = ("trajectory", "trajectory_points", "points")
_PAIR = 2
_BOX_3D = 9
Pair = tuple[float, float]


def read_points(text: str, frame: Frame) -> Reading:
    """Read every point of a reply, a bare `[y, x]` as well; never raises."""
    found = find_items(text)
    issues = list(found.issues)
    pairs = [(i.path, i.value, _point_of(i.value)) for i in found.items[:MAX_ITEMS]]
    scale = find_scale([pair for *_, pair in pairs if pair], frame, issues)
    points = []
    for path, value, pair in pairs:
        if pair is None:
            message = "a point is two numbers, [y, x]"
            issues.append(Issue(f"{path}.point".lstrip("."), "point", message))
            continue
        fields = value if isinstance(value, dict) else {}
        label = read_label(fields, path, issues)
        x, y = _place(pair, scale, frame, path, issues)
        points.append(Point(label, x, y, read_confidence(fields, path, issues)))
    return _found(found, points, issues, "point")


def read_trajectories(text: str, frame: Frame) -> Reading:
    """Read every trajectory of a reply; never raises.

    An answer that is a list of points is one trajectory, without a label.
    """
    found = find_items(text)
    issues = list(found.issues)
    items = [item.value for item in found.items[:MAX_ITEMS]]
    loose = [pair for pair in map(_point_of, items) if pair]
    paths = [(i.path, i.value, _path_of(i.value)) for i in found.items[:MAX_ITEMS]]
    if loose and len(loose) == len(items):
        paths = [("", None, loose)]
    every = [pair for *_, path in paths for pair in path or ()]
    scale = find_scale(every, frame, issues)
    read = []
    for where, value, path in paths:
        if path is None:
            message = "a trajectory is a list of points, [y, x]"
            issues.append(Issue(where, "trajectory", message))
            continue
        label = read_label(value, where, issues) if isinstance(value, dict) else ""
        places = [_place(pair, scale, frame, where, issues) for pair in path]
        read.append(Trajectory(label, tuple(places)))
    return _found(found, read, issues, "trajectory")


def read_boxes_3d(text: str) -> Reading:
    """Read every box in space of a reply; never raises.

    The nine numbers: centre x, y, z and size x, y, z in metres, then roll, pitch and
    yaw in degrees (Google's cookbook, `Spatial_understanding_3d`).
    """
    found = find_items(text)
    issues = list(found.issues)
    boxes = []
    for item in found.items[:MAX_ITEMS]:
        value = item.value if isinstance(item.value, dict) else {"box_3d": item.value}
        numbers = _numbers(value.get("box_3d"), _BOX_3D)
        if numbers is None:
            here = f"{item.path}.box_3d".lstrip(".")
            issues.append(Issue(here, "box_3d", "a box in space has nine numbers"))
            continue
        x, y, z, dx, dy, dz, roll, pitch, yaw = numbers
        label = read_label(value, item.path, issues)
        boxes.append(Box3d(label, (x, y, z), (dx, dy, dz), (roll, pitch, yaw)))
    return _found(found, boxes, issues, "box_3d")


def _found(
    found: JsonItems, values: Sequence[Value], issues: list[Issue], unread: str
) -> Reading:
    """Count what was read; the other items were dropped for the reason `unread`."""
    dropped = Counter(found.dropped)
    dropped[unread] += sum(issue.code == unread for issue in issues)
    if runaway := len(found.items[MAX_ITEMS:]):
        message = f"{len(found.items)} items; the first {MAX_ITEMS} were read"
        issues.append(Issue("", "runaway", message))
        dropped["runaway"] = runaway
    return Reading(
        values=tuple(values),
        issues=tuple(issues),
        items_seen=len(values) + (+dropped).total(),
        cut=found.cut,
        readable=found.readable,
        repaired=found.repaired,
        dropped=dict(+dropped),
    )


def _numbers(value: JsonValue, count: int) -> list[float] | None:
    if not isinstance(value, list) or len(value) != count:
        return None
    read = [read_number(number) for number in value]
    whole = [number for number in read if number is not None]
    return whole if len(whole) == count else None


def _pair(value: JsonValue) -> Pair | None:
    numbers = _numbers(value, _PAIR)
    return None if numbers is None else (numbers[0], numbers[1])


def _first(item: Mapping[str, JsonValue], keys: Sequence[str]) -> JsonValue:
    return next((item[key] for key in keys if key in item), None)


def _point_of(value: JsonValue) -> Pair | None:
    """Take a point out of an item: `{"point": [y, x]}` or a bare `[y, x]`."""
    return _pair(_first(value, _POINT_KEYS) if isinstance(value, dict) else value)


def _path_of(value: JsonValue) -> list[Pair] | None:
    """Take the points, all of them or none, out of an item that is a trajectory."""
    path = _first(value, _PATH_KEYS) if isinstance(value, dict) else None
    if not isinstance(path, list) or not path or len(path) > MAX_ITEMS:
        return None
    pairs = [pair for pair in map(_point_of, path) if pair]
    return pairs if len(pairs) == len(path) else None


def _place(
    pair: Pair, scale: Scale, frame: Frame, path: str, issues: list[Issue]
) -> Pair:
    """Place `[y, x]` in the picture as x, y; what lies outside moves to its border."""
    x, y = pair[1] / scale.right, pair[0] / scale.bottom
    if not (0 <= x <= 1 and 0 <= y <= 1):
        message = f"{list(pair)} is outside of the picture"
        issues.append(Issue(path, "point_range", message))
    return min(max(x, 0.0), 1.0) * frame.width, min(max(y, 0.0), 1.0) * frame.height
