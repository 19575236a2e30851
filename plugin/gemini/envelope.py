"""The body of a reply to a `Reply`: text, usage, and why there is no text.

Pure; never raises, whatever the bytes are. The text itself is read by the tasks.
"""

from __future__ import annotations

import json
from dataclasses import replace

from ..values import JsonValue, Reply, Status, Usage

_EXCERPT = 160
_CUT = {"MAX_TOKENS", "CONTINUATION"}
_BLOCKED = {
    *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR"),
}
_CODE = {"executableCode", "codeExecutionResult"}
Object = dict[str, JsonValue]


def read_body(body: bytes) -> Reply:
    """Read the body of a `generateContent` reply.

    Text is that of all parts of the first candidate but thoughts. Where the model ran
    code, only what it said after the last run is its answer; if it said nothing more,
    what that code printed. Text is `cut` when the output limit or a content filter
    ended it. Without text the failure is `blocked` (by
    prompt feedback or a content filter), `truncated` (the output limit was reached
    before any text) or `malformed`.
    """
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return _malformed(body, f"The reply is not JSON: {_excerpt(body)}")
    if not isinstance(document, dict):
        return _malformed(body, f"The reply is not an object: {_excerpt(body)}")
    reply = Reply(
        body=body,
        usage=_usage(_object(document, "usageMetadata")),
        model_version=_text(document, "modelVersion"),
    )
    candidates = document.get("candidates")
    if isinstance(candidates, list) and candidates:
        return _read_candidate(reply, _as_object(candidates[0]))
    return _without_candidate(reply, document)


def _read_candidate(reply: Reply, candidate: Object) -> Reply:
    """Read the text of a candidate, or why it has none."""
    finish = _text(candidate, "finishReason")
    text = _answer(_object(candidate, "content"))
    if text:
        return replace(reply, text=text, cut=finish in _CUT | _BLOCKED)
    if finish in _BLOCKED:
        return _fail(reply, Status.BLOCKED, f"Gemini stopped its answer: {finish}.")
    if finish in _CUT:
        spent = f"{reply.usage.thoughts} tokens went into thinking"
        return _fail(
            reply,
            Status.TRUNCATED,
            f"The output limit was reached before any text ({spent}). "
            "Raise max_output_tokens or lower the thinking level.",
        )
    said = _text(candidate, "finishMessage")
    reason = finish or "no finish reason"
    detail = f"{reason}: {said}" if said else reason
    return _fail(reply, Status.MALFORMED, f"Gemini answered without text ({detail}).")


def _without_candidate(reply: Reply, document: Object) -> Reply:
    """Say why there is no candidate."""
    feedback = _object(document, "promptFeedback")
    said = _text(feedback, "blockReasonMessage")
    reason = _text(feedback, "blockReason")
    if reason or said:
        why = ": ".join(part for part in (reason, said) if part)
        return _fail(reply, Status.BLOCKED, f"Gemini refused the question ({why}).")
    if error := _object(document, "error"):
        said = _text(error, "message")
        return _fail(
            reply, Status.MALFORMED, f"Gemini sent an error, not an answer: {said}"
        )
    return _fail(
        reply,
        Status.MALFORMED,
        f"The reply holds no candidates: {_excerpt(reply.body)}",
    )


def _answer(content: Object) -> str:
    """Join the texts that are the answer: no thoughts, nothing said on the way."""
    parts = content.get("parts")
    objects = [_as_object(part) for part in parts] if isinstance(parts, list) else []
    spoken = [part for part in objects if part.get("thought") is not True]
    runs = [i for i, part in enumerate(spoken) if _CODE & part.keys()]
    after = _joined(spoken[runs[-1] + 1 :] if runs else spoken)
    if after.strip() or not runs:
        return after
    result = _object(spoken[runs[-1]], "codeExecutionResult")
    worked = _text(result, "outcome") == "OUTCOME_OK"
    printed = _text(result, "output") if worked else ""
    return printed if printed.strip() else _joined(spoken)


def _joined(parts: list[Object]) -> str:
    return "".join(_text(part, "text") for part in parts)


def _usage(usage: Object) -> Usage:
    """Read the token counts; what is missing or odd counts as 0."""
    return Usage(
        prompt=_count(usage, "promptTokenCount"),
        output=_count(usage, "candidatesTokenCount"),
        thoughts=_count(usage, "thoughtsTokenCount"),
        cached=_count(usage, "cachedContentTokenCount"),
    )


def _fail(reply: Reply, failure: Status, error: str) -> Reply:
    """Complete a reply without text."""
    cut = failure is Status.TRUNCATED
    return replace(reply, failure=failure, error=error, cut=cut)


def _malformed(body: bytes, error: str) -> Reply:
    """Complete a reply that is not one."""
    return Reply(body=body, failure=Status.MALFORMED, error=error)


def _excerpt(body: bytes) -> str:
    """Show the beginning of a body on one line."""
    return repr(" ".join(body[:_EXCERPT].decode(errors="replace").split()))


def _as_object(value: JsonValue) -> Object:
    """Take a value for an object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def _object(parent: Object, key: str) -> Object:
    """Get an object of an object; anything else is an empty one."""
    return _as_object(parent.get(key))


def _text(parent: Object, key: str) -> str:
    """Get a text of an object; anything else is an empty one."""
    value = parent.get(key)
    return value if isinstance(value, str) else ""


def _count(parent: Object, key: str) -> int:
    """Get a count of an object; anything else is 0."""
    value = parent.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return max(0, value)
