"""Lines of a batch: requests in, results out, in the three dialects of the two APIs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol

from ..values import JsonValue
from .failures import GoogleError, invalid
from .fields import Fields
from .log import stamp

Result = dict[str, JsonValue] | GoogleError
"""The answer to a request, or what went wrong with it."""


class Dialect(Protocol):
    """How requests are written in a line, and results."""

    shuffled: bool

    def check(self, line: Fields) -> None:
        """Refuse a line beyond its request; raise GoogleError."""

    def write(self, line: Fields, result: Result) -> dict[str, JsonValue]:
        """Write a result; `line` is empty when it could not be read."""


@dataclass(slots=True)
class KeyedLines:
    """JSONL of the developer API: results are told apart by key, in no order."""

    shuffled: bool = True
    _seen: set[str] = field(default_factory=set)

    def check(self, line: Fields) -> None:
        """Refuse a key that is no text, or that an earlier line had."""
        key = line.get("key")
        if not isinstance(key, str):
            raise invalid("Each line must have a key that is a string.")
        if key in self._seen:
            raise invalid(f"Duplicate key: {key}")
        self._seen.add(key)

    def write(self, line: Fields, result: Result) -> dict[str, JsonValue]:
        """Write key and response, or key and error."""
        key: dict[str, JsonValue] = {"key": line["key"]} if "key" in line else {}
        return {**key, **_response_or_error(result)}


@dataclass(slots=True)
class InlineLines:
    """Requests that came inline: results keep their order and their metadata."""

    shuffled: bool = False

    def check(self, line: Fields) -> None:
        """Have nothing to refuse."""

    def write(self, line: Fields, result: Result) -> dict[str, JsonValue]:
        """Write the response or error, and the metadata that came."""
        told = _response_or_error(result)
        return {**told, "metadata": line["metadata"]} if "metadata" in line else told


@dataclass(slots=True)
class InstanceLines:
    """JSONL of the enterprise API: each result repeats its line, in no order."""

    shuffled: bool = True

    def check(self, line: Fields) -> None:
        """Have nothing to refuse."""

    def write(self, line: Fields, result: Result) -> dict[str, JsonValue]:
        """Write the line, with a status (empty: well) and the response."""
        told: dict[str, JsonValue] = {**line, "processed_time": stamp()}
        if isinstance(result, GoogleError):
            error = {"error": {"code": result.code, "message": str(result)}}
            return {
                **told,
                "status": f"Bad Request: {json.dumps(error)}",
                "response": {},
            }
        return {**told, "status": "", "response": result}


def read_line(text: bytes) -> tuple[Fields, bytes]:
    """Read one line and the body of its request; raise GoogleError."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise invalid(f"Invalid JSON in a line of the input file: {error}") from error
    if not isinstance(line, dict):
        raise invalid("Invalid line of the input file: an object is expected.")
    return line, json.dumps(line.get("request")).encode()


def write_lines(path: Path, lines: Iterable[JsonValue]) -> None:
    """Write objects as JSONL."""
    with path.open("w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def join_files(path: Path, sources: Iterable[Path]) -> None:
    """Write the lines of several files into one."""
    with path.open("wb") as target:
        for source in sources:
            with source.open("rb") as file:
                target.writelines(line.rstrip(b"\r\n") + b"\n" for line in file)


def line_starts(path: Path) -> list[int]:
    """Tell where the lines of a file begin that are not empty."""
    starts, position = [], 0
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                starts.append(position)
            position += len(line)
    return starts


def shuffled(starts: list[int], seed: int) -> list[int]:
    """Give another order than the one of the input, where there is one."""
    order = Random(seed).sample(starts, len(starts))  # noqa: S311
    return order if order != starts else starts[::-1]


def line_at(path: Path, start: int) -> bytes:
    """Read one line."""
    with path.open("rb") as file:
        file.seek(start)
        return file.readline()


def _response_or_error(result: Result) -> dict[str, JsonValue]:
    """Write a result as the developer API does."""
    if isinstance(result, GoogleError):
        return {"error": result.as_status()}
    return {"response": result}
