"""Labels that can be trusted go into the ground truth, and come out again."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import fiftyone as fo
import numpy as np
import pytest
from bson import Binary
from fiftyone_gemini.cli import app
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.labels import bulk
from fiftyone_gemini.labels.demote import undo_promotion
from fiftyone_gemini.labels.promote import Promotion, promote
from fiftyone_gemini.labels.trusted import judging_samples
from fiftyone_gemini.labels.write import MADE_BY
from typer.testing import CliRunner

KEY = "gemini_accepted"
PEOPLE = 6
"""Samples that people labelled; they come first."""


def label(name: str, place: float = 0.1, confidence: float = 0.9) -> fo.Detection:
    """Make a label with a mask."""
    box = [place, 0.1, 0.2, 0.3]
    mask = np.tri(6, 8, dtype=bool)
    return fo.Detection(
        label=name, bounding_box=box, mask=mask, confidence=confidence, gemini_eval="tp"
    )


def labels(*found: fo.Detection) -> fo.Detections:
    """Put labels into one."""
    return fo.Detections(detections=list(found))


@pytest.fixture
def half_labelled(request: pytest.FixtureRequest) -> Iterator[fo.Dataset]:
    """Give six samples that people labelled (or as many as asked), and 4 that nobody did."""
    people = getattr(request, "param", PEOPLE)
    made = fo.Dataset()
    size = fo.ImageMetadata(width=64, height=48)
    made.add_samples(
        [
            fo.Sample(
                filepath=f"/nowhere/{n}.jpg",
                metadata=size.copy(),
                truth=labels(label("cup")) if n < people else None,
                gemini=labels(label("cup"), label("dog", 0.6, 0.4)),
            )
            for n in range(people + 4)
        ]
    )
    last = made.last()
    last.gemini.detections[1].label = "cup"
    last.save()
    yield made
    made.delete()


def cups(name: str, confidence: float | None) -> str | None:
    """Let cups pass that are sure."""
    return "accept all" if name == "cup" and (confidence or 0) > 0.3 else None


def accept(dataset: fo.Dataset, passes=cups) -> Promotion:
    """Accept into the truth."""
    return promote(dataset, "gemini", "truth", passes, key=KEY, rules={"target": 0.95})


def snapshot(dataset: fo.Dataset) -> list:
    """Give all labels of a dataset as MongoDB keeps them, but for times of change."""
    found = dataset._sample_collection.find({}, {"truth": 1, "gemini": 1})
    return [
        {
            "_id": sample["_id"],
            "truth": sample.get("truth"),
            "gemini": sample.get("gemini"),
        }
        for sample in found
    ]


def run(*arguments: str) -> str:
    """Run a command and give what it prints."""
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_what_passes_becomes_truth_with_its_provenance(
    half_labelled: fo.Dataset,
) -> None:
    """Copies say where they are from; the rest is for review; people's truth stays."""
    people = snapshot(half_labelled)[:PEOPLE]
    field = half_labelled.get_field("gemini")
    config = half_labelled.init_run(method="gemini/detect", name="r1", model="flash")
    half_labelled.register_run("r1", config)
    field.info = {"made_by": MADE_BY, "run": "r1"}
    field.save()
    done = accept(half_labelled)
    assert done == Promotion(5, 3, 4, 1, PEOPLE, 0)
    assert snapshot(half_labelled)[:PEOPLE] == people
    sample = half_labelled.skip(PEOPLE).first()
    source, left = sample.gemini.detections
    (copy,) = sample.truth.detections
    assert (copy.label, copy.bounding_box, copy.confidence) == (
        *("cup", source.bounding_box),
        0.9,
    )
    assert np.array_equal(copy.mask, source.mask)
    assert copy.id != source.id
    assert not copy.has_field("gemini_eval")
    assert (copy.accepted_by, copy.accepted_from) == (KEY, source.id)
    assert (copy.accepted_run, copy.accepted_model) == ("r1", "flash")
    assert copy.accepted_rule == "accept all"
    assert (source.tags, left.tags) == ([], ["review"])
    assert half_labelled.has_field("truth.detections.accepted_from")


def test_accepting_twice_changes_nothing_more(half_labelled: fo.Dataset) -> None:
    """The second time finds nothing to do; what a person decided meanwhile holds."""
    accept(half_labelled)
    deleted, untagged = half_labelled.skip(PEOPLE).limit(2)
    deleted.truth = None
    deleted.save()
    untagged.gemini.detections[1].tags = []
    untagged.save()
    before = snapshot(half_labelled)
    again = accept(half_labelled)
    assert (again.promoted, again.for_review, again.samples) == (0, 0, 0)
    assert snapshot(half_labelled) == before


def test_a_wider_rule_accepts_what_waited(half_labelled: fo.Dataset) -> None:
    """Labels that were for review and pass now are added, and lose the tag."""
    accept(half_labelled)
    more = accept(half_labelled, lambda name, _: f"any {name}")
    assert (more.promoted, more.for_review, more.complete) == (3, 0, 4)
    sample = half_labelled.skip(PEOPLE).first()
    assert [d.label for d in sample.truth.detections] == ["cup", "dog"]
    assert sample.gemini.detections[1].tags == []
    assert undo_promotion(half_labelled, KEY).removed == 8


def test_undo_leaves_the_dataset_as_it_was(half_labelled: fo.Dataset) -> None:
    """Copies, tags, marks, record and fields go; a tag of the user's own stays."""
    mine = half_labelled.skip(PEOPLE).first()
    mine.gemini.detections[1].tags = ["review", "odd"]
    mine.save()
    before, schema = snapshot(half_labelled), set(half_labelled.get_field_schema())
    assert accept(half_labelled).for_review == 2
    assert half_labelled.has_run(KEY)
    done = undo_promotion(half_labelled, KEY)
    assert (done.removed, done.kept, done.untagged, done.busy) == (5, 0, 2, 0)
    assert snapshot(half_labelled) == before
    assert set(half_labelled.get_field_schema()) == schema
    assert not half_labelled.has_run(KEY)
    assert not half_labelled.has_field("gemini.detections.accept_key")
    with pytest.raises(UsageError, match="Nothing was accepted"):
        undo_promotion(half_labelled, KEY)


def test_undo_keeps_what_somebody_worked_on(half_labelled: fo.Dataset) -> None:
    """An edited copy stays and counts as a person's; one only saved again goes."""
    accept(half_labelled)
    edited, added, saved, _ = half_labelled.skip(PEOPLE)
    edited.truth.detections[0].label = "mug"
    edited.save()
    added.truth.detections.append(label("owl"))
    added.save()
    packed = saved.truth.detections[0].mask
    path = "truth.detections.0.mask"
    again = zlib.compress(zlib.decompress(fo.core.utils.serialize_numpy_array(packed)))
    half_labelled._sample_collection.update_one(
        {"_id": saved._id}, {"$set": {path: Binary(again)}}
    )
    done = undo_promotion(half_labelled, KEY)
    assert (done.removed, done.kept) == (4, 1)
    half_labelled.reload()
    left = [sample.truth for sample in half_labelled.skip(PEOPLE)]
    assert [t and [d.label for d in t.detections] for t in left] == [
        *(["mug"], ["owl"], None, None)
    ]
    assert not half_labelled.count("truth.detections.accepted_by")
    assert accept(half_labelled).untouched == PEOPLE + 2


def test_labels_of_a_newer_run_wait_for_the_undo(half_labelled: fo.Dataset) -> None:
    """Labelled anew, an object would come twice: such samples are left alone."""
    accept(half_labelled)
    sample = half_labelled.last()
    sample.gemini = labels(label("cup"))
    sample.save()
    done = accept(half_labelled)
    assert (done.promoted, done.untouched) == (0, PEOPLE + 1)


def test_a_field_that_is_new_is_made_and_goes(half_labelled: fo.Dataset) -> None:
    """Accepted labels may stay apart, in a field of their own."""
    known = ["gemini", "other", cups]
    blank = half_labelled.exists("truth", bool=False)
    done = promote(blank, *known, key=KEY, rules={})
    assert (done.promoted, done.untouched) == (5, 0)
    assert half_labelled.count("other") == 4
    undo_promotion(half_labelled, KEY)
    assert not half_labelled.has_field("other")


def test_mistakes_of_the_caller_are_named(half_labelled: fo.Dataset) -> None:
    """Fields and names that do not fit are refused before anything is written."""
    before = snapshot(half_labelled)
    for field, truth, key in (
        *(("gemini", "gemini", KEY), ("gemini", "filepath", KEY)),
        *(("nothing", "truth", KEY), ("gemini", "truth", "not a name")),
    ):
        with pytest.raises(UsageError):
            promote(half_labelled, field, truth, cups, key=key, rules={})
    accept(half_labelled)
    with pytest.raises(UsageError, match="another"):
        promote(half_labelled, "truth", "third", cups, key=KEY, rules={})
    with pytest.raises(UsageError, match="before"):
        promote(half_labelled, "gemini", "third", cups, key=KEY, rules={})
    undo_promotion(half_labelled, KEY)
    assert snapshot(half_labelled) == before


def test_accepted_labels_never_judge_themselves(half_labelled: fo.Dataset) -> None:
    """Samples without truth, or with accepted truth, are left out and counted."""
    before = judging_samples(half_labelled, "truth")
    assert (len(before.view), before.blank, before.accepted) == (PEOPLE, 4, 0)
    accept(half_labelled)
    after = judging_samples(half_labelled, "truth")
    assert (len(after.view), after.blank, after.accepted) == (PEOPLE, 0, 4)
    assert len(after.remarks("truth")) == 1
    whole = judging_samples(half_labelled, "truth", blank_is_empty=True)
    assert len(whole.view) == PEOPLE
    half_labelled.add_sample_field(
        "none", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
    )
    with pytest.raises(UsageError, match="judge by"):
        judging_samples(half_labelled, "none")


@pytest.mark.parametrize("half_labelled", [80], indirect=True)
def test_the_command_accepts_and_undoes(half_labelled: fo.Dataset) -> None:
    """Rules from 80 judged samples accept the cups of the others; --undo takes back."""
    before = snapshot(half_labelled)
    command = ["accept", half_labelled.name, "--truth", "truth"]
    dry = run(*command, "--dry-run")
    assert "cup 80 80" in dry
    assert "4 samples without anything in 'truth' were left out" in dry
    assert snapshot(half_labelled) == before
    text = run(*command, "--target-precision", "0.95")
    assert "5 labels accepted into 'truth' and 3 tagged review, on 4 samples" in text
    assert "80 samples have truth, and stay as they are." in text
    assert "0 labels accepted" in run(*command)
    undone = run("accept", half_labelled.name, "--undo")
    assert "5 accepted labels removed, 3 review tags too." in undone
    assert snapshot(half_labelled) == before


def test_a_killed_call_is_gone_on_with_or_undone(
    half_labelled: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written before the end is whole: the next call adds the rest."""
    before = snapshot(half_labelled)
    monkeypatch.setattr(bulk, "PART", 1)
    calls = iter(range(5))

    def killed(name: str, confidence: float | None) -> str | None:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return cups(name, confidence)

    with pytest.raises(KeyboardInterrupt):
        accept(half_labelled, killed)
    assert half_labelled.count("truth.detections.accepted_by") == 2
    assert accept(half_labelled).promoted == 3
    assert undo_promotion(half_labelled, KEY).removed == 5
    assert snapshot(half_labelled) == before


def test_who_is_faster_is_not_overwritten(half_labelled: fo.Dataset) -> None:
    """A sample that gets truth while it is looked at keeps that truth."""
    own = {"_cls": "Detections", "detections": []}

    def meanwhile(name: str, confidence: float | None) -> str | None:
        blank = {"truth": None, "gemini.detections.1.label": "cup"}
        half_labelled._sample_collection.update_many(blank, {"$set": {"truth": own}})
        return cups(name, confidence)

    assert accept(half_labelled, meanwhile).busy == 1
    half_labelled.reload()
    assert half_labelled.last().truth.detections == []
    assert not half_labelled.last().gemini.detections[0].has_field("accept_key")
