"""Many items to many replies, in the order in which they are done: the way into `gemini`.

Synchronous on the outside; the requests run on the loop of `engine`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future

from ..errors import FatalApiError
from ..values import Item
from .endpoint import Endpoint
from .engine import Answered, Build, Engine, HaltedError
from .journal import Journal
from .limits import Limits

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
) -> Iterator[Answered]:
    """Answer all items, from the journal or by Gemini; what is done first comes first.

    `items` is drawn from in the caller's thread, never more than `limits.look_ahead`
    ahead of what was taken; `build` loads a picture in a worker thread. A `MediaError`
    of `build` and an `ApiError` become the reply of that item. `FatalApiError` is raised
    after the requests that were open have been handed out; any other error at once.

    Setting `stop` lets open requests finish and hands them out; the rest are dropped
    and will be asked by the next run. Closing the generator early cancels open requests:
    they may have been paid for in vain, at most `limits.in_flight`.
    """
    engine = Engine(endpoint, journal, build, limits)
    done: queue.SimpleQueue[Future[Answered]] = queue.SimpleQueue()
    left = iter(items)
    open_items = 0
    fatal: FatalApiError | None = None
    try:
        while True:
            stopped = fatal is not None or (stop is not None and stop.is_set())
            while not stopped and open_items < limits.look_ahead:
                item = next(left, None)
                if item is None:
                    break
                engine.submit(item).add_done_callback(done.put)
                open_items += 1
            if open_items == 0:
                break
            if stopped:
                engine.halt()
            future = _next_done(done)
            if future is None:
                continue
            open_items -= 1
            try:
                answered = future.result()
            except HaltedError:
                continue
            except FatalApiError as error:
                fatal = fatal or error
                continue
            yield answered
    finally:
        engine.close()
    if fatal is not None:
        raise fatal


def _next_done(done: queue.SimpleQueue[Future[Answered]]) -> Future[Answered] | None:
    """Wait for the next finished item, but look up now and then."""
    try:
        return done.get(timeout=_STOP_POLL_SECONDS)
    except queue.Empty:
        return None
