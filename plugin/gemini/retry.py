"""Patience: asks until there is an answer, as long and as often as makes sense.

`rate` is passed before every attempt. The SDK retries nothing by default and never reads `RetryInfo`, so all of it is here.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from ..errors import ApiError, FatalApiError
from ..values import Request
from .failures import CallError, Cause, Next, advise, decide, happened
from .limits import Limits
from .rate import RateLimit
from .stepping import Stepping

_log = logging.getLogger(__name__)


class FileGoneError(ApiError):
    """A file that the request names is gone; others of the run are not affected."""


@dataclass(slots=True)
class Patience:
    """Asks with retries; one for all requests of a run, on one loop.

    `ask` sends one request or raises `CallError`. `pause` waits for some seconds, or
    raises when the run is to end. A wait that Gemini asks for holds back all requests.
    `note` is told, once, what was changed about the requests of this run.
    """

    ask: Callable[[Request], Awaitable[bytes]]
    pause: Callable[[float], Awaitable[None]]
    limits: Limits
    note: Callable[[str], None]
    _rate: RateLimit = field(init=False)
    _open_at: float = 0.0
    _answers: int = 0
    _failures: int = 0
    """Requests that failed for good since the last answer."""
    _stepping: Stepping = field(init=False)

    def __post_init__(self) -> None:
        """Open the gate of the rate limits."""
        self._rate = RateLimit(self.limits, self.pause)
        self._stepping = Stepping(self.note)

    async def answer(self, request: Request) -> tuple[bytes, int]:
        """Ask until there is an answer; give it, and how often it was asked again.

        Raises `ApiError` or `FatalApiError`.

        What was refused is changed by a rule, once, for all of the run (`stepping`). Waiting for a place in the quota costs no attempt as long as others get through.
        """
        attempt = failures = 0
        while True:
            answers_before = self._answers
            await self._wait_for_turn(request)
            asked = self._stepping.shape(request)
            try:
                body = await self.ask(asked)
            except CallError as error:
                cause = error.cause
                failures += 1
            else:
                self._answers += 1
                self._failures = 0
                return body, failures
            step = decide(cause)
            if self._stepping.step(step, cause, request, asked):
                continue
            queued = cause.code == HTTPStatus.TOO_MANY_REQUESTS
            attempt += not (queued and self._answers > answers_before)
            if step is not Next.RETRY or attempt >= self.limits.attempts:
                raise self._final(cause, request.model, step, attempt, failures - 1)
            await self._back_off(cause, max(1, attempt))

    async def _wait_for_turn(self, request: Request) -> None:
        """Wait until the moment that Gemini named, if it did, and for our own limits."""
        while True:
            while (seconds := self._open_at - time.monotonic()) > 0:
                await self.pause(seconds)
            await self._rate.enter(request)
            if self._open_at <= time.monotonic():
                return

    async def _back_off(self, cause: Cause, attempt: int) -> None:
        """Wait as long as Gemini asks, else longer with every attempt, with jitter."""
        _log.info("Attempt %d failed, trying again: %s", attempt, cause)
        if cause.retry_seconds is None:
            longest = self.limits.longest_wait_seconds
            seconds = min(longest, self.limits.backoff_seconds * 2 ** (attempt - 1))
            await self.pause(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            return
        if cause.retry_seconds > self.limits.longest_wait_seconds:
            raise FatalApiError(
                f"Gemini asks to wait for {cause.retry_seconds:.0f} seconds ({cause}). "
                "Run the same command again after that; it goes on where it stopped."
            )
        opens = time.monotonic() + cause.retry_seconds
        self._open_at = max(self._open_at, opens)

    def _final(
        self, cause: Cause, model: str, step: Next, attempts: int, again: int
    ) -> ApiError:
        """Say that a request failed for good; after many in a row, that all do."""
        text = advise(cause, model)
        if step is Next.STOP:
            return FatalApiError(text)
        if step is Next.PLACE_ANEW:
            return FileGoneError(text)
        self._failures += step is Next.RETRY
        if self._failures >= self.limits.failures_in_a_row:
            return FatalApiError(
                f"{self._failures} requests in a row failed, and none was answered "
                f"between them. The last one: {happened(cause)} Run the same "
                "command again later; it goes on where it stopped."
            )
        said = f"{text} ({attempts} attempts)" if attempts > 1 else text
        return ApiError(said, again, refused=step is Next.GIVE_UP)
