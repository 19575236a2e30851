"""Resumable uploads: chunks -> a file in the storage."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from .failures import GoogleError, invalid
from .inspection import inspect
from .storage import Storage, StoredFile

GRANULARITY = 8 * 2**20
"""Chunks are multiples of it, but for the last."""


@dataclass(slots=True)
class Upload:
    """An upload that runs: what was announced, and what has come whole."""

    id: str
    name: str
    path: Path
    size: int
    mime_type: str
    display_name: str
    received: int = 0
    file: StoredFile | None = None
    lock: anyio.Lock = field(default_factory=anyio.Lock)


@dataclass(slots=True)
class Uploads:
    """All uploads that run. Lives on the event loop; files are written in threads."""

    storage: Storage
    _running: dict[str, Upload] = field(default_factory=dict)

    def start(self, name: str, size: int, mime_type: str, display_name: str) -> Upload:
        """Begin an upload; raise GoogleError."""
        pending = [u.size for u in self._running.values() if u.file is None]
        name = self.storage.claim(name, size, pending)
        token = secrets.token_urlsafe(18)
        path = self.storage.folder / f"upload-{token}"
        path.touch()
        upload = Upload(token, name, path, size, mime_type, display_name)
        self._running[token] = upload
        return upload

    def find(self, token: str) -> Upload:
        """Give a running or finished upload; raise GoogleError (404)."""
        if token not in self._running:
            message = "Upload has already been terminated or never started."
            raise GoogleError(404, "NOT_FOUND", message)
        return self._running[token]

    def cancel(self, upload: Upload) -> None:
        """Forget an upload and what has come of it."""
        del self._running[upload.id]
        if upload.file is None:
            upload.path.unlink(missing_ok=True)

    async def take(
        self, upload: Upload, offset: int, chunks: AsyncIterator[bytes], *, last: bool
    ) -> None:
        """Append bytes; they count only when all of them came. Raise GoogleError."""
        async with upload.lock:
            if upload.file is not None or offset != upload.received:
                async for _ in chunks:  # a connection is read to its end
                    pass
                message = f"Upload offset {offset} does not match {upload.received}."
                raise invalid(message)
            received = await _write(upload, chunks)
            if not last and (received - offset) % GRANULARITY:
                raise invalid(f"Chunk size must be a multiple of {GRANULARITY} bytes.")
            upload.received = received

    async def finish(self, upload: Upload) -> StoredFile:
        """Turn an upload that is whole into a file; raise GoogleError."""
        async with upload.lock:
            if upload.file is None:
                upload.file = await self._finish(upload)
            return upload.file

    async def _finish(self, upload: Upload) -> StoredFile:
        """Make the file, and see whether it can be read."""
        if upload.received != upload.size:
            raise invalid(
                f"Upload has {upload.received} bytes, but {upload.size} were announced."
            )
        path = upload.path.with_name(f"file-{upload.name}-{upload.id}")
        upload.path.rename(path)
        digest = await anyio.to_thread.run_sync(file_sha256, path)
        problem, seconds = await anyio.to_thread.run_sync(
            inspect, path, upload.mime_type
        )
        created, ready, expires = self.storage.dates()
        file = StoredFile(
            name=upload.name,
            path=path,
            mime_type=upload.mime_type,
            size=upload.size,
            sha256=digest,
            created=created,
            ready=ready,
            expires=expires,
            display_name=upload.display_name,
            problem=problem,
            video_seconds=seconds,
        )
        self.storage.add(file)
        return file


async def _write(upload: Upload, chunks: AsyncIterator[bytes]) -> int:
    """Write bytes behind those received; give the size then. Raise GoogleError."""
    size = upload.received
    async with await anyio.open_file(upload.path, "r+b") as file:
        await file.truncate(size)
        await file.seek(size)
        async for chunk in chunks:
            size += len(chunk)
            if size <= upload.size:
                await file.write(chunk)
    if size > upload.size:
        raise invalid(f"Upload is larger than the {upload.size} bytes announced.")
    return size


def file_sha256(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
