"""A pipeline call in a thread of its own: its progress can be shown, or left alone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from typing import TypeAlias

from ..progress import Progress
from ..values import Run

Report: TypeAlias = Callable[[Progress], None]
Work: TypeAlias = Callable[[Report], Run]
INTERVAL_SECONDS = 0.25


def with_progress(work: Work) -> Generator[Progress, None, Run]:
    """Run `work`; yield its latest progress now and then, and return what it returns.

    What `work` raises is raised here. It goes on when the generator is closed, as it is
    when a person closes the dialog: the panel still shows it, and can stop it.
    """
    reports: queue.SimpleQueue[Progress] = queue.SimpleQueue()
    ended: list[Run | BaseException] = []

    def body() -> None:
        try:
            ended.append(work(reports.put))
        except BaseException as error:  # noqa: BLE001 - handed over and raised below
            ended.append(error)

    thread = threading.Thread(target=body, name="fiftyone-gemini-run", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(INTERVAL_SECONDS)
        yield from _latest(reports)
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
