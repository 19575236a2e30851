"""The journal: every reply on disk, byte for byte, before anything is read from it.

It stands between `retry` and `envelope`: a killed run goes on where it stopped, a better
parser reads old replies again, and the same question is never paid for twice.

Why SQLite: it is in the standard library, one file, and a commit survives `kill -9` at
any moment; two processes can write to it at once; looking up a key takes microseconds
with millions of replies, where a text file would have to be read whole at every start.
WAL lets readers and the writer work together; `synchronous=NORMAL` may lose the very last
replies when the power fails, and nothing else. WAL needs a local disk, not a network one.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import FormatError
from ..values import JsonValue, Request

_APPLICATION_ID = 0x46_47_4A_31  # "FGJ1", which marks the file as a journal
_VERSION = 1
_BUSY_SECONDS = 60.0
_POLL_SECONDS = 0.02
_CREATE = (
    """CREATE TABLE reply (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        emulated INTEGER NOT NULL,
        model TEXT NOT NULL,
        received TEXT NOT NULL,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX reply_key ON reply (key, emulated)",
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_VERSION}",
)


def request_key(request: Request) -> str:
    """Name a request by all that decides its reply (64 hexadecimal digits).

    A hash over the bytes of the picture, the prompt, the schema, the model and the
    parameters that were asked for; the endpoint and the file's name do not count.
    """
    description: dict[str, JsonValue] = {
        "model": request.model,
        "prompt": request.prompt,
        "schema": None if request.schema is None else dict(request.schema),
        "temperature": request.temperature,
        "thinking": request.thinking,
        "max_output_tokens": request.max_output_tokens,
        "mime_type": request.media.mime_type,
        "picture": hashlib.sha256(request.media.data).hexdigest(),
    }
    canonical = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


class Journal:
    """An append-only file of replies; for any number of threads and processes.

    Replies of the emulator are kept apart: they never answer a question to Gemini.
    Opening raises `FormatError` for a file that is damaged or is no journal, and so does
    whatever later cannot be read or written (a full disk).
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(
                self._path,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise self._trouble(error) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self.close()
            raise self._trouble(error) from error
        except FormatError:
            self.close()
            raise

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
        with self._lock:
            return self._number("SELECT count(*) FROM reply")

    def find(self, key: str, *, emulated: bool = False) -> bytes | None:
        """Give the newest reply to a request, if there is one."""
        rows = self._run(
            "SELECT body FROM reply WHERE key = ? AND emulated = ? "
            "ORDER BY id DESC LIMIT 1",
            (key, emulated),
        )
        return rows[0][0] if rows else None

    def add(self, key: str, body: bytes, *, model: str, emulated: bool = False) -> None:
        """Append a reply; it is safe from a kill when this returns."""
        received = datetime.now(UTC).isoformat(timespec="seconds")
        self._run(
            "INSERT INTO reply (key, emulated, model, received, body) "
            "VALUES (?, ?, ?, ?, ?)",
            (key, emulated, model, received, body),
        )

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        with self._lock:
            self._database.close()

    def _prepare(self) -> None:
        """Recognize the file, or make a new one; another process may do the same."""
        self._use_wal()
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("BEGIN IMMEDIATE")
        try:
            if self._is_new():
                for statement in _CREATE:
                    self._database.execute(statement)
        finally:
            self._database.execute("COMMIT")

    def _use_wal(self) -> None:
        """Switch to WAL; SQLite does not wait for other processes here, so we do."""
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_SECONDS)
            else:
                return

    def _is_new(self) -> bool:
        """Tell a new file from a journal; refuse anything else."""
        tables = self._number("SELECT count(*) FROM sqlite_master")
        mark = self._number("PRAGMA application_id")
        if not tables and not mark:
            return True
        if mark != _APPLICATION_ID:
            raise FormatError(
                f"{self._path} is a database of another program, not a journal. "
                "Name another file."
            )
        if (version := self._number("PRAGMA user_version")) != _VERSION:
            raise FormatError(
                f"{self._path} is a journal of version {version}, and this program "
                f"reads version {_VERSION}. Update fiftyone-gemini."
            )
        return False

    def _number(self, query: str) -> int:
        """Ask for one number."""
        return int(self._database.execute(query).fetchone()[0])

    def _run(
        self, statement: str, values: tuple[str | int | bytes, ...]
    ) -> list[tuple[bytes]]:
        """Run one statement, alone."""
        with self._lock:
            try:
                return self._database.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise self._trouble(error) from error

    def _trouble(self, error: sqlite3.Error) -> FormatError:
        """Say what is wrong with the file."""
        if "full" in str(error):
            return FormatError(
                f"There is no space left for the journal {self._path}. Free some and "
                "run the same command again; it goes on where it stopped."
            )
        if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError):
            return FormatError(
                f"The journal {self._path} cannot be used ({error}). Check that its "
                "folder exists, may be written to, and is on a local disk."
            )
        return FormatError(
            f"{self._path} is not a journal, or it is damaged ({error}). "
            "Name another file, or move this one away to start anew."
        )
