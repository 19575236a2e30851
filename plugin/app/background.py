"""A pipeline call in a thread of its own, so that its progress can be shown."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from typing import TypeAlias

from ..progress import Progress
from ..values import Run

Report: TypeAlias = Callable[[Progress], None]
Work: TypeAlias = Callable[[Report, threading.Event], Run]
INTERVAL_SECONDS = 0.25


def with_progress(work: Work) -> Generator[Progress, None, Run]:
    """Run `work`; yield its latest progress now and then, and return what it returns.

    What `work` raises is raised here. Closing the generator sets the event that was
    given to `work`: it finishes what is in flight and stops.
    """
    reports: queue.SimpleQueue[Progress] = queue.SimpleQueue()
    stop = threading.Event()
    ended: list[Run | BaseException] = []

    def body() -> None:
        try:
            ended.append(work(reports.put, stop))
        except BaseException as error:  # noqa: BLE001 - handed over and raised below
            ended.append(error)

    thread = threading.Thread(target=body, name="fiftyone-gemini-run", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(INTERVAL_SECONDS)
            yield from _latest(reports)
    finally:
        stop.set()
    (outcome,) = ended
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _latest(reports: queue.SimpleQueue[Progress]) -> Generator[Progress, None, None]:
    """Give the last report there is, if any."""
    latest = None
    while not reports.empty():
        latest = reports.get()
    if latest is not None:
        yield latest
