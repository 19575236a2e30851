"""COCO files: written without loss, read with every number checked."""

from __future__ import annotations

import contextlib
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.coco.read import CocoDataset, read_coco
from fiftyone_gemini.coco.rle import mask_to_rle
from fiftyone_gemini.coco.write import Category, coco_document, write_coco
from fiftyone_gemini.errors import FormatError, UsageError
from fiftyone_gemini.values import (
    Box,
    Detection,
    Frame,
    ImageLabels,
    Item,
    Mask,
    Parsed,
    Question,
    Run,
    Status,
)
from pycocotools.coco import COCO

RING = np.ones((5, 6), bool)
RING[2, 2:4] = False


def images(folder: str = "/photos") -> list[ImageLabels]:
    """Give two pictures: one with a mask, a crowd and a plain box, one without any."""
    objects = (
        Detection("cup", Box(2, 3, 6, 5), Mask(2, 3, RING), 0.25, id="7"),
        Detection(
            "cup", Box(0, 0, 20, 10), Mask(0, 0, np.ones((10, 20), bool)), None,
            is_crowd=True, area=123.5, id="9",
        ),
        Detection("a box", Box(0.1, 0.2, 3.3, 4.4), id="8"),
    )  # fmt: skip
    return [
        ImageLabels("12", f"{folder}/a/x.jpg", Frame(20, 10), objects),
        ImageLabels("5", f"{folder}/y.jpg", Frame(4, 3), (), Status.BLOCKED),
    ]


def plain(dataset: CocoDataset | list[ImageLabels]) -> list[object]:
    """Turn labels into values that compare, masks as run lengths."""
    listed = dataset.images if isinstance(dataset, CocoDataset) else dataset
    return [
        (
            image.image_id, image.path, image.frame, image.status,
            [
                (
                    d.id, d.label, d.box, d.confidence, d.is_crowd,
                    d.mask and mask_to_rle(d.mask, image.frame),
                )
                for d in image.detections
            ],
        )
        for image in listed
    ]  # fmt: skip


def quiet_coco(path: Path) -> COCO:
    """Load a file with pycocotools, without its prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def test_a_round_trip_loses_nothing(tmp_path: Path) -> None:
    """Ids, boxes, masks, crowds, scores, areas, statuses and classes come back."""
    path = tmp_path / "new" / "labels.json"
    write_coco(path, images(), [Category(3, "unused"), Category(5, "cup")])
    back = read_coco(path, Path("/photos"))
    assert plain(back) == plain(images())
    assert back.categories == (
        Category(3, "unused"), Category(5, "cup"), Category(6, "a box"),
    )  # fmt: skip
    areas = [d.area for d in back.images[0].detections]
    assert areas == [28, 123.5, pytest.approx(14.52)]
    assert [f.name for f in path.parent.iterdir()] == ["labels.json"]


def test_pycocotools_reads_the_file_and_its_results(tmp_path: Path) -> None:
    """The file loads as truth, and its annotations load as results."""
    path = tmp_path / "labels.json"
    write_coco(path, images())
    truth = quiet_coco(path)
    with contextlib.redirect_stdout(io.StringIO()):
        results = truth.loadRes(coco_document(images())["annotations"])
    assert len(results.anns) == 3
    decoded = truth.annToMask(truth.anns[7])
    assert np.array_equal(decoded[3:8, 2:8].astype(bool), RING)
    assert [c["name"] for c in truth.loadCats([1, 2])] == ["a box", "cup"]


def test_ids_that_are_no_numbers_are_kept_beside(tmp_path: Path) -> None:
    """Other sample ids become 1, 2, ... in the file and come back as they were."""
    labels = [
        ImageLabels("007", "/p/7.jpg", Frame(4, 3)),
        ImageLabels("12", "/p/a.jpg", Frame(4, 3)),
    ]
    document = coco_document(labels)
    assert [image["id"] for image in document["images"]] == [1, 2]
    write_coco(tmp_path / "c.json", labels)
    back = read_coco(tmp_path / "c.json", Path("/p"))
    assert [image.image_id for image in back.images] == ["007", "12"]


def test_the_caller_adds_to_the_info_block() -> None:
    """Description and version are there, and what the caller adds."""
    info = coco_document([], info={"date_created": "today"})["info"]
    assert info["date_created"] == "today"
    assert info["description"]
    assert info["version"]


def test_a_number_that_is_none_stops_the_file(tmp_path: Path) -> None:
    """NaN never reaches a file, and a failed write leaves the old file alone."""
    path = tmp_path / "c.json"
    path.write_text("old")
    bad = Detection("cup", Box(0, 0, float("nan"), 1))
    with pytest.raises(UsageError):
        write_coco(path, [ImageLabels("1", "/p/a.jpg", Frame(4, 3), (bad,))])
    assert path.read_text() == "old"


def document() -> dict:
    """Give a small sound document to damage."""
    image = {"id": 1, "file_name": "a.jpg", "width": 4, "height": 3}
    note = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2]}
    return {
        "images": [image],
        "annotations": [note],
        "categories": [{"id": 1, "name": "cup"}],
    }


def rle(**changes: object) -> dict:
    """Give plain run lengths of a 4 x 3 picture, changed."""
    return {"size": [3, 4], "counts": [2, 3, 7], **changes}


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        pytest.param("images", {"file_name": "../a.jpg"}, "images[0].file_name: leads", id="parent"),
        pytest.param("images", {"file_name": "a/../../b"}, "images[0].file_name: leads", id="parent-inside"),
        pytest.param("images", {"file_name": "/etc/passwd"}, "images[0].file_name: leads", id="absolute"),
        pytest.param("images", {"file_name": "..\\a.jpg"}, "images[0].file_name: leads", id="backslash"),
        pytest.param("images", {"file_name": "C:a.jpg"}, "images[0].file_name: leads", id="drive"),
        pytest.param("images", {"width": "4"}, "images[0].width: a whole", id="width"),
        pytest.param("images", {"width": 10**7}, "images[0]: a picture of", id="huge"),
        pytest.param("images", {"gemini_status": "fine"}, "images[0].gemini_status", id="status"),
        pytest.param("annotations", {"bbox": [0, 0, 2]}, "annotations[0].bbox: four", id="count"),
        pytest.param("annotations", {"bbox": [0, 0, -2, 1]}, "annotations[0].bbox: width", id="negative"),
        pytest.param("annotations", {"bbox": [0, 0, 2, None]}, "annotations[0].bbox[3]: a number", id="null"),
        pytest.param("annotations", {"image_id": 2}, "annotations[0].image_id: there is no image 2", id="image"),
        pytest.param("annotations", {"category_id": 9}, "annotations[0].category_id: there is no", id="class"),
        pytest.param("annotations", {"score": "high"}, "annotations[0].score: a number", id="score"),
        pytest.param("annotations", {"segmentation": [[1, 2, 3, 4]]}, "annotations[0].segmentation[0]: three", id="polygon"),
        pytest.param("annotations", {"segmentation": [[1e9, 2, 3, 4, 5, 6]]}, "annotations[0].segmentation[0]: a point", id="far"),
        pytest.param("annotations", {"segmentation": rle(size=[4, 3])}, "annotations[0].segmentation.size", id="size"),
        pytest.param("annotations", {"segmentation": rle(counts=[1, 2])}, "annotations[0].segmentation: the run", id="sum"),
        pytest.param("annotations", {"segmentation": rle(counts=[1.5, 10.5])}, "annotations[0].segmentation.counts: whole", id="halves"),
        pytest.param("annotations", {"segmentation": rle(counts="~~")}, "annotations[0].segmentation: the run", id="text"),
        pytest.param("categories", {"name": 4}, "categories[0].name: a string", id="name"),
    ],
)  # fmt: skip
def test_errors_tell_the_place(
    tmp_path: Path, part: str, changes: dict, message: str
) -> None:
    """Whatever is wrong raises FormatError that names the place in the file."""
    damaged = document()
    damaged[part][0].update(changes)
    path = tmp_path / "c.json"
    path.write_text(json.dumps(damaged))
    with pytest.raises(FormatError) as caught:
        read_coco(path)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("key", ["images", "annotations", "categories"])
def test_missing_parts_are_named(tmp_path: Path, key: str) -> None:
    """A file without one of its lists, or with a double id, is refused."""
    path = tmp_path / "c.json"
    path.write_text(json.dumps({k: v for k, v in document().items() if k != key}))
    with pytest.raises(FormatError, match=f"{key}: missing"):
        read_coco(path)


@pytest.mark.parametrize("key", ["images", "categories"])
def test_double_ids_are_refused(tmp_path: Path, key: str) -> None:
    """Two images or two classes of one id make labels ambiguous."""
    path, double = tmp_path / "c.json", document()
    double[key] *= 2
    path.write_text(json.dumps(double))
    with pytest.raises(FormatError, match="there twice"):
        read_coco(path)


@pytest.mark.parametrize("text", ["", "[1, 2]", "{"])
def test_files_that_are_no_coco_are_refused(tmp_path: Path, text: str) -> None:
    """A missing file, no JSON, or JSON of another kind raises FormatError."""
    path = tmp_path / "c.json"
    if text:
        path.write_text(text)
    with pytest.raises(FormatError):
        read_coco(path)


def test_every_kind_of_segmentation_is_read(tmp_path: Path) -> None:
    """Polygons, plain and compressed run lengths and none at all give their masks."""
    kinds = [[[0, 0, 2, 0, 2, 2, 0, 2]], rle(), rle(counts="234"), [], None]
    full = document()
    full["annotations"] = [
        {**full["annotations"][0], "id": i, "segmentation": kind}
        for i, kind in enumerate(kinds)
    ]
    path = tmp_path / "c.json"
    path.write_text(json.dumps(full))
    with pytest.raises(FormatError, match=r"annotations\[2\].segmentation: the run"):
        read_coco(path)
    full["annotations"][2]["segmentation"]["counts"] = "237"
    path.write_text(json.dumps(full))
    masks = [d.mask for d in read_coco(path).images[0].detections]
    assert [mask and mask.area for mask in masks] == [4, 3, 3, None, None]


def test_coco_photos_round_trip(shared: Path, tmp_path: Path) -> None:
    """Real COCO truth: every mask is pycocotools' own, before and after writing."""
    folder = shared / "photos" / "coco_open"
    truth = quiet_coco(folder / "instances.json")
    first = read_coco(folder / "instances.json")
    assert sum(len(image.detections) for image in first.images) == 547
    assert sum(d.is_crowd for i in first.images for d in i.detections) == 6
    assert all(Path(image.path).is_file() for image in first.images)
    for image in first.images:
        for d in image.detections:
            official = truth.anns[int(d.id)]
            assert list(d.box.xywh_px) == official["bbox"]
            assert d.area == official["area"]
            counts = truth.annToRLE(official)["counts"].decode()
            assert d.mask
            assert mask_to_rle(d.mask, image.frame).counts == counts
    write_coco(tmp_path / "copy.json", first.images, first.categories)
    second = read_coco(tmp_path / "copy.json", folder / "images")
    assert plain(second) == plain(first)
    assert second.categories == first.categories
    areas = [[d.area for i in s.images for d in i.detections] for s in (first, second)]
    assert areas[0] == areas[1]


def test_a_folder_gives_its_pictures(tmp_path: Path) -> None:
    """Pictures of all folders come sorted, named by their relative paths."""
    for name in ("b.JPG", "a/c.png", "a/d.heic", "notes.txt", "a/e.webp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    source = FolderSource(tmp_path)
    ids = [item.sample_id for item in source.items()]
    assert ids == ["a/c.png", "a/d.heic", "a/e.webp", "b.JPG"]
    assert len(source) == 4
    assert all(Path(item.path).is_file() for item in source.items())
    with pytest.raises(UsageError):
        FolderSource(tmp_path / "none")


def test_a_coco_file_gives_its_pictures() -> None:
    """The images of a dataset come with their image ids."""
    source = FolderSource(CocoDataset(tuple(images()), ()))
    assert list(source.items()) == [
        Item("12", "/photos/a/x.jpg"),
        Item("5", "/photos/y.jpg"),
    ]


def test_the_sink_keeps_failures_visible(tmp_path: Path) -> None:
    """Every item reaches the file with its status, in order, and so does the run."""
    path = tmp_path / "out.json"
    sink = CocoSink(path)
    cup = Detection("cup", Box(0, 0, 2, 2), confidence=0.5)
    sink.write(Parsed(Item("10", "/p/b.jpg"), Status.OK, Frame(4, 3), (cup,)))
    sink.write(Parsed(Item("9", "/p/a.jpg"), Status.MEDIA_ERROR, error="no picture"))
    now = datetime(2026, 11, 22, tzinfo=UTC)
    run = Run(
        "r", Question("detect"), "m", "emulator", "Detect", {}, now,
        statuses={Status.OK: 1, Status.MEDIA_ERROR: 1},
    )  # fmt: skip
    sink.finish(run)
    back = read_coco(path, Path("/p"))
    found = [(i.image_id, i.status, len(i.detections)) for i in back.images]
    assert found == [("9", Status.MEDIA_ERROR, 0), ("10", Status.OK, 1)]
    info = json.loads(path.read_text())["info"]
    assert info["gemini_run"]["statuses"] == {"ok": 1, "media_error": 1}
    assert info["date_created"].startswith("2026-11-22")
    assert len(quiet_coco(path).anns) == 1


def test_a_mask_needs_a_picture_with_a_size(tmp_path: Path) -> None:
    """A mask in a picture of 0 x 0 pixels is refused."""
    path, empty = tmp_path / "c.json", document()
    empty["images"][0].update(width=0, height=0)
    empty["annotations"][0]["segmentation"] = [[0, 0, 1, 0, 1, 1]]
    path.write_text(json.dumps(empty))
    with pytest.raises(FormatError, match="segmentation: its picture has no size"):
        read_coco(path)


def test_fiftyone_imports_the_file(tmp_path: Path) -> None:
    """FiftyOne's own COCO reader finds every box and decodes every mask."""
    from fiftyone.utils.coco import load_coco_detection_annotations

    write_coco(tmp_path / "c.json", images())
    loaded = load_coco_detection_annotations(str(tmp_path / "c.json"))
    _, classes, _, entries, annotations = loaded
    assert list(classes.values()) == ["a box", "cup"]
    assert {i: entry["file_name"] for i, entry in entries.items()} == {
        12: "a/x.jpg",
        5: "y.jpg",
    }
    cup = annotations[12][0].to_detection((20, 10), classes, load_segmentation=True)
    assert cup.label == "cup"
    assert cup.bounding_box == pytest.approx([0.1, 0.3, 0.3, 0.5])
    assert np.array_equal(cup.mask, RING)
    assert cup.confidence == 0.25
