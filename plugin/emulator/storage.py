"""Uploaded and generated files: kept in a folder on disk until they expire."""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..values import JsonValue
from .failures import GoogleError, Quota, invalid, no_file, over_quota
from .settings import Settings

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of the Files API; `name` has no `files/` before it.

    `problem` says why it cannot be read, `video_seconds` how long a video is.
    """

    name: str
    path: Path
    mime_type: str
    size: int
    sha256: str
    created: datetime
    ready: datetime
    expires: datetime
    display_name: str = ""
    generated: bool = False
    problem: str = ""
    video_seconds: float | None = None

    @property
    def state(self) -> str:
        """PROCESSING, then ACTIVE or FAILED."""
        if datetime.now(UTC) < self.ready:
            return "PROCESSING"
        return "FAILED" if self.problem else "ACTIVE"

    def as_json(self, origin: str) -> dict[str, JsonValue]:
        """Describe the file as the API does; `origin` is where it is served."""
        uri = f"{origin}/v1beta/files/{self.name}"
        state = self.state
        told: dict[str, JsonValue] = {
            "name": f"files/{self.name}",
            "mimeType": self.mime_type,
            "sizeBytes": str(self.size),
            "createTime": zulu(self.created),
            "updateTime": zulu(self.created if state == "PROCESSING" else self.ready),
            "expirationTime": zulu(self.expires),
            # The API encodes the hexadecimal digits, not the bytes, of the hash.
            "sha256Hash": b64encode(self.sha256.encode()).decode(),
            "uri": uri,
            "state": state,
            "source": "GENERATED" if self.generated else "UPLOADED",
        }
        if self.display_name:
            told["displayName"] = self.display_name
        if self.generated:
            told["downloadUri"] = f"{uri}:download?alt=media"
        if state == "FAILED":
            told["error"] = {"code": 3, "message": self.problem}
        if self.video_seconds is not None and state == "ACTIVE":
            told["videoMetadata"] = {"videoDuration": f"{self.video_seconds:g}s"}
        return told


@dataclass(slots=True)
class Storage:
    """The files of the one project that there is. Lives on the event loop."""

    settings: Settings
    folder: Path
    _files: dict[str, StoredFile] = field(default_factory=dict)

    def find(self, name: str) -> StoredFile:
        """Give a file by its name; raise GoogleError (403)."""
        self._sweep()
        if name not in self._files:
            raise no_file(name)
        return self._files[name]

    def newest_first(self) -> list[StoredFile]:
        """List the uploaded files."""
        self._sweep()
        return [f for f in reversed(self._files.values()) if not f.generated]

    def add(self, file: StoredFile) -> None:
        """Keep a file whose bytes lie in the folder."""
        self._files[file.name] = file

    def delete(self, name: str) -> None:
        """Delete a file and its bytes; raise GoogleError (403)."""
        self.find(name).path.unlink(missing_ok=True)
        del self._files[name]

    def claim(self, wanted: str, size: int, pending: Iterable[int]) -> str:
        """Check the name and size of a file to come, and name it; raise GoogleError.

        `pending` are the sizes of the uploads that run already.
        """
        self._sweep()
        if size > self.settings.file_limit:
            raise invalid(
                f"File size {size} exceeds the limit of {self.settings.file_limit} bytes."
            )
        stored = sum(f.size for f in self._files.values() if not f.generated)
        limit = self.settings.project_limit
        if stored + sum(pending) + size > limit:
            quota = Quota("file_storage_bytes", "FileStorageBytesPerProject", limit)
            raise over_quota(quota, None)
        name = wanted.removeprefix("files/")
        if name and not _NAME.fullmatch(name):
            raise invalid(f"* CreateFileRequest.file.name: invalid name: {wanted}\n")
        if name in self._files:
            message = f"Resource files/{name} already exists."
            raise GoogleError(409, "ALREADY_EXISTS", message)
        return name or secrets.token_hex(6)

    def dates(self) -> tuple[datetime, datetime, datetime]:
        """Tell when a file of now was made, will be ready, and will be gone."""
        now = datetime.now(UTC)
        ready = now + timedelta(seconds=self.settings.processing_seconds)
        return now, ready, now + timedelta(seconds=self.settings.file_seconds)

    def _sweep(self) -> None:
        """Delete what has expired."""
        now = datetime.now(UTC)
        for name in [n for n, f in self._files.items() if f.expires <= now]:
            self._files.pop(name).path.unlink(missing_ok=True)


def zulu(moment: datetime) -> str:
    """Write a time as the API does."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
