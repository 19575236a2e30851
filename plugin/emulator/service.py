"""One request through the emulator: check it, look, answer, or let it go wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar, TypeVarTuple

import anyio
from starlette.responses import Response

from ..values import JsonValue
from .answer import CHATTER, NO_PICTURE, cut_inside, write_answer
from .asked import understand
from .breaking import ERRORS, error_of
from .envelopes import Said, html_502, respond
from .failures import invalid
from .faults import Fault, FaultDesk
from .fields import ENTERPRISE_COUNT, GENERATE
from .limits import Limiter
from .log import Trace, stamp
from .media import Library
from .models import EmulatedModel
from .pictures import PictureIndex, open_pixels
from .settings import EmulatorError, Settings
from .sight import Pixels, Sight, Viewer
from .telling import View
from .tokens import details, prompt_tokens, text_tokens
from .wire import Call, read_call

Args = TypeVarTuple("Args")
Result = TypeVar("Result")

AT_ONCE = 2
"""How many pictures are looked at at the same time."""
_ON_THE_WIRE = frozenset({Fault.HTML_502, Fault.CUT, Fault.SLOW})


@dataclass(frozen=True, slots=True)
class Question:
    """One request to a model, from the wire or out of a batch.

    `library` knows the files of the API it came by; `wish` names a fault, or is empty.
    """

    body: bytes
    model: EmulatedModel
    library: Library
    wish: str = ""


@dataclass(slots=True)
class Service:
    """Answers calls; lives on one event loop, pictures are looked at in threads."""

    settings: Settings
    viewer: Viewer
    index: PictureIndex
    desk: FaultDesk
    limiter: Limiter
    _threads: anyio.CapacityLimiter | None = None

    async def count(
        self, question: Question, trace: Trace, known: Mapping[str, object]
    ) -> dict[str, JsonValue]:
        """Answer countTokens, whose fields are `known`; raise GoogleError."""
        call = await self._read(question, trace, known)
        text, images = prompt_tokens(call, question.model)
        total: dict[str, JsonValue] = {"totalTokens": text + images}
        if known is ENTERPRISE_COUNT:
            total["totalBillableCharacters"] = len("".join(call.text.split()))
        return {**total, "promptTokensDetails": details(text, images)}

    async def generate(
        self, question: Question, trace: Trace, *, stream: bool, sse: bool
    ) -> Response:
        """Answer generateContent or its streaming twin; raise GoogleError."""
        call = await self._read(question, trace)
        trace.came = stamp()
        self.limiter.admit(question.model.name, trace.prompt_tokens)
        await anyio.sleep(self.settings.latency)
        said, fault = await self._say(question, call, trace)
        if fault is Fault.SLOW:
            await anyio.sleep(self.settings.slow_seconds)
        if fault is Fault.HTML_502:
            return html_502()
        trace.paid, trace.output_tokens = True, said.output_tokens
        return respond(said, stream=stream, sse=sse, cut=fault is Fault.CUT)

    async def answer(self, question: Question, trace: Trace) -> dict[str, JsonValue]:
        """Answer a request of a batch; raise GoogleError.

        It counts for no rate limit, and nothing can go wrong on the wire.
        """
        call = await self._read(question, trace)
        said, fault = await self._say(question, call, trace)
        if fault in _ON_THE_WIRE:
            trace.fault = ""
        trace.paid, trace.output_tokens = True, said.output_tokens
        return said.whole()

    async def _read(
        self, question: Question, trace: Trace, known: Mapping[str, object] = GENERATE
    ) -> Call:
        """Read and count a request; raise GoogleError."""
        args = (question.body, question.model, question.library, known)
        call = await self._in_thread(read_call, *args)
        trace.prompt_tokens = sum(prompt_tokens(call, question.model))
        if call.media:
            trace.picture = (await self._in_thread(call.media[-1].digest))[:16]
        return call

    async def _say(
        self, question: Question, call: Call, trace: Trace
    ) -> tuple[Said, Fault | None]:
        """Find the answer to a call, or break as a fault wants it; raise GoogleError."""
        model = question.model
        pixels = [await self._in_thread(open_pixels, p) for p in call.pictures]
        key = sha256(model.name.encode() + question.body).hexdigest()
        fault = await self._fault(question.wish, key, call, pixels)
        trace.fault = fault or ""
        if fault is not None and fault in ERRORS:
            raise error_of(fault, model.name, self.settings.retry_delay)
        text, finish = await self._answer(call, model, pixels, fault)
        return self._said(text, finish, call, model, key), fault

    async def _in_thread(self, work: Callable[[*Args], Result], *args: *Args) -> Result:
        """Run pixel work in a thread, few at once, so that the server stays awake."""
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(AT_ONCE)
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)

    async def _fault(
        self, wish: str, key: str, call: Call, pixels: list[Pixels]
    ) -> Fault | None:
        """Find out what shall go wrong with a request."""
        name = ""
        if self.desk.plan.named and len(pixels) == 1:
            name = await self._in_thread(self.index.find, pixels[0])
        try:
            return self.desk.decide(key, wish, call.text, name)
        except EmulatorError as error:
            raise invalid(str(error)) from error

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
        if not pixels or len(pixels) != len(call.media):
            return NO_PICTURE, "STOP"
        views = []
        for one in pixels:
            sight = await self._in_thread(self.viewer.view, one, model.long_side)
            if sight is None:
                return self.viewer.refusal, "STOP"
            things = () if fault is Fault.EMPTY else sight.things
            views.append(View(one, Sight(sight.frame, things, sight.labels)))
        text = await self._in_thread(_words, views, call, model)
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


def _words(views: list[View], call: Call, model: EmulatedModel) -> str:
    """Put what was seen in the words that a call asks for."""
    asked = understand(call, views[0].sight.labels)
    shape = model.mask_shape
    return write_answer(views, asked, shape, wants_json=call.wants_json)
