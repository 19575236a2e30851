"""The private asyncio loop on which requests are asked; `pool` is its synchronous side.

One thread runs the loop; a few worker threads load pictures and write the journal, so
that neither holds up the network.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar, TypeVarTuple

from ..errors import ApiError, FatalApiError, FormatError, GeminiLabelError, MediaError
from ..values import Item, Reply, Request, Status
from .answered import Answered, HaltedError, InBatchError
from .budget import BudgetReachedError, Purse
from .client import Client
from .depot import NOTHING, Depot
from .endpoint import Endpoint
from .envelope import read_body
from .journal import Journal, request_key
from .limits import Limits
from .placing import Placing
from .retry import FileGoneError, Patience
from .upload_rule import Choice, Upload

Build = Callable[[Item], Request]
Args = TypeVarTuple("Args")
T = TypeVar("T")
_OTHER_RUN_SECONDS = 0.1
_log = logging.getLogger(__name__)


class Engine:
    """Answers items on a loop of its own until it is closed.

    `submit` and `halt` may be called from any thread; `close` cancels what is open.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        journal: Journal,
        build: Build,
        limits: Limits,
        upload: Upload = Upload.AUTO,
    ) -> None:
        self._endpoint = endpoint
        self._choice = Choice(upload, endpoint)
        self._journal = journal
        self._build = build
        self._limits = limits
        self._notes: list[str] = []
        self._emulated = endpoint.kind == "emulator"
        self._asking: dict[str, asyncio.Task[Reply]] = {}
        self._workers = ThreadPoolExecutor(
            max_workers=min(8, os.cpu_count() or 1) + 1,
            thread_name_prefix="gemini-worker",
        )
        self._opened: Future[None] = Future()
        # A daemon: a generator that nobody closes must not keep Python from ending.
        self._thread = threading.Thread(
            target=self._run, name="gemini-loop", daemon=True
        )
        self._thread.start()
        self._opened.result()

    def submit(self, item: Item) -> Future[Answered]:
        """Start to answer an item.

        The future may raise `HaltedError`, `InBatchError` or a fatal error.
        """
        return asyncio.run_coroutine_threadsafe(self._answer(item), self._loop)

    def halt(self) -> None:
        """Start no further request and wait for none; what is open goes on."""
        self._loop.call_soon_threadsafe(self._halted.set)

    def close(self) -> None:
        """Cancel what is open, close the connections, end the threads."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()
        self._workers.shutdown()

    def _run(self) -> None:
        """Run the loop; this is the thread."""
        try:
            asyncio.run(self._serve())
        except Exception as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)  # for the caller, who waits

    async def _serve(self) -> None:
        """Keep a client open until the engine is closed."""
        self._loop = asyncio.get_running_loop()
        self._halted = asyncio.Event()
        self._closing = asyncio.Event()
        self._places = asyncio.Semaphore(self._limits.in_flight)
        budget = None if self._emulated else self._limits.budget  # that one is free
        self._purse = None if budget is None else Purse(budget)
        async with Client(self._endpoint) as client:
            self._patience = Patience(
                client.ask, self._pause, self._limits, self._notes.append
            )
            self._depot = Depot(
                client.files,
                self._journal,
                self._limits,
                self._work,
                self._pause,
            )
            self._placing = Placing(self._choice, self._depot, self._notes.append)
            self._opened.set_result(None)
            await self._closing.wait()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, item: Item) -> Answered:
        """Answer one item; what fails for it alone becomes its reply."""
        self._go_on()
        request = None
        try:
            request, key = await self._work(self._prepare, item)
            reply = await self._ask_once(key, request)
        except FatalApiError:
            raise
        except MediaError as error:
            reply = Reply(failure=Status.MEDIA_ERROR, error=str(error))
        except ApiError as error:
            reply = Reply(
                failure=Status.API_ERROR,
                error=str(error),
                retries=error.retries,
                refused=error.refused,
            )
        except (GeminiLabelError, HaltedError, InBatchError):
            raise
        except Exception as error:  # noqa: BLE001 - one sample's failure, not the run's
            reply = self._unexpected(item, request, error)
        notes, traffic = tuple(self._notes), self._depot.traffic
        self._notes.clear()
        self._depot.traffic = NOTHING
        return Answered(item, request, reply, notes, traffic)

    def _unexpected(
        self, item: Item, request: Request | None, error: Exception
    ) -> Reply:
        """Record a failure that nobody foresaw as that of one item."""
        trace = self._endpoint.redact("".join(traceback.format_exception(error)))
        _log.error("Unexpected failure for %s\n%s", item.path, trace)
        text = self._endpoint.redact(f"{type(error).__name__}: {error}")
        return Reply(
            failure=Status.MEDIA_ERROR if request is None else Status.API_ERROR,
            error=f"Unexpected failure ({text}). Please report it.",
        )

    def _prepare(self, item: Item) -> tuple[Request, str]:
        """Build a request and name it."""
        request = self._build(item)
        return request, request_key(request)

    async def _ask_once(self, key: str, request: Request) -> Reply:
        """Ask, or wait for the same question that is being asked already."""
        if key in self._asking:
            reply = await asyncio.shield(self._asking[key])
            return replace(reply, from_journal=True, seconds=0.0, retries=0)
        task = asyncio.create_task(self._ask(key, request))
        self._asking[key] = task
        try:
            return await task
        finally:
            del self._asking[key]

    async def _ask(self, key: str, request: Request) -> Reply:
        """Take the reply from the journal, or ask and write it there first of all."""
        try:
            known = await self._find(key)
            return known or await self._ask_claimed(key, request)
        except FormatError:
            self._halted.set()  # the journal fails: nothing more can be kept
            raise

    async def _find(self, key: str) -> Reply | None:
        """Find the reply to a request; None when it is claimed, to be asked by us.

        While another run on the same journal asks for it, that run is waited for.
        """
        while True:
            known, claimed = await self._work(self._look_up, key)
            if known is not None or claimed:
                return known
            await self._pause(_OTHER_RUN_SECONDS)

    async def _ask_claimed(self, key: str, request: Request) -> Reply:
        """Ask when there is a place; what is not answered may be claimed by others."""
        try:
            async with self._places:
                self._go_on()
                return await self._ask_placed(key, request)
        except BaseException:
            await self._work(self._release, key)
            raise

    async def _ask_placed(self, key: str, request: Request) -> Reply:
        """Upload what is to be uploaded, and ask; once more where that is gone."""
        placed = await self._placing.place(request)
        try:
            return await self._pay(key, placed)
        except FileGoneError:
            again = await self._placing.place_anew(request, placed)
            if again == placed:
                raise
            return await self._pay(key, again)

    async def _pay(self, key: str, request: Request) -> Reply:
        """Ask when the budget allows it; the first time it does not ends the run."""
        purse = self._purse
        if purse is None:
            return await self._send(key, request)
        try:
            lent = await purse.lend(request)
        except BudgetReachedError:
            self._halted.set()
            raise HaltedError from None
        reply = None
        try:
            reply = await self._send(key, request)
        finally:
            await purse.settle(lent, request, reply)
        return reply

    async def _send(self, key: str, request: Request) -> Reply:
        """Ask, and write the answer down first of all."""
        self._go_on()
        started = time.monotonic()
        try:
            body, retries = await self._patience.answer(request)
            seconds = time.monotonic() - started
            reply = await self._work(self._keep, key, body, request.model)
        except (FatalApiError, FormatError):
            self._halted.set()  # before the next one gets this place
            raise
        return replace(reply, seconds=seconds, retries=retries)

    def _look_up(self, key: str) -> tuple[Reply | None, bool]:
        """Read a reply that is in the journal, or claim the request if nobody has."""
        body = self._journal.find(key, emulated=self._emulated)
        if body is None:
            if not self._journal.claim(key, emulated=self._emulated):
                return None, False
            # Another run may have answered and let go between the two.
            body = self._journal.find(key, emulated=self._emulated)
            if body is None:
                if not self._journal.batches.is_open(key, emulated=self._emulated):
                    return None, True
                self._release(key)
                raise InBatchError
            self._release(key)
        batched = self._journal.batches.answered(key, emulated=self._emulated)
        return replace(read_body(body), from_journal=True, batched=batched), False

    def _release(self, key: str) -> None:
        """Let other runs claim a request."""
        self._journal.release(key, emulated=self._emulated)

    def _keep(self, key: str, body: bytes, model: str) -> Reply:
        """Write a reply to the journal, let the request go, then read the reply."""
        self._journal.add(key, body, model=model, emulated=self._emulated)
        self._release(key)
        return read_body(body)

    def _go_on(self) -> None:
        """Raise when the run is ending."""
        if self._halted.is_set():
            raise HaltedError

    async def _pause(self, seconds: float) -> None:
        """Wait; raise as soon as the run is ending."""
        try:
            await asyncio.wait_for(self._halted.wait(), seconds)
        except TimeoutError:
            return
        raise HaltedError

    async def _work(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """Run a blocking function in a worker thread."""
        return await self._loop.run_in_executor(self._workers, function, *args)
