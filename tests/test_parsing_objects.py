"""Boxes, labels, confidences: each read or dropped with the place of what is wrong."""

from __future__ import annotations

import json

import pytest
from fiftyone_gemini.parsing.boxes import Box1000
from fiftyone_gemini.parsing.fields import MAX_LABEL
from fiftyone_gemini.parsing.objects import MAX_OBJECTS, read_objects
from fiftyone_gemini.parsing.rules import ReadRules
from fiftyone_gemini.values import Box, Frame, Reading
from hypothesis import given, settings
from hypothesis import strategies as st

FRAME = Frame(640, 480)
coordinates = st.floats(0, 1000) | st.integers(0, 1000)


def read(*items: object, masks: bool = False) -> Reading:
    """Read a reply that is a plain list."""
    return read_objects(json.dumps(items), FRAME, masks=masks)


def codes(reading: Reading) -> list[tuple[str, str]]:
    """List the issues' places and codes."""
    return [(issue.path, issue.code) for issue in reading.issues]


def test_a_box_keeps_its_fractions() -> None:
    """Without a mask, edges are value / 1000 of the picture's size, not rounded."""
    found = read({"box_2d": [100, 201, 300, 403], "label": "cup"})
    (cup,) = found.detections
    assert cup.label == "cup"
    assert cup.box.xyxy_px == pytest.approx((128.64, 48, 257.92, 144))
    assert cup.mask is None
    assert cup.confidence is None
    assert not found.issues


@pytest.mark.parametrize(
    ("item", "issues"),
    [
        pytest.param({"box_2d": [300, 200, 100, 400]}, [("[0].box_2d[0]", "box_order")], id="y"),
        pytest.param({"box_2d": [100, 400, 300, 200]}, [("[0].box_2d[1]", "box_order")], id="x"),
        pytest.param({"box_2d": [[100, 200, 300, 400]]}, [], id="one more list"),
        pytest.param({"box_2d": ["100", "200", "300", 4e2]}, [], id="strings"),
        pytest.param({"box_2d": [{"ymin": 100, "xmin": 200, "ymax": 300, "xmax": 400}]}, [], id="object in list"),
        pytest.param({"box_2d": "[100, 200, 300, 400]"}, [], id="text"),
        pytest.param({"box_2d": "100,200,300,400.0"}, [], id="bare text"),
        pytest.param({"box_2d": {"ymin": 100, "xmin": 200, "ymax": 300, "xmax": 400}}, [], id="object"),
        pytest.param({"box": [100, 200, 300, 400]}, [("[0].box", "box_key")], id="other key"),
        pytest.param({"Box_2D": [100, 200, 300, 400]}, [], id="capitals"),
        pytest.param({"ymin": 100, "xmin": 200, "ymax": 300, "xmax": 400}, [], id="sides"),
    ],
)  # fmt: skip
def test_boxes_in_other_clothes(item: dict, issues: list[tuple[str, str]]) -> None:
    """Swapped edges, strings, a list too many, an object: the same box."""
    found = read({**item, "label": "cup"})
    assert found.detections[0].box == Box(128.0, 48.0, 128.0, 96.0)
    assert codes(found) == issues


def test_fractions_are_known_by_the_whole_reply() -> None:
    """When every box lies in 0..1 all are read so; a single one means what it says."""
    small = {"box_2d": [0.1, 0.2, 0.3, 0.4], "label": "cup"}
    found = read(small, {**small, "label": "mug"})
    assert [d.box.xyxy_px for d in found.detections] == [
        pytest.approx((128, 48, 256, 144))
    ] * 2
    assert codes(found) == [("", "box_scale")]
    mixed = read(small, {"box_2d": [1, 2, 3, 4], "label": "cup"})
    assert mixed.detections[0].box.x == pytest.approx(0.128)
    assert not mixed.issues


PIXELS = [{"box_2d": [100, 1200, 1080, 1920], "label": "cup"},
          {"box_2d": [540, 960, 810, 1440], "label": "mug"}]  # fmt: skip


def test_pixels_are_known_by_the_whole_reply() -> None:
    """When no box fits 0..1000 and all fit the picture, they are pixels."""
    found = read_objects(json.dumps(PIXELS), Frame(1920, 1080), masks=False)
    cup, mug = found.detections
    assert cup.box.xyxy_px == pytest.approx((1200, 100, 1920, 1080))
    assert mug.box.xyxy_px == pytest.approx((960, 540, 1440, 810))
    assert codes(found) == [("", "box_scale")]


@pytest.mark.parametrize(
    ("more", "frame"),
    [
        pytest.param([[100, 200, 300, 400]], Frame(1920, 1080), id="one fits 0..1000"),
        pytest.param([], Frame(1900, 1080), id="one leaves the picture"),
        pytest.param([[-1, 1200, 300, 1400]], Frame(1920, 1080), id="one is negative"),
    ],
)
def test_what_may_be_pixels_is_not_guessed(more: list, frame: Frame) -> None:
    """Where boxes disagree all are read in 0..1000, and an issue says so."""
    boxes = [*PIXELS, *({"box_2d": box, "label": "cat"} for box in more)]
    found = read_objects(json.dumps(boxes), frame, masks=False)
    assert codes(found)[0] == ("", "box_scale_unclear")
    assert "box_scale" not in {code for _, code in codes(found)}
    assert found.detections[-1].box.xyxy_px[2] <= frame.width


def test_overshoot_makes_no_pixels() -> None:
    """A box that leaves 0..1000 by a little is that of the whole picture."""
    item = {"box_2d": [0, 0, 1003, 1020], "label": "cup"}
    found = read_objects(json.dumps([item]), Frame(4000, 3000), masks=False)
    assert found.detections[0].box == Box(0, 0, 4000, 3000)
    assert {code for _, code in codes(found)} == {"box_range"}


def test_unlabelled_objects_are_kept_or_dropped() -> None:
    """By option an object without a label goes, with its reason; its issue stays."""
    text = json.dumps(
        [{"box_2d": [1, 2, 3, 4]}, {"box_2d": [1, 2, 3, 4], "label": "x"}]
    )
    kept = read_objects(text, FRAME, masks=False)
    assert [d.label for d in kept.detections] == ["", "x"]
    rules = ReadRules(keep_unlabelled=False)
    dropped = read_objects(text, FRAME, masks=False, rules=rules)
    assert [d.label for d in dropped.detections] == ["x"]
    assert dropped.dropped == {"label_missing": 1}
    assert codes(kept) == codes(dropped) == [("[0].label", "label_missing")]


def test_every_object_is_counted() -> None:
    """Objects seen are those read, those mended among them, and those dropped by reason."""
    text = """[{"box_2d": [1, 2, 30, 40], "label": "a"}, {"box_2d": [5, 5, 5, 5]},
      {"box_2d": [1, 2, 30, 40], "label": "b",}, "c", {"box_2d": [1, 2, "x", "y"]},
      {"box_2d": [1, 2, 30, 40], "label": "a"}, {"box_2d": [1, 2, 3, "mask": "iVB
      {"label": "d"}, {"box_2d": [1, 2, 30"""
    found = read_objects(text, FRAME, masks=False)
    assert [d.label for d in found.detections] == ["a", "b"]
    assert found.repaired == 1
    assert found.dropped == {
        "box_empty": 1, "box_number": 1, "duplicate": 1, "damaged": 1,
        "box_missing": 1, "cut": 1,
    }  # fmt: skip
    assert found.items_seen == 8
    assert found.cut


def test_edges_outside_move_to_the_border() -> None:
    """Overshoot is clamped, with an issue for each edge."""
    found = read({"box_2d": [-5, 0, 500, 1003], "label": "cup"})
    assert found.detections[0].box == Box(0, 0, 640, 240)
    assert codes(found) == [
        ("[0].box_2d[0]", "box_range"),
        ("[0].box_2d[3]", "box_range"),
    ]


@pytest.mark.parametrize(
    ("box", "place", "code"),
    [
        pytest.param([1, 2, 3], "[1].box_2d", "box_count", id="three"),
        pytest.param([1, 2, 3, 4, 5], "[1].box_2d", "box_count", id="five"),
        pytest.param("1 2 3 4", "[1].box_2d", "box_count", id="text"),
        pytest.param(None, "[1].box_2d", "box_count", id="null"),
        pytest.param([1, None, 3, 4], "[1].box_2d[1]", "box_number", id="null inside"),
        pytest.param([1, 2, True, 4], "[1].box_2d[2]", "box_number", id="boolean"),
        pytest.param([1, 2, float("nan"), 4], "[1].box_2d[2]", "box_number", id="nan"),
        pytest.param([1, 2, "1e999", 4], "[1].box_2d[2]", "box_number", id="infinite"),
        pytest.param([1, 2, 1, 4], "[1].box_2d", "box_empty", id="no height"),
        pytest.param([1, 5, 4, 5], "[1].box_2d", "box_empty", id="no width"),
    ],
)
def test_a_bad_box_costs_its_item_alone(box: object, place: str, code: str) -> None:
    """A box that is none drops its item, with the place; the neighbours stay."""
    cup = {"box_2d": [100, 200, 300, 400], "label": "cup"}
    found = read(cup, {"box_2d": box, "label": "cat"}, {**cup, "label": "mug"})
    assert [d.label for d in found.detections] == ["cup", "mug"]
    assert (place, code) in codes(found)
    assert found.items_seen == 3


def test_items_that_are_no_objects() -> None:
    """A bare box is an object without a label; other values are dropped."""
    found = read([100, 200, 300, 400], "cup", None, {"label": "cup"})
    assert [(d.label, d.box.x) for d in found.detections] == [("", 128.0)]
    assert codes(found) == [
        ("[0].label", "label_missing"), ("[1]", "item_kind"), ("[2]", "item_kind"),
        ("[3].box_2d", "box_missing"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "label", "issue"),
    [
        pytest.param({"label": "Danh\nmục\n"}, "Danh\nmục", None, id="lines"),
        pytest.param({"label": 7}, "7", None, id="number"),
        pytest.param({"text_content": "Exit"}, "Exit", None, id="text_content"),
        pytest.param({"name": "cup"}, "cup", None, id="name"),
        pytest.param({"class": "cup"}, "cup", None, id="class"),
        pytest.param({}, "", "label_missing", id="missing"),
        pytest.param({"label": " "}, "", "label_missing", id="blank"),
        pytest.param({"label": ["cup"]}, "", "label_missing", id="list"),
        pytest.param({"label": "x" * 10_000}, "x" * MAX_LABEL, "label_long", id="long"),
        pytest.param({"label": "a\ud800"}, "a?", None, id="surrogate"),
    ],
)
def test_labels(fields: dict, label: str, issue: str | None) -> None:
    """Any text is a label, trimmed and bounded; none at all leaves an issue."""
    found = read({"box_2d": [1, 2, 3, 4], **fields})
    assert found.detections[0].label == label
    assert [code for _, code in codes(found)] == ([issue] if issue else [])


@pytest.mark.parametrize(
    ("value", "confidence"),
    [(0.5, 0.5), (1, 1.0), ("0.25", 0.25), (85, None), ("high", None), (-0.1, None),
     (True, None), (None, None)],
)  # fmt: skip
def test_confidences(value: object, confidence: float | None) -> None:
    """A number from 0 to 1 is a confidence; anything else is none, with an issue."""
    found = read({"box_2d": [1, 2, 3, 4], "label": "cup", "confidence": value})
    assert found.detections[0].confidence == confidence
    expected = confidence is None and value is not None
    assert [code for _, code in codes(found)] == ["confidence"] * expected


def test_exact_duplicates_are_said_once() -> None:
    """The same label and box twice is one object; another label is another object."""
    cup = {"box_2d": [1, 2, 3, 4], "label": "cup"}
    found = read(cup, cup, {**cup, "label": "mug"})
    assert [d.label for d in found.detections] == ["cup", "mug"]
    assert codes(found) == [("[1]", "duplicate")]


def test_a_runaway_list_is_capped() -> None:
    """Of 10,000 boats the first thousand are read, and all are counted."""
    boats = [{"box_2d": [1, 2, 3, 4 + i / 100], "label": "boat"} for i in range(10_000)]
    found = read(*boats)
    assert len(found.detections) == MAX_OBJECTS
    assert found.items_seen == 10_000
    assert codes(found) == [("", "runaway")]


def test_paths_name_the_wrapper() -> None:
    """Issues inside a wrapper carry its key."""
    text = json.dumps({"boxes": [{"box_2d": [5, 2, 3, 4], "label": "cup"}]})
    found = read_objects(text, FRAME, masks=False)
    assert codes(found) == [("boxes[0].box_2d[0]", "box_order")]


@given(
    st.tuples(coordinates, coordinates, coordinates, coordinates),
    st.integers(1, 5000),
    st.integers(1, 5000),
)
@settings(max_examples=300)
def test_snapped_boxes_lie_in_the_picture(
    box: tuple[float, float, float, float], width: int, height: int
) -> None:
    """Snapping keeps a box inside, at least one pixel each way, near its edges."""
    ymin, ymax = sorted((box[0], box[2]))
    xmin, xmax = sorted((box[1], box[3]))
    frame, exact = Frame(width, height), Box1000(ymin, xmin, ymax, xmax)
    x0, y0, x1, y1 = exact.snapped(frame)
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    edges = zip((x0, y0, x1, y1), exact.in_pixels(frame).xyxy_px, strict=True)
    assert all(abs(whole - edge) <= 1.500001 for whole, edge in edges)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["box_2d", "label", "mask", "boxes", "confidence", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values, st.booleans())
@settings(max_examples=400)
def test_no_json_raises(value: object, masks: bool) -> None:
    """Any JSON at all is read without an exception, into boxes inside the picture."""
    reading = read_objects(json.dumps(value), FRAME, masks=masks)
    for detection in reading.detections:
        x0, y0, x1, y1 = detection.box.xyxy_px
        assert 0 <= x0 < x1 <= 640.000001
        assert 0 <= y0 < y1 <= 480.000001
