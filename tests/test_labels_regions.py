"""Questions about labelled objects: each is cut out, and the answers stay with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from fiftyone_gemini.asking import Manner
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.gemini.endpoint import endpoint_from_environment
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.labels.create import create_dataset
from fiftyone_gemini.labels.regions import RegionSink, RegionSource
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.tasks import form_of
from fiftyone_gemini.values import (
    Ask,
    Box,
    Form,
    Frame,
    Item,
    Kind,
    Parsed,
    Question,
    Status,
    Tag,
)
from gemini_server import Say, good, serving

COUNT = Question("vqa", asks=(Ask("count", "How many objects are there?"),))


@pytest.fixture
def boxed(dataset: fo.Dataset) -> fo.Dataset:
    """Give samples with two boxes each but the last, which has none."""
    for sample in dataset.limit(3):
        boxes = ([0.25, 0.25, 0.25, 0.5], [0, 0, 0.125, 0.125])
        sample["truth"] = fo.Detections(
            detections=[
                fo.Detection(label=name, bounding_box=box)
                for name, box in zip(("cup", "jar"), boxes, strict=True)
            ]
        )
        sample.save()
    return dataset


def test_each_object_is_an_item(boxed: fo.Dataset) -> None:
    """An item has the region of its object with context, its id and its words."""
    source = RegionSource(boxed, "truth", margin=0.5).telling(["label", "filepath"])
    items = list(source.items())
    assert len(items) == len(source) == 6
    sample = boxed.first()
    cup, jar = sample.truth.detections
    first, second = items[:2]
    assert (first.sample_id, first.target) == (sample.id, cup.id)
    assert (second.sample_id, second.target) == (sample.id, jar.id)
    # 16 x 24 pixels at (16, 12), and 12 more on each side, as far as there is a picture.
    assert first.region == Box(4, 0, 40, 48)
    assert second.region == Box(0, 0, 12, 10)
    assert first.words == {"label": "cup", "filepath": sample.filepath}
    with pytest.raises(UsageError, match="no field of the samples"):
        source.telling(["colour"])
    with pytest.raises(UsageError, match="does not hold Detections"):
        RegionSource(boxed, "filepath")


def write(boxed: fo.Dataset, form: Form, *tags: str, **more: Any) -> RegionSink:
    """Write tags on the second object of the first sample."""
    sink = RegionSink(boxed, "truth", "gemini", form)
    sample = boxed.first()
    item = Item(sample.id, sample.filepath, target=sample.truth.detections[1].id)
    values = tuple(Tag(tag) for tag in tags)
    status = more.pop("status", Status.OK)
    sink.write(Parsed(item, status, Frame(64, 48), values, **more))
    boxed.reload()
    return sink


def test_answers_stay_with_their_object(boxed: fo.Dataset) -> None:
    """A class becomes an attribute of the object asked about, and of no other."""
    write(boxed, Form(Kind.TAG), "broken")
    cup, jar = boxed.first().truth.detections
    assert (jar["gemini"], jar["gemini_status"]) == ("broken", "ok")
    assert not cup.has_field("gemini")
    assert boxed.distinct("truth.detections.gemini") == ["broken"]
    write(boxed, Form(Kind.TAG), status=Status.BLOCKED, error="Blocked: SAFETY.")
    jar = boxed.first().truth.detections[1]
    assert (jar["gemini"], jar["gemini_status"]) == ("broken", "blocked")
    assert jar["gemini_error"] == "Blocked: SAFETY."
    assert [d.label for d in boxed.first().truth.detections] == ["cup", "jar"]


def test_several_tags_are_a_list(boxed: fo.Dataset) -> None:
    """All tags of an object stand in one list."""
    write(boxed, Form(Kind.TAGS), "broken", "old")
    assert boxed.first().truth.detections[1]["gemini"] == ["broken", "old"]


def test_what_is_no_answer_about_an_object_is_refused(boxed: fo.Dataset) -> None:
    """Boxes cannot be attributes, and attributes from elsewhere are not overwritten."""
    with pytest.raises(UsageError, match="cannot be attributes"):
        RegionSink(boxed, "truth", "gemini", Form())
    boxed.add_sample_field("truth.detections.colour", fo.StringField)
    with pytest.raises(UsageError, match="not written by Gemini"):
        RegionSink(boxed, "truth", "colour", Form(Kind.TAG))


def test_objects_are_asked_about_one_by_one(demo: Path, tmp_path: Path) -> None:
    """Each object of a scene is one request, and its attributes say what was seen."""
    truth = read_coco(demo / "annotations.json")
    dataset = create_dataset("regions-of-scenes", truth.images[:1])
    try:
        source = RegionSource(dataset, "ground_truth", margin=0.6)
        sink = RegionSink(dataset, "ground_truth", "seen", form_of(COUNT))
        with running_emulator(Settings()) as emulator:
            run = label(
                source,
                sink,
                COUNT,
                model="gemini-3.8-flash",
                endpoint=endpoint_from_environment({}, base_url=emulator.url),
                journal=tmp_path / "journal.sqlite",
            )
        with Journal(tmp_path / "journal.sqlite") as journal:
            assert len(journal) == len(source) == sum(run.statuses.values())
        dataset.reload()
        found = dataset.first().ground_truth.detections
        statuses = [d["seen_status"] for d in found]
        counts = [d["seen_count"] for d in found if d["seen_status"] == "ok"]
        assert set(statuses) <= {"ok", "malformed"}  # the emulator may refuse a part
        assert counts
        assert all(count.isdigit() for count in counts)
        assert dataset.list_runs() == [run.name]
    finally:
        dataset.delete()


def test_objects_can_be_asked_about_together(boxed: fo.Dataset, tmp_path: Path) -> None:
    """Several cut-outs in one request: each answer stays with its object."""
    answers = [{"image": n, "label": f"l{n}"} for n in (4, 3, 2, 1)]
    says = [Say(body=good(json.dumps({"answers": answers})))] * 2
    question = Question("classify")
    with serving(says) as server:
        run = label(
            RegionSource(boxed, "truth", margin=0),
            RegionSink(boxed, "truth", "gemini", form_of(question)),
            question,
            model="gemini-3.8-flash",
            endpoint=server.endpoint(),
            journal=tmp_path / "journal.sqlite",
            manner=Manner(chunk=4),
        )
        assert len(server.seen) == 2
    assert run.statuses == {Status.OK: 6}
    assert "2 of no picture sent" in run.notes[-1]
    boxed.reload()
    found = boxed.values("truth.detections.gemini")
    assert found == [["l1", "l2"], ["l3", "l4"], ["l1", "l2"], None]
