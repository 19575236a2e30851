"""k replies to the same question -> one set of labels; the score is how many agree.

The score of a label is the share of the replies that say it, of all that were asked for:
a reply that failed agrees with nothing. Its source is stored with it. The order of the
replies makes no difference.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from pycocotools import mask as coco_mask

from ..errors import UsageError
from ..values import (
    Answer,
    Detection,
    Frame,
    ImageLabels,
    Point,
    Sighting,
    Span,
    Status,
    Tag,
    Value,
)
from .clusters import cluster
from .intervals import FloatArray
from .kinds.points import RADIUS
from .kinds.spans import temporal_iou
from .kinds.tags import tags_of
from .kinds.texts import plain
from .merging import (
    Asked,
    merge_detections,
    merge_points,
    merge_spans,
    most_frequent,
)
from .pairs import by_id

IOU = 0.5
T = TypeVar("T", Detection, Point, Span)


def agree(
    replies: Sequence[Sequence[ImageLabels]],
    *,
    iou: float = IOU,
    radius: float = RADIUS,
    at_least: float | None = None,
) -> tuple[ImageLabels, ...]:
    """Merge what was answered each time, item by item, in the order of the first.

    Objects of one label are the same from an IoU of `iou` up, spans likewise by time,
    points within `radius` of the diagonal. Boxes, points and times become the median,
    masks what the majority holds. `at_least`: labels with a smaller share are left out;
    None keeps all, but of several tags those of half the replies or more. One tag and
    texts are the most frequent one. Raises UsageError for fewer than two replies.
    """
    if len(replies) < 2:  # noqa: PLR2004
        raise UsageError("Agreement needs two answers to every question, or more.")
    sides = [by_id(side, f"reply {n}") for n, side in enumerate(replies, start=1)]
    asked = Asked(len(replies), iou, radius, at_least, _one_tag(replies))
    return tuple(
        _merge([side[name] for side in sides if name in side], asked)
        for name in dict.fromkeys(name for side in sides for name in side)
    )


def _one_tag(replies: Sequence[Sequence[ImageLabels]]) -> bool:
    """Tell whether no reply about any item has two tags."""
    every = (image for side in replies for image in side)
    return max((len(tags_of(image.values)) for image in every), default=0) <= 1


def _merge(images: Sequence[ImageLabels], asked: Asked) -> ImageLabels:
    """Merge the replies about one item; without an answer it ended like the worst."""
    answered = [image for image in images if image.status.answers(len(image.values))]
    frame = max((i.frame for i in images), key=lambda f: (f.width, f.height))
    first = min(images, key=lambda image: image.path)
    if not answered:
        status = min((image.status for image in images), key=str)
        return replace(first, frame=frame, values=(), status=status)
    sides = [image.values for image in answered]
    values = tuple(
        value
        for value in _merged(sides, frame, asked)
        if asked.at_least is None or (value_confidence(value) or 0) >= asked.at_least
    )
    status = Status.OK if values else Status.EMPTY
    return replace(first, frame=frame, values=values, status=status)


def _merged(
    sides: Sequence[Sequence[Value]], frame: Frame, asked: Asked
) -> Iterator[Value]:
    """Merge each kind of value; the most agreed on comes first."""
    strange = {
        type(v).__name__
        for side in sides
        for v in side
        if not isinstance(v, Detection | Point | Span | Tag | Answer | Sighting)
    }
    if strange:
        raise UsageError(f"Agreement of {min(strange)} labels is not worked out.")
    found: list[Value] = [
        *_objects(sides, asked),
        *_sightings(sides, asked),
        *_clustered(
            _pick(sides, Point), _near(frame), 1 - asked.radius, merge_points(asked)
        ),
        *_clustered(_pick(sides, Span), _overlap, asked.iou, merge_spans(asked)),
        *_tags(sides, asked),
        *_answers(sides, asked),
    ]
    yield from sorted(found, key=lambda v: (-(value_confidence(v) or 0), _say(v)))


def value_confidence(value: Value) -> float | None:
    """Give the confidence of a value, of the kinds that can have one."""
    if isinstance(value, Sighting):
        return value.detection.confidence
    if isinstance(value, Detection | Point | Span | Tag | Answer):
        return value.confidence
    return None


def _say(value: object) -> str:
    """Write all that a value says: values that say the same are the same."""
    if isinstance(value, Sighting):
        return f"{value.seconds!r} {_say(value.detection)}"
    if isinstance(value, Detection):
        mask = value.mask
        crop = (mask.x, mask.y, mask.crop.shape, mask.crop.tobytes()) if mask else ()
        return repr((value.label, value.box, sorted(value.attributes.items()), crop))
    return repr(value)


def _pick(sides: Sequence[Sequence[Value]], kind: type[T]) -> list[list[T]]:
    return [[value for value in side if isinstance(value, kind)] for side in sides]


def _clustered(
    sides: Sequence[Sequence[T]],
    likeness: Callable[[Sequence[T]], FloatArray],
    least: float,
    merged: Callable[[Sequence[T]], T],
) -> Iterator[T]:
    """Cluster the things of each label and merge each cluster."""
    for label in sorted({thing.label for side in sides for thing in side}):
        own = [[thing for thing in side if thing.label == label] for side in sides]
        for members in cluster(own, likeness, least, _say):
            yield merged(members)


def _objects(sides: Sequence[Sequence[Value]], asked: Asked) -> Iterator[Detection]:
    found = _pick(sides, Detection)
    yield from _clustered(found, _box_ious, asked.iou, merge_detections(asked))


def _sightings(sides: Sequence[Sequence[Value]], asked: Asked) -> Iterator[Sighting]:
    """Merge the objects of each moment; moments are told apart to the millisecond."""
    found = [[v for v in side if isinstance(v, Sighting)] for side in sides]
    for moment in sorted({round(v.seconds, 3) for side in found for v in side}):
        own = [
            [v.detection for v in side if round(v.seconds, 3) == moment]
            for side in found
        ]
        for one in _clustered(own, _box_ious, asked.iou, merge_detections(asked)):
            yield Sighting(moment, one)


def _box_ious(detections: Sequence[Detection]) -> FloatArray:
    boxes = np.array([d.box.xywh_px for d in detections], np.float64)
    return np.asarray(coco_mask.iou(boxes, boxes, [False] * len(boxes)), np.float64)


def _near(frame: Frame) -> Callable[[Sequence[Point]], FloatArray]:
    """Make the table of nearness: 1 less the distance as a share of the diagonal."""
    diagonal = math.hypot(frame.width, frame.height) or 1.0

    def table(points: Sequence[Point]) -> FloatArray:
        places = np.array([(p.x, p.y) for p in points], np.float64)
        apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
        return np.asarray(1 - apart / diagonal, np.float64)

    return table


def _overlap(spans: Sequence[Span]) -> FloatArray:
    return np.array([[temporal_iou(a, b) for b in spans] for a in spans], np.float64)


def _tags(sides: Sequence[Sequence[Value]], asked: Asked) -> Iterator[Tag]:
    said = [{v.label for v in side if isinstance(v, Tag)} for side in sides]
    votes = Counter(label for labels in said for label in labels)
    if asked.one_tag and votes:
        best = min(votes, key=lambda label: (-votes[label], label))
        votes = Counter({best: votes[best]})
    for label, count in votes.items():
        few = asked.share(count) < 0.5  # noqa: PLR2004 - half of the replies
        if few and not asked.one_tag and asked.at_least is None:
            continue
        yield Tag(label, asked.share(count), asked.source)


def _answers(sides: Sequence[Sequence[Value]], asked: Asked) -> Iterator[Answer]:
    """Choose the text most replies give but for case, punctuation and articles."""
    texts: dict[str, list[str]] = defaultdict(list)
    for side in sides:
        own = {v.name: v.text for v in reversed(side) if isinstance(v, Answer)}
        for name, text in own.items():
            texts[name].append(text)
    for name, said in texts.items():
        best = most_frequent([plain(text) for text in said])
        same = [text for text in said if plain(text) == best]
        score = asked.share(len(same))
        yield Answer(most_frequent(same), name, score, asked.source)
