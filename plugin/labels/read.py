"""FiftyOne fields to `ImageLabels`: what is evaluated and exported."""

from __future__ import annotations

from typing import Any, NamedTuple

import fiftyone as fo

from ..errors import UsageError
from ..values import BoolArray, Detection, Frame, ImageLabels, Status
from .convert import box_from_rel, mask_in_box

COCO_ID = "coco_id"


class _Attributes(NamedTuple):
    """What is read of a FiftyOne detection, by the names it has there."""

    id: str
    label: str | None
    bounding_box: list[float]
    mask: BoolArray | None
    mask_path: str | None
    confidence: float | None
    iscrowd: bool | None
    area: float | None


def read_labels(
    view: fo.SampleCollection, field: str, *, id_field: str = "id"
) -> list[ImageLabels]:
    """Read a `Detections` field of all samples of a view, in the order of the view.

    Image ids are the texts of `id_field`: see `id_field_of`. Sizes of pictures come
    from the samples' metadata, which is computed where missing. The status comes from
    `<field>_status`; without it, a sample with a label is `ok` or `empty` and one
    without any is `skipped`. Raises `UsageError` when the field is of another type or a
    picture cannot be opened.
    """
    check_detections(view, field)
    ids, paths = view.values([id_field, "filepath"])
    frames = _frames(view)
    statuses = _statuses(view, field)
    columns = view.values(
        [f"{field}.detections.{name}" for name in _Attributes._fields]
    )
    rows = zip(*columns, strict=True)
    return [
        ImageLabels(str(image_id), path, frame, _detections(row, frame), status)
        for image_id, path, frame, status, row in zip(
            ids, paths, frames, statuses, rows, strict=True
        )
    ]


def id_field_of(view: fo.SampleCollection) -> str:
    """Name the field with the image ids: `coco_id`, or `id` where any lacks one.

    Pictures that came from a COCO file bring a `coco_id` along.
    """
    if not view.has_field(COCO_ID):
        return "id"
    return "id" if view.exists(COCO_ID, bool=False).count() else COCO_ID


def check_detections(view: fo.SampleCollection, field: str) -> None:
    """Raise `UsageError` unless a field exists and holds `Detections`."""
    kind = view.get_field(field)
    if kind is None:
        raise UsageError(f"The dataset has no field {field!r}.")
    if getattr(kind, "document_type", None) is not fo.Detections:
        raise UsageError(f"The field {field!r} does not hold Detections.")


def detection_fields(view: fo.SampleCollection) -> tuple[str, ...]:
    """Name the fields of a view that hold `Detections`."""
    return tuple(view.get_field_schema(embedded_doc_type=fo.Detections))


def class_names(view: fo.SampleCollection, field: str) -> tuple[str, ...]:
    """Name the labels that occur in a `Detections` field, sorted."""
    return tuple(view.distinct(f"{field}.detections.label"))


def _frames(view: fo.SampleCollection) -> list[Frame]:
    """Give the upright size of every picture."""
    view.compute_metadata(skip_failures=True, progress=False)
    sizes = zip(*view.values(["metadata.width", "metadata.height"]), strict=True)
    frames = [Frame(w, h) for w, h in sizes if w and h]
    unread = len(view) - len(frames)
    if unread:
        raise UsageError(
            f"The size of {unread} pictures is unknown: their files cannot be opened. "
            "Leave those samples out of the view."
        )
    return frames


def _statuses(view: fo.SampleCollection, field: str) -> list[Status]:
    said = [None] * len(view)
    if view.has_field(f"{field}_status"):
        said = view.values(f"{field}_status")
    sizes = view.values(f"{field}.detections.label")
    return [
        Status(status) if status else _status_of(labels)
        for status, labels in zip(said, sizes, strict=True)
    ]


def _status_of(labels: list[str] | None) -> Status:
    if labels is None:
        return Status.SKIPPED
    return Status.OK if labels else Status.EMPTY


def _detections(columns: tuple[Any, ...], frame: Frame) -> tuple[Detection, ...]:
    """Build the detections of one sample from its columns of attributes."""
    if columns[0] is None:
        return ()
    return tuple(
        _detection(_Attributes(*values), frame) for values in zip(*columns, strict=True)
    )


def _detection(said: _Attributes, frame: Frame) -> Detection:
    box = box_from_rel(said.bounding_box, frame)
    pixels = said.mask
    if pixels is None and said.mask_path:
        pixels = fo.Detection(mask_path=said.mask_path).get_mask()
    return Detection(
        label=said.label or "",
        box=box,
        mask=None if pixels is None else mask_in_box(pixels, box, frame),
        confidence=said.confidence,
        is_crowd=bool(said.iscrowd),
        area=said.area,
        id=said.id,
    )
