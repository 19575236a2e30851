"""A request in the very words in which the SDK would send it, sent nowhere.

The SDK is asked once for each kind of request, with stand-ins for the pictures, and a
middleware of aiohttp takes what it is about to send (see `template`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from aiohttp import ClientHandlerType, ClientRequest, ClientSession
from aiohttp.payload import Payload

from ...values import Request
from ..encode import config, contents, inline
from ..endpoint import Endpoint
from ..sdk import connect
from ..template import StandInLostError, cut, fill, likeness, stand_ins

_MOST = 64


class _CaughtError(Exception):
    """What the SDK was about to send; never leaves this file."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.body = body


class Wording:
    """Writes requests of one endpoint; belongs to one asyncio loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._session = ClientSession(middlewares=(_catch,))
        self._sdk = connect(endpoint, self._session)
        self._known: dict[tuple[object, ...], list[bytes]] = {}

    async def aclose(self) -> None:
        """Close the session, which was never used."""
        await self._sdk.aio.aclose()
        self._sdk.close()
        await self._session.close()

    async def write(self, request: Request) -> bytes:
        """Write a request as one line of JSON, without what names the model."""
        kind = likeness(request)
        pieces = self._known.get(kind)
        if pieces is None:
            marks = stand_ins(len(inline(request)))
            try:
                pieces = cut(await self._caught(request, marks), len(marks))
            except StandInLostError:
                data = [media.data for media in inline(request)]
                return await self._caught(request, data)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[kind] = pieces
        return fill(pieces, request)

    async def _caught(self, request: Request, data: Sequence[bytes]) -> bytes:
        """Let the SDK write a request and take it away from it."""
        from google.genai import types

        try:
            await self._sdk.aio.models.generate_content(
                model=request.model,
                contents=list[types.ContentUnion](contents(request, data)),
                config=config(request, store=False),
            )
        except _CaughtError as caught:
            return caught.body
        raise AssertionError("the SDK sent a request past its own session")


async def _catch(request: ClientRequest, _: ClientHandlerType) -> NoReturn:
    """Take what is about to be sent; nothing is connected to."""
    body = request.body
    assert isinstance(body, Payload)
    raise _CaughtError(await body.as_bytes())
