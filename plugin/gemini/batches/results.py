"""What Gemini says of a job, and the results of its requests, byte for byte.

Pure; nothing here raises for what Gemini wrote. A reply is the very text that stood in
the result, so that the journal holds what came and not what was made of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder

from ...values import JsonValue

ENDED = frozenset(
    {"SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"}
)
_DECODER = JSONDecoder()
_SPACE = " \t\r\n"
_THROUGH = ("successful", "failed")


@dataclass(frozen=True, slots=True)
class Job:
    """A job at Gemini; `state` without its prefix (`RUNNING`), "" when there is none.

    `done` of `total` requests are through. `file` holds the results, or `inline` is the
    text that does; both are empty when there are none.
    """

    name: str
    state: str = ""
    error: str = ""
    total: int = 0
    done: int = 0
    file: str = ""
    inline: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one request: a reply, or why there is none.

    `key` is empty when the result does not say whose it is.
    """

    key: str
    body: bytes = b""
    error: str = ""


def read_job(text: str) -> Job:
    """Read an operation of the Batch API, as `batches.get` receives it."""
    try:
        document: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return Job("")
    told = _object(document)
    metadata = _object(told.get("metadata"))
    output = _object(metadata.get("output")) or _object(told.get("response"))
    stats = _object(metadata.get("batchStats"))
    state = str(metadata.get("state") or "")
    inline = output.get("inlinedResponses")
    return Job(
        name=str(told.get("name") or metadata.get("name") or ""),
        state=state.removeprefix("BATCH_STATE_").removeprefix("JOB_STATE_"),
        error=_words(_object(told.get("error") or metadata.get("error"))),
        total=_count(stats.get("requestCount")),
        done=sum(_count(stats.get(f"{end}RequestCount")) for end in _THROUGH),
        file=str(output.get("responsesFile") or ""),
        inline=text if inline else "",
    )


def read_line(line: bytes) -> Result | None:
    """Read a line of a results file; None: it is no object of JSON."""
    try:
        return _result(line.decode(), 0)
    except (ValueError, RecursionError):
        return None


def read_inline(text: str) -> Iterator[Result | None]:
    """Read the results that are in an operation itself."""
    members = _members(text, 0)
    at = _find(text, members.get("metadata"), "output")
    if at is None:
        at = members.get("response")
    at = _find(text, _find(text, at, "inlinedResponses"), "inlinedResponses")
    if at is None or text[at : at + 1] != "[":
        return
    at = _skip(text, at + 1)
    while text[at] != "]":
        try:
            yield _result(text, at)
        except ValueError:
            yield None
        _, end = _DECODER.raw_decode(text, at)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _result(text: str, at: int) -> Result:
    """Read one result; raises `ValueError` when it is no object of JSON."""
    members = _members(text, at)
    values = {name: _value(text, start) for name, start in members.items()}
    metadata = _object(values.get("metadata"))
    key = values.get("key") or metadata.get("key")
    error = _object(values.get("error"))
    name = key if isinstance(key, str) else ""
    if isinstance(values.get("response"), dict) and not error:
        start = members["response"]
        _, end = _DECODER.raw_decode(text, start)
        return Result(name, body=text[start:end].encode())
    return Result(name, error=_words(error) or "neither a reply nor a reason came")


def _find(text: str, at: int | None, name: str) -> int | None:
    """Find where a member of an object begins."""
    return None if at is None else _members(text, at).get(name)


def _members(text: str, at: int) -> dict[str, int]:
    """Find where the value of each member of an object begins.

    Raises `ValueError` when there is no object, or a broken one.
    """
    at = _skip(text, at)
    if text[at : at + 1] != "{":
        raise JSONDecodeError("no object", text, at)
    found: dict[str, int] = {}
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at : at + 1] != ":" or not isinstance(name, str):
            raise JSONDecodeError("no member", text, at)
        found[name] = _skip(text, at + 1)
        _, at = _DECODER.raw_decode(text, found[name])
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
    return found


def _value(text: str, at: int) -> JsonValue:
    """Read the value that begins here."""
    value: JsonValue = _DECODER.raw_decode(text, at)[0]
    return value


def _skip(text: str, at: int) -> int:
    """Pass over blanks."""
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def _words(error: dict[str, JsonValue]) -> str:
    """Say what an error says."""
    parts = (error.get("code"), error.get("message"))
    return " ".join(str(part) for part in parts if part)


def _object(value: JsonValue) -> dict[str, JsonValue]:
    """Take a value for an object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def _count(value: JsonValue) -> int:
    """Read a count, which Google writes as text."""
    return int(value) if isinstance(value, str | int) and str(value).isdigit() else 0
