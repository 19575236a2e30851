"""What the parts of a video came to, put together: nothing twice where parts overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from .values import Box, Clip, Parsed, Sighting, Span, Value

TOUCH = 1.0
"""Seconds that two halves of an event may be apart: as exactly as Gemini tells time."""
ALIKE = 0.6
"""How alike two texts are that say the same (0..1)."""
SAME_PLACE = 0.5
"""Overlap of two boxes that show the same object (intersection over union)."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The values of one part, and what of the video it shows; None: to its end."""

    start: float
    end: float | None
    values: tuple[Value, ...]


def joined_in_time(pieces: Sequence[Parsed]) -> tuple[Value, ...]:
    """Put the labels of parts together, in the order of time.

    Stretches of the same label that overlap or nearly touch, where two parts meet, are one;
    so are objects of the same label at the same place and time.
    """
    kept: list[Value] = []
    before: _Part | None = None
    for piece in sorted(pieces, key=lambda piece: _start(piece.item.clip)):
        clip = piece.item.clip
        part = _Part(_start(clip), clip.end_seconds, piece.values)
        for value in part.values:
            twin = None if before is None else _twin(value, kept, before, part)
            if twin is None:
                kept.append(value)
            else:
                kept[kept.index(twin)] = _united(twin, value)
        before = part
    return tuple(sorted(kept, key=_when))


def _start(clip: Clip) -> float:
    return clip.start_seconds or 0.0


def _when(value: Value) -> tuple[float, float]:
    if isinstance(value, Span):
        return value.start_seconds, value.end_seconds
    return (value.seconds, 0.0) if isinstance(value, Sighting) else (0.0, 0.0)


def _twin(
    value: Value, kept: Sequence[Value], before: _Part, part: _Part
) -> Value | None:
    """Find what the part before said of the same thing, near to where both meet."""
    if before.end is None:
        return None
    low, high = part.start - TOUCH, before.end + TOUCH
    for other in reversed(kept):
        if isinstance(value, Span) and isinstance(other, Span):
            near = other.end_seconds >= low and value.start_seconds <= high
            if near and _same_event(other, value):
                return other
        if isinstance(value, Sighting) and isinstance(other, Sighting):
            near = low <= value.seconds <= high
            if near and _same_object(other, value):
                return other
    return None


def _same_event(one: Span, other: Span) -> bool:
    if one.label.casefold() != other.label.casefold():
        return False
    apart = max(one.start_seconds, other.start_seconds) - min(
        one.end_seconds, other.end_seconds
    )
    if one.text and other.text:
        alike = SequenceMatcher(None, one.text.casefold(), other.text.casefold())
        return apart < 0 and alike.ratio() >= ALIKE
    return apart <= TOUCH


def _same_object(one: Sighting, other: Sighting) -> bool:
    same_time = abs(one.seconds - other.seconds) < TOUCH / 100
    same_name = one.detection.label.casefold() == other.detection.label.casefold()
    overlap = _overlap(one.detection.box, other.detection.box)
    return same_time and same_name and overlap >= SAME_PLACE


def _overlap(one: Box, other: Box) -> float:
    """Give intersection over union."""
    ax0, ay0, ax1, ay1 = one.xyxy_px
    bx0, by0, bx1, by1 = other.xyxy_px
    width = min(ax1, bx1) - max(ax0, bx0)
    height = min(ay1, by1) - max(ay0, by0)
    shared = max(0.0, width) * max(0.0, height)
    union = one.width * one.height + other.width * other.height - shared
    return shared / union if union else 0.0


def _united(one: Value, other: Value) -> Value:
    """Make one of two: the whole stretch, with the longer text; else the first."""
    if not (isinstance(one, Span) and isinstance(other, Span)):
        return one
    return replace(
        one,
        start_seconds=min(one.start_seconds, other.start_seconds),
        end_seconds=max(one.end_seconds, other.end_seconds),
        text=max(one.text, other.text, key=len),
    )
