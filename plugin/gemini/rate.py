"""Requests and tokens a minute: holds a request back until its minute has room for it.

`retry` enters here before every attempt. The windows are kept by pyrate-limiter, which
really holds them: no stretch of a minute ever holds more than allowed, bursts included.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

from pyrate_limiter import InMemoryBucket, Rate, RateItem

from ..values import Request
from .limits import Limits
from .tokens import prompt_tokens

MARGIN = 1.02
"""Requests travel unevenly: the window kept here is longer than the one at the server."""
TOKEN_UNITS = 10_000
"""Parts into which a token limit is divided: the bucket keeps one entry for each."""


class RateLimit:
    """The gate through which the requests of a run pass in turn; belongs to one loop.

    Input tokens are those that the documented rules foresee for a request. One that alone
    is over the token limit passes by itself, in a window of its own.
    """

    def __init__(
        self, limits: Limits, pause: Callable[[float], Awaitable[None]]
    ) -> None:
        self._pause = pause
        self._turn = asyncio.Lock()
        milliseconds = round(limits.rate_window_seconds * MARGIN * 1000)
        self._requests = _bucket(limits.requests_per_minute, milliseconds)
        per_minute = limits.tokens_per_minute
        self._unit = max(1, math.ceil((per_minute or 1) / TOKEN_UNITS))
        self._units = (per_minute or 0) // self._unit
        self._tokens = _bucket(self._units, milliseconds)

    async def enter(self, request: Request) -> None:
        """Wait for room; `pause` may raise to end the wait."""
        if self._requests is None and self._tokens is None:
            return
        async with self._turn:
            if self._tokens is not None:
                units = math.ceil(prompt_tokens(request) / self._unit)
                await self._pass(self._tokens, min(units, self._units))
            if self._requests is not None:
                await self._pass(self._requests, 1)

    async def _pass(self, bucket: InMemoryBucket, weight: int) -> None:
        """Put a weight into a bucket as soon as it fits."""
        while True:
            now = time.monotonic_ns() // 1_000_000
            bucket.leak(now)
            item = RateItem("", now, weight)
            if bucket.put(item):
                return
            wait = bucket.waiting(item)
            assert isinstance(wait, int)
            await self._pause(max(1, wait) / 1000)


def _bucket(limit: int | None, milliseconds: int) -> InMemoryBucket | None:
    """Make a bucket for a limit, if there is one."""
    return InMemoryBucket([Rate(limit, milliseconds)]) if limit else None
