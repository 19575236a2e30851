"""One call to Gemini through the real SDK, on its aiohttp backend: `Request` to bytes.

All patience (retries, waits) is in `retry`; here the SDK is kept from having its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..values import Request
from .encode import config, contents, contents_to_count, inline
from .endpoint import Endpoint
from .files import FilesApi
from .sdk import call_errors, connect

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from .template import Templates


class Client:
    """A connection to an endpoint; belongs to one asyncio loop, closed by `async with`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._templates = _templates(endpoint)
        self._session = _session(endpoint, self._templates)
        self._sdk = connect(endpoint, self._session)
        self.files = FilesApi(self._sdk, endpoint)

    async def __aenter__(self) -> Self:
        """Give the client; nothing is opened before the first call."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        await self._sdk.aio.aclose()
        self._sdk.close()
        if self._session is not None:
            await self._session.close()

    async def ask(self, request: Request) -> bytes:
        """Send one request and give the body of the reply as it came (UTF-8).

        Raises `CallError` when there is none.
        """
        with call_errors(self._endpoint):
            return await self._send(request)

    async def count(self, request: Request) -> int:
        """Count the input tokens of a request; raises `CallError`."""
        from google.genai import types

        with call_errors(self._endpoint):
            counted = await self._sdk.aio.models.count_tokens(
                model=request.model,
                contents=list[types.ContentUnion](contents_to_count(request)),
            )
        return counted.total_tokens or 0

    async def _send(self, request: Request) -> bytes:
        """Send a request: like one that the SDK has sent, or by the SDK.

        Without a picture inside there is little to convert, and often no second request
        that is like it.
        """
        if self._session is None or self._templates is None or not inline(request):
            return await self._send_by_sdk(request)
        template = self._templates.find(request)
        if template is None:
            return await self._send_first(self._templates, request)
        seconds = self._endpoint.timeout_seconds
        body = await template.send(self._session, request, seconds)
        body.decode()  # as the SDK does: what is no text was spoiled on its way
        return body

    async def _send_first(self, templates: Templates, request: Request) -> bytes:
        """Send a request by the SDK and learn from it, if that can be done."""
        from .template import StandInLostError, stand_ins

        try:
            with templates.announced(request):
                data = stand_ins(len(inline(request)))
                return await self._send_by_sdk(request, data)
        except StandInLostError:
            self._templates = None
            return await self._send_by_sdk(request)

    async def _send_by_sdk(
        self, request: Request, data: Sequence[bytes] | None = None
    ) -> bytes:
        """Send a request by the SDK, with its pictures or what stands for them."""
        if data is None:
            data = [media.data for media in inline(request)]
        from google.genai import types

        response = await self._sdk.aio.models.generate_content(
            model=request.model,
            contents=list[types.ContentUnion](contents(request, data)),
            config=config(request, store=self._store),
        )
        http = response.sdk_http_response
        return ((http and http.body) or "").encode()

    @property
    def _store(self) -> bool | None:
        """Ask the Developer API not to keep requests; enterprise knows no such field."""
        return None if self._endpoint.kind == "enterprise" else False


def _templates(endpoint: Endpoint) -> Templates | None:
    """Repeat what the SDK sends, but where it renews the credentials in between."""
    from .template import Templates

    return None if endpoint.kind == "enterprise" else Templates()


def _session(endpoint: Endpoint, templates: Templates | None) -> ClientSession | None:
    """Open a session of our own; the emulator is no proxy's business.

    Without templates there is no need for one: the SDK makes its own.
    """
    from aiohttp import ClientSession, TCPConnector

    if templates is None:
        return None
    return ClientSession(
        connector=TCPConnector(limit=0),
        trust_env=endpoint.kind != "emulator",
        middlewares=(templates.learn,),
    )
