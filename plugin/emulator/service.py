"""One request through the emulator: check it, look, answer, or let it go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeVar, TypeVarTuple

import anyio
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ..values import JsonValue
from .answer import CHATTER, NO_PICTURE, cut_inside, write_answer
from .asked import understand
from .envelopes import Said, respond
from .failures import (
    INTERNAL,
    OVERLOADED,
    QUOTA,
    GoogleError,
    bad_key,
    invalid,
    over_quota,
)
from .faults import HEADER, Fault, FaultDesk
from .log import LogEntry
from .models import EmulatedModel
from .pictures import HELP, PictureIndex, open_pixels
from .settings import EmulatorError, Settings
from .sight import Pixels, Sight, Viewer
from .tokens import details, prompt_tokens, text_tokens
from .wire import Call, read_call

MAX_BODY = 100 * 2**20
Args = TypeVarTuple("Args")
Result = TypeVar("Result")

AT_ONCE = 2
"""How many pictures are looked at at the same time."""


@dataclass(slots=True)
class Trace:
    """What the log shall say of a request, found out while it is answered."""

    picture: str = ""
    fault: str = ""


@dataclass(slots=True)
class Service:
    """Answers calls; lives on one event loop, pictures are looked at in threads."""

    settings: Settings
    viewer: Viewer
    index: PictureIndex
    desk: FaultDesk
    _limiter: anyio.CapacityLimiter | None = None

    def count(self, body: bytes, model: EmulatedModel) -> dict[str, JsonValue]:
        """Answer countTokens; raise GoogleError."""
        call = read_call(body, model)
        text, images = prompt_tokens(call, model)
        total: dict[str, JsonValue] = {"totalTokens": text + images}
        return {**total, "promptTokensDetails": details(text, images)}

    async def generate(
        self,
        request: Request,
        body: bytes,
        model: EmulatedModel,
        trace: Trace,
        *,
        stream: bool,
    ) -> Response:
        """Answer generateContent or its streaming twin; raise GoogleError."""
        await anyio.sleep(self.settings.latency)
        call = read_call(body, model)
        if call.pictures:
            trace.picture = sha256(call.pictures[-1]).hexdigest()[:16]
        pixels = [await self._in_thread(open_pixels, data) for data in call.pictures]
        key = sha256(model.name.encode() + body).hexdigest()
        fault = await self._fault(request, key, call, pixels)
        trace.fault = fault or ""
        if fault is not None:
            await self._break(fault, model)
        if fault is Fault.HTML_502:
            return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", 502)
        text, finish = await self._answer(call, model, pixels, fault)
        said = self._said(text, finish, call, model, key)
        sse = request.query_params.get("alt") == "sse"
        return respond(said, stream=stream, sse=sse, cut=fault is Fault.CUT)

    async def _in_thread(self, work: Callable[[*Args], Result], *args: *Args) -> Result:
        """Run pixel work in a thread, few at once, so that the server stays awake."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(AT_ONCE)
        return await anyio.to_thread.run_sync(work, *args, limiter=self._limiter)

    async def _fault(
        self, request: Request, key: str, call: Call, pixels: list[Pixels]
    ) -> Fault | None:
        """Find out what shall go wrong with a request."""
        name = ""
        if self.desk.plan.named and len(pixels) == 1:
            name = await self._in_thread(self.index.find, pixels[0])
        try:
            wish = request.headers.get(HEADER, "")
            return self.desk.decide(key, wish, call.text, name)
        except EmulatorError as error:
            raise invalid(str(error)) from error

    async def _break(self, fault: Fault, model: EmulatedModel) -> None:
        """Do the harm of a fault that hits before an answer is found."""
        if fault is Fault.SLOW:
            await anyio.sleep(self.settings.slow_seconds)
        elif fault is Fault.OVERLOADED:
            raise GoogleError(503, "UNAVAILABLE", OVERLOADED)
        elif fault is Fault.INTERNAL:
            raise GoogleError(500, "INTERNAL", INTERNAL + HELP)
        elif fault is Fault.BUSY_BARE:
            raise GoogleError(429, "RESOURCE_EXHAUSTED", QUOTA)
        elif fault is Fault.BAD_KEY:
            raise bad_key()
        elif fault in {Fault.BUSY, Fault.DAY_QUOTA}:
            delay = self.settings.retry_delay
            raise over_quota(model.name, delay, daily=fault is Fault.DAY_QUOTA)

    async def _answer(
        self,
        call: Call,
        model: EmulatedModel,
        pixels: list[Pixels],
        fault: Fault | None,
    ) -> tuple[str | None, str]:
        """Find the text of the answer (None: there is none) and how it finished."""
        if fault is Fault.BLOCKED:
            return None, "SAFETY"
        if fault is Fault.NO_CANDIDATES:
            return None, ""
        if fault is Fault.MALFORMED:
            return CHATTER, "STOP"
        if len(pixels) != 1:
            return NO_PICTURE, "STOP"
        sight = await self._in_thread(self.viewer.view, pixels[0], model.long_side)
        if sight is None:
            return self.viewer.refusal, "STOP"
        things = () if fault is Fault.EMPTY else sight.things
        sight = Sight(sight.frame, things, sight.labels)
        text = await self._in_thread(_words, sight, call, model)
        limit, needed = call.max_output_tokens, text_tokens(text)
        if limit is not None and needed > limit:
            return text[: len(text) * limit // needed], "MAX_TOKENS"
        if fault is Fault.TRUNCATED:
            return cut_inside(text), "MAX_TOKENS"
        return text, "STOP"

    def _said(
        self, text: str | None, finish: str, call: Call, model: EmulatedModel, key: str
    ) -> Said:
        """Put an answer together with its counts."""
        words, images = prompt_tokens(call, model)
        kind = "truth" if self.settings.truth else str(model.long_side)
        return Said(text, finish, words, images, f"emulator-{kind}", key[:22])


def log_entry(path: str, model: str, status: int, trace: Trace) -> LogEntry:
    """Make the log line of a request that is answered now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return LogEntry(now, path, model, trace.picture, status, trace.fault)


def _words(sight: Sight, call: Call, model: EmulatedModel) -> str:
    """Put a sight in the words that a call asks for."""
    asked = understand(call, sight.labels)
    shape = model.mask_shape
    return write_answer(sight, asked, shape, wants_json=call.wants_json)


async def read_body(request: Request) -> bytes:
    """Read the body of a request up to the documented size; raise GoogleError.

    To be called before anything is refused: a server that answers before it has read
    all closes the connection, and the client's next request finds it dead.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            message = f"Request payload size exceeds the limit: {MAX_BODY} bytes."
            raise invalid(message)
    return bytes(body)
