"""Can an uploaded file be read at all? Pictures are decoded, videos opened."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from .failures import GoogleError
from .media import IMAGE_TYPES, Medium
from .pictures import open_pixels

_BROKEN = "The file could not be processed: it cannot be read as {}."


def inspect(path: Path, mime_type: str) -> tuple[str, float | None]:
    """Say what is wrong with a file (or nothing), and how long a video lasts.

    Pictures of a type that only Gemini decodes (HEIC) pass; so does what is neither
    picture nor video.
    """
    if mime_type in IMAGE_TYPES - {"image/heic", "image/heif"}:
        try:
            open_pixels(Medium(path, mime_type))
        except GoogleError:
            return _BROKEN.format(mime_type), None
    if not mime_type.startswith("video/"):
        return "", None
    seconds = _video_seconds(path)
    return ("", seconds) if seconds else (_BROKEN.format(mime_type), None)


def _video_seconds(path: Path) -> float:
    """Measure a video; 0 when it cannot be opened."""
    video = cv2.VideoCapture(str(path))
    try:
        frames = video.get(cv2.CAP_PROP_FRAME_COUNT)
        rate = video.get(cv2.CAP_PROP_FPS)
        if not video.isOpened() or not np.isfinite([frames, rate]).all() or rate <= 0:
            return 0.0
        return round(max(frames, 1) / rate, 3)
    finally:
        video.release()
