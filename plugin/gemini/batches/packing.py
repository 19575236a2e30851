"""Requests into files of JSON lines, each for one batch: no larger than is allowed.

One line stands for one request: `{"key": <request key>, "request": {...}}`. A picture is
in memory only until its line is written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from ...values import JsonValue
from .ledger import Batch, Ledger, Stage

MEGABYTE = 10**6


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a batch may be.

    A file of Gemini's has at most 2 GB; a batch of at most `inline_requests` and
    `inline_bytes` (the documented limit is 20 MB) is sent without a file.
    """

    file_bytes: int = 2000 * MEGABYTE
    requests: int = 10_000
    inline_bytes: int = 18 * MEGABYTE
    inline_requests: int = 100


def folder_of(ledger: Ledger) -> Path:
    """Name the folder for files of batches, beside the journal."""
    return ledger.path.with_name(f"{ledger.path.name}.batches")


def file_of(ledger: Ledger, batch: Batch) -> Path:
    """Name the file of the requests of a batch."""
    return folder_of(ledger) / f"{batch.name}.jsonl"


def forget(ledger: Ledger, batch: Batch) -> None:
    """Give a batch up: its requests are asked anew; what it answered is lost."""
    file_of(ledger, batch).unlink(missing_ok=True)
    ledger.end(replace(batch, note="given up"), f"The batch {batch.name} was given up.")


def read_lines(path: Path) -> Iterator[tuple[str, JsonValue]]:
    """Read the requests of a file, each with its key."""
    with path.open("rb") as file:
        for line in file:
            entry = json.loads(line)
            yield entry["key"], entry["request"]


@dataclass(slots=True)
class Package:
    """The batch that is being written: its file, and how much is in it."""

    ledger: Ledger
    batch: Batch
    sizes: Sizes
    requests: int = 0
    size: int = 0
    usd: float = 0.0
    _file: BinaryIO = field(init=False)

    def __post_init__(self) -> None:
        """Open the file."""
        path = file_of(self.ledger, self.batch)
        path.parent.mkdir(exist_ok=True)
        self._file = path.open("wb")

    def has_room(self, line: bytes) -> bool:
        """Tell whether one more line fits; the first one always does."""
        return not self.requests or (
            self.requests < self.sizes.requests
            and self.size + len(line) <= self.sizes.file_bytes
        )

    def add(self, line: bytes, usd: float) -> None:
        """Write one line."""
        self._file.write(line)
        self.requests += 1
        self.size += len(line)
        self.usd += usd

    def close(self) -> Batch:
        """Finish the file, which is to be sent."""
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        written = replace(self.batch, stage=Stage.WRITTEN, most_usd=self.usd)
        return self.ledger.save(written)

    def drop(self) -> None:
        """Take back what is written; nothing of it was sent."""
        self._file.close()
        file_of(self.ledger, self.batch).unlink(missing_ok=True)
        self.ledger.discard(self.batch)


def line_of(key: str, worded: bytes) -> bytes:
    """Write one line; the request stays in the words of the SDK."""
    return b'{"key": "%s", "request": %s}\n' % (key.encode(), worded)
