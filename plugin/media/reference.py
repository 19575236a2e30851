"""Addresses that Gemini opens itself: videos on YouTube and in Cloud Storage buckets.

Nothing is read here, so neither the size of the picture nor the length is known.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from ..values import Frame, Media

UNKNOWN = Frame(0, 0)
"""The size of what was not opened."""
VIDEO_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpg",
    ".mov": "video/mov",
    ".avi": "video/avi",
    ".flv": "video/x-flv",
    ".webm": "video/webm",
    ".wmv": "video/wmv",
    ".3gp": "video/3gpp",
    ".3gpp": "video/3gpp",
}
"""By suffix; the types are those of Google's Video understanding page (2026-09)."""
_YOUTUBE = re.compile(
    r"https?://((www\.|m\.)?youtube\.com/(watch\?([^#]*&)?v=|shorts/|embed/|live/)"
    r"|youtu\.be/)[\w-]{11}([?&#].*)?"
)


def by_reference(address: str) -> Media | None:
    """Make a medium of an address that is passed on as it is; None: it is to be opened.

    Public videos on YouTube, and `gs://` addresses of videos by their suffix. Pictures in
    buckets are opened, because coordinates need their size.
    """
    if _YOUTUBE.fullmatch(address):
        return Media(b"", "video/mp4", UNKNOWN, UNKNOWN, uri=address)
    mime_type = VIDEO_TYPES.get(PurePosixPath(address).suffix.lower())
    if mime_type is None or not address.startswith("gs://"):
        return None
    return Media(b"", mime_type, UNKNOWN, UNKNOWN, uri=address)
