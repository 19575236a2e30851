"""The input tokens of some requests, counted by Gemini itself: free of charge."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ..errors import FatalApiError, UsageError
from ..values import Request
from .client import Client
from .endpoint import Endpoint
from .failures import CallError, advise
from .limits import Limits
from .models import facts
from .patient import patiently

_AT_ONCE = 8
_DEFAULT_LIMITS = Limits()


def count_tokens(
    requests: Sequence[Request], endpoint: Endpoint, limits: Limits = _DEFAULT_LIMITS
) -> list[int]:
    """Count the input tokens of each request, in their order.

    The schema is not counted: the Gemini API does not take one here. Raises `FatalApiError`
    when a count fails, and `UsageError` for a media resolution that cannot be counted.
    """
    for request in requests:
        by_part = facts(request.model).resolution_by_part
        if request.parameters.media_resolution and not by_part:
            raise UsageError(
                f"Tokens of {request.model} cannot be counted at a media resolution: "
                "leave out --count or --media-resolution."
            )
    # A thread of its own: a notebook has a loop running in this one.
    with ThreadPoolExecutor(1, "gemini-count") as thread:
        work = partial(asyncio.run, _count_all(requests, endpoint, limits))
        return thread.submit(work).result()


async def _count_all(
    requests: Sequence[Request], endpoint: Endpoint, limits: Limits
) -> list[int]:
    """Count, some at a time."""
    places = asyncio.Semaphore(min(_AT_ONCE, limits.in_flight))

    async def count(client: Client, request: Request) -> int:
        async with places:
            return await patiently(lambda: client.count(request), limits, asyncio.sleep)

    async with Client(endpoint) as client:
        try:
            return list(
                await asyncio.gather(*(count(client, each) for each in requests))
            )
        except CallError as error:
            raise FatalApiError(advise(error.cause, requests[0].model)) from None
