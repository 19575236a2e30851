"""FiftyOne fields to `ImageLabels`: what is evaluated and exported."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from ..errors import UsageError
from ..values import Box, Detection, Frame, ImageLabels, Mask, Status
from .convert import box_from_rel, mask_in_box
from .stored_mask import StoredMask

COCO_ID = "coco_id"


_Stored = dict[str, Any]
"""A FiftyOne detection as MongoDB keeps it."""
_READ = (
    *("id", "label", "bounding_box", "mask", "mask_path"),
    *("confidence", "confidence_source", "iscrowd", "area"),
)
"""What is read of a FiftyOne detection, by the names it has there."""


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
    frames = read_frames(view)
    stored = _stored(view, field)
    statuses = _statuses(view, field, stored)
    return [
        ImageLabels(
            str(image_id),
            path,
            frame,
            tuple(_detection(found, frame) for found in objects or ()),
            status,
        )
        for image_id, path, frame, status, objects in zip(
            ids, paths, frames, statuses, stored, strict=True
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


def read_frames(view: fo.SampleCollection) -> list[Frame]:
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


def _stored(view: fo.SampleCollection, field: str) -> list[list[_Stored] | None]:
    """Read the objects of each sample, in the order of the view; None without label.

    The documents come as they are: FiftyOne's own `values` takes six times as long, and
    is used where its private way to the documents is gone.
    """
    aggregate = getattr(view, "_aggregate", None)
    if aggregate is None:
        return _stored_by_values(view, field)
    names = ["_id" if name == "id" else name for name in _READ]
    wanted = {f"{field}.detections.{name}": True for name in names}
    documents = aggregate(pipeline=[{"$project": wanted}])
    labels = [document.get(field) for document in documents]
    return [label and label.get("detections", []) for label in labels]


def _stored_by_values(
    view: fo.SampleCollection, field: str
) -> list[list[_Stored] | None]:
    columns = view.values([f"{field}.detections.{name}" for name in _READ])
    names = ["_id" if name == "id" else name for name in _READ]
    return [
        None
        if sample[0] is None
        else [
            dict(zip(names, values, strict=True))
            for values in zip(*sample, strict=True)
        ]
        for sample in zip(*columns, strict=True)
    ]


def _statuses(
    view: fo.SampleCollection, field: str, stored: list[list[_Stored] | None]
) -> list[Status]:
    said = [None] * len(stored)
    if view.has_field(f"{field}_status"):
        said = view.values(f"{field}_status")
    return [
        Status(status) if status else _status_of(objects)
        for status, objects in zip(said, stored, strict=True)
    ]


def _status_of(objects: list[_Stored] | None) -> Status:
    if objects is None:
        return Status.SKIPPED
    return Status.OK if objects else Status.EMPTY


def _detection(found: _Stored, frame: Frame) -> Detection:
    box = box_from_rel(found["bounding_box"], frame)
    return Detection(
        label=found.get("label") or "",
        box=box,
        mask=_mask(found, box, frame),
        confidence=found.get("confidence"),
        is_crowd=bool(found.get("iscrowd")),
        area=found.get("area"),
        id=str(found["_id"]),
        confidence_source=found.get("confidence_source") or "",
    )


def _mask(found: _Stored, box: Box, frame: Frame) -> Mask | None:
    pixels = found.get("mask")
    if isinstance(pixels, bytes):
        return StoredMask(pixels, box, frame, found["_id"])
    if pixels is None and found.get("mask_path"):
        pixels = fo.Detection(mask_path=found["mask_path"]).get_mask()
    return None if pixels is None else mask_in_box(pixels, box, frame)
