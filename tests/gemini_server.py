"""A scripted HTTP server for the tests of `gemini`: it says exactly what it is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from aiohttp import web
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.values import Frame, Item, Media, Parameters, Request
from PIL import Image

KEY = "AIzaSyTopSecretKey-0123456789abcdefghijk"
FAST = {"backoff_seconds": 0.01}


@dataclass(frozen=True)
class Say:
    """One answer of the server.

    `cut` closes the connection instead of it, `half` in the middle of the body.
    """

    status: int = 200
    body: bytes = b""
    seconds: float = 0.0
    cut: bool = False
    half: bool = False
    content_type: str = "application/json"


@dataclass
class Seen:
    """One request as the server saw it."""

    path: str
    headers: dict[str, str]
    body: dict
    time: float

    @property
    def picture(self) -> str:
        """The hash of the picture that came."""
        data = self.body["contents"][0]["parts"][0]["inlineData"]["data"]
        return hashlib.sha256(base64.urlsafe_b64decode(data)).hexdigest()


@dataclass
class Server:
    """The handle of a running server."""

    script: Callable[[int], Say]
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    open: int = 0
    peak: int = 0

    def endpoint(self, timeout_seconds: float = 10) -> Endpoint:
        """Name the endpoint that leads here."""
        return Endpoint("emulator", KEY, self.url, timeout_seconds=timeout_seconds)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request by the script."""
        data = await request.read()
        body = json.loads(data) if data else {}
        number = len(self.seen)
        self.seen.append(
            Seen(request.path, dict(request.headers), body, time.monotonic())
        )
        self.open += 1
        self.peak = max(self.peak, self.open)
        try:
            say = self.script(number)
            await asyncio.sleep(say.seconds)
        finally:
            self.open -= 1
        if say.cut:
            request.transport.abort()
            return web.Response()
        if say.half:
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b'{"candidates": [')
            request.transport.abort()
            return response
        return web.Response(
            status=say.status,
            body=say.body or good(f"answer {number}"),
            content_type=say.content_type,
        )


def good(text: str, **usage: int) -> bytes:
    """Write the body of an ordinary reply."""
    counts = {"promptTokenCount": 1100, "candidatesTokenCount": 20, **usage}
    candidate = {"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}
    return json.dumps(
        {"candidates": [candidate], "usageMetadata": counts, "modelVersion": "m-1"}
    ).encode()


def refusal(
    status: int, message: str, *, delay: str = "", quota: str = "", reason: str = "X"
) -> Say:
    """Write an error reply in Google's shape."""
    details: list[dict] = []
    if quota:
        details.append(
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": quota}],
            }
        )
    if delay:
        details.append(
            {
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": delay,
            }
        )
    error = {"code": status, "message": message, "status": reason, "details": details}
    return Say(status, json.dumps({"error": error}).encode())


@contextmanager
def serving(script: Callable[[int], Say] | list[Say]) -> Iterator[Server]:
    """Run a server on a free port; a list answers in turn, then ordinarily."""
    steps = script if callable(script) else None
    turns = [] if callable(script) else script

    def answer(number: int) -> Say:
        if steps is not None:
            return steps(number)
        return turns[number] if number < len(turns) else Say()

    server = Server(answer)
    ready = threading.Event()
    loop = asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=50_000_000)
        app.router.add_route("*", "/{tail:.*}", server.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def end(runner: web.AppRunner) -> None:
        await runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def run() -> None:
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(end(runner))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def picture(number: int = 0) -> bytes:
    """Draw a small JPEG that is different for every number."""
    pixels = np.full((8, 8, 3), (number * 37) % 256, np.uint8)
    pixels[0, :, 0] = np.arange(8) * number % 256
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def request_about(
    number: int = 0,
    model: str = "gemini-3.8-flash",
    *,
    prompt: str = "Detect all.",
    schema: Mapping[str, object] | None = None,
    **parameters: object,
) -> Request:
    """Ask about the picture of a number."""
    media = Media(picture(number), "image/png", Frame(8, 8), Frame(8, 8))
    return Request(model, (media, prompt), schema, Parameters(**parameters))


def items(count: int) -> list[Item]:
    """Name some items; the path is the number of a picture."""
    return [Item(str(number), str(number)) for number in range(count)]


def build(item: Item) -> Request:
    """Make the request of an item of `items`."""
    return request_about(int(item.path))
