"""A run foreseen before it is paid for: pictures and journal are looked at, nobody asked.

Beside `pipeline`; the arithmetic is in `gemini.plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice

from .asking import PLAIN, Asking, Manner
from .errors import MediaError, UsageError
from .gemini.journal import Journal, request_key
from .gemini.plan import Plan, foresee
from .gemini.pool import Limits
from .gemini.prices import TABLE, Prices
from .media.image import fit, read_frame
from .pipeline import NO_LIMITS, Source
from .values import Frame, Item, Question, Request

Stored = Callable[[Request], bool]
"""Tells whether the reply to a request is there already."""
SOME = 50
"""Pictures whose sizes stand for those of all."""


def plan_run(
    source: Source,
    question: Question,
    *,
    model: str,
    limits: Limits = NO_LIMITS,
    manner: Manner = PLAIN,
    prices: Prices = TABLE,
    stored: Stored | None = None,
) -> Plan:
    """Foresee a run: what it asks for, a range of what it costs, how long it takes.

    `stored` (see `stored_in`) tells whether a reply is there already; to know, every
    picture is read, as a run would. Raises `UsageError` when there is nothing to
    label, and `MediaError` when none of the pictures looked at can be read.
    """
    if len(source) == 0:
        raise UsageError("There is nothing to label: the source holds no pictures.")
    asking = Asking.about(question, model, manner)
    frames = [fit(frame, manner.max_side) for frame in _some_frames(source)]
    known = None
    if stored is not None:
        known = _count(asking.repeated(source.items()), asking, stored)
    return foresee(
        model,
        f"{question.system}\n{asking.prompt}",
        frames,
        len(source) * manner.times - (known or 0),
        day=datetime.now(UTC).date(),
        prices=prices,
        limits=limits,
        in_journal=known,
    )


def stored_in(journal: Journal, *, emulated: bool) -> Stored:
    """Make a test of requests: whether a journal holds their reply."""
    return lambda request: (
        journal.find(request_key(request), emulated=emulated) is not None
    )


def _some_frames(source: Source) -> list[Frame]:
    """Read the sizes of some pictures, spread evenly over a source."""
    step = max(1, len(source) // SOME)
    frames: list[Frame] = []
    trouble = None
    for item in islice(source.items(), 0, None, step):
        try:
            frames.append(read_frame(item.path))
        except MediaError as error:
            trouble = trouble or error
    if not frames and trouble is not None:
        raise trouble
    return frames


def _count(items: Iterator[Item], asking: Asking, stored: Stored) -> int:
    """Count the items whose reply is there; an unreadable picture has none."""
    count = 0
    for item in items:
        with suppress(MediaError):
            count += stored(asking.request(item))
    return count
