"""Many items to many replies, in the order in which they are done: the way into `gemini`.

Synchronous on the outside; the requests run on the loop of `engine`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice

from ..errors import FatalApiError
from ..values import Item
from .answered import Answered, HaltedError
from .endpoint import Endpoint
from .engine import Build, Engine
from .journal import Journal
from .limits import Limits
from .upload_rule import Upload

__all__ = ["Answered", "Limits", "ask_all"]

_STOP_POLL_SECONDS = 0.1
_DEFAULT_LIMITS = Limits()


def ask_all(
    items: Iterable[Item],
    build: Build,
    *,
    endpoint: Endpoint,
    journal: Journal,
    limits: Limits = _DEFAULT_LIMITS,
    stop: threading.Event | None = None,
    upload: Upload = Upload.AUTO,
) -> Iterator[Answered]:
    """Answer all items, from the journal or by Gemini; what is done first comes first.

    `items` is drawn from in the caller's thread, never more than `limits.look_ahead`
    ahead of what was taken; `build` loads a picture in a worker thread. A `MediaError`
    of `build` and an `ApiError` become the reply of that item. `FatalApiError` is raised
    after the requests that were open have been handed out; any other error at once.

    Setting `stop` lets open requests finish and hands them out; the rest are dropped
    and will be asked by the next run. Closing the generator early cancels open requests:
    they may have been paid for in vain, at most `limits.in_flight`.

    `upload`: which pictures and videos are uploaded once instead of sent along; the
    enterprise platform takes none.

    A budget among the limits ends the run like `stop` does, before the request that
    might exceed it.
    """
    engine = Engine(endpoint, journal, build, limits, upload)
    try:
        yield from _Intake(engine, iter(items), limits.look_ahead, stop).answers()
    finally:
        engine.close()


@dataclass(slots=True)
class _Intake:
    """Feeds items to an engine and takes what comes back, until all is done."""

    engine: Engine
    left: Iterator[Item]
    look_ahead: int
    stop: threading.Event | None
    open_items: int = 0
    fatal: FatalApiError | None = None
    ending: bool = False
    """The engine starts nothing any more."""
    done: queue.SimpleQueue[Future[Answered]] = field(default_factory=queue.SimpleQueue)

    def answers(self) -> Iterator[Answered]:
        """Give the answers as they are done; at the end raise what was fatal."""
        while self._fill():
            answered = self._take()
            if answered is not None:
                yield answered
        if self.fatal is not None:
            raise self.fatal

    def _fill(self) -> bool:
        """Submit items as far as allowed; tell whether any is open."""
        if self.stop is not None and self.stop.is_set():
            self.engine.halt()
            self.ending = True
        if self.ending:
            return self.open_items > 0
        for item in islice(self.left, self.look_ahead - self.open_items):
            self.engine.submit(item).add_done_callback(self.done.put)
            self.open_items += 1
        return self.open_items > 0

    def _take(self) -> Answered | None:
        """Wait for the next finished item, but look up now and then."""
        try:
            future = self.done.get(timeout=_STOP_POLL_SECONDS)
        except queue.Empty:
            return None
        self.open_items -= 1
        try:
            return future.result()
        except HaltedError:
            self.ending = True
        except FatalApiError as error:
            self.fatal = self.fatal or error
            self.ending = True
        return None
