"""What a run does with replies that it finds in the journal; the way in beside `pool`."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from ..errors import MediaError
from ..values import Item, Reply, Status
from .answered import Answered
from .endpoint import Endpoint
from .engine import Build
from .envelope import read_body
from .journal import Journal, request_key
from .limits import Limits
from .pool import ask_all
from .upload_rule import Upload

_NO_LIMITS = Limits()


class Answers(Protocol):
    """A way to come by replies: `pool.ask_all` or `only_stored`."""

    def __call__(
        self,
        items: Iterable[Item],
        build: Build,
        *,
        endpoint: Endpoint,
        journal: Journal,
        limits: Limits = ...,
        stop: threading.Event | None = ...,
        upload: Upload = ...,
    ) -> Iterator[Answered]:
        """Give what came back for each item, as it is done."""
        ...


@dataclass(frozen=True, slots=True)
class Reuse:
    """What becomes of replies in the journal: by default each is used, the rest asked.

    Those for whose body `stale` holds are asked for anew, once in a run; the old reply
    stays, and the newer one counts from then on. With `nothing_else` nobody is asked.
    """

    stale: Callable[[bytes], bool] | None = None
    nothing_else: bool = False

    @property
    def answers(self) -> Answers:
        """The way to come by replies."""
        return only_stored if self.nothing_else else ask_all


def only_stored(
    items: Iterable[Item],
    build: Build,
    *,
    endpoint: Endpoint,
    journal: Journal,
    limits: Limits = _NO_LIMITS,
    stop: threading.Event | None = None,
    upload: Upload = Upload.AUTO,  # noqa: ARG001 - nothing is sent
) -> Iterator[Answered]:
    """Answer from the journal, in order; an item without a reply there is left out.

    Nothing is sent: `endpoint` only tells Gemini's replies from those of the emulator.
    A `MediaError` of `build` becomes the reply of that item.
    """
    emulated = endpoint.kind == "emulator"

    def answer(item: Item) -> Answered | None:
        return _find(item, build, journal, emulated=emulated)

    left = iter(items)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as workers:
        ahead: deque[Future[Answered | None]] = deque()
        while True:
            if stop is None or not stop.is_set():
                room = limits.look_ahead - len(ahead)
                ahead.extend(workers.submit(answer, i) for i in islice(left, room))
            if not ahead:
                return
            answered = ahead.popleft().result()
            if answered is not None:
                yield answered


def _find(
    item: Item, build: Build, journal: Journal, *, emulated: bool
) -> Answered | None:
    """Find the reply to one item; None when it was never asked about."""
    try:
        request = build(item)
    except MediaError as error:
        reply = Reply(failure=Status.MEDIA_ERROR, error=str(error))
        return Answered(item, None, reply)
    body = journal.find(request_key(request), emulated=emulated)
    if body is None:
        return None
    return Answered(item, request, replace(read_body(body), from_journal=True))
