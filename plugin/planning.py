"""A run foreseen before it is paid for: pictures and journal are looked at, nobody is paid.

Beside `pipeline`; the arithmetic is in `gemini.plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice

from .asking import PLAIN, Asking, Manner
from .errors import MediaError, UsageError
from .gemini.journal import Journal, request_key
from .gemini.plan import Plan, foresee
from .gemini.pool import Limits
from .gemini.prices import TABLE, Prices
from .gemini.tokens import prompt_tokens
from .pipeline import NO_LIMITS, Source, medium_of
from .templates import told
from .values import Item, Medium, Question, Request

Stored = Callable[[Request], bool]
"""Tells whether the reply to a request is there already."""
Count = Callable[[Sequence[Request]], list[int]]
"""Counts the input tokens of requests; see `gemini.counting.count_tokens`."""
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
    count: Count | None = None,
    count_some: int = SOME,
) -> Plan:
    """Foresee a run: what it asks for, a range of what it costs, how long it takes.

    `stored` (see `stored_in`) tells whether a reply is there already; to know, every
    picture is read, as a run would. With `count`, the input tokens of `count_some`
    pictures are counted by it instead of by the documented rules. Raises `UsageError` when
    there is nothing to label, `MediaError` when none of the pictures looked at can be read,
    and what `count` raises.
    """
    if len(source) == 0:
        raise UsageError("There is nothing to label: no pictures, no videos.")
    asking = Asking.about(question, model, manner, medium_of(source))
    source = told(source, asking.names)
    known = None
    if stored is not None:
        known = _count(asking.pieces(source.items()), asking, stored)
    pieces = _pieces(source, asking)
    return foresee(
        model,
        _tokens(source, asking, count, count_some),
        round(_wholes(len(source), manner.chunk) * pieces) - (known or 0),
        day=datetime.now(UTC).date(),
        prices=prices,
        limits=limits,
        in_journal=known,
        output_limit=manner.parameters.max_output_tokens,
        counted=count is not None,
        answers_each=len(source) / _wholes(len(source), manner.chunk),
    )


def _wholes(count: int, size: int) -> int:
    """Count the chunks of so many items."""
    return -(-count // size)


def stored_in(journal: Journal, *, emulated: bool) -> Stored:
    """Make a test of requests: whether a journal holds their reply, or a batch asks."""

    def stored(request: Request) -> bool:
        key = request_key(request)
        found = journal.find(key, emulated=emulated) is not None
        return found or journal.batches.is_open(key, emulated=emulated)

    return stored


def _pieces(source: Source, asking: Asking) -> float:
    """Count the requests for one picture or video, estimated by some of them."""
    if asking.manner.tile is None and asking.question.medium is Medium.IMAGE:
        return float(asking.manner.times)
    some = list(_spread(source, SOME))
    return len(list(asking.pieces(some))) / len(some)


def _spread(source: Source, most: int) -> Iterator[Item]:
    """Give some items, spread evenly over a source."""
    return islice(source.items(), 0, None, -(-len(source) // most))


def _tokens(
    source: Source, asking: Asking, count: Count | None, count_some: int
) -> list[int]:
    """Count or estimate the input tokens of some requests."""
    if count is not None:
        return count(_countable(_some(source, asking, asking.request, count_some)))
    return [prompt_tokens(each) for each in _some(source, asking, asking.sketch, SOME)]


def _some(
    source: Source, asking: Asking, build: Callable[[Item], Request], most: int
) -> list[Request]:
    """Build the requests about some items, spread evenly over a source."""
    requests: list[Request] = []
    trouble = None
    for item in _typical(source, asking, most):
        try:
            requests.append(build(item))
        except MediaError as error:
            trouble = trouble or error
    if not requests and trouble is not None:
        raise trouble
    return requests


def _typical(source: Source, asking: Asking, most: int) -> list[Item]:
    """Give what some requests are about; chunks are full, unless all are looked at."""
    size = asking.manner.chunk
    pieces = list(asking.pieces(_spread(source, max(most, size))))
    if size == 1 or len(source) <= max(most, size):
        return pieces
    return [piece for piece in pieces if len(piece.together) == size] or pieces


def _countable(requests: list[Request]) -> list[Request]:
    """Leave out what would have to be uploaded first."""
    inline = [r for r in requests if not any(media.path for media in r.all_media)]
    if not inline:
        raise UsageError(
            "All pictures looked at are too large for a request, so their tokens cannot "
            "be counted: leave out --count."
        )
    return inline


def _count(items: Iterator[Item], asking: Asking, stored: Stored) -> int:
    """Count the items whose reply is there; an unreadable picture has none."""
    count = 0
    for item in items:
        with suppress(MediaError):
            count += stored(asking.request(item))
    return count
