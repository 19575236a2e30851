"""A video file to `Footage`: opened by its content, all of it looked through once.

Every packet is read and none decoded, but for two: the time of each frame is known, and
so is whether the file is whole. The result is remembered while the file stays the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from ..errors import MediaError
from ..values import Footage, Frame

TAKEN = "MP4, MOV, MPEG, AVI, FLV, WEBM, WMV or 3GPP"
"""The containers of Gemini's Video understanding page (2026-09), in words."""
REMEMBERED = 64
_WHOLE = 0.9
"""Share of the length that a file states which it must hold."""
_QUARTER = 90
_MIME_TYPES = {
    "avi": "video/avi",
    "flv": "video/x-flv",
    "mpeg": "video/mpeg",
    "mpegvideo": "video/mpeg",
    "asf": "video/wmv",
}
BROKEN = (av.FFmpegError, ValueError, EOFError, IndexError, OverflowError)


@dataclass(frozen=True, slots=True)
class Probed:
    """A video file that was looked through; `digest` is its SHA-256."""

    footage: Footage
    digest: str


def probe(path: str | Path) -> Probed:
    """Look through a video file.

    A video of an hour (30 frames a second) has 108,000 packets. Raises `MediaError`:
    missing, empty, damaged, cut short, without pictures, or of a type that Gemini does
    not take.
    """
    path = Path(path)
    try:
        stat = path.stat()
    except OSError as error:
        raise _missing(path, error) from error
    if path.is_dir():
        raise MediaError(f"{path} is a folder, not a video. Give a video's path.")
    if not stat.st_size:
        raise MediaError(f"{path} is empty (0 bytes). Copy the video again.")
    return _probe(str(path), stat.st_mtime_ns, stat.st_size)


@lru_cache(REMEMBERED)
def _probe(path: str, changed: int, size: int) -> Probed:  # noqa: ARG001 - part of the key
    try:
        with opened(path) as (container, stream):
            mime_type = _mime_type(container, path)
            times, seconds = _timeline(container, stream)
            _check_whole(path, stream, seconds)
            footage = Footage(
                frame=_prove(container, stream, seconds, path),
                seconds=seconds,
                times=times,
                has_sound=bool(container.streams.audio),
                codec=stream.codec_context.name,
                mime_type=mime_type,
                bytes=size,
            )
    except BROKEN as error:
        raise damaged(path) from error
    with Path(path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Probed(footage, digest)


@contextmanager
def opened(path: str | Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video and find its pictures; raises `MediaError` where there are none."""
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(
            f"{path} is no video that can be read, or is damaged. Use {TAKEN}."
        ) from error
    with container:
        pictures = [s for s in container.streams.video if not _is_cover(s)]
        if not pictures:
            raise MediaError(f"{path} holds no video, only sound or nothing.")
        yield container, pictures[0]


def damaged(path: str | Path) -> MediaError:
    """Say that a file looks like a video and is not whole."""
    return MediaError(
        f"{path} is damaged or cut short: its frames cannot be read. "
        "Copy or export the video again."
    )


def _is_cover(stream: VideoStream) -> bool:
    """Tell whether a stream is the still cover of a file."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _missing(path: Path, error: OSError) -> MediaError:
    if isinstance(error, FileNotFoundError):
        return MediaError(f"{path} does not exist. Check the path of the sample.")
    return MediaError(f"{path} cannot be read ({error.strerror}). Check its rights.")


def _mime_type(container: InputContainer, path: str) -> str:
    """Name the type by the content of a file, whatever its name."""
    name = container.format.name
    if name in _MIME_TYPES:
        return _MIME_TYPES[name]
    with Path(path).open("rb") as file:
        head = file.read(64)
    if name.startswith("mov,"):
        brand = head[8:12] if head[4:8] == b"ftyp" else b"qt  "
        return {b"qt  ": "video/mov", b"3gp": "video/3gpp"}.get(
            brand if brand == b"qt  " else brand[:3], "video/mp4"
        )
    if name.startswith("matroska") and b"webm" in head:
        return "video/webm"
    raise MediaError(
        f"{path} is a {container.format.long_name or name} file, which Gemini does not "
        f"take. Convert it to {TAKEN}."
    )


def _timeline(
    container: InputContainer, stream: VideoStream
) -> tuple[tuple[float, ...], float]:
    """Give the times of all frames from the first on, and the length in seconds.

    The last frame is taken to last as long as most: what MP4 files say of it is the
    time to the next packet, which need not be the next frame.
    """
    base = stream.time_base or Fraction(1, 1000)
    stamps: list[int] = []
    longest = 0
    for packet in container.demux(stream):
        stamp = packet.dts if packet.pts is None else packet.pts
        if packet.size and stamp is not None and not packet.is_discard:
            stamps.append(stamp)
            longest = packet.duration or longest
    if not stamps:
        raise ValueError(stream.index)
    shown = np.unique(np.asarray(stamps, np.int64))
    times = (shown - shown[0]).astype(np.float64) * float(base)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    last = step or longest * float(base) or 1 / float(stream.average_rate or 1)
    return tuple(times.tolist()), float(times[-1]) + last


def _check_whole(path: str, stream: VideoStream, seconds: float) -> None:
    """Raise `MediaError` for a file that holds much less than it says."""
    if not stream.duration or stream.time_base is None:
        return
    stated = float(stream.duration * stream.time_base)
    if seconds < stated * _WHOLE - 1:
        raise MediaError(
            f"{path} is cut short: it says that it lasts {stated:.0f} seconds, and holds "
            f"{seconds:.0f}. Copy or export the video again."
        )


def _prove(
    container: InputContainer, stream: VideoStream, seconds: float, path: str
) -> Frame:
    """Decode a frame at the start and one near the end; give the upright size."""
    size = None
    for share in (0.0, 0.9):
        start = stream.start_time or 0
        offset = int(seconds * share / float(stream.time_base or 1))
        container.seek(start + offset, stream=stream)
        frame = next(iter(container.decode(stream)), None)
        if frame is None or not frame.width:
            raise damaged(path)
        turned = abs(frame.rotation) % (2 * _QUARTER) == _QUARTER
        width, height = frame.width, frame.height
        size = size or (Frame(height, width) if turned else Frame(width, height))
    assert size is not None
    return size
