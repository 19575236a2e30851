"""Points, trajectories and boxes in space: read or dropped, each with its place."""

from __future__ import annotations

import json

import pytest
from fiftyone_gemini.parsing.points import (
    MAX_ITEMS,
    Box3d,
    Point,
    Trajectory,
    read_boxes_3d,
    read_points,
    read_trajectories,
)
from fiftyone_gemini.values import Frame

FRAME = Frame(2000, 1000)
CUP = Point("cup", 1000, 100)


def codes(found: object) -> list[tuple[str, str]]:
    """List the issues' places and codes."""
    return [(issue.path, issue.code) for issue in found.issues]


@pytest.mark.parametrize(
    "text",
    [
        '[{"point": [100, 500], "label": "cup"}]',
        '```json\n[{"point": [100, 500], "label": "cup"}]\n```\nDone.',
        '{"points": [{"point": [100, 500], "label": "cup"}]}',
        '{"point": ["100", "500"], "label": "cup"}',
        "[{'point': [100, 500], 'label': 'cup'}]",
    ],
)
def test_points_are_y_before_x(text: str) -> None:
    """A point is [y, x] in 0..1000, in whatever clothes."""
    found = read_points(text, FRAME)
    assert found.values == (CUP,)
    assert (found.items_seen, found.cut, found.readable) == (1, False, True)


def test_bare_points() -> None:
    """A bare pair is a point without a label; so is each of a list of pairs."""
    assert read_points("[100, 500]", FRAME).values == (Point("", 1000, 100),)
    assert len(read_points("[[100, 500], [1, 2]]", FRAME).values) == 2


@pytest.mark.parametrize(
    "point", [[1], [1, 2, 3], [1, None], "1, 2", None, [True, 1], {"x": 1}]
)
def test_what_is_no_point_costs_itself_alone(point: object) -> None:
    """A bad point is dropped, with its place."""
    items = [{"point": point, "label": "a"}, {"point": [100, 500], "label": "cup"}]
    found = read_points(json.dumps(items), FRAME)
    assert found.values == (CUP,)
    assert codes(found) == [("[0].point", "point")]
    assert found.items_seen == 2


def test_points_outside_move_to_the_border() -> None:
    """A point never leaves the picture; that it did is an issue."""
    found = read_points('[{"point": [-3, 1002], "label": "a"}]', FRAME)
    assert found.values == (Point("a", 2000, 0),)
    assert codes(found) == [("[0]", "point_range")]


def test_the_whole_reply_tells_the_scale_of_points() -> None:
    """Fractions and pixels are known only when all points agree."""
    fractions = read_points("[[0.1, 0.5], [0.2, 1]]", FRAME)
    assert (fractions.values[0].x, fractions.values[0].y) == (1000, 100)
    assert ("", "box_scale") in codes(fractions)
    pixels = read_points("[[100, 1500], [900, 1999]]", FRAME)
    assert pixels.values[0].x == 1500
    assert ("", "box_scale_unclear") in codes(read_points("[[1, 2], [9, 1999]]", FRAME))


def test_a_runaway_list_of_points_is_capped() -> None:
    """Of 5,000 points the first thousand are read, and all are counted."""
    found = read_points(json.dumps([[n % 1000, 7] for n in range(5000)]), FRAME)
    assert len(found.values) == MAX_ITEMS
    assert found.items_seen == 5000
    assert codes(found)[-1] == ("", "runaway")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ('{"trajectory": [[100, 500], [200, 600]], "label": "way"}', "way"),
        ('[{"points": [{"point": [100, 500]}, [200, 600]], "label": "way"}]', "way"),
        ("[[100, 500], [200, 600]]", ""),
        ('[{"point": [100, 500], "label": "0"}, {"point": [200, 600]}]', ""),
    ],
)
def test_trajectories(text: str, label: str) -> None:
    """A list of points in order is a trajectory, alone or under a key."""
    found = read_trajectories(text, FRAME)
    assert found.values == (Trajectory(label, ((1000, 100), (1200, 200))),)
    assert not found.issues


def test_a_trajectory_with_a_bad_point_is_dropped() -> None:
    """Half a path is no path."""
    found = read_trajectories('[{"trajectory": [[1, 2], [3]], "label": "a"}]', FRAME)
    assert not found.values
    assert codes(found) == [("[0]", "trajectory")]


def test_boxes_in_space() -> None:
    """Nine numbers are centre, size and angles; fewer are dropped."""
    items = [
        {"box_3d": [0.1, 2, 3, 4, 5, 6, 70, 80, -90], "label": "chair"},
        {"box_3d": [1, 2, 3], "label": "cup"},
    ]
    found = read_boxes_3d(json.dumps(items))
    assert found.values == (Box3d("chair", (0.1, 2, 3), (4, 5, 6), (70, 80, -90)),)
    assert codes(found) == [("[1].box_3d", "box_3d")]
    assert found.items_seen == 2


def test_nothing_there_and_could_not_read_differ() -> None:
    """An empty list is an answer; prose is none; a cut list is cut."""
    empty, prose, cut = (
        read_points(text, FRAME) for text in ("[]", "no", '[{"point": [1')
    )
    assert empty.readable
    assert not prose.readable
    assert cut.cut
