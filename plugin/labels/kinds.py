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
    Detection,
    Footage,
    Form,
    Frame,
    Kind,
    Point,
    Sighting,
    Span,
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
    Kind.SPANS: fo.TemporalDetections,
}
_FRAMES: Mapping[Kind, type] = {Kind.SIGHTINGS: fo.Detections}
"""Kinds whose labels stand in the frames of a video."""


def columns(field: str, form: Form) -> dict[str, type]:
    """Name the fields that labels of a form stand in, with the FiftyOne type of each.

    Stretches of time have a text beside them where they say something.
    """
    if form.kind is Kind.TEXT:
        return {answer_field(field, name): fo.StringField for name in form.names}
    if form.kind in _FRAMES:
        return {}
    named = {answer_field(field, name): fo.StringField for name in form.names if name}
    return {field: _TYPES[form.kind], **named}


def frame_columns(field: str, form: Form) -> dict[str, type]:
    """Name the fields of frames that labels of a form stand in."""
    return {field: _FRAMES[form.kind]} if form.kind in _FRAMES else {}


def answer_field(field: str, name: str) -> str:
    """Name the field of one of several texts."""
    return f"{field}_{name}" if name else field


def attribute_paths(field: str, form: Form) -> tuple[str, ...]:
    """Name the attributes of objects, as paths of fields."""
    prefix = {Kind.OBJECTS: "", Kind.SIGHTINGS: "frames."}.get(form.kind)
    if prefix is None:
        return ()
    return tuple(f"{prefix}{field}.detections.{name}" for name in form.attributes)


def documents(
    field: str, form: Form, values: Values, frame: Frame, footage: Footage | None = None
) -> dict[str, Any]:
    """Give the values of all fields of one sample, as MongoDB keeps them.

    `footage` is needed for labels that lie in time.
    """
    if form.kind is Kind.SPANS:
        return _spans(field, form, values, footage)
    if form.kind is Kind.TEXT:
        said = {v.name: v.text for v in values if isinstance(v, Answer)}
        return {answer_field(field, name): said.get(name) for name in form.names}
    document = _WRITERS[form.kind](values, frame)
    if form.kind is Kind.OBJECTS and document is not None:
        for entry in document["detections"]:
            for name in form.attributes:
                entry.setdefault(name, None)
    return {field: document}


def frame_documents(
    values: Values, frame: Frame, footage: Footage
) -> dict[int, dict[str, Any]]:
    """Give the labels of each frame that has any, by its number."""
    found: dict[int, list[Detection]] = {}
    for value in values:
        if isinstance(value, Sighting):
            number = footage.frame_at(value.seconds)
            found.setdefault(number, []).append(value.detection)
    return {n: to_document(tuple(seen), frame) for n, seen in found.items()}


def _spans(
    field: str, form: Form, values: Values, footage: Footage | None
) -> dict[str, Any]:
    """Give each stretch by its frames, from 1 and both inclusive, by their times."""
    spans = [value for value in values if isinstance(value, Span)]
    if footage is None:
        raise UsageError("Without the file of a video its frames cannot be numbered.")
    labels = [
        fo.TemporalDetection(
            label=span.label[:LABEL_LIMIT],
            support=list(footage.support(span.start_seconds, span.end_seconds)),
            confidence=span.confidence,
            **({"text": span.text} if span.text else {}),
        )
        for span in spans
    ]
    said = "\n".join(span.text for span in spans if span.text)
    texts = {answer_field(field, name): said for name in form.names if name}
    return {field: _document(fo.TemporalDetections(detections=labels)), **texts}


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
