"""Many items to many replies by the Batch API: the way into `batches`.

A run takes what has come, submits what is missing, and ends; or it waits. The same run
goes on at any time, from any process: everything it needs is in the journal.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from ...errors import ApiError, FatalApiError, FormatError, MediaError, UsageError
from ...values import Item, Reply, Request, Status
from ..answered import Answered
from ..budget import Budget
from ..endpoint import Endpoint
from ..engine import Build
from ..envelope import read_body
from ..journal import Journal, request_key
from ..limits import Limits
from ..pool import ask_all
from ..stored import Answers, in_workers
from ..upload_rule import Upload
from .keeper import GRACE_SECONDS, Keeper, place_of
from .ledger import new_name
from .packing import Package, Sizes, line_of
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
    if endpoint.kind == "enterprise":
        raise UsageError(
            "Batches of the enterprise platform go from bucket to bucket, which this "
            "program cannot do yet. Label without --batch, or by a key of the Gemini API."
        )
    stop = stop or threading.Event()

    def tell(sentence: str) -> None:
        batching.tell(sentence)
        note(sentence)

    with Service(endpoint, limits, journal, upload, tell) as service:
        keeper = Keeper(
            service,
            journal,
            endpoint,
            tell,
            sizes=batching.sizes,
            grace_seconds=batching.grace_seconds,
        )
        run = _Run(build, endpoint, journal, limits, stop, batching, service, keeper)
        keeper.look()
        yield from run.go_through(items)
        yield from run.wait()
        run.conclude(tell)
    if run.refused and not stop.is_set():
        yield from ask_all(
            run.refused,
            build,
            endpoint=endpoint,
            journal=journal,
            limits=run.limits_left(),
            stop=stop,
            upload=upload,
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
    endpoint: Endpoint
    journal: Journal
    limits: Limits
    stop: threading.Event
    batching: Batching
    service: Service
    keeper: Keeper
    package: Package | None = None
    waiting: list[tuple[Item, str]] = field(default_factory=list)
    """Items without an answer, with the key of their request; kept to wait for."""
    refused: list[Item] = field(default_factory=list)
    """Items that a batch did not answer, to be asked online."""
    held_back: Counter[str] = field(default_factory=Counter)
    spent: float = 0.0

    @property
    def emulated(self) -> bool:
        """Whether the emulator is asked, whose replies are kept apart."""
        return self.endpoint.kind == "emulator"

    @property
    def budget(self) -> Budget | None:
        """What may be paid for batches; the emulator costs nothing."""
        budget = None if self.emulated else self.limits.budget
        if budget is None:
            return None
        return replace(budget, prices=budget.prices.for_batches())

    def go_through(self, items: Iterable[Item]) -> Iterator[Answered]:
        """Answer what can be, put the rest into batches and submit them."""
        try:
            for ready in in_workers(items, self._prepare, self.limits, self.stop):
                answered = self._handle(ready)
                if answered is not None:
                    yield answered
            if not self.stop.is_set():
                self._send()
        except OSError as error:
            raise FormatError(
                f"A batch cannot be written beside the journal ({error}). Free some "
                "space and run the same command again."
            ) from error
        finally:
            if self.package is not None:  # stopped, or something failed
                self.package.drop()
                self.package = None

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

    def conclude(self, tell: Tell) -> None:
        """Say why items are left without an answer or a batch."""
        for why, count in self.held_back.items():
            tell(f"{count} requests were not submitted: {why}.")
        for sentence in self.service.traffic.words():
            tell(sentence)

    def limits_left(self) -> Limits:
        """Give the limits for what is asked online, after what the batches cost."""
        budget = self.limits.budget
        if budget is None:
            return self.limits
        left = replace(budget, usd=budget.usd - self._bound())
        return replace(self.limits, budget=left)

    def _any_open(self) -> bool:
        """Tell whether a batch may still bring something here."""
        return any(map(self.keeper.can_end, self.keeper.unfinished()))

    def _settled(self) -> list[Item]:
        """Take the items out of those that wait whose batch has ended."""
        waiting, self.waiting = self.waiting, []
        self.held_back.clear()
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
                self._hold(key, ready.request)
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
        reply = replace(read_body(body), from_journal=not fresh, batched=fresh)
        if fresh and self.budget is not None:
            budget = self.budget
            cost = budget.prices.cost_of_reply(
                request.model, reply.model_version, reply.usage, budget.day
            )
            self.spent += budget.most(request) if cost is None else cost
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

    def _hold(self, key: str, request: Request) -> None:
        """Put a request into the batch that is being written, unless it is asked."""
        if not self.journal.claim(key, emulated=self.emulated):
            self.held_back["another run asks for them now"] += 1
            return
        try:
            asked = self.journal.batches.is_open(key, emulated=self.emulated)
            answered = self.journal.find(key, emulated=self.emulated) is not None
            if not asked and not answered:
                self._pack(key, request)
        finally:
            self.journal.release(key, emulated=self.emulated)

    def _pack(self, key: str, request: Request) -> None:
        """Write a request into a batch; one that is full is submitted first."""
        usd = 0.0 if self.budget is None else self.budget.most(request)
        if self.budget is not None and self._bound() + usd > self.budget.usd:
            self.held_back[f"the budget of ${self.budget.usd:.2f} allows no more"] += 1
            return
        line = line_of(key, self.service.word(request))
        if self.package is None or not self.package.has_room(line):
            self._send()
            self.package = self._begin(request.model)
        if self.journal.batches.hold(self.package.batch, key):
            self.package.add(line, usd)

    def _bound(self) -> float:
        """Say what is paid in this run, and may yet be for what is open."""
        open_most = sum(batch.most_usd for batch in self.keeper.unfinished())
        return self.spent + open_most + (self.package.usd if self.package else 0.0)

    def _begin(self, model: str) -> Package:
        """Begin a batch that no other process takes for one left behind."""
        ledger, name = self.journal.batches, new_name()
        self.journal.claim(f"batch {name}", emulated=self.emulated)
        place = place_of(self.endpoint)
        batch = ledger.begin(name, model, place, emulated=self.emulated)
        return Package(ledger, batch, self.batching.sizes)

    def _send(self) -> None:
        """Submit the batch that is being written."""
        if self.package is None:
            return
        package, self.package = self.package, None
        self.keeper.step(package.close())
