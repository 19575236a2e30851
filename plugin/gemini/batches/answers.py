"""Many items to many replies by the Batch API: the way into `batches`.

A run takes what has come, submits what is missing, and ends; or it waits. The same run
goes on at any time, from any process: everything it needs is in the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from ...errors import ApiError, FatalApiError, FormatError, MediaError, UsageError
from ...values import Item, Reply, Request, Status
from ..answered import Answered
from ..endpoint import Endpoint
from ..engine import Build
from ..envelope import read_body
from ..journal import Journal, request_key
from ..limits import Limits
from ..pool import ask_all
from ..stored import Answers, in_workers
from ..upload_rule import Upload
from .dispatch import Dispatch
from .keeper import GRACE_SECONDS, Keeper
from .packing import Sizes
from .service import Service

Tell = Callable[[str], None]
_DEFAULT_LIMITS = Limits()
_DEFAULT_SIZES = Sizes()


def _nobody(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Batching:
    """How to ask by batches.

    `wait`: until all have ended, asking how they are more and more seldom, at last every
    `poll_seconds`; else one look is taken. `then_online`: what a batch did not answer is asked online at once; else it
    fails, and the next run puts it into another batch. `tell` is told in a sentence what
    happens to a batch, as it happens.
    """

    wait: bool = False
    then_online: bool = False
    sizes: Sizes = _DEFAULT_SIZES
    poll_seconds: float = 60.0
    grace_seconds: float = GRACE_SECONDS
    tell: Tell = _nobody

    def answers(self, note: Tell) -> Answers:
        """Make the way to come by replies; `note` keeps the sentences that are told."""
        return partial(_answers, batching=self, note=note)

    def words(self) -> str:
        """Say how was asked, for the record of a run."""
        return "batch, then online" if self.then_online else "batch"


def _answers(
    items: Iterable[Item],
    build: Build,
    *,
    endpoint: Endpoint,
    journal: Journal,
    limits: Limits = _DEFAULT_LIMITS,
    stop: threading.Event | None = None,
    upload: Upload = Upload.AUTO,
    batching: Batching,
    note: Tell,
) -> Iterator[Answered]:
    """Answer from the journal and from batches; what is in an open one is left out.

    A `MediaError` of `build` and what a batch did not answer become the reply of that
    item. A batch that `stop` interrupts in the writing is dropped, nothing of it is paid.
    """
    _check(endpoint)
    stop = stop or threading.Event()

    def tell(sentence: str) -> None:
        batching.tell(sentence)
        note(sentence)

    sizes, grace = batching.sizes, batching.grace_seconds
    with Service(endpoint, limits, journal, upload, tell) as service:
        keeper = Keeper(
            service, journal, endpoint, tell, sizes=sizes, grace_seconds=grace
        )
        dispatch = Dispatch(endpoint, journal, limits, sizes, service, keeper)
        run = _Run(build, journal, limits, stop, batching, keeper, dispatch)
        keeper.look()
        yield from run.go_through(items)
        yield from run.wait()
        dispatch.conclude(tell)
    if run.refused and not stop.is_set():
        ask = partial(ask_all, endpoint=endpoint, journal=journal, upload=upload)
        yield from ask(run.refused, build, limits=dispatch.limits_left(), stop=stop)


def _check(endpoint: Endpoint) -> None:
    """Refuse, with `UsageError`, where batches cannot be submitted."""
    if endpoint.kind == "enterprise":
        raise UsageError(
            "Batches of the enterprise platform go from bucket to bucket, which this "
            "program cannot do yet. Label without --batch, or by a key of the Gemini API."
        )


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An item, its request and what the journal says to it."""

    item: Item
    request: Request | None = None
    key: str = ""
    body: bytes | None = None
    error: str = ""


@dataclass(slots=True)
class _Run:
    """One pass over items, and what is left over from it."""

    build: Build
    journal: Journal
    limits: Limits
    stop: threading.Event
    batching: Batching
    keeper: Keeper
    dispatch: Dispatch
    waiting: list[tuple[Item, str]] = field(default_factory=list)
    """Items without an answer, with the key of their request; kept to wait for."""
    refused: list[Item] = field(default_factory=list)
    """Items that a batch did not answer, to be asked online."""

    @property
    def emulated(self) -> bool:
        """Whether the emulator is asked, whose replies are kept apart."""
        return self.dispatch.emulated

    def go_through(self, items: Iterable[Item]) -> Iterator[Answered]:
        """Answer what can be, put the rest into batches and submit them."""
        try:
            for ready in in_workers(items, self._prepare, self.limits, self.stop):
                answered = self._handle(ready)
                if answered is not None:
                    yield answered
            if not self.stop.is_set():
                self.dispatch.send()
        except OSError as error:
            raise FormatError(
                f"A batch cannot be written beside the journal ({error}). Free some "
                "space and run the same command again."
            ) from error
        finally:
            self.dispatch.drop()  # what is left: stopped, or something failed

    def wait(self) -> Iterator[Answered]:
        """Wait for batches, answer what comes, until none is open or it is stopped."""
        pause = 1.0
        while self.batching.wait and not self.stop.is_set() and self._any_open():
            before = self.keeper.unfinished()
            self.stop.wait(min(pause, self.batching.poll_seconds))
            pause *= 1.5
            if not self.stop.is_set():
                self.keeper.look()
                if len(self.keeper.unfinished()) < len(before):
                    yield from self.go_through(self._settled())

    def _any_open(self) -> bool:
        """Tell whether a batch may still bring something here."""
        return any(map(self.keeper.can_end, self.keeper.unfinished()))

    def _settled(self) -> list[Item]:
        """Take the items out of those that wait whose batch has ended."""
        waiting, self.waiting = self.waiting, []
        self.dispatch.held_back.clear()
        settled: list[Item] = []
        for item, key in waiting:
            if self.journal.batches.is_open(key, emulated=self.emulated):
                self.waiting.append((item, key))
            else:
                settled.append(item)
        return settled

    def _prepare(self, item: Item) -> _Prepared:
        """Build a request and look for its reply; runs in a worker thread."""
        try:
            request = self.build(item)
        except MediaError as error:
            return _Prepared(item, error=str(error))
        key = request_key(request)
        body = self.journal.find(key, emulated=self.emulated)
        return _Prepared(item, request, key, body)

    def _handle(self, ready: _Prepared) -> Answered | None:
        """Answer an item, or see to it that its request is in a batch."""
        if ready.request is None:
            failed = Reply(failure=Status.MEDIA_ERROR, error=ready.error)
            return Answered(ready.item, None, failed)
        ledger, key = self.journal.batches, ready.key
        news = ledger.news(key, emulated=self.emulated)
        if news is not None:
            ledger.told(key, emulated=self.emulated)
        if ready.body is not None:
            return self._answer(ready, ready.request, ready.body, fresh=news == "")
        if news and not ledger.is_open(key, emulated=self.emulated):
            return self._refuse(ready, news)
        try:
            if not self.stop.is_set():
                self.dispatch.offer(key, ready.request)
        except FatalApiError:
            raise
        except (ApiError, MediaError) as error:  # an upload that cannot be done
            media = isinstance(error, MediaError)
            failure = Status.MEDIA_ERROR if media else Status.API_ERROR
            failed = Reply(failure=failure, error=str(error))
            return Answered(ready.item, ready.request, failed)
        if self.batching.wait:
            self.waiting.append((ready.item, key))
        return None

    def _answer(
        self, ready: _Prepared, request: Request, body: bytes, *, fresh: bool
    ) -> Answered:
        """Read a reply; one that no run has counted yet is paid for in this one."""
        batched = self.journal.batches.answered(ready.key, emulated=self.emulated)
        reply = replace(read_body(body), from_journal=not fresh, batched=batched)
        if fresh:
            self.dispatch.count(request, reply)
        return Answered(ready.item, request, reply)

    def _refuse(self, ready: _Prepared, why: str) -> Answered | None:
        """Say that a batch did not answer, or have it asked online."""
        if self.batching.then_online:
            self.refused.append(ready.item)
            return None
        error = f"{why} The next run asks again."
        return Answered(
            ready.item, ready.request, Reply(failure=Status.API_ERROR, error=error)
        )
