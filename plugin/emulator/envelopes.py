"""Texts -> HTTP responses in the shape of generateContent, whole or streamed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ..values import JsonValue
from .tokens import Prompt, text_tokens, usage

CHUNK = 400
"""Characters in one message of a stream."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the emulator answers, with what a bill would count.

    `text` is None when there is no answer: blocked for the reason `finish`, or
    without any.
    """

    text: str | None
    finish: str
    prompt: Prompt
    version: str
    response_id: str

    @property
    def output_tokens(self) -> int:
        """The tokens of the answer."""
        return text_tokens(self.text or "")

    def whole(self) -> dict[str, JsonValue]:
        """Write the answer as one message."""
        return self._message(self.text or "", last=True)

    def pieces(self) -> list[dict[str, JsonValue]]:
        """Write the answer as the messages of a stream; the last tells how it ended."""
        text = self.text or ""
        starts = range(0, max(1, len(text)), CHUNK)
        return [
            self._message(text[i : i + CHUNK], last=i + CHUNK >= len(text))
            for i in starts
        ]

    def _message(self, text: str, *, last: bool) -> dict[str, JsonValue]:
        """Write one message with a piece of the text."""
        message: dict[str, JsonValue] = {}
        if self.text is None and self.finish:
            message["promptFeedback"] = {"blockReason": self.finish}
        elif self.text is None:
            message["candidates"] = []
        else:
            message["candidates"] = [self._candidate(text, last=last)]
        message["usageMetadata"] = usage(self.prompt, self.output_tokens)
        message["modelVersion"] = self.version
        message["responseId"] = self.response_id
        return message

    def _candidate(self, text: str, *, last: bool) -> dict[str, JsonValue]:
        """Write the one candidate of a message."""
        part: list[JsonValue] = [{"text": text}]
        candidate: dict[str, JsonValue] = {
            "content": {"parts": part, "role": "model"},
            "index": 0,
        }
        if last:
            candidate["finishReason"] = self.finish
        return candidate


class CutResponse(Response):
    """Promises a body and closes the connection half way through it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half of the body, and never the rest."""
        del scope, receive
        head = {"type": "http.response.start", "status": self.status_code}
        await send({**head, "headers": self.raw_headers})
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})


def html_502() -> Response:
    """Build the page that a proxy sends when nobody is behind it."""
    return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", 502)


def respond(said: Said, *, stream: bool, sse: bool, cut: bool) -> Response:
    """Build the response: one message, server-sent events, or a list of messages."""
    messages: Sequence[dict[str, JsonValue]] = said.pieces() if stream else ()
    if stream and sse:
        kind = "text/event-stream"
        events = [f"data: {json.dumps(m)}\r\n\r\n".encode() for m in messages]
        if not cut:
            return StreamingResponse(_one_by_one(events), media_type=kind)
        return CutResponse(b"".join(events), media_type=kind)
    body = json.dumps(messages if stream else said.whole()).encode()
    return (CutResponse if cut else Response)(body, media_type="application/json")


async def _one_by_one(events: list[bytes]) -> AsyncIterator[bytes]:
    """Send events as messages of their own."""
    for event in events:
        yield event
