"""The journal: every reply on disk, byte for byte, before anything is read from it.

It stands between `retry` and `envelope`: a killed run goes on where it stopped, a better
parser reads old replies again, and the same question is never paid for twice. The file
itself is in `store`, what is done with it between runs in `upkeep`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from ..values import JsonValue, Part, Request
from .claims import Claims
from .endpoint import Endpoint
from .store import Store
from .uploads import Uploads


def request_key(request: Request) -> str:
    """Name a request by all that decides its reply (64 hexadecimal digits).

    A hash over the content of pictures and videos, all words, the schema, the model and
    the parameters that were asked for, and which attempt it is; the endpoint and the files' names do not count.
    """
    description: dict[str, JsonValue] = {
        "model": request.model,
        "content": [_described(part) for part in request.content],
        "schema": None if request.schema is None else dict(request.schema),
        "parameters": asdict(request.parameters),
        "system": request.system,
        "examples": [
            [[_described(part) for part in example.content], example.answer]
            for example in request.examples
        ],
    }
    if request.attempt:
        description["attempt"] = request.attempt
    canonical = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _described(part: Part) -> JsonValue:
    """Describe words by themselves, a picture or a video by its content."""
    if isinstance(part, str):
        return part
    return [part.mime_type, part.content_sha256, asdict(part.clip)]


class Journal:
    """An append-only file of replies; for any number of threads and processes.

    Replies of the emulator are kept apart: they never answer a question to Gemini.
    Replies that stand there at the opening and for whose body `stale` holds count as
    absent, so they are asked for anew, once; nothing is removed.

    Opening raises `FormatError` for a file that is damaged or is no journal, and so does
    whatever later cannot be read or written (a full disk).
    """

    def __init__(
        self, path: str | Path, stale: Callable[[bytes], bool] | None = None
    ) -> None:
        self._store = Store(Path(path))
        self._claims = Claims(self._store)
        self._stale = stale
        self._newest_then = self._store.number("SELECT ifnull(max(id), 0) FROM reply")

    def __enter__(self) -> Self:
        """Give the journal."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def __len__(self) -> int:
        """Count the replies."""
        return self._store.number("SELECT count(*) FROM reply")

    def find(self, key: str, *, emulated: bool = False) -> bytes | None:
        """Give the newest reply to a request, unless there is none or it is stale."""
        rows = self._store.run(
            "SELECT id, body FROM reply WHERE key = ? AND emulated = ? "
            "ORDER BY id DESC LIMIT 1",
            (key, emulated),
        )
        if not rows:
            return None
        number, body = rows[0]
        assert isinstance(number, int)
        assert isinstance(body, bytes)
        if self._stale and number <= self._newest_then and self._stale(body):
            return None
        return body

    def received(self, key: str, *, emulated: bool = False) -> datetime | None:
        """Tell when the newest reply to a request came; None when there is none."""
        rows = self._store.run(
            "SELECT received FROM reply WHERE key = ? AND emulated = ? "
            "ORDER BY id DESC LIMIT 1",
            (key, emulated),
        )
        return datetime.fromisoformat(str(rows[0][0])) if rows else None

    def add(self, key: str, body: bytes, *, model: str, emulated: bool = False) -> None:
        """Append a reply; it is safe from a kill when this returns."""
        received = datetime.now(UTC).isoformat(timespec="seconds")
        self._store.run(
            "INSERT INTO reply (key, emulated, model, received, body, sha256) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (key, emulated, model, received, body, hashlib.sha256(body).digest()),
        )

    def claim(self, key: str, *, emulated: bool = False) -> bool:
        """Take a request for this run alone; False while another run has it."""
        return self._claims.take(key, emulated=emulated)

    def release(self, key: str, *, emulated: bool = False) -> None:
        """Give a claimed request back."""
        self._claims.drop(key, emulated=emulated)

    def uploads(self, endpoint: Endpoint) -> Uploads:
        """Give the record of what was uploaded with the credentials of an endpoint."""
        return Uploads(self._store, endpoint)

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        self._claims.close()
        self._store.close()
