"""FiftyOne fields of every kind to `ImageLabels`; objects have `read.read_labels`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo

from ..errors import UsageError
from ..values import (
    Answer,
    Frame,
    ImageLabels,
    Kind,
    Point,
    Span,
    Status,
    Tag,
    Value,
)
from .read import read_frames, read_labels

_KINDS: Mapping[type, Kind] = {
    fo.Detections: Kind.OBJECTS,
    fo.Classification: Kind.TAG,
    fo.Classifications: Kind.TAGS,
    fo.Keypoints: Kind.POINTS,
    fo.TemporalDetections: Kind.SPANS,
    fo.StringField: Kind.TEXT,
}
_ENTRIES: Mapping[Kind, str] = {
    Kind.TAGS: "classifications",
    Kind.POINTS: "keypoints",
    Kind.SPANS: "detections",
}
_NO_FRAME = Frame(0, 0)


def kind_of_field(view: fo.SampleCollection, field: str) -> Kind:
    """See which kind of labels a field holds; raises UsageError for any other."""
    found = view.get_field(field)
    if found is None:
        raise UsageError(f"The dataset has no field {field!r}.")
    held = getattr(found, "document_type", None) or type(found)
    if held not in _KINDS:
        known = ", ".join(kind.__name__ for kind in _KINDS)
        raise UsageError(
            f"The field {field!r} holds {held.__name__}; what can be judged is {known}."
        )
    return _KINDS[held]


def read_kind(
    view: fo.SampleCollection, field: str, *, id_field: str = "id"
) -> list[ImageLabels]:
    """Read a field of any kind that can be judged, in the order of the view.

    The status comes from `<field>_status`; without it, a sample with a label is `ok` or
    `empty` and one without any is `skipped`. Sizes of pictures are read only for points.
    Raises what `kind_of_field` raises, and UsageError for spans without a frame rate.
    """
    kind = kind_of_field(view, field)
    if kind is Kind.OBJECTS:
        return read_labels(view, field, id_field=id_field)
    ids, paths, stored = view.values([id_field, "filepath", field])
    frames = read_frames(view) if kind is Kind.POINTS else [_NO_FRAME] * len(ids)
    rates = _rates(view) if kind is Kind.SPANS else [0.0] * len(ids)
    reader = _READERS[kind]
    found = [
        tuple(reader(_Stored(label, frame, rate)))
        for label, frame, rate in zip(stored, frames, rates, strict=True)
    ]
    return [
        ImageLabels(str(image_id), path, frame, values, status)
        for image_id, path, frame, values, status in zip(
            ids,
            paths,
            frames,
            found,
            _statuses(view, field, stored, found),
            strict=True,
        )
    ]


@dataclass(frozen=True, slots=True)
class _Stored:
    """What FiftyOne holds of a sample, and what is needed to read it."""

    label: Any
    frame: Frame
    rate: float


def _statuses(
    view: fo.SampleCollection,
    field: str,
    stored: Sequence[Any],
    found: Sequence[tuple[Value, ...]],
) -> Iterator[Status]:
    said: list[str | None] = [None] * len(stored)
    if view.has_field(f"{field}_status"):
        said = view.values(f"{field}_status")
    for status, label, values in zip(said, stored, found, strict=True):
        if status:
            yield Status(status)
        elif label is None:
            yield Status.SKIPPED
        else:
            yield Status.OK if values else Status.EMPTY


def _rates(view: fo.SampleCollection) -> list[float]:
    """Give the frames of each video in a second."""
    view.compute_metadata(skip_failures=True, progress=False)
    rates: list[float | None] = view.values("metadata.frame_rate")
    unknown = sum(not rate for rate in rates)
    if unknown:
        raise UsageError(
            f"The frame rate of {unknown} videos is unknown: their files cannot be "
            "opened. Leave those samples out of the view."
        )
    return [float(rate or 0) for rate in rates]


def _score(label: Any) -> tuple[float | None, str]:
    source = label["confidence_source"] if label.has_field("confidence_source") else ""
    return label.confidence, source or ""


def _tag(stored: _Stored) -> Iterator[Tag]:
    if stored.label is not None and stored.label.label is not None:
        yield Tag(stored.label.label, *_score(stored.label))


def _tags(stored: _Stored) -> Iterator[Tag]:
    for label in _listed(stored, Kind.TAGS):
        yield Tag(label.label or "", *_score(label))


def _texts(stored: _Stored) -> Iterator[Answer]:
    if stored.label is not None:
        yield Answer(stored.label)


def _points(stored: _Stored) -> Iterator[Point]:
    """Give every point of every keypoint; one that is not visible (NaN) is none."""
    for label in _listed(stored, Kind.POINTS):
        given = label.confidence or [None] * len(label.points)
        source = _score(label)[1]
        for (x, y), confidence in zip(label.points, given, strict=True):
            place = (x * stored.frame.width, y * stored.frame.height)
            if place[0] == place[0]:
                yield Point(label.label or "", *place, confidence, source)


def _spans(stored: _Stored) -> Iterator[Span]:
    """Turn first and last frame, counted from 1, into seconds."""
    for label in _listed(stored, Kind.SPANS):
        first, last = label.support
        start, end = (first - 1) / stored.rate, last / stored.rate
        confidence, source = _score(label)
        yield Span(label.label or "", start, end, "", confidence, source)


def _listed(stored: _Stored, kind: Kind) -> list[Any]:
    return [] if stored.label is None else list(stored.label[_ENTRIES[kind]])


_READERS: Mapping[Kind, Callable[[_Stored], Iterator[Value]]] = {
    Kind.TAG: _tag,
    Kind.TAGS: _tags,
    Kind.TEXT: _texts,
    Kind.POINTS: _points,
    Kind.SPANS: _spans,
}
