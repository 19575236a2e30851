"""Other ways to answers than asking for all that is missing: beside `pool`.

`only_stored` reads the journal again and asks nobody; `asking_again` asks anew where the
stored reply was no good. Both are called like `pool.ask_all`.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Protocol

from ..errors import MediaError
from ..values import Item, Reply, Status
from .endpoint import Endpoint
from .engine import Answered, Build
from .envelope import read_body
from .journal import Journal, request_key
from .limits import Limits
from .pool import ask_all


class Answers(Protocol):
    """How many items become many replies."""

    def __call__(
        self,
        items: Iterable[Item],
        build: Build,
        *,
        endpoint: Endpoint,
        journal: Journal,
        limits: Limits = ...,
        stop: threading.Event | None = ...,
    ) -> Iterator[Answered]:
        """Give what came back for each item, as it is done."""
        ...


def asking_again(stale: Callable[[bytes], bool]) -> Answers:
    """Make an `ask_all` that asks anew where `stale` holds for the stored body.

    Each such request is asked once in a run, whatever comes back; the old reply stays
    in the journal, and from then on the newer one is found.
    """

    def ask(
        items: Iterable[Item],
        build: Build,
        *,
        endpoint: Endpoint,
        journal: Journal,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        stop: threading.Event | None = None,
    ) -> Iterator[Answered]:
        journal.hide(stale)
        return ask_all(
            items, build, endpoint=endpoint, journal=journal, limits=limits, stop=stop
        )

    return ask


def only_stored(
    items: Iterable[Item],
    build: Build,
    *,
    endpoint: Endpoint,
    journal: Journal,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    stop: threading.Event | None = None,
) -> Iterator[Answered]:
    """Answer from the journal alone, in order; an item without a reply is left out.

    Nothing is sent: `endpoint` only tells Gemini's replies from those of the emulator.
    A `MediaError` of `build` becomes the reply of that item.
    """
    emulated = endpoint.kind == "emulator"

    def answer(item: Item) -> Answered | None:
        try:
            request = build(item)
        except MediaError as error:
            reply = Reply(failure=Status.MEDIA_ERROR, error=str(error))
            return Answered(item, None, reply)
        body = journal.find(request_key(request), emulated=emulated)
        if body is None:
            return None
        return Answered(item, request, replace(read_body(body), from_journal=True))

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
