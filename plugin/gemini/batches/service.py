"""Files and batches at Gemini through the real SDK; synchronous on the outside.

Calls run on a private loop thread, as those of `engine` do. What can be asked twice
without harm is tried again when a connection breaks; submitting never is.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar, TypeVarTuple

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession

from ...values import JsonValue, Request
from ..depot import Depot, Traffic
from ..endpoint import Endpoint
from ..files import FilesApi
from ..journal import Journal
from ..limits import Limits
from ..patient import patiently
from ..placing import Placing
from ..sdk import call_errors, connect
from ..upload_rule import Choice, Upload
from .results import Job, read_job
from .wording import Wording

if TYPE_CHECKING:
    from google.genai import Client as SdkClient
    from google.genai import types

T = TypeVar("T")
Args = TypeVarTuple("Args")
Entry: TypeAlias = tuple[str, JsonValue]
"""A key and the request that belongs to it, as JSON."""
_DOWNLOAD_SECONDS = 3600
_PAGE = 100
_LIVES = timedelta(hours=30)
"""What an uploaded file must live on: a batch may begin to look at it a day later."""
_log = logging.getLogger(__name__)
_heard: ContextVar[list[str]] = ContextVar("heard")


class Service:
    """The Batch API of one endpoint; closed by `with`. All calls raise `CallError`."""

    def __init__(
        self,
        endpoint: Endpoint,
        limits: Limits,
        journal: Journal,
        upload: Upload = Upload.AUTO,
        note: Callable[[str], None] = _log.info,
    ) -> None:
        self._endpoint = endpoint
        self._limits = limits
        self._journal = journal
        self._choice = Choice(upload, endpoint)
        self._note = note
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="gemini-batches", daemon=True
        )
        self._thread.start()
        self._run(self._open())

    def __enter__(self) -> Self:
        """Give the service."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections and end the thread."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def word(self, request: Request) -> bytes:
        """Write a request as the SDK would send it; what is too large is uploaded.

        Raises `MediaError` and `ApiError` where that cannot be done.
        """
        return self._run(self._word(request))

    @property
    def traffic(self) -> Traffic:
        """What was uploaded for requests."""
        return self._depot.traffic

    def upload(self, path: Path, name: str) -> str:
        """Upload a file of requests and give Gemini's name for it."""
        return self._patiently(lambda: self._upload(path, name))

    def submit(self, model: str, name: str, file: str) -> Job:
        """Make a job of an uploaded file. After a broken connection it may exist."""
        from google.genai import types

        source = types.BatchJobSource(file_name=file)
        settings = types.CreateBatchJobConfig(display_name=name)
        return self._once(self._create(model, source, settings))

    def submit_inline(self, model: str, name: str, lines: Iterable[Entry]) -> Job:
        """Make a job of requests that are sent with it, worded as in a file."""
        from google.genai import types

        entries = [{"request": r, "metadata": {"key": key}} for key, r in lines]
        body = {"batch": {"inputConfig": {"requests": {"requests": entries}}}}
        settings = types.CreateBatchJobConfig(
            display_name=name, http_options=types.HttpOptions(extra_body=body)
        )
        # The SDK would write its own values anew; what it is given is sent as it is.
        source = types.BatchJobSource(inlined_requests=[])
        return self._once(self._create(model, source, settings))

    def get(self, job: str) -> Job:
        """Ask how a job is."""
        return self._patiently(lambda: self._get(job))

    def find(self, name: str) -> list[str]:
        """Find the jobs that have a display name."""
        return self._patiently(lambda: self._find(name))

    def cancel(self, job: str) -> None:
        """Have a job cancelled; what it has answered already is paid for."""
        self._patiently(lambda: self._sdk.aio.batches.cancel(name=job))

    def download(self, file: str, path: Path) -> None:
        """Write a file of results to disk."""
        self._patiently(lambda: self._download(file, path))

    def delete_file(self, file: str) -> None:
        """Delete an uploaded file."""
        self._once(self._files.delete(file))

    async def _open(self) -> None:
        """Open a session of our own, whose middleware hears what comes."""
        proxied = self._endpoint.kind != "emulator"
        self._session = ClientSession(trust_env=proxied, middlewares=(_hear,))
        self._sdk: SdkClient = connect(self._endpoint, self._session)
        self._files = FilesApi(self._sdk, self._endpoint)
        self._wording = Wording(self._endpoint)
        self._depot = Depot(
            *(self._files, self._journal, self._limits),
            *(_work, asyncio.sleep, _LIVES),
        )
        self._placing = Placing(self._choice, self._depot, self._note)

    async def _close(self) -> None:
        await self._wording.aclose()
        await self._sdk.aio.aclose()
        self._sdk.close()
        await self._session.close()

    async def _word(self, request: Request) -> bytes:
        return await self._wording.write(await self._placing.place(request))

    async def _upload(self, path: Path, name: str) -> str:
        return (await self._files.upload(path, "application/jsonl", name)).name

    async def _create(
        self,
        model: str,
        source: types.BatchJobSource,
        settings: types.CreateBatchJobConfig,
    ) -> Job:
        job = await _told_of(
            self._sdk.aio.batches.create(model=model, src=source, config=settings)
        )
        if not job.name:
            raise ConnectionError("the answer to the submission could not be read")
        return job

    async def _get(self, job: str) -> Job:
        return await _told_of(self._sdk.aio.batches.get(name=job))

    async def _find(self, name: str) -> list[str]:
        pager = await self._sdk.aio.batches.list(config={"page_size": _PAGE})
        return [job.name async for job in pager if job.display_name == name if job.name]

    async def _download(self, file: str, path: Path) -> None:
        from google.genai import types

        options = types.HttpOptions(timeout=_DOWNLOAD_SECONDS * 1000)
        settings = types.DownloadFileConfig(http_options=options)
        await self._sdk.aio.files.download(file=file, destination=path, config=settings)

    def _patiently(self, call: Callable[[], Coroutine[None, None, T]]) -> T:
        """Call until it works, or it is clear that it will not."""

        async def translated() -> T:
            with call_errors(self._endpoint):
                return await call()

        return self._run(patiently(translated, self._limits, asyncio.sleep))

    def _once(self, call: Coroutine[None, None, T]) -> T:
        """Call once; raise `CallError`."""
        with call_errors(self._endpoint):
            return self._run(call)

    def _run(self, call: Coroutine[None, None, T]) -> T:
        """Run a call on the loop and wait for it."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(call, self._loop)
        return future.result()


async def _work(function: Callable[[*Args], T], *args: *Args) -> T:
    """Run a blocking function in a thread."""
    return await asyncio.to_thread(function, *args)


async def _told_of(call: Coroutine[None, None, types.BatchJob]) -> Job:
    """Make a call of the SDK, and read what came in its own words.

    The SDK leaves out why a job failed and how far it is, and parses the replies.
    """
    heard: list[str] = []
    _heard.set(heard)
    try:
        await call
    except ValueError:  # what came is not what the SDK knows; it came all the same
        if not heard:
            raise
    return read_job(heard[-1])


async def _hear(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """Note the text of a response, where that was asked for."""
    response = await send(request)
    heard = _heard.get(None)
    if heard is not None:
        heard.append((await response.read()).decode())
    return response
