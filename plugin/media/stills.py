"""Moments of a video to `Media`: its frames as pictures, upright, as JPEG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.stream import VideoStream
from PIL import Image

from ..values import Frame, Media
from .image import JPEG_QUALITY, fit
from .probe import BROKEN, damaged, opened, probe

_HAIR = 1e-4
_TURNS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}


def load_still(path: str, seconds: float, max_side: int | None = None) -> Media:
    """Cut out the frame that is shown at a time, and make it ready to be sent.

    What is before it is decoded from the last key frame on. Raises what `probe` raises.
    """
    footage = probe(path).footage
    shown = footage.times[footage.frame_at(seconds) - 1]
    image = read_frames(path, [shown])[0]
    sent = fit(footage.frame, max_side)
    if (sent.width, sent.height) != image.size:
        image = image.resize((sent.width, sent.height), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return Media(
        buffer.getvalue(),
        "image/jpeg",
        footage.frame,
        sent,
        moment_seconds=shown,
        footage=footage,
    )


def sketch_still(path: str, max_side: int | None = None) -> Media:
    """Give the size of the frames of a video as they would be sent."""
    frame: Frame = probe(path).footage.frame
    return Media(b"", "image/jpeg", frame, fit(frame, max_side))


def read_frames(path: str, seconds: Sequence[float]) -> list[Image.Image]:
    """Decode the frames shown at some times, each upright; raises `MediaError`."""
    try:
        with opened(path) as (container, stream):
            return [_frame_at(container, stream, moment, path) for moment in seconds]
    except BROKEN as error:
        raise damaged(path) from error


def _frame_at(
    container: InputContainer, stream: VideoStream, seconds: float, path: str
) -> Image.Image:
    """Decode from the key frame before a time up to the frame shown then."""
    base = stream.time_base or Fraction(1, 1000)
    start = stream.start_time or 0
    container.seek(start + int(seconds / base), stream=stream)
    best: av.VideoFrame | None = None
    for frame in container.decode(stream):
        shown = float(((frame.pts or 0) - start) * base)
        if best is not None and shown > seconds + _HAIR:
            break
        best = frame
    if best is None:
        raise damaged(path)
    return _upright(best)


def _upright(frame: av.VideoFrame) -> Image.Image:
    """Turn a frame as a player does."""
    image = Image.fromarray(frame.to_ndarray(format="rgb24"))
    turn = _TURNS.get(round(frame.rotation) % 360)
    return image if turn is None else image.transpose(turn)
