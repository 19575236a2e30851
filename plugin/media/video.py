"""Files and addresses to `Media`: a video, whole and as it is, and which part is meant.

A video is never cut or encoded anew: which part is meant goes into the request as a
clip, so that one upload serves any number of questions. Only sound can be left out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import MediaError, UsageError
from ..values import WHOLE, Clip, Media
from .image import INLINE_LIMIT
from .probe import Probed, probe
from .reference import by_reference
from .silence import silent_copy

MOST_FPS = 24.0
"""Frames a second that Gemini looks at, at most (Video understanding page, 2026-09)."""


def check_clip(clip: Clip) -> None:
    """Raise `UsageError` for a part of a video that cannot be."""
    start, end, fps = clip.start_seconds or 0.0, clip.end_seconds, clip.fps
    if start < 0:
        raise UsageError(f"A clip cannot start at {start:g} seconds; 0 is the start.")
    if end is not None and end <= start:
        raise UsageError(f"A clip cannot end at {end:g} s and start at {start:g} s.")
    if fps is not None and not 0 < fps <= MOST_FPS:
        raise UsageError(
            f"Gemini looks at up to {MOST_FPS:g} frames a second, not {fps:g}."
        )


def load_video(path: str, clip: Clip = WHOLE, *, sound: bool = True) -> Media:
    """Make a video ready to be sent: by its bytes, by its path, or by its address.

    A file over `INLINE_LIMIT` is named by its path, to be uploaded. Without `sound` a
    file that has any is sent as a copy without it: no setting of the API leaves it out.
    A clip is kept within the video. Raises what `probe` raises, and `MediaError` for a
    clip that starts behind the end.
    """
    check_clip(clip)
    if elsewhere := by_reference(path):
        return _at_address(elsewhere, clip, sound=sound)
    probed = _probed(path)
    clip = clipped(clip, probed.footage.seconds, path)
    if not sound and probed.footage.has_sound:
        path, probed = silent_copy(path, probed)
    if Path(path).stat().st_size > INLINE_LIMIT:
        return _media(b"", path, probed, clip)
    return _media(_read(path), "", probed, clip)


def sketch_video(path: str, clip: Clip = WHOLE, *, sound: bool = True) -> Media:
    """Give what `load_video` gives, without the bytes: for what is foreseen."""
    check_clip(clip)
    if elsewhere := by_reference(path):
        return _at_address(elsewhere, clip, sound=sound)
    probed = _probed(path)
    clip = clipped(clip, probed.footage.seconds, path)
    if not sound:
        silent = replace(probed.footage, has_sound=False)
        probed = replace(probed, footage=silent)
    return _media(b"", path, probed, clip)


def _probed(path: str) -> Probed:
    if "://" in path:
        raise MediaError(
            f"{path}: of addresses Gemini takes public videos on YouTube, and gs:// with a "
            "name that ends in the type, such as .mp4. Download the video and give its file."
        )
    return probe(path)


def _media(data: bytes, path: str, probed: Probed, clip: Clip) -> Media:
    footage = probed.footage
    return Media(
        *(data, footage.mime_type, footage.frame, footage.frame),
        path=path,
        digest=probed.digest,
        clip=clip,
        seconds=footage.seconds,
        footage=footage,
    )


def clipped(clip: Clip, seconds: float, path: str) -> Clip:
    """Keep a clip within a video; raise `MediaError` where nothing is left of it."""
    start, end = clip.start_seconds, clip.end_seconds
    if start is not None and start >= seconds:
        raise MediaError(
            f"{path} lasts {seconds:.1f} seconds, and the clip starts at {start:g}. "
            "Choose an earlier start."
        )
    if end is not None and end >= seconds:
        end = None
    return Clip(start or None, end, clip.fps)


def _at_address(media: Media, clip: Clip, *, sound: bool) -> Media:
    """Mean a part of what Gemini fetches itself."""
    if not sound:
        raise MediaError(
            f"{media.uri} can only be sent with its sound: Gemini fetches it itself. "
            "Download the video and give its file."
        )
    return replace(media, clip=clip)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise MediaError(
            f"{path} cannot be read ({error.strerror}). Check its rights."
        ) from error
