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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain, zip_longest
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

from ..values import Media, Part, Request
from .encode import inline

_SECRET = secrets.token_bytes(32)
_MOST = 64
"""Kept at one time; a run has one for each type of picture."""
_NEW_EACH_TIME = ("Host", "Content-Length", "Transfer-Encoding")
_asked: ContextVar[Request] = ContextVar("asked")


class StandInLostError(Exception):
    """The SDK wrote a stand-in in a way that is not known here; nothing was sent."""


def stand_ins(count: int) -> list[bytes]:
    """Make bytes that no prompt can guess; 24 are 32 characters without padding."""
    return [
        blake2b(number.to_bytes(4), digest_size=24, key=_SECRET).digest()
        for number in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Template:
    """What is the same in all requests that differ in their pictures alone.

    `pieces` of the body stand before, between and after the pictures.
    """

    url: StrOrURL
    headers: Mapping[str, str] = field(repr=False)  # a key is among them
    ssl: SSLContext | bool | Fingerprint
    pieces: Sequence[bytes]

    def body(self, request: Request) -> bytes:
        """Write the body of a request, with the alphabet that the SDK uses."""
        pictures = [base64.urlsafe_b64encode(m.data) for m in inline(request)]
        pairs = zip_longest(self.pieces, pictures, fillvalue=b"")
        return b"".join(chain.from_iterable(pairs))

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
        """Tell what the SDK sends, with stand-ins, within the block."""
        token = _asked.set(request)
        try:
            yield
        finally:
            _asked.reset(token)

    async def learn(
        self, request: ClientRequest, send: ClientHandlerType
    ) -> ClientResponse:
        """Note what the SDK sends, and put the pictures where their stand-ins are."""
        body = request.body
        asked = _asked.get(None)
        if asked is None or not isinstance(body, Payload):
            return await send(request)
        pieces = _cut(await body.as_bytes(), len(inline(asked)))
        headers = dict(request.headers)
        for name in _NEW_EACH_TIME:
            headers.pop(name, None)
        template = Template(request.url, headers, request.ssl, pieces)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[_likeness(asked)] = template
        await request.update_body(template.body(asked))
        return await send(request)


def _cut(body: bytes, count: int) -> list[bytes]:
    """Cut a body at its stand-ins; raise `StandInLostError` where one is missing."""
    pieces = []
    for stand_in in stand_ins(count):
        before, mark, body = body.partition(base64.urlsafe_b64encode(stand_in))
        if not mark:
            raise StandInLostError
        pieces.append(before)
    return [*pieces, body]


def _likeness(request: Request) -> tuple[object, ...]:
    """Name all that is not the bytes of a picture."""
    return (
        request.model,
        tuple(_outline(part) for part in request.parts()),
        len(request.examples),
        request.system,
        request.parameters,
        request.without,
        None if request.schema is None else json.dumps(dict(request.schema)),
    )


def _outline(part: Part) -> object:
    """Name what is said, or all of a picture but its bytes."""
    if not isinstance(part, Media):
        return part
    return bool(part.data), part.mime_type, part.uri, part.clip
