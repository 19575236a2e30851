"""What the emulator was asked, and how it answered; never a key, never a picture."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from ..values import JsonValue

KEPT = 10_000


@dataclass(slots=True)
class Trace:
    """What the log shall say of a request, found out while it is answered.

    `came` is when it was let in or turned away, `picture` the start of the SHA-256 of the encoded
    picture, `fault` what was made to go wrong, `batch` the batch it was part of. `paid`
    says that a model answered, so that Google would bill the tokens.
    """

    came: str = ""
    picture: str = ""
    fault: str = ""
    batch: str = ""
    paid: bool = False
    prompt_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request: its number, when it was answered, what was asked, what became of it.

    Times are ISO, in UTC. The other fields are those of `Trace`.
    """

    number: int
    came: str
    time: str
    method: str
    path: str
    model: str
    picture: str
    status: int
    fault: str
    batch: str
    paid: bool
    prompt_tokens: int
    output_tokens: int


class RequestLog:
    """The latest requests, in the order in which they were answered."""

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=KEPT)
        self._count = 0

    def add(
        self,
        trace: Trace,
        *,
        path: str,
        status: int,
        model: str = "",
        method: str = "POST",
    ) -> None:
        """Note a request that is answered now."""
        self._count += 1
        now = stamp()
        entry = LogEntry(
            number=self._count,
            came=trace.came or now,
            time=now,
            method=method,
            path=path,
            model=model,
            picture=trace.picture,
            status=status,
            fault=trace.fault,
            batch=trace.batch,
            paid=trace.paid,
            prompt_tokens=trace.prompt_tokens,
            output_tokens=trace.output_tokens,
        )
        self._entries.append(entry)

    def as_json(self, after: int = 0) -> list[dict[str, JsonValue]]:
        """Give the entries with a higher number as JSON objects, oldest first."""
        return [asdict(entry) for entry in self._entries if entry.number > after]


def stamp() -> str:
    """Write down the present time."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
