"""URIs in requests -> media: files of the developer API, objects of the enterprise one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .failures import GoogleError, invalid, no_file
from .media import IMAGE_TYPES, VIDEO_TYPES, Link, Medium
from .storage import Storage, StoredFile

_FILE = re.compile(r"(?:https?://[^/]+/v[^/]+/)?files/([^/?#]*)")
_GCS = re.compile(r"gs://([a-z0-9][a-z0-9._-]+)/(.+)", re.DOTALL)
_YOUTUBE = re.compile(
    r"https?://(?:(?:www\.|m\.)?youtube\.com/(?:watch\?(?:[^#]*&)?v=|shorts/|embed/|live/)"
    r"|youtu\.be/)[\w-]{11}(?:[?&#].*)?"
)


@dataclass(frozen=True, slots=True)
class FilesLibrary:
    """What the developer API finds: its own files, and public videos by their link."""

    storage: Storage

    def find(self, uri: str, mime_type: str) -> Medium:
        """Find an ACTIVE file or accept a link; raise GoogleError."""
        if _YOUTUBE.fullmatch(uri):
            return Medium(Link(uri), mime_type or "video/mp4")
        named = _FILE.fullmatch(uri)
        if not named and uri.startswith(("https://", "http://")):
            raise invalid(
                "Cannot fetch content from the provided URL. "
                "(The fiftyone-gemini emulator is offline.)"
            )
        if not named:
            raise invalid(f"Invalid or unsupported file uri: {uri}")
        if not named[1]:
            raise no_file("")
        file = self.active(named[1])
        _check_types(mime_type or file.mime_type, file.mime_type)
        return Medium(file.path, file.mime_type)

    def active(self, name: str) -> StoredFile:
        """Give a file that is ready for use; raise GoogleError."""
        file = self.storage.find(name)
        if file.state != "ACTIVE":
            what = f"The File {name} is not in an ACTIVE state"
            message = f"{what} and usage is not allowed."
            raise GoogleError(400, "FAILED_PRECONDITION", message)
        return file


@dataclass(frozen=True, slots=True)
class BucketLibrary:
    """What the enterprise API finds: objects of buckets, here a folder on disk."""

    folder: Path | None

    def find(self, uri: str, mime_type: str) -> Medium:
        """Find an object, or accept a link; raise GoogleError."""
        if _YOUTUBE.fullmatch(uri):
            return Medium(Link(uri), mime_type or "video/mp4")
        if not mime_type:
            raise invalid("Unable to submit request because it must have a mimeType.")
        if not uri.startswith("gs://"):
            raise invalid(f"Unsupported file uri: {uri}")
        path = self.locate(uri)
        if not path.is_file():
            raise GoogleError(404, "NOT_FOUND", f"No such object: {uri[5:]}")
        _check_types(mime_type, mime_type)
        return Medium(path, mime_type)

    def locate(self, uri: str) -> Path:
        """Give the place of an object that may not exist yet; raise GoogleError."""
        named = _GCS.fullmatch(uri)
        if not named or self.folder is None:
            raise invalid(f"Unsupported file uri: {uri}")
        bucket = self.folder.resolve() / named[1]
        path = (bucket / named[2]).resolve()
        if "\0" in uri or not path.is_relative_to(bucket):
            raise invalid(f"Unsupported file uri: {uri}")
        return path


def _check_types(told: str, stored: str) -> None:
    """Refuse a type that the file does not have, or that no model looks at."""
    if told != stored:
        raise invalid(
            f"The mime_type {told} of the request is not that of the file: {stored}."
        )
    if told not in IMAGE_TYPES | VIDEO_TYPES:
        raise invalid(f"Unsupported MIME type: {told}")
