"""Patience: asks until there is an answer, as long and as often as makes sense.

`rate` is passed before every attempt. The SDK retries nothing by default and never reads `RetryInfo`, so all of it is here.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from ..errors import ApiError, FatalApiError
from ..values import Request
from .encode import MODEL_DEFAULT, thinking_of
from .failures import CallError, Cause, Next, advise, decide, happened
from .limits import Limits
from .models import facts
from .rate import RateLimit

_log = logging.getLogger(__name__)


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
    _stepped: dict[tuple[str, str], str] = field(default_factory=dict)
    _without_schema: set[str] = field(default_factory=set)
    """Models that refused the schema of this run."""

    def __post_init__(self) -> None:
        """Open the gate of the rate limits."""
        self._rate = RateLimit(self.limits, self.pause)

    async def answer(self, request: Request) -> tuple[bytes, int]:
        """Ask until there is an answer; give it, and how often it was asked again.

        Raises `ApiError` or `FatalApiError`.

        A refused thinking level is stepped up once, a refused schema is left out, and
        both are remembered for the run. Waiting for a place in the quota costs no attempt as long as others get through.
        """
        attempt = failures = 0
        while True:
            answers_before = self._answers
            await self._wait_for_turn(request)
            asked = self._shape(request)
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
            if step is Next.STEP_UP and self._step_up(request, asked):
                continue
            if step is Next.DROP_SCHEMA and self._drop_schema(asked):
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

    def _shape(self, request: Request) -> Request:
        """Leave out what was refused before in this run."""
        if request.model in self._without_schema:
            request = replace(request, schema=None)
        better = self._stepped.get((request.model, thinking_of(request)))
        if better is None:
            return request
        return replace(request, parameters=replace(request.parameters, thinking=better))

    def _drop_schema(self, asked: Request) -> bool:
        """Ask without a schema from here on; False when that was done already."""
        if asked.schema is None:
            return False
        if asked.model not in self._without_schema:
            self._without_schema.add(asked.model)
            self.note(
                f"{asked.model} refused the response schema; it was left out from then "
                "on, and the prompt alone asked for the form of the answer."
            )
        return True

    def _step_up(self, request: Request, asked: Request) -> bool:
        """Choose the next thinking setting; False when that was done already."""
        refused = (request.model, thinking_of(request))
        if refused in self._stepped:
            # Another request may have found it while this one was on its way.
            return thinking_of(asked) != self._stepped[refused]
        settings = facts(request.model).thinking
        later = (
            settings[settings.index(refused[1]) + 1 :] if refused[1] in settings else ()
        )
        self._stepped[refused] = next(iter(later), MODEL_DEFAULT)
        self.note(
            f"{refused[0]} refused the thinking setting {refused[1]}; "
            f"{self._stepped[refused]} was used from then on."
        )
        return True

    def _final(
        self, cause: Cause, model: str, step: Next, attempts: int, again: int
    ) -> ApiError:
        """Say that a request failed for good; after many in a row, that all do."""
        text = advise(cause, model)
        if step is Next.STOP:
            return FatalApiError(text)
        self._failures += step is Next.RETRY
        if self._failures >= self.limits.failures_in_a_row:
            return FatalApiError(
                f"{self._failures} requests in a row failed, and none was answered "
                f"between them. The last one: {happened(cause)} Run the same "
                "command again later; it goes on where it stopped."
            )
        said = f"{text} ({attempts} attempts)" if attempts > 1 else text
        return ApiError(said, again)
