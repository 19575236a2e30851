"""The Files API by the SDK: upload, look, delete. Files live there for 48 hours, free.

`placing` decides what is uploaded and remembers it; here one call is one call. The
enterprise platform has no Files API.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MediaError
from .endpoint import Endpoint
from .failures import UNREACHABLE, CallError, Cause
from .sdk import call_errors

if TYPE_CHECKING:
    from google.genai import Client as SdkClient
    from google.genai import types

KEPT_FOR = timedelta(hours=48)
"""How long a file lives where the reply does not say (Files page, 2026-09)."""
LARGEST_BYTES = 2 * 1024**3
"""What one file may have (Files page, 2026-09)."""
MADE_BY = "fiftyone-gemini"
"""Begins the display name of every file that is uploaded here."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of the Files API.

    `name` is what it is looked up and deleted by, `uri` what a request refers to it by.
    `state` is `PROCESSING`, `ACTIVE` or `FAILED`, this with `error` in words.
    """

    name: str
    uri: str
    mime_type: str
    bytes: int
    expires: datetime
    state: str = "ACTIVE"
    error: str = ""


@dataclass(frozen=True, slots=True)
class FilesApi:
    """The Files API of an endpoint; all methods raise `CallError` when a call fails."""

    sdk: SdkClient
    endpoint: Endpoint

    async def upload(
        self, source: Path | bytes, mime_type: str, title: str = ""
    ) -> RemoteFile:
        """Upload a file or bytes, in chunks of 8 MiB; it may not be `ACTIVE` yet.

        A file is never held in memory as a whole. `title` is shown where files are
        listed. Raises `MediaError` for a file that is gone, empty or too large. A chunk
        that is refused costs 7 seconds: the SDK tries it three times, whatever the reason.
        """
        size = _size(source)
        name = f"{MADE_BY} {title}".strip()
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        try:
            with call_errors(self.endpoint):
                made = await self.sdk.aio.files.upload(
                    file=file, config={"mime_type": mime_type, "display_name": name}
                )
        except (KeyError, ValueError) as error:  # how the SDK says that it has no end
            cause = Cause(UNREACHABLE, message=f"the upload did not end well: {error}")
            raise CallError(cause) from None
        return _read(made, mime_type, size)

    async def look(self, name: str) -> RemoteFile:
        """Say how a file stands now."""
        with call_errors(self.endpoint):
            return _read(await self.sdk.aio.files.get(name=name))

    async def delete(self, name: str) -> None:
        """Delete a file."""
        with call_errors(self.endpoint):
            await self.sdk.aio.files.delete(name=name)


def _size(source: Path | bytes) -> int:
    """Give the size of what is to be uploaded; raise `MediaError`."""
    if isinstance(source, bytes):
        return len(source)
    try:
        size = source.stat().st_size
    except OSError as error:
        raise MediaError(
            f"{source} cannot be read ({error.strerror}). Check the path of the sample."
        ) from error
    if not size:
        raise MediaError(f"{source} is empty (0 bytes). Copy it again.")
    if size > LARGEST_BYTES:
        raise MediaError(
            f"{source} has {size / 1e9:.1f} GB; the Files API takes files up to "
            f"{LARGEST_BYTES / 1e9:.1f} GB. Cut it into parts or make it smaller."
        )
    return size


def _read(file: types.File, mime_type: str = "", size: int = 0) -> RemoteFile:
    """Read what the API says of a file; what it does not say is what was sent."""
    said = file.error.message if file.error else ""
    return RemoteFile(
        name=file.name or "",
        uri=file.uri or "",
        mime_type=file.mime_type or mime_type,
        bytes=file.size_bytes or size,
        expires=file.expiration_time or datetime.now(UTC) + KEPT_FOR,
        state=file.state.value if file.state else "ACTIVE",
        error=said or "",
    )
