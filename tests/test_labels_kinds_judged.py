"""Fields of every kind in FiftyOne: read, judged, and verdicts written back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import fiftyone as fo
import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.evaluation.kinds import judge_kind
from fiftyone_gemini.labels.kind_verdicts import write_kind_verdicts
from fiftyone_gemini.labels.read_kinds import kind_of_field, read_kind
from fiftyone_gemini.labels.write import FieldSink
from fiftyone_gemini.values import (
    Answer,
    Form,
    Frame,
    Item,
    Kind,
    Parsed,
    Point,
    Question,
    Run,
    Span,
    Status,
    Tag,
)
from typer.testing import CliRunner


@pytest.fixture
def labelled() -> Iterator[fo.Dataset]:
    """Give a dataset with truth and labels of every kind; the third failed."""
    dataset = fo.Dataset("kinds-judged", overwrite=True)
    said = ["cat", "dog", None]
    for number, label in enumerate(said):
        sample = fo.Sample(
            filepath=f"/nowhere/{number}.jpg",
            metadata=fo.ImageMetadata(width=100, height=50),
            truth=fo.Classification(label="cat"),
            several=fo.Classifications(
                classifications=[fo.Classification(label="cat", confidence=0.5)]
            ),
            places=fo.Keypoints(
                keypoints=[
                    fo.Keypoint(label="eye", points=[(0.5, 0.5), (float("nan"), 0.1)])
                ]
            ),
            words="A cat",
            gemini_status="ok" if label else "blocked",
        )
        if label:
            sample["gemini"] = fo.Classification(label=label)
        dataset.add_sample(sample)
    yield dataset
    dataset.delete()


def test_every_kind_of_field_is_read(labelled: fo.Dataset) -> None:
    """Tags, several tags, points in pixels and texts; statuses as they are."""
    images = read_kind(labelled, "gemini")
    assert [i.values for i in images] == [(Tag("cat"),), (Tag("dog"),), ()]
    assert [i.status for i in images] == [Status.OK, Status.OK, Status.BLOCKED]
    assert read_kind(labelled, "several")[0].values == (Tag("cat", 0.5),)
    assert read_kind(labelled, "places")[0].values == (Point("eye", 50, 25),)
    assert read_kind(labelled, "words")[0].values == (Answer("A cat"),)
    assert kind_of_field(labelled, "several") is Kind.TAGS
    with pytest.raises(UsageError, match="no field"):
        kind_of_field(labelled, "none")
    with pytest.raises(UsageError, match="ObjectIdField"):
        kind_of_field(labelled, "id")


def test_spans_are_read_in_seconds() -> None:
    """First and last frame, counted from 1, become the times at their edges."""
    dataset = fo.Dataset("kinds-spans", overwrite=True)
    try:
        dataset.add_sample(
            fo.Sample(
                filepath="/nowhere/a.mp4",
                metadata=fo.VideoMetadata(frame_rate=10.0, total_frame_count=100),
                events=fo.TemporalDetections(
                    detections=[fo.TemporalDetection(label="jump", support=[11, 30])]
                ),
            )
        )
        assert read_kind(dataset, "events")[0].values == (Span("jump", 1.0, 3.0),)
    finally:
        dataset.delete()


def test_one_class_becomes_fiftyones_own_evaluation(labelled: fo.Dataset) -> None:
    """The run loads, its numbers are ours, and deleting it removes the field."""
    truth, said = read_kind(labelled, "truth"), read_kind(labelled, "gemini")
    scores = judge_kind(truth, said, kind=Kind.TAG)
    for _ in range(2):  # again under the same key
        name = write_kind_verdicts(
            labelled,
            scores.verdicts,
            scores.kind,
            predicted_field="gemini",
            truth_field="truth",
            eval_key="judged",
        )
    assert labelled.values(name) == [True, False, False]
    results = labelled.load_evaluation_results("judged")
    assert results.metrics()["accuracy"] == scores.number("Accuracy").all
    labelled.delete_evaluation("judged")
    assert not labelled.has_field("judged")


def test_other_kinds_become_a_number_on_each_sample(labelled: fo.Dataset) -> None:
    """From the command line; a field that is not ours is never overwritten."""
    words = ["evaluate", "--dataset", labelled.name, "--truth-field", "several"]
    words += ["--field", "several", "--save-as", "judged"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "'judged_score'" in result.output
    assert "Jaccard" in result.output
    labelled.reload()
    assert labelled.values("judged_score") == [1.0, 1.0, 1.0]
    labelled.add_sample_field("mine_score", fo.FloatField)
    with pytest.raises(UsageError, match="mine_score"):
        CliRunner().invoke(app, [*words[:-1], "mine"], catch_exceptions=False)


def test_asks_in_fields_are_merged(labelled: fo.Dataset) -> None:
    """What `label --times` left in fields becomes one field, with share and source."""
    sink = FieldSink(labelled, "asked", Form(Kind.TAGS), times=2, run_key="asked")
    for sample in labelled:
        for attempt, label in enumerate(("cat", "dog")):
            item = Item(sample.id, sample.filepath, attempt=attempt)
            values = (Tag("pet"), Tag(label))
            sink.write(Parsed(item, Status.OK, Frame(100, 50), values))
    started = datetime(2026, 11, 1, tzinfo=UTC)
    sink.finish(
        Run("asked", Question("tag"), "m", "emulator", "?", {}, started, started)
    )
    words = ["agree", "--dataset", labelled.name, "--field", "asked", "--into", "all"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert "9 labels of 3 items, agreement of 2 asks (3 ok)" in result.output
    labelled.reload()
    assert read_kind(labelled, "all")[0].values == (
        Tag("pet", 1.0, "agreement of 2 asks"),
        Tag("cat", 0.5, "agreement of 2 asks"),
        Tag("dog", 0.5, "agreement of 2 asks"),
    )
