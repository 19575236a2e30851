"""A medium of a request: its bytes or where they lie, and how it is to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Protocol

IMAGE_TYPES = frozenset(
    f"image/{kind}" for kind in ("png", "jpeg", "webp", "heic", "heif")
)
VIDEO_TYPES = frozenset(
    f"video/{kind}"
    for kind in (
        *("mp4", "mpeg", "mov", "quicktime", "avi", "x-flv", "mpg", "mpegps"),
        *("webm", "wmv", "3gpp"),
    )
)


@dataclass(frozen=True, slots=True)
class Link:
    """The address of a public video; the emulator never opens it."""

    url: str


@dataclass(frozen=True, slots=True)
class Clip:
    """Which part of a video, at how many frames a second; None: as the model likes."""

    start_seconds: float | None = None
    end_seconds: float | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture or video of a request.

    `source` holds the encoded bytes, or is a file on disk, or a link. `resolution` is
    the level of this part alone (LOW ...), or empty.
    """

    source: bytes | Path | Link
    mime_type: str
    resolution: str = ""
    clip: Clip | None = None

    @property
    def is_picture(self) -> bool:
        """Whether it is a still picture."""
        return self.mime_type in IMAGE_TYPES

    def read(self) -> bytes:
        """Give the encoded bytes; a link has none."""
        if isinstance(self.source, Path):
            return self.source.read_bytes()
        return self.source if isinstance(self.source, bytes) else b""

    def digest(self) -> str:
        """Give the SHA-256 of the encoded bytes (of a link: of its address)."""
        if isinstance(self.source, Path):
            with self.source.open("rb") as file:
                return file_digest(file, "sha256").hexdigest()
        if isinstance(self.source, Link):
            return sha256(self.source.url.encode()).hexdigest()
        return sha256(self.source).hexdigest()


class Library(Protocol):
    """Where the files lie that the requests of one API name by URI."""

    def find(self, uri: str, mime_type: str) -> Medium:
        """Find the medium of a URI; raise GoogleError.

        `mime_type` is what the request says, or empty.
        """
