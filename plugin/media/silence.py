"""A video file to a copy without sound: the pictures are copied, not encoded anew.

The Gemini API has no setting that leaves the sound of a video out (checked in the SDK's
3.4.0 request types), and bills it by the second.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import av

from ..errors import MediaError
from .probe import BROKEN, Probed, opened

_FORMATS = {
    "video/mov": ("mov", ".mov"),
    "video/3gpp": ("3gp", ".3gp"),
    "video/webm": ("webm", ".webm"),
    "video/avi": ("avi", ".avi"),
    "video/x-flv": ("flv", ".flv"),
    "video/wmv": ("asf", ".wmv"),
    "video/mpeg": ("mpeg", ".mpg"),
}
_MP4 = ("mp4", ".mp4")


def silent_copy(path: str, probed: Probed) -> tuple[str, Probed]:
    """Make the copy, or find it; give its path, and the original as if without sound.

    Copies stand in the user's cache folder, under the SHA-256 of the original. The digest
    of a copy is made of that one, not of its bytes: these depend on the version of
    FFmpeg, and the same question must find its reply in the journal again. Raises
    `MediaError` where pictures cannot be copied or written.
    """
    name, suffix = _FORMATS.get(probed.footage.mime_type, _MP4)
    digest = hashlib.sha256(f"without sound {probed.digest}".encode()).hexdigest()
    copy = cache_folder() / f"{probed.digest}-silent{suffix}"
    if not copy.is_file():
        _copy_pictures(path, copy, name)
    size = copy.stat().st_size
    return str(copy), Probed(
        replace(probed.footage, bytes=size, has_sound=False), digest
    )


def cache_folder() -> Path:
    """Name the folder of copies: `XDG_CACHE_HOME`, else `~/.cache`; it may be deleted."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fiftyone-gemini" / "videos"


def _copy_pictures(path: str, target: Path, name: str) -> None:
    """Copy the packets of the pictures; the file appears when it is whole."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            part = Path(folder) / target.name
            _remux(path, part, name)
            part.replace(target)
    except BROKEN as error:
        raise MediaError(
            f"{path} cannot be copied without its sound ({error}). Send it with sound, "
            "or convert it to MP4."
        ) from error
    except OSError as error:
        raise MediaError(
            f"The copy of {path} without sound cannot be written to {target.parent} "
            f"({error.strerror})."
        ) from error


def _remux(path: str, target: Path, name: str) -> None:
    """Write the pictures of one file into another."""
    with (
        opened(path) as (source, stream),
        av.open(str(target), "w", format=name) as copy,
    ):
        written = copy.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = written
                copy.mux(packet)
