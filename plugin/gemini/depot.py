"""Contents to files of the Files API: found again, or uploaded and waited for.

`placing` asks for them. What was uploaded is remembered in the journal's file (`uploads`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Protocol, TypeVar, TypeVarTuple

from ..errors import ApiError, FatalApiError, MediaError
from ..values import Media
from .failures import CallError, Cause, Next, advise, decide, happened
from .files import FilesApi, RemoteFile
from .journal import Journal
from .limits import Limits
from .patient import patiently
from .upload_rule import Content, content_of
from .uploads import Uploads

PROCESSING, FAILED = "PROCESSING", "FAILED"
_OTHER_RUN_SECONDS = 0.2
_POLL_SECONDS = (0.2, 5.0)
T = TypeVar("T")
Args = TypeVarTuple("Args")


class Work(Protocol):
    """A way to run a blocking function in a thread."""

    async def __call__(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """Run it and give its result."""
        ...


@dataclass(frozen=True, slots=True)
class Traffic:
    """Files uploaded, their bytes, and uploads of earlier runs that were used again."""

    uploaded: int = 0
    bytes: int = 0
    reused: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        """Sum."""
        return Traffic(
            self.uploaded + other.uploaded,
            self.bytes + other.bytes,
            self.reused + other.reused,
        )

    def words(self) -> list[str]:
        """Say it in a sentence, if there is anything to say."""
        said = []
        if self.uploaded:
            megabytes = self.bytes / 1e6
            said.append(
                f"Uploaded to the Files API: {self.uploaded} files, {megabytes:.1f} MB."
            )
        if self.reused:
            said.append(f"Used again: {self.reused} files that were uploaded before.")
        return said


NOTHING = Traffic()


@dataclass(slots=True)
class Depot:
    """The files of one run, on one loop; the journal is used in threads.

    `work` runs a blocking function in a thread. `pause` waits, or raises when the run is
    to end. `traffic` is what happened since it was last looked at and set back.
    """

    api: FilesApi
    journal: Journal
    limits: Limits
    work: Work
    pause: Callable[[float], Awaitable[None]]
    uploads: Uploads = field(init=False)
    traffic: Traffic = NOTHING
    _open: dict[Content, asyncio.Task[RemoteFile]] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    """Names of the files that this run has used."""

    def __post_init__(self) -> None:
        """Open the record of what was uploaded before."""
        self.uploads = self.journal.uploads(self.api.endpoint)

    async def file(self, media: Media) -> RemoteFile:
        """Find or upload; requests for the same content wait for one upload.

        Raises `MediaError` for what cannot be uploaded or used, `ApiError` when the
        Files API could not be reached.
        """
        content = content_of(media)
        if content not in self._open:
            task = asyncio.create_task(self._find_or_upload(media))
            self._open[content] = task
            task.add_done_callback(lambda _: self._open.pop(content, None))
        return await asyncio.shield(self._open[content])

    async def forget(self, uris: set[str]) -> None:
        """Forget the files of some URIs: they are gone."""
        for file in await self.work(self.uploads.all):
            if file.uri in uris:
                await self.work(self.uploads.forget, file.name)

    async def _find_or_upload(self, media: Media) -> RemoteFile:
        """Take what an earlier request uploaded, or upload; wait until it can be used."""
        content = content_of(media)
        file = await self._find(content)
        if file is None:
            file = await self._upload_claimed(media)
        elif file.name not in self._seen:
            self.traffic += Traffic(reused=1)
        self._seen.add(file.name)
        if file.state == PROCESSING:
            file = await self._processed(file, media)
            await self.work(self.uploads.keep, *content, file)
        if file.state == FAILED:
            await self.work(self.uploads.forget, file.name)
            raise MediaError(
                f"Gemini could not process {_named(media)}"
                f"{f' ({file.error})' if file.error else ''}. Check that it opens here, "
                "or convert it."
            )
        return file

    async def _find(self, content: Content) -> RemoteFile | None:
        """Find a file; None when its upload is claimed, to be done by us.

        While another run on the same journal uploads it, that run is waited for.
        """
        key = self.uploads.claim_key(*content)
        while True:
            file = await self.work(self.uploads.find, *content)
            if file is not None:
                return file
            if await self.work(self.journal.claim, key):
                # Another run may have uploaded it and let go between the two.
                file = await self.work(self.uploads.find, *content)
                if file is not None:
                    await self.work(self.journal.release, key)
                return file
            await self.pause(_OTHER_RUN_SECONDS)

    async def _upload_claimed(self, media: Media) -> RemoteFile:
        """Upload and remember it; then others may use it, or try."""
        content = content_of(media)
        try:
            file = await self._upload(media)
            await self.work(self.uploads.keep, *content, file)
        finally:
            await self.work(self.journal.release, self.uploads.claim_key(*content))
        return file

    async def _upload(self, media: Media) -> RemoteFile:
        """Upload, and count it."""
        source = media.data or Path(media.path)
        title = media.content_sha256[:12]
        file = await self._patiently(
            lambda: self.api.upload(source, media.mime_type, title), media
        )
        self.traffic += Traffic(uploaded=1, bytes=file.bytes)
        return file

    async def _processed(self, file: RemoteFile, media: Media) -> RemoteFile:
        """Look until a file is processed; raise `ApiError` at the deadline."""
        wait, longest = _POLL_SECONDS
        deadline = time.monotonic() + self.limits.processing_seconds
        name = file.name
        while file.state == PROCESSING:
            if time.monotonic() > deadline:
                raise ApiError(
                    f"Gemini was still processing {_named(media)} after "
                    f"{self.limits.processing_seconds:g} seconds. Run the same command "
                    "again later: what was uploaded is used then."
                )
            await self.pause(wait)
            wait = min(longest, wait * 2)
            file = await self._patiently(lambda: self.api.look(name), media)
        return file

    async def _patiently(self, call: Callable[[], Awaitable[T]], media: Media) -> T:
        """Call until it works; raise `ApiError` when it does not."""
        try:
            return await patiently(call, self.limits, self.pause)
        except CallError as error:
            raise _failed(error.cause, media) from None


def _named(media: Media) -> str:
    return media.path or f"a picture ({media.mime_type}, {len(media.data):,} bytes)"


def _failed(cause: Cause, media: Media) -> ApiError:
    """Say that an upload failed; where nothing else can succeed, that ends the run."""
    if decide(cause) is Next.STOP and cause.code != HTTPStatus.NOT_FOUND:
        return FatalApiError(advise(cause, ""))
    return ApiError(
        f"{_named(media)} could not be uploaded. {happened(cause)} Run the same command "
        "again to try once more."
    )
