"""Every kind of label reaches the FiftyOne type, or the line of a file, that fits it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from fiftyone_gemini.coco.folder import CocoSink
from fiftyone_gemini.coco.lines import LinesSink
from fiftyone_gemini.coco.runs import read_run
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.labels.samples import ViewSource
from fiftyone_gemini.labels.write import FieldSink, check_field
from fiftyone_gemini.values import (
    Answer,
    Ask,
    Box,
    Box3d,
    Detection,
    Form,
    Frame,
    Issue,
    Item,
    Kind,
    Parsed,
    Point,
    Question,
    Run,
    Status,
    Tag,
    Trajectory,
    Value,
)

FRAME = Frame(64, 32)
EDGES = (((0.0, 0.0), (64.0, 32.0)), ((32.0, 0.0), (32.0, 16.0)))
SOLID = Box3d("crate", (0, 1, 0.5), (1, 2, 3), (0, 90, 0), EDGES)


def write(dataset: fo.Dataset, form: Form, *values: Value, field: str = "said") -> Any:
    """Write values on the first sample, and give it."""
    sink = FieldSink(dataset, field, form)
    item = next(ViewSource(dataset).items())
    status = Status.OK if values else Status.EMPTY
    sink.write(Parsed(item, status, FRAME, values))
    dataset.reload()
    return dataset.first()


def test_points_become_keypoints(dataset: fo.Dataset) -> None:
    """Each point is one keypoint label, in fractions of the picture."""
    form = Form(Kind.POINTS)
    sample = write(dataset, form, Point("cup", 16, 16), Point("jar", 64, 0, 0.5))
    found = sample.said.keypoints
    assert [(k.label, k.points, k.confidence) for k in found] == [
        ("cup", [[0.25, 0.5]], None),
        ("jar", [[1.0, 0.0]], [0.5]),
    ]


def test_paths_and_boxes_in_space_become_polylines(dataset: fo.Dataset) -> None:
    """A path is an open line; a box in space has its numbers, and lines where drawn."""
    path = Trajectory("rail", ((0.0, 0.0), (32.0, 16.0)))
    sample = write(dataset, Form(Kind.PATHS), path)
    (line,) = sample.said.polylines
    assert (line.label, line.points) == ("rail", [[[0.0, 0.0], [0.5, 0.5]]])
    assert (line.closed, line.filled) == (False, False)
    plain = replace(SOLID, edges_xy_px=())
    sample = write(dataset, Form(Kind.SOLIDS), SOLID, plain, field="solid")
    drawn, bare = sample.solid.polylines
    assert drawn.points == [[[0.0, 0.0], [1.0, 1.0]], [[0.5, 0.0], [0.5, 0.5]]]
    assert bare.points == []
    assert list(bare.centre_xyz) == [0, 1, 0.5]
    assert list(bare.size_xyz) == [1, 2, 3]
    assert list(bare.roll_pitch_yaw) == [0, 90, 0]


def test_tags_become_classifications(dataset: fo.Dataset) -> None:
    """One tag is a classification, several are many; none of one leaves it empty."""
    sample = write(dataset, Form(Kind.TAG), Tag("kitchen", 0.5))
    assert (sample.said.label, sample.said.confidence) == ("kitchen", 0.5)
    assert write(dataset, Form(Kind.TAG)).said is None
    tags = (Tag("kitchen"), Tag("night"))
    many = write(dataset, Form(Kind.TAGS), *tags, field="tags_said").tags_said
    assert [c.label for c in many.classifications] == ["kitchen", "night"]


def test_each_answer_has_a_field_of_its_own(dataset: fo.Dataset) -> None:
    """Texts stand in `<field>_<name>`, or in the field itself where there is one."""
    form = Form(Kind.TEXT, ("cups", "light"))
    sample = write(dataset, form, Answer("3", "cups"))
    assert (sample.said_cups, sample.said_light) == ("3", None)
    assert sample.said_status == "ok"
    assert not dataset.has_field("said")
    sample = write(dataset, Form(Kind.TEXT), Answer("A cup."), field="caption")
    assert sample.caption == "A cup."
    assert write(dataset, Form(Kind.TEXT), field="caption").caption is None


def test_attributes_are_fields_that_can_be_filtered(dataset: fo.Dataset) -> None:
    """Asked attributes are declared, so that the App and views know them."""
    form = Form(attributes=("colour",))
    cup = Detection("cup", Box(0, 0, 8, 8), attributes={"colour": "red"})
    sample = write(dataset, form, cup, Detection("jar", Box(0, 0, 8, 8)))
    assert [d["colour"] for d in sample.said.detections] == ["red", None]
    assert dataset.has_field("said.detections.colour")
    assert dataset.distinct("said.detections.colour") == ["red"]


def test_a_field_keeps_its_type(dataset: fo.Dataset) -> None:
    """A field of an earlier run is not overwritten by labels of another type."""
    write(dataset, Form(Kind.TAG), Tag("kitchen"))
    check_field(dataset, "said", Form(Kind.TAG))
    with pytest.raises(UsageError, match=r"holds Classification .* gives Detections"):
        check_field(dataset, "said")
    dataset.add_sample_field("cups_said", fo.StringField)
    with pytest.raises(UsageError, match="was not written by Gemini"):
        check_field(dataset, "cups", Form(Kind.TEXT, ("said",)))


def test_what_was_asked_again_has_fields_of_its_own(dataset: fo.Dataset) -> None:
    """The second reading of a sample stands beside the first, and overwrites nothing."""
    sink = FieldSink(dataset, "said", Form(Kind.TAG), times=2)
    item = next(ViewSource(dataset).items())
    for attempt, label in enumerate(("kitchen", "cellar")):
        asked = replace(item, attempt=attempt)
        sink.write(Parsed(asked, Status.OK, FRAME, (Tag(label),)))
    dataset.reload()
    sample = dataset.first()
    assert (sample.said.label, sample.said_ask2.label) == ("kitchen", "cellar")
    assert sample.said_ask2_status == "ok"


def run_of(question: Question) -> Run:
    """Make the record of a run."""
    now = datetime.now(UTC)
    return Run("r", question, "gemini-3.8-flash", "emulator", "Point.", {}, now)


def test_what_coco_cannot_hold_becomes_lines(tmp_path: Path) -> None:
    """One line an item, in order, with status, values and issues; the run beside it."""
    sink = LinesSink(tmp_path / "out" / "points.jsonl")
    issue = Issue("[1].point", "point", "a point is two numbers")
    values = (Point("cup", 1.5, 2), SOLID, Answer("3", "cups"))
    sink.write(Parsed(Item("10", "b.png"), Status.OK, FRAME, values, (issue,)))
    sink.write(Parsed(Item("9", "a.png"), Status.MEDIA_ERROR, error="It is damaged."))
    sink.finish(run_of(Question("point", attributes=(Ask("colour"),))))
    first, second = map(json.loads, sink.path.read_text().splitlines())
    assert (first["file"], first["status"]) == ("a.png", "media_error")
    assert (first["error"], first["values"]) == ("It is damaged.", [])
    assert (second["width"], second["height"]) == (64, 32)
    assert second["values"][0] == {"label": "cup", "x": 1.5, "y": 2, "confidence": None}
    assert second["values"][1]["edges_xy_px"][0] == [[0.0, 0.0], [64.0, 32.0]]
    assert second["values"][2] == {
        "text": "3",
        "name": "cups",
        "confidence": None,
    }
    assert second["issues"][0]["code"] == "point"
    record = json.loads((tmp_path / "out" / "points.jsonl.run.json").read_text())
    assert record["question"]["attributes"][0]["name"] == "colour"


def test_a_coco_file_keeps_attributes_attempts_and_the_question(tmp_path: Path) -> None:
    """Attributes stand with each annotation, a second asking in a file of its own."""
    sink = CocoSink(tmp_path / "labels.json")
    cup = Detection("cup", Box(0, 0, 8, 8), attributes={"colour": "red"})
    for attempt in range(2):
        item = Item("1", "a.png", attempt=attempt)
        sink.write(Parsed(item, Status.OK, FRAME, (cup,) * (attempt + 1)))
    question = Question(
        "detect", attributes=(Ask("colour", "", ("red", "blue")),), system="Be brief."
    )
    sink.finish(run_of(question))
    once = json.loads(sink.path.read_text())
    twice = json.loads((tmp_path / "labels_ask2.json").read_text())
    assert once["annotations"][0]["attributes"] == {"colour": "red"}
    assert (len(once["annotations"]), len(twice["annotations"])) == (1, 2)
    run = read_run(sink.path)
    assert run is not None
    assert run.question == question
