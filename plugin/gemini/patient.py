"""Calls that cost nothing, tried again: uploads, looks at files, counts of tokens.

What is paid for has a patience of its own (`retry`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from .failures import CallError, Next, decide
from .limits import Limits

_log = logging.getLogger(__name__)
T = TypeVar("T")


async def patiently(
    call: Callable[[], Awaitable[T]],
    limits: Limits,
    pause: Callable[[float], Awaitable[None]],
) -> T:
    """Call until it works; raise the `CallError` of the last attempt."""
    attempt = 1
    while True:
        try:
            return await call()
        except CallError as error:
            cause = error.cause
            if decide(cause) is not Next.RETRY or attempt >= limits.attempts:
                raise
        _log.info("Attempt %d failed, trying again: %s", attempt, cause)
        seconds = limits.backoff_seconds * 2 ** (attempt - 1)
        seconds = max(seconds, cause.retry_seconds or 0.0)
        await pause(min(seconds, limits.longest_wait_seconds))
        attempt += 1
