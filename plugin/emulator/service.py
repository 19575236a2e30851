"""One request through the emulator: check it, look, answer, or let it go wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
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
from .film_words import NO_FILM, Showing, write_film_answer
from .films import Films
from .limits import Limiter
from .log import Trace, stamp
from .media import Library
from .models import EmulatedModel
from .pictures import PictureIndex, open_pixels
from .reels import measure, stretch_of
from .settings import EmulatorError, Settings
from .sight import Pixels, Sight, Viewer
from .telling import View
from .tokens import check_context, prompt_tokens, text_tokens
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
    films: Films
    desk: FaultDesk
    limiter: Limiter
    _threads: anyio.CapacityLimiter | None = None

    async def count(
        self, question: Question, trace: Trace, known: Mapping[str, object]
    ) -> dict[str, JsonValue]:
        """Answer countTokens, whose fields are `known`; raise GoogleError."""
        call = await self._read(question, trace, known)
        prompt = await self._in_thread(prompt_tokens, call, question.model)
        total: dict[str, JsonValue] = {"totalTokens": prompt.total}
        if known is ENTERPRISE_COUNT:
            total["totalBillableCharacters"] = len("".join(call.text.split()))
        return {**total, "promptTokensDetails": prompt.details()}

    async def generate(
        self, question: Question, trace: Trace, *, stream: bool, sse: bool
    ) -> Response:
        """Answer generateContent or its streaming twin; raise GoogleError."""
        call = await self._read(question, trace)
        check_context(trace.prompt_tokens)
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
        check_context(trace.prompt_tokens)
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
        prompt = await self._in_thread(prompt_tokens, call, question.model)
        trace.prompt_tokens = prompt.total
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
        text = await self._words(call, model, pixels, empty=fault is Fault.EMPTY)
        if text is None:
            return self.viewer.refusal, "STOP"
        limit, needed = call.max_output_tokens, text_tokens(text)
        if limit is not None and needed > limit:
            return text[: len(text) * limit // needed], "MAX_TOKENS"
        if fault is Fault.TRUNCATED:
            return cut_inside(text), "MAX_TOKENS"
        return text, "STOP"

    async def _words(
        self, call: Call, model: EmulatedModel, pixels: list[Pixels], *, empty: bool
    ) -> str | None:
        """Put what is seen in words; None where the viewer cannot judge it."""
        if len(call.media) == 1 and not pixels:
            look = partial(self._watch, call, empty=empty)
            return await self._in_thread(look)
        if not pixels or len(pixels) != len(call.media):
            return NO_PICTURE
        views = []
        for one in pixels:
            sight = await self._in_thread(self.viewer.view, one, model.long_side)
            if sight is None:
                return None
            things = () if empty else sight.things
            views.append(View(one, Sight(sight.frame, things, sight.labels)))
        return await self._in_thread(_words, views, call, model)

    def _watch(self, call: Call, *, empty: bool) -> str:
        """Say what a video shows."""
        (medium,) = call.media
        reel = measure(medium)
        film = None if reel is None else self.films.find(medium)
        if film is None or reel is None:
            return NO_FILM
        start, end, fps = stretch_of(medium, reel)
        told = self.settings
        shown = Showing(
            film.emptied if empty else film,
            *(start, end, fps, reel.has_sound),
            zero=start if told.clip_times == "clip" else 0.0,
            noise=told.noise,
            seed=told.seed,
        )
        asked = understand(call, self.films.labels)
        return write_film_answer(shown, asked, wants_json=call.wants_json)

    def _said(
        self, text: str | None, finish: str, call: Call, model: EmulatedModel, key: str
    ) -> Said:
        """Put an answer together with its counts."""
        prompt = prompt_tokens(call, model)
        kind = "truth" if self.settings.truth else str(model.long_side)
        return Said(text, finish, prompt, f"emulator-{kind}", key[:22])


def _words(views: list[View], call: Call, model: EmulatedModel) -> str:
    """Put what was seen in the words that a call asks for."""
    asked = understand(call, views[0].sight.labels)
    shape = model.mask_shape
    return write_answer(views, asked, shape, wants_json=call.wants_json)
