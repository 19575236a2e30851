"""Members of one cluster -> one label: medians, majorities, and the share that agrees."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from ..values import Box, Detection, JsonValue, Mask, Point, Span


@dataclass(frozen=True, slots=True)
class Asked:
    """How often was asked, and when two answers are the same."""

    times: int
    iou: float
    radius: float
    at_least: float | None
    one_tag: bool

    @property
    def source(self) -> str:
        """Say where the scores come from."""
        return f"agreement of {self.times} asks"

    def share(self, votes: int) -> float:
        """Give the score of what so many replies say."""
        return votes / self.times


def merge_detections(asked: Asked) -> Callable[[Sequence[Detection]], Detection]:
    """Give what merges objects: median box, or the majority's mask and the box around it."""

    def merged(members: Sequence[Detection]) -> Detection:
        mask = _majority_mask([d.mask for d in members if d.mask is not None])
        edges = zip(*(d.box.xyxy_px for d in members), strict=True)
        box = Box.from_xyxy_px(*(median(edge) for edge in edges))
        if mask is not None:
            height, width = mask.crop.shape
            box = Box(mask.x, mask.y, width, height)
        return Detection(
            members[0].label,
            box,
            mask,
            asked.share(len(members)),
            attributes=_majority_attributes(members),
            confidence_source=asked.source,
        )

    return merged


def merge_points(asked: Asked) -> Callable[[Sequence[Point]], Point]:
    """Give what merges points: the median place."""

    def merged(members: Sequence[Point]) -> Point:
        x, y = median(p.x for p in members), median(p.y for p in members)
        score = asked.share(len(members))
        return Point(members[0].label, x, y, score, asked.source)

    return merged


def merge_spans(asked: Asked) -> Callable[[Sequence[Span]], Span]:
    """Give what merges spans: the median times, the most frequent text."""

    def merged(members: Sequence[Span]) -> Span:
        return Span(
            members[0].label,
            median(s.start_seconds for s in members),
            median(s.end_seconds for s in members),
            most_frequent([s.text for s in members]),
            asked.share(len(members)),
            asked.source,
        )

    return merged


def _majority_mask(masks: Sequence[Mask]) -> Mask | None:
    """Keep the pixels that more than half of the masks hold, cropped to them."""
    if not masks:
        return None
    x0, y0 = min(m.x for m in masks), min(m.y for m in masks)
    x1 = max(m.x + m.crop.shape[1] for m in masks)
    y1 = max(m.y + m.crop.shape[0] for m in masks)
    votes = np.zeros((y1 - y0, x1 - x0), np.int64)
    for mask in masks:
        height, width = mask.crop.shape
        top, left = mask.y - y0, mask.x - x0
        votes[top : top + height, left : left + width] += mask.crop
    kept = 2 * votes > len(masks)
    rows, columns = np.nonzero(kept.any(axis=1))[0], np.nonzero(kept.any(axis=0))[0]
    if not len(rows):
        return None
    crop = kept[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    left, top = x0 + int(columns[0]), y0 + int(rows[0])
    return Mask(left, top, np.ascontiguousarray(crop))


def _majority_attributes(members: Sequence[Detection]) -> dict[str, JsonValue]:
    """Keep the most frequent value of each attribute, told apart by how it is written."""
    found: dict[str, dict[str, JsonValue]] = defaultdict(dict)
    votes: dict[str, list[str]] = defaultdict(list)
    for detection in members:
        for name, value in detection.attributes.items():
            found[name][repr(value)] = value
            votes[name].append(repr(value))
    return {name: found[name][most_frequent(votes[name])] for name in sorted(found)}


def most_frequent(texts: Sequence[str]) -> str:
    """Find the text that comes most often; of equals the shortest, then the first."""
    counts = Counter(texts)
    return min(counts, key=lambda text: (-counts[text], len(text), text))
