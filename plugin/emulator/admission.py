"""What all paths share: who may ask, how bodies and pages are read, how errors go out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from .call_faults import CallDesk
from .failures import UNREGISTERED, GoogleError, invalid
from .log import RequestLog, Trace, stamp

Handler = Callable[[Request, Trace], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]
Entry = TypeVar("Entry")
PAGE_SIZE = 50
_VERSION = re.compile(r"v\d+((alpha|beta)\d*)?")
_DRAINED = 2**30


@dataclass(frozen=True, slots=True)
class Door:
    """Makes handlers that answer errors as Google does, and notes each request."""

    log: RequestLog
    desk: CallDesk

    def __call__(self, handler: Handler, call: str = "") -> Endpoint:
        """Make the handler of a path; `call` is the kind that a fault may hit."""

        async def answer(request: Request) -> Response:
            trace = Trace(came=stamp())
            try:
                response = await self.desk.lead(
                    call, trace, lambda: handler(request, trace)
                )
            except GoogleError as failure:
                response = refuse(failure)
            await _drain(request)
            self.log.add(
                trace,
                path=request.url.path,
                status=response.status_code,
                model=request.path_params.get("model", "").partition(":")[0],
                method=request.method,
            )
            return response

        return answer


async def _drain(request: Request) -> None:
    """Read what is left of a body, so that the connection can be used again."""
    with suppress(RuntimeError, ClientDisconnect):  # read already, or nobody there
        async for _ in request.stream():
            pass


def admit(request: Request) -> None:
    """Refuse an unknown version or a caller without any key; keys are not looked at."""
    if not _VERSION.fullmatch(request.path_params["version"]):
        raise not_found()
    key = request.headers.get("x-goog-api-key") or request.query_params.get("key")
    bearer = request.headers.get("authorization", "").removeprefix("Bearer").strip()
    if not key and not bearer:
        raise GoogleError(403, "PERMISSION_DENIED", UNREGISTERED)


def not_found(message: str = "Requested entity was not found.") -> GoogleError:
    """Build a 404."""
    return GoogleError(404, "NOT_FOUND", message)


def page_of(
    request: Request, entries: Sequence[Entry], size: int = PAGE_SIZE
) -> tuple[Sequence[Entry], str]:
    """Cut the page out that a request asks for, and name the next, if there is one."""
    start = number(request, "pageToken", 0)
    end = start + (number(request, "pageSize", 0) or size)
    return entries[start:end], str(end) if end < len(entries) else ""


def number(request: Request, name: str, default: int) -> int:
    """Read a whole number of the query; raise GoogleError (400)."""
    text = request.query_params.get(name) or str(default)
    if not (text.isascii() and text.isdecimal()):
        raise invalid(f"Invalid value at '{name}': {text!r}")
    return int(text)


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body of a request up to a size; raise GoogleError.

    To be called before anything is refused: a server that answers before it has read
    all closes the connection, and the client's next request finds it dead. For the same
    reason the rest of a body that is too large is read and dropped.
    """
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            body += chunk
        elif size > limit + _DRAINED:
            break
    if size > limit:
        raise invalid(f"Request payload size exceeds the limit: {limit} bytes.")
    return bytes(body)


def refuse(failure: GoogleError) -> Response:
    """Send an error as Google does."""
    return Response(failure.body(), failure.code, media_type="application/json")
