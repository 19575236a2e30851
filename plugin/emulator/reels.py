"""Encoded videos -> their length and frames, upright. Read by PyAV, apart from `media`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np

from .failures import invalid
from .media import Link, Medium
from .sight import Pixels

UNREADABLE = "Unable to process input video. Please check that it is not damaged."
_BROKEN = (av.FFmpegError, ValueError, EOFError, OSError)
_TURN = {90: 1, 180: 2, 270: 3}


@dataclass(frozen=True, slots=True)
class Reel:
    """How long a video lasts, and whether it has sound."""

    seconds: float
    has_sound: bool


def measure(medium: Medium) -> Reel | None:
    """Measure a video; None for a link, which is never opened; raise GoogleError (400)."""
    source = medium.source
    if isinstance(source, Link):
        return None
    try:
        if isinstance(source, Path):
            return _measured(str(source), source.stat().st_mtime_ns)
        return _measure(io.BytesIO(source))
    except _BROKEN as error:
        raise invalid(UNREADABLE) from error


@lru_cache(256)
def _measured(path: str, changed: int) -> Reel:
    del changed
    return _measure(path)


def _measure(file: str | io.BytesIO) -> Reel:
    with av.open(file, "r") as reel:
        stream = reel.streams.video[0]
        last = first = 0
        for packet in reel.demux(stream):
            if packet.pts is not None:
                last = max(last, packet.pts + (packet.duration or 0))
        first = stream.start_time or 0
        seconds = float((last - first) * (stream.time_base or Fraction(1, 1000)))
        return Reel(seconds, bool(reel.streams.audio))


def stretch_of(medium: Medium, reel: Reel) -> tuple[float, float, float]:
    """Give start, end and frames a second that are looked at; raise GoogleError (400)."""
    clip = medium.clip
    start = (clip and clip.start_seconds) or 0.0
    end = (clip and clip.end_seconds) or reel.seconds
    if start >= reel.seconds:
        raise invalid(
            f"Invalid video clip: start_offset {start:g}s is beyond the video's duration "
            f"of {reel.seconds:.3f}s."
        )
    return start, min(end, reel.seconds), (clip and clip.fps) or 1.0


def frames(source: bytes | Path) -> Iterator[tuple[float, Pixels]]:
    """Decode all frames in order, upright, each with its time; raise what PyAV raises."""
    file = str(source) if isinstance(source, Path) else io.BytesIO(source)
    with av.open(file, "r") as reel:
        first = None
        for frame in reel.decode(video=0):
            time = frame.time or 0.0
            first = time if first is None else first
            turn = _TURN.get(round(frame.rotation) % 360, 0)
            yield time - first, np.rot90(frame.to_ndarray(format="rgb24"), turn)
