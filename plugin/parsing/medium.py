"""Notice a reply that speaks of "the image" where a video was sent."""

from __future__ import annotations

import re
from dataclasses import replace

from ..values import Answer, Issue, Media, Reading, Span, Value

_IMAGE = re.compile(
    r"\b(?:the|this|an|your)\s+(?:\w+\s+)?(?:image|picture|photo(?:graph)?)\b",
    re.IGNORECASE,
)
_VIDEO = re.compile(r"\b(?:video|clip|footage|film|recording)\b", re.IGNORECASE)


def heed_medium(reading: Reading, media: Media) -> Reading:
    """Add an issue where the words about a video are about an image, and of no video."""
    words = " ".join(map(_words_of, reading.values))
    if not media.is_video or not _IMAGE.search(words) or _VIDEO.search(words):
        return reading
    message = "it speaks of an image, and a video was sent; it may have seen one frame"
    return replace(reading, issues=(*reading.issues, Issue("", "image_said", message)))


def _words_of(value: Value) -> str:
    if isinstance(value, Answer):
        return value.text
    return f"{value.label} {value.text}" if isinstance(value, Span) else ""
