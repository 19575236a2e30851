"""From a FiftyOne dataset to a COCO file and back, not a pixel is lost."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.coco.write import Category, write_coco
from fiftyone_gemini.labels.create import create_dataset
from fiftyone_gemini.labels.read import detection_fields, id_field_of, read_labels
from fiftyone_gemini.values import BoolArray, Box, Detection, Frame, ImageLabels, Mask
from PIL import Image
from pycocotools.coco import COCO

FRAME = Frame(64, 48)
CATEGORIES = [Category(17, "part"), Category(3, "ring"), Category(90, "unused")]


def ring() -> BoolArray:
    """Draw a ring with a hole."""
    down, right = np.ogrid[-1:1:20j, -1:1:24j]
    radius = np.hypot(down, right)
    return np.asarray((radius <= 1) & (radius > 0.5))


def two_parts() -> BoolArray:
    """Draw two corners that do not touch."""
    crop = np.zeros((9, 30), np.bool_)
    crop[:4, :7] = crop[5:, 20:] = True
    return crop


MASKS = {
    "ring": (ring(), 5, 6),
    "two parts": (two_parts(), 30, 2),
    "two pixels": (np.array([[True, False], [False, True]]), 62, 46),
    "one pixel": (np.ones((1, 1), np.bool_), 0, 0),
    "a column to the bottom": (np.ones((48, 1), np.bool_), 63, 0),
}


def objects() -> Iterator[Detection]:
    """Give one object per mask, one of them a crowd."""
    for number, (name, (crop, x, y)) in enumerate(MASKS.items(), start=101):
        height, width = crop.shape
        label = "ring" if name == "ring" else "part"
        yield Detection(
            label,
            Box(x, y, width, height),
            Mask(x, y, crop),
            is_crowd=name == "two parts",
            area=float(crop.sum()),
            id=str(number),
        )


def pixels(detection: Detection) -> BoolArray:
    """Paint an object into its picture."""
    painted = np.zeros((FRAME.height, FRAME.width), np.bool_)
    mask = detection.mask
    assert mask is not None
    height, width = mask.crop.shape
    painted[mask.y : mask.y + height, mask.x : mask.x + width] = mask.crop
    return painted


@pytest.fixture
def images(tmp_path: Path) -> list[ImageLabels]:
    """Give two pictures with ids that do not count from one."""
    paths = [tmp_path / "data" / name for name in ("b.png", "a.png")]
    paths[0].parent.mkdir()
    for path in paths:
        Image.new("RGB", (FRAME.width, FRAME.height)).save(path)
    return [
        ImageLabels("5012", str(paths[0]), FRAME, tuple(objects())),
        ImageLabels("77", str(paths[1]), FRAME),
    ]


@pytest.fixture
def exported(images: list[ImageLabels], tmp_path: Path) -> Iterator[Path]:
    """Give the COCO file of a FiftyOne dataset of these pictures."""
    made = create_dataset("lossless", images)
    path = tmp_path / "labels.json"
    stored = read_labels(made, "ground_truth", id_field=id_field_of(made))
    write_coco(path, stored, CATEGORIES)
    yield path
    made.delete()


def test_values_come_back_from_the_file(
    images: list[ImageLabels], exported: Path
) -> None:
    """Masks pixel by pixel, crowds, areas, image ids and category ids are kept."""
    back = read_coco(exported)
    assert list(back.categories) == CATEGORIES
    assert [image.image_id for image in back.images] == ["5012", "77"]
    assert [image.path for image in back.images] == [image.path for image in images]
    for image, again in zip(images, back.images, strict=True):
        assert len(image.detections) == len(again.detections)
        for one, other in zip(image.detections, again.detections, strict=True):
            assert np.array_equal(pixels(one), pixels(other))
            assert (one.label, one.box) == (other.label, other.box)
            assert (one.is_crowd, one.area) == (other.is_crowd, other.area)


def test_pycocotools_sees_the_same_pixels(
    images: list[ImageLabels], exported: Path
) -> None:
    """The official reader decodes every object to its original pixels."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(exported))
    found = coco.loadAnns(coco.getAnnIds(imgIds=[5012]))
    assert coco.getCatIds() == [17, 3, 90]
    for detection, entry in zip(images[0].detections, found, strict=True):
        assert np.array_equal(coco.annToMask(entry), pixels(detection))
        assert entry["category_id"] == (3 if detection.label == "ring" else 17)
        assert entry["iscrowd"] == int(detection.is_crowd)


def test_fiftyone_imports_the_same_pixels(
    images: list[ImageLabels], exported: Path
) -> None:
    """FiftyOne's own importer finds pictures, ids, labels and every pixel."""
    imported = fo.Dataset.from_dir(
        dataset_type=fo.types.COCODetectionDataset,
        data_path=str(exported.parent / "data"),
        labels_path=str(exported),
        label_types="segmentations",
        include_id=True,
        progress=False,
    )
    try:
        (field,) = detection_fields(imported)
        back = read_labels(imported, field, id_field=id_field_of(imported))
    finally:
        imported.delete()
    found = {image.image_id: image for image in back}
    assert set(found) == {"5012", "77"}
    again = found["5012"].detections
    for one, other in zip(images[0].detections, again, strict=True):
        assert np.array_equal(pixels(one), pixels(other))
        assert (one.label, one.is_crowd) == (other.label, other.is_crowd)


def test_a_whole_circle_loses_nothing(
    images: list[ImageLabels], exported: Path, tmp_path: Path
) -> None:
    """A file made of a dataset made of the file equals it, but for the object ids."""
    made = create_dataset("lossless-again", read_coco(exported).images)
    try:
        stored = read_labels(made, "ground_truth", id_field="coco_id")
    finally:
        made.delete()
    write_coco(tmp_path / "again.json", stored, CATEGORIES)
    assert (tmp_path / "again.json").read_bytes() == exported.read_bytes()
    assert len(stored[0].detections) == len(images[0].detections)
