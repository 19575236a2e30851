"""Labels, statuses and run records reach FiftyOne fields and are read back."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from bson import Binary, ObjectId
from fiftyone_gemini.errors import FormatError, UsageError
from fiftyone_gemini.labels import read
from fiftyone_gemini.labels.create import create_dataset
from fiftyone_gemini.labels.read import id_field_of, read_labels
from fiftyone_gemini.labels.samples import ViewSource
from fiftyone_gemini.labels.write import FieldSink, is_written_here
from fiftyone_gemini.values import (
    Box,
    Detection,
    Frame,
    ImageLabels,
    Issue,
    Item,
    Mask,
    Parsed,
    Question,
    Run,
    Status,
    Usage,
)
from PIL import Image

FRAME = Frame(64, 48)
CUP = Detection("cup", Box(3, 4, 10, 12), Mask(3, 4, np.tri(12, 10, dtype=bool)))
BOOK = Detection("book", Box(1.25, 2.5, 8.1, 9.3), confidence=0.5)


def run_of(name: str = "detect_1") -> Run:
    """Make the record of a run."""
    return Run(
        name,
        Question("detect", ("cup",)),
        "gemini-3.8-flash",
        "emulator",
        "Find cups.",
        {"schema": {"a.b": {"$ref": "x"}}},
        datetime.now(UTC),
        models_answered={"gemini-3.8-flash": 3},
        statuses={Status.OK: 1, Status.BLOCKED: 2},
        usage=Usage(10, 20),
        journal="journal.sqlite",
    )


def write(dataset: fo.Dataset, statuses: list[Status], **sink: Any) -> FieldSink:
    """Write one parsed item per status, with two objects where it is ok."""
    made = FieldSink(dataset, "gemini", **sink)
    items = list(ViewSource(dataset).items())
    for item, status in zip(items, statuses, strict=False):
        found = (CUP, BOOK) if status in (Status.OK, Status.TRUNCATED) else ()
        error = "" if status.answers(kept=1) else f"It was {status.value}."
        made.write(Parsed(item, status, FRAME, found, error=error))
    return made


def test_a_view_gives_its_samples_in_order(dataset: fo.Dataset) -> None:
    """A source has one item per sample of the view, with id and path."""
    view = dataset.skip(1).limit(2)
    source = ViewSource(view)
    assert len(source) == 2
    assert list(source.items()) == [Item(s.id, s.filepath) for s in view]


def test_a_view_of_anything_else_than_images_or_videos_is_refused() -> None:
    """Point clouds are refused with a sentence before anything is asked."""
    clouds = fo.Dataset()
    clouds.add_sample(fo.Sample("cloud.pcd"))
    try:
        with pytest.raises(UsageError, match="Only images and videos"):
            ViewSource(clouds)
    finally:
        clouds.delete()


def test_a_view_of_patches_is_refused(dataset: fo.Dataset) -> None:
    """Patches have ids of their own: labels for them would have nowhere to go."""
    write(dataset, [Status.OK])
    with pytest.raises(UsageError, match="whole images"):
        ViewSource(dataset.to_patches("gemini"))


def test_every_status_has_its_own_end(dataset: fo.Dataset) -> None:
    """Answered samples get labels (none when empty); failed ones keep what they had."""
    ends = [Status.OK, Status.EMPTY, Status.BLOCKED, Status.TRUNCATED]
    write(dataset, ends)
    assert dataset.values("gemini_status") == [s.value for s in ends]
    labels = dataset.values("gemini.detections.label")
    assert labels == [["cup", "book"], [], None, ["cup", "book"]]
    assert dataset.values("gemini_error") == [None, None, "It was blocked.", None]
    assert [i.status for i in read_labels(dataset, "gemini")] == ends


def test_labels_come_back_as_they_were(dataset: fo.Dataset) -> None:
    """Boxes, masks and confidences read from a field equal those that were written."""
    write(dataset, [Status.OK])
    first = read_labels(dataset, "gemini")[0]
    assert first.frame == FRAME
    cup, book = first.detections
    assert (cup.label, cup.box, cup.confidence) == (CUP.label, CUP.box, None)
    assert cup.mask is not None
    assert np.array_equal(cup.mask.crop, CUP.mask.crop)
    assert (book.label, book.box, book.mask) == (BOOK.label, BOOK.box, None)
    assert book.confidence == 0.5
    assert len({cup.id, book.id, ""}) == 3


def test_a_failed_second_run_keeps_the_labels_of_the_first(
    dataset: fo.Dataset,
) -> None:
    """A sample whose second answer fails keeps its labels and gets the new status."""
    write(dataset, [Status.OK])
    write(dataset, [Status.API_ERROR])
    assert dataset.values("gemini.detections.label")[0] == ["cup", "book"]
    assert dataset.first().gemini_status == "api_error"
    write(dataset, [Status.OK])
    assert dataset.first().gemini_error is None


def test_a_reply_cut_before_its_first_object_writes_no_labels(
    dataset: fo.Dataset,
) -> None:
    """It said nothing of the picture: no empty label, and no label of before is lost."""
    first, second = list(ViewSource(dataset).items())[:2]
    write(dataset, [Status.OK])
    sink = FieldSink(dataset, "gemini")
    for item in (first, second):
        sink.write(Parsed(item, Status.TRUNCATED, FRAME, error="It was cut."))
    assert dataset.values("gemini.detections.label")[:2] == [["cup", "book"], None]
    assert dataset.values("gemini_status")[:2] == ["truncated"] * 2


def test_what_is_stored_is_what_fiftyone_would_store(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One update of ours and FiftyOne's own writes leave equal documents."""
    write(dataset, [Status.OK])
    (ours,) = dataset._sample_collection.find({"gemini_status": "ok"})
    with monkeypatch.context() as without:
        without.setattr(fo, "Sample", object)  # as if its private names were gone
        write(dataset, [Status.OK])
    (theirs,) = dataset._sample_collection.find({"gemini_status": "ok"})
    assert ours["last_modified_at"] < theirs["last_modified_at"]
    for document in (ours, theirs):
        del document["last_modified_at"]
        for stored in document["gemini"]["detections"]:
            del stored["_id"]
            if "mask" in stored:
                stored["mask"] = zlib.decompress(stored["mask"])
    assert ours == theirs


def test_a_sample_in_memory_sees_new_labels(dataset: fo.Dataset) -> None:
    """A sample that someone holds while a run writes is not stale."""
    write(dataset, [Status.EMPTY])
    held = dataset.first()
    write(dataset, [Status.OK])
    assert [d.label for d in held["gemini"].detections] == ["cup", "book"]
    assert np.array_equal(held["gemini"].detections[0].mask, CUP.mask.crop)


def test_issues_are_told_in_one_bounded_text(dataset: fo.Dataset) -> None:
    """The error field names the first issues and counts the rest."""
    issues = tuple(Issue(f"[{n}]", "cut", "it is cut") for n in range(5))
    item = next(ViewSource(dataset).items())
    FieldSink(dataset, "gemini").write(
        Parsed(item, Status.OK, FRAME, (CUP,), issues=issues)
    )
    said = dataset.first().gemini_error
    assert said == "[0]: it is cut; [1]: it is cut; [2]: it is cut; and 2 more"


def test_the_size_of_a_picture_is_kept_unless_known(dataset: fo.Dataset) -> None:
    """Writing fills in missing metadata, and touches none that is there."""
    second = dataset.skip(1).first()
    second.metadata = fo.ImageMetadata(width=1, height=1)
    second.save()
    write(dataset, [Status.OK, Status.OK, Status.MEDIA_ERROR])
    assert dataset.values("metadata.width")[:2] == [64, 1]


def test_the_run_is_registered_without_a_key(dataset: fo.Dataset) -> None:
    """The record of a run can be asked for by FiftyOne's own means."""
    write(dataset, [Status.OK], run_key="first run!").finish(run_of())
    assert dataset.list_runs() == ["first_run_"]
    config = dataset.get_run_info("first_run_").config
    assert (config.method, config.field) == ("gemini/detect", "gemini")
    assert config.statuses == {"ok": 1, "blocked": 2}
    assert config.models_answered == {"gemini-3.8-flash": 3}
    assert config.parameters == {"schema": {"a.b": {"$ref": "x"}}}
    assert dataset.get_field("gemini").info["run"] == "first_run_"


def test_a_run_is_named_after_itself_by_default(dataset: fo.Dataset) -> None:
    """Without a key of its own, a run is registered under its name."""
    FieldSink(dataset, "gemini").finish(run_of("detect_2"))
    assert dataset.list_runs() == ["detect_2"]
    assert not dataset.has_field("gemini")


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("filepath", "reserved"),
        ("tags", "reserved"),
        ("_id", "letters"),
        ("a.b", "letters"),
        ("", "letters"),
        ("ground_truth", "not written by Gemini"),
        ("number", "not written by Gemini"),
        ("odd", "not a StringField"),
    ],
)
def test_other_fields_are_never_overwritten(
    dataset: fo.Dataset, field: str, reason: str
) -> None:
    """Reserved names, foreign labels and fields of another type are refused."""
    dataset.add_sample_field(
        "ground_truth", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
    )
    dataset.add_sample_field("number", fo.IntField)
    dataset.add_sample_field("odd_status", fo.IntField)
    with pytest.raises(UsageError, match=reason):
        FieldSink(dataset, field)


def test_a_field_of_an_earlier_run_may_be_written_again(dataset: fo.Dataset) -> None:
    """The field says who wrote it, from the first sample on."""
    write(dataset, [Status.OK])
    assert is_written_here(dataset, "gemini")
    write(dataset, [Status.EMPTY])
    assert dataset.values("gemini.detections.label")[0] == []


def test_known_labels_become_a_dataset(tmp_path: Path) -> None:
    """Labels of pictures make a dataset whose field reads back the same."""
    path = tmp_path / "scene.png"
    Image.new("RGB", (64, 48)).save(path)
    crowd = Detection("people", Box(0, 0, 5, 5), is_crowd=True, area=12.5)
    images = [
        ImageLabels("17", str(path), FRAME, (CUP, crowd)),
        ImageLabels("4", str(path), FRAME),
    ]
    made = create_dataset("labels-test", images)
    try:
        assert id_field_of(made) == "coco_id"
        first, second = read_labels(made, "ground_truth", id_field="coco_id")
        assert (first.image_id, second.image_id) == ("17", "4")
        assert (first.status, second.status) == (Status.OK, Status.EMPTY)
        assert first.detections[1].is_crowd
        assert first.detections[1].area == 12.5
        assert not first.detections[0].is_crowd
    finally:
        made.delete()


def test_sizes_and_mask_files_are_looked_up(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    """Foreign labels work: no metadata, a mask in a file, samples without labels."""
    mask = tmp_path / "mask.png"
    Image.fromarray(np.eye(12, dtype=np.uint8) * 255).save(mask)
    sample = dataset.first()
    sample["truth"] = fo.Detections(
        detections=[
            fo.Detection(
                label="cup", bounding_box=[0, 0, 0.5, 0.5], mask_path=str(mask)
            )
        ]
    )
    sample.save()
    first, *others = read_labels(dataset, "truth")
    assert first.frame == FRAME
    assert first.detections[0].mask.crop.shape == (24, 32)
    assert {other.status for other in others} == {Status.SKIPPED}
    assert id_field_of(dataset) == "id"


def test_what_is_not_there_cannot_be_read(dataset: fo.Dataset) -> None:
    """A missing field, a field of another type and a missing picture are told apart."""
    with pytest.raises(UsageError, match="no field"):
        read_labels(dataset, "nothing")
    with pytest.raises(UsageError, match="does not hold Detections"):
        read_labels(dataset, "filepath")
    write(dataset, [Status.EMPTY])
    dataset.add_sample(fo.Sample(filepath="/nowhere/at/all.jpg"))
    with pytest.raises(UsageError, match="size of 1 picture"):
        read_labels(dataset, "gemini")


@pytest.fixture
def foreign(dataset: fo.Dataset) -> fo.Dataset:
    """Give labels as others write them: masks of any type and order, few attributes."""
    ring = np.kron(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]), np.ones((4, 5)))
    masks = [
        ring > 0,
        np.asfortranarray(ring > 0),
        (ring * 255).astype(np.uint8),
        ring.astype(np.float32),
        None,
    ]
    for number, sample in enumerate(dataset):
        found = [
            fo.Detection(label=f"{number}{place}", bounding_box=[0, 0, 0.3, 0.4])
            for place in range(len(masks))
        ]
        for detection, mask in zip(found, masks, strict=True):
            detection.mask = mask
        sample["truth"] = fo.Detections(detections=found[: 6 - number])
        sample.save()
    last = dataset.last()
    last["truth"] = None
    last.save()
    return dataset


def listed(images: list[ImageLabels]) -> list[Any]:
    """Turn labels into values that compare."""
    return [
        (
            *(image.image_id, image.path, image.frame, image.status),
            *(d.id, d.label, d.box),
            d.mask and (d.mask.x, d.mask.y, d.mask.crop.tolist()),
        )
        for image in images
        for d in image.detections or [Detection("nothing", Box(0, 0, 0, 0))]
    ]


def test_masks_of_every_type_are_read(foreign: fo.Dataset) -> None:
    """Booleans, numbers, floats, whichever way they lie: the same pixels."""
    first = read_labels(foreign, "truth")[0]
    *masks, none = [d.mask for d in first.detections]
    assert none is None
    assert len({mask.crop.tobytes() for mask in masks}) == 1
    assert all(mask.crop.dtype == bool for mask in masks)
    assert masks[0].crop.any()
    assert not masks[0].crop.all()


@pytest.mark.parametrize("kind", ["all", "filtered", "turned", "some"])
def test_documents_read_the_same_as_values(
    foreign: fo.Dataset, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any view, the fast way and FiftyOne's public way give the same labels."""
    view = {
        "all": foreign,
        "filtered": foreign.filter_labels("truth", fo.ViewField("label") == "11"),
        "turned": foreign.sort_by("filepath", reverse=True),
        "some": foreign.select(foreign.values("id")[2:]),
    }[kind]
    fast = read_labels(view, "truth")
    monkeypatch.setattr(read, "_stored", read._stored_by_values)
    assert listed(fast) == listed(read_labels(view, "truth"))
    assert [image.image_id for image in fast] == view.values("id")


def test_a_damaged_mask_is_named_when_it_is_looked_at(foreign: fo.Dataset) -> None:
    """Reading goes on past a mask that cannot be unpacked; looking at it says which."""
    sample_id, object_id = foreign.first().id, foreign.first().truth.detections[0].id
    foreign._sample_collection.update_one(
        {"_id": ObjectId(sample_id)},
        {"$set": {"truth.detections.0.mask": Binary(b"no mask at all")}},
    )
    damaged, *others = read_labels(foreign, "truth")[0].detections
    assert all(d.mask.crop.any() for d in others if d.mask)
    assert damaged.mask
    with pytest.raises(FormatError, match=object_id):
        damaged.mask.crop.any()


def test_slices_of_a_group_are_pictures_of_one_question(tmp_path: Path) -> None:
    """Another slice of a group stands beside the one that is asked about."""
    grouped = fo.Dataset()
    try:
        grouped.add_group_field("group", default="left")
        for number in range(2):
            group = fo.Group()
            for name in ("left", "right")[: 2 - number]:
                path = tmp_path / f"{name}{number}.png"
                Image.new("RGB", (8, 8)).save(path)
                grouped.add_sample(fo.Sample(str(path), group=group.element(name)))
        with pytest.raises(UsageError, match="select one slice"):
            ViewSource(grouped)
        view = grouped.select_group_slices("left")
        items = list(ViewSource(view, others=["right"]).items())
        assert [Path(item.path).name for item in items] == ["left0.png", "left1.png"]
        others = [[Path(path).name for path in item.others] for item in items]
        assert others == [["right0.png"], []]
    finally:
        grouped.delete()
