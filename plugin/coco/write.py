"""Labels to a COCO file: lossless RLE masks, whole boxes, nothing rounded."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import orjson

from ..errors import FormatError, UsageError
from ..values import Detection, Frame, ImageLabels, JsonValue
from .rle import mask_to_rle

JsonObject = dict[str, JsonValue]
_VERSION = "1.0"
SELF = "gemini"
"""The `score_source` of a confidence that is the model's own word."""


@dataclass(frozen=True, slots=True)
class Category:
    """One class of a COCO file."""

    id: int
    name: str


def write_coco(
    path: Path,
    images: Sequence[ImageLabels],
    categories: Sequence[Category] | None = None,
    info: Mapping[str, JsonValue] | None = None,
) -> None:
    """Write `coco_document` to a file, at once or not at all.

    Raises what `coco_document` raises, and `FormatError` when there is no place for it.
    """
    write_file(path, orjson.dumps(coco_document(images, categories, info)))


def write_file(path: Path, data: bytes) -> None:
    """Write a file, at once or not at all; raises `FormatError` without a place for it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data)
    except OSError as error:
        raise FormatError(f"{path} cannot be written ({error.strerror}).") from error


def _replace(path: Path, data: bytes) -> None:
    """Write a file beside another and put it in its place."""
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            file.close()
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def coco_document(
    images: Sequence[ImageLabels],
    categories: Sequence[Category] | None = None,
    info: Mapping[str, JsonValue] | None = None,
) -> JsonObject:
    """Build a COCO document that pycocotools and FiftyOne read.

    Without `categories`, the labels in order of their names get 1, 2, ...; a label that
    is not among the given ones is added behind them. File names are relative to the
    innermost folder that holds all pictures; a URL stays whole. Image ids stay where all are whole numbers;
    otherwise they are 1, 2, ... and each entry keeps its `sample_id`. Raises UsageError
    for a number that JSON cannot hold and for a mask outside of its picture.
    """
    classes = _categories(images, categories or ())
    category_ids = {category.name: category.id for category in classes}
    image_ids = _image_ids(images)
    names = _file_names([image.path for image in images])
    numbers = _annotation_ids(images)
    annotations = [
        _annotation(detection, image.frame, next(numbers), image_id, category_ids)
        for image, image_id in zip(images, image_ids, strict=True)
        for detection in image.detections
    ]
    entries = [
        _image_entry(image, image_id, name)
        for image, image_id, name in zip(images, image_ids, names, strict=True)
    ]
    about: JsonObject = {
        "description": "Written by fiftyone-gemini",
        "version": _VERSION,
        **(info or {}),
    }
    return {
        "info": about,
        "licenses": [],
        "images": list[JsonValue](entries),
        "annotations": list[JsonValue](annotations),
        "categories": [{"id": c.id, "name": c.name} for c in classes],
    }


def _categories(
    images: Sequence[ImageLabels], given: Sequence[Category]
) -> list[Category]:
    labels = {detection.label for image in images for detection in image.detections}
    more = sorted(labels - {category.name for category in given})
    start = max((category.id for category in given), default=0) + 1
    return [*given, *(Category(start + i, name) for i, name in enumerate(more))]


def _image_ids(images: Sequence[ImageLabels]) -> list[int]:
    ids = [image.image_id for image in images]
    whole = [_whole(text) for text in ids]
    numbers = [number for number in whole if number is not None]
    if len(numbers) == len(ids) and len(set(numbers)) == len(ids):
        return numbers
    return list(range(1, len(ids) + 1))


def _whole(text: str) -> int | None:
    """Read an id that is a whole number and nothing but its shortest form."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004
    return number if str(number) == text else None


def _annotation_ids(images: Sequence[ImageLabels]) -> Iterator[int]:
    """Keep the ids of the objects where all are whole numbers, else count from 1."""
    ids = [_whole(d.id) for image in images for d in image.detections]
    numbers = [number for number in ids if number]
    if len(set(numbers)) == len(ids):
        return iter(numbers)
    return iter(range(1, len(ids) + 1))


def _file_names(paths: Sequence[str]) -> list[str]:
    if any("://" in path for path in paths):
        return [path if "://" in path else PurePath(path).name for path in paths]
    try:
        folder = os.path.commonpath([os.path.dirname(path) for path in paths])  # noqa: PTH120
    except ValueError:
        # Absolute and relative paths mixed, two drives, or no picture at all.
        return [PurePath(path).name for path in paths]
    return [PurePath(os.path.relpath(path, folder or ".")).as_posix() for path in paths]


def _image_entry(image: ImageLabels, image_id: int, file_name: str) -> JsonObject:
    entry: JsonObject = {
        "id": image_id,
        "file_name": file_name,
        "width": image.frame.width,
        "height": image.frame.height,
        "gemini_status": image.status.value,
    }
    if str(image_id) != image.image_id:
        entry["sample_id"] = image.image_id
    return {**image.extra, **entry}


def _annotation(
    detection: Detection,
    frame: Frame,
    number: int,
    image_id: int,
    category_ids: Mapping[str, int],
) -> JsonObject:
    stated = detection.confidence is not None
    area = detection.area
    if area is None:
        whole = detection.box.width * detection.box.height
        area = whole if detection.mask is None else detection.mask.area
    entry: JsonObject = {
        "id": number,
        "image_id": image_id,
        "category_id": category_ids[detection.label],
        "bbox": [_finite(value) for value in detection.box.xywh_px],
        "area": _finite(area),
        "iscrowd": int(detection.is_crowd),
        "score": _finite(1.0 if detection.confidence is None else detection.confidence),
        "score_source": (detection.confidence_source or SELF) if stated else "none",
    }
    if detection.attributes:
        entry["attributes"] = dict(detection.attributes)
    if detection.mask is not None:
        rle = mask_to_rle(detection.mask, frame)
        entry["segmentation"] = {"size": [rle.height, rle.width], "counts": rle.counts}
    return entry


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise UsageError(f"{value} cannot be written to a COCO file")
    return float(value)
