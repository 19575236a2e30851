"""Each kind of label to FiftyOne's type for it, and to the fields it stands in.

A kind is one entry in `_TYPES` and, but for texts, one function in `_WRITERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import fiftyone as fo

from ..errors import UsageError
from ..values import (
    Answer,
    Box3d,
    Form,
    Frame,
    Kind,
    Point,
    Tag,
    Trajectory,
    Value,
    detections_of,
)
from .convert import LABEL_LIMIT, source_of, to_document

Values: TypeAlias = tuple[Value, ...]
Document: TypeAlias = dict[str, Any] | None

_TYPES: Mapping[Kind, type] = {
    Kind.OBJECTS: fo.Detections,
    Kind.POINTS: fo.Keypoints,
    Kind.PATHS: fo.Polylines,
    Kind.SOLIDS: fo.Polylines,
    Kind.TAG: fo.Classification,
    Kind.TAGS: fo.Classifications,
    Kind.TEXT: fo.StringField,
}


def columns(field: str, form: Form) -> dict[str, type]:
    """Name the fields that labels of a form stand in, with the FiftyOne type of each.

    Raises `UsageError` for a kind that has no place in FiftyOne's fields yet.
    """
    if form.kind not in _TYPES:
        raise UsageError(f"Labels of the kind {form.kind} cannot be kept in FiftyOne.")
    kind = _TYPES[form.kind]
    names = form.names if form.kind is Kind.TEXT else ("",)
    return {answer_field(field, name): kind for name in names}


def answer_field(field: str, name: str) -> str:
    """Name the field of one of several texts."""
    return f"{field}_{name}" if name else field


def attribute_paths(field: str, form: Form) -> tuple[str, ...]:
    """Name the attributes of objects, as paths of fields."""
    if form.kind is not Kind.OBJECTS:
        return ()
    return tuple(f"{field}.detections.{name}" for name in form.attributes)


def documents(field: str, form: Form, values: Values, frame: Frame) -> dict[str, Any]:
    """Give the values of all fields of one sample, as MongoDB keeps them."""
    if form.kind is Kind.TEXT:
        said = {v.name: v.text for v in values if isinstance(v, Answer)}
        return {answer_field(field, name): said.get(name) for name in form.names}
    document = _WRITERS[form.kind](values, frame)
    if form.kind is Kind.OBJECTS and document is not None:
        for entry in document["detections"]:
            for name in form.attributes:
                entry.setdefault(name, None)
    return {field: document}


def _objects(values: Values, frame: Frame) -> Document:
    return to_document(detections_of(values), frame)


def _points(values: Values, frame: Frame) -> Document:
    """One keypoint label, of one point, for each point."""
    return _document(
        fo.Keypoints(
            keypoints=[
                fo.Keypoint(
                    label=point.label[:LABEL_LIMIT],
                    points=[(point.x / frame.width, point.y / frame.height)],
                    confidence=_alone(point.confidence),
                    **source_of(point.confidence_source),
                )
                for point in values
                if isinstance(point, Point)
            ]
        )
    )


def _alone(confidence: float | None) -> list[float] | None:
    return None if confidence is None else [confidence]


def _paths(values: Values, frame: Frame) -> Document:
    """One open line for each trajectory, in the order of its points."""
    return _document(
        fo.Polylines(
            polylines=[
                fo.Polyline(
                    label=path.label[:LABEL_LIMIT],
                    points=[_line(path.points_xy_px, frame)],
                    closed=False,
                    filled=False,
                )
                for path in values
                if isinstance(path, Trajectory)
            ]
        )
    )


def _solids(values: Values, frame: Frame) -> Document:
    """Keep the numbers of each box as attributes, its edges as lines where known."""
    return _document(
        fo.Polylines(
            polylines=[
                fo.Polyline(
                    label=box.label[:LABEL_LIMIT],
                    points=[_line(edge, frame) for edge in box.edges_xy_px],
                    closed=False,
                    filled=False,
                    centre_xyz=list(box.centre_xyz),
                    size_xyz=list(box.size_xyz),
                    roll_pitch_yaw=list(box.roll_pitch_yaw),
                )
                for box in values
                if isinstance(box, Box3d)
            ]
        )
    )


def _line(
    points_xy_px: tuple[tuple[float, float], ...], frame: Frame
) -> list[tuple[float, float]]:
    return [(x / frame.width, y / frame.height) for x, y in points_xy_px]


def _tag(values: Values, frame: Frame) -> Document:  # noqa: ARG001 - as the others
    found = next((value for value in values if isinstance(value, Tag)), None)
    return None if found is None else _document(_classification(found))


def _tags(values: Values, frame: Frame) -> Document:  # noqa: ARG001 - as the others
    found = [_classification(v) for v in values if isinstance(v, Tag)]
    return _document(fo.Classifications(classifications=found))


def _classification(tag: Tag) -> fo.Classification:
    label = tag.label[:LABEL_LIMIT]
    return fo.Classification(
        label=label, confidence=tag.confidence, **source_of(tag.confidence_source)
    )


def _document(label: fo.Label) -> dict[str, Any]:
    found: dict[str, Any] = label.to_dict()
    return found


_WRITERS: Mapping[Kind, Callable[[Values, Frame], Document]] = {
    Kind.OBJECTS: _objects,
    Kind.POINTS: _points,
    Kind.PATHS: _paths,
    Kind.SOLIDS: _solids,
    Kind.TAG: _tag,
    Kind.TAGS: _tags,
}
