"""Uploads between runs: what a journal remembers of them, and their deletion on request."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

from ..errors import FatalApiError, UsageError
from .client import Client
from .endpoint import Endpoint
from .failures import CallError, advise
from .files import RemoteFile
from .limits import Limits
from .patient import patiently
from .store import Store
from .uploads import Uploads

_GONE = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Cleared:
    """Files that were deleted, and those that were gone already."""

    deleted: int = 0
    gone: int = 0


def uploaded(path: Path, endpoint: Endpoint) -> list[RemoteFile]:
    """List what was uploaded with the credentials of an endpoint and should live still.

    Raises `FormatError` when there is no such journal.
    """
    with closing(Store(path, create=False)) as store:
        return Uploads(store, endpoint).all()


def delete_uploaded(path: Path, endpoint: Endpoint) -> Cleared:
    """Delete all that `uploaded` lists, and forget it; files of others are not touched.

    What was deleted before an error stays deleted, and is forgotten. Raises
    `FatalApiError` when the Files API refuses or cannot be reached.
    """
    if endpoint.kind == "enterprise":
        raise UsageError("The enterprise platform takes no uploads: nothing is there.")
    with (
        closing(Store(path, create=False)) as store,
        ThreadPoolExecutor(1, "gemini-files") as thread,
    ):
        uploads = Uploads(store, endpoint)
        work = partial(asyncio.run, _delete_all(uploads, endpoint))
        return thread.submit(work).result()


async def _delete_all(uploads: Uploads, endpoint: Endpoint) -> Cleared:
    """Delete one file after the other."""
    deleted = gone = 0
    async with Client(endpoint) as client:
        for file in uploads.all():
            if await _delete(client, file.name):
                deleted += 1
            else:
                gone += 1
            uploads.forget(file.name)
    return Cleared(deleted, gone)


async def _delete(client: Client, name: str) -> bool:
    """Delete one file; False when it was gone."""
    try:
        await patiently(lambda: client.files.delete(name), _LIMITS, asyncio.sleep)
    except CallError as error:
        if error.cause.code in _GONE and name.partition("/")[2] in error.cause.message:
            return False
        raise FatalApiError(advise(error.cause, "")) from None
    return True
