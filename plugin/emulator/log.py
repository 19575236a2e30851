"""What the emulator was asked, and how it answered; never a key, never a picture."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass

from ..values import JsonValue

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request: when (ISO, UTC), where, for what, and what became of it.

    `picture` is the start of the SHA-256 of the encoded picture; `fault` what was made
    to go wrong, or empty.
    """

    time: str
    path: str
    model: str
    picture: str
    status: int
    fault: str


class RequestLog:
    """The latest requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=KEPT)

    def add(self, entry: LogEntry) -> None:
        """Note one answered request."""
        self._entries.append(entry)

    def as_json(self) -> list[dict[str, JsonValue]]:
        """Give the entries as JSON objects."""
        return [asdict(entry) for entry in self._entries]
