"""Requests after the first: learned from what the SDK sends, repeated without its work.

The SDK converts, copies and quotes every request anew, which takes several times as long
as sending it, and the requests of a run differ in their picture alone. So the SDK is
asked once, with a stand-in for the picture, and a middleware of aiohttp notes what it
sends; all others are that, with their picture in its place. Only public interfaces of
both are used, and the SDK does it all where it writes a picture in an unknown way. The
enterprise platform, whose tokens the SDK renews, is always left to it.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from ssl import SSLContext

from aiohttp import (
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    Fingerprint,
)
from aiohttp.payload import Payload
from aiohttp.typedefs import StrOrURL

from ..values import Request

STAND_IN = secrets.token_bytes(24)
"""Bytes that no prompt can guess; 24 of them are 32 characters without padding."""
_WRITTEN = base64.urlsafe_b64encode(STAND_IN)
_MOST = 64
"""Kept at one time; a run has one for each type of picture."""
_NEW_EACH_TIME = ("Host", "Content-Length", "Transfer-Encoding")
_asked: ContextVar[Request] = ContextVar("asked")


class StandInLostError(Exception):
    """The SDK wrote the stand-in in a way that is not known here; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Template:
    """What is the same in all requests that differ in their picture alone."""

    url: StrOrURL
    headers: Mapping[str, str] = field(repr=False)  # a key is among them
    ssl: SSLContext | bool | Fingerprint
    before: bytes
    after: bytes

    def body(self, request: Request) -> bytes:
        """Write the body of a request, with the alphabet that the SDK uses."""
        picture = base64.urlsafe_b64encode(request.media.data)
        return b"".join((self.before, picture, self.after))

    async def send(
        self, session: ClientSession, request: Request, seconds: float
    ) -> bytes:
        """Send a request; raises what the SDK raises for an error reply."""
        from google.genai import errors

        async with session.post(
            self.url,
            data=self.body(request),
            headers=self.headers,
            ssl=self.ssl,
            timeout=ClientTimeout(total=seconds),
        ) as response:
            await errors.APIError.raise_for_async_response(response)
            return await response.read()


class Templates:
    """The templates of one session; `learn` is to be among its middlewares."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Template] = {}

    def find(self, request: Request) -> Template | None:
        """Give the template of a request; None: the SDK has not sent one like it."""
        return self._known.get(_likeness(request))

    @staticmethod
    @contextmanager
    def announced(request: Request) -> Iterator[None]:
        """Tell what the SDK sends, with a stand-in, within the block."""
        token = _asked.set(request)
        try:
            yield
        finally:
            _asked.reset(token)

    async def learn(
        self, request: ClientRequest, send: ClientHandlerType
    ) -> ClientResponse:
        """Note what the SDK sends, and put the picture where its stand-in is."""
        body = request.body
        asked = _asked.get(None)
        if asked is None or not isinstance(body, Payload):
            return await send(request)
        before, mark, after = (await body.as_bytes()).partition(_WRITTEN)
        if not mark:
            raise StandInLostError
        headers = dict(request.headers)
        for name in _NEW_EACH_TIME:
            headers.pop(name, None)
        template = Template(request.url, headers, request.ssl, before, after)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[_likeness(asked)] = template
        await request.update_body(template.body(asked))
        return await send(request)


def _likeness(request: Request) -> tuple[object, ...]:
    """Name all that is not the picture."""
    return (
        request.model,
        request.prompt,
        request.media.mime_type,
        request.temperature,
        request.thinking,
        request.max_output_tokens,
        None if request.schema is None else json.dumps(dict(request.schema)),
    )
