"""The SQLite file under `journal` and `upkeep`: opening it, and saying what is wrong.

Why SQLite: it is in the standard library, one file, and a commit survives `kill -9` at
any moment; two processes can write to it at once; looking up a key takes microseconds
with millions of replies, where a text file would have to be read whole at every start.
WAL lets readers and the writer work together; `synchronous=NORMAL` may lose the very last
replies when the power fails, and nothing else. WAL needs a local disk, not a network one.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from ..errors import FormatError

_APPLICATION_ID = 0x46_47_4A_31  # "FGJ1", which marks the file as a journal
_VERSION = 2
_BUSY_SECONDS = 60.0
_POLL_SECONDS = 0.02
_CREATE = (
    """CREATE TABLE reply (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        emulated INTEGER NOT NULL,
        model TEXT NOT NULL,
        received TEXT NOT NULL,
        body BLOB NOT NULL,
        sha256 BLOB
    )""",
    "CREATE INDEX reply_key ON reply (key, emulated)",
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_VERSION}",
)
_FROM_VERSION_1 = (
    "ALTER TABLE reply ADD COLUMN sha256 BLOB",
    f"PRAGMA user_version = {_VERSION}",
)
# What is being asked now: of no worth after the run, so it is made where it is missing.
_CLAIMS = """CREATE TABLE IF NOT EXISTS claim (
    key TEXT NOT NULL,
    emulated INTEGER NOT NULL,
    owner TEXT NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (key, emulated)
) WITHOUT ROWID"""
# Read and written by `batches.ledger`. An `outcome` of NULL: no result yet; empty:
# answered; else why not. A request can be in one open batch only.
_BATCHES = (
    """CREATE TABLE IF NOT EXISTS batch (
        name TEXT PRIMARY KEY,
        emulated INTEGER NOT NULL,
        place TEXT NOT NULL,
        model TEXT NOT NULL,
        stage TEXT NOT NULL,
        created TEXT NOT NULL,
        changed TEXT NOT NULL,
        most_usd REAL NOT NULL,
        file TEXT NOT NULL,
        job TEXT NOT NULL,
        state TEXT NOT NULL,
        note TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS batch_request (
        batch TEXT NOT NULL,
        key TEXT NOT NULL,
        emulated INTEGER NOT NULL,
        outcome TEXT,
        told INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (batch, key)
    ) WITHOUT ROWID""",
    """CREATE UNIQUE INDEX IF NOT EXISTS batch_open
        ON batch_request (key, emulated) WHERE outcome IS NULL""",
    "CREATE INDEX IF NOT EXISTS batch_key ON batch_request (key, emulated)",
)
ADD_REPLY = (
    "INSERT INTO reply (key, emulated, model, received, body, sha256) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
Cell: TypeAlias = str | int | float | bytes | None


def reply_row(key: str, body: bytes, *, model: str, emulated: bool) -> tuple[Cell, ...]:
    """Give the values of `ADD_REPLY` for a reply that has just come."""
    received = datetime.now(UTC).isoformat(timespec="seconds")
    return key, emulated, model, received, body, hashlib.sha256(body).digest()


class Store:
    """An open journal file; for any number of threads and processes.

    Without `create` there must be a file already. Opening raises `FormatError` for a
    file that is damaged or is no journal, and so does whatever later cannot be read or
    written (a full disk). A journal of version 1 is brought to version 2: it gains sums.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self._lock = threading.Lock()
        if not create and not path.is_file():
            raise FormatError(f"There is no journal {path}.")
        try:
            self._database = sqlite3.connect(
                path,
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

    def run(
        self, statement: str, values: tuple[Cell, ...] = ()
    ) -> list[tuple[Cell, ...]]:
        """Run one statement, alone; a change is safe from a kill when this returns."""
        with self._lock:
            try:
                return self._database.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise self._trouble(error) from error

    def together(self, steps: Iterable[tuple[str, tuple[Cell, ...]]]) -> None:
        """Run several changes of which all happen or none."""
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                try:
                    for statement, values in steps:
                        self._database.execute(statement, values)
                    self._database.execute("COMMIT")
                finally:
                    if self._database.in_transaction:
                        self._database.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise self._trouble(error) from error

    def number(self, query: str) -> int:
        """Ask for one number."""
        return int(str(self.run(query)[0][0]))

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
            for statement in (*self._missing(), _CLAIMS, *_BATCHES):
                self._database.execute(statement)
            self._database.execute("COMMIT")
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

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

    def _missing(self) -> tuple[str, ...]:
        """Say what makes this file a journal; refuse what is something else."""
        tables = self._pragma("SELECT count(*) FROM sqlite_master")
        mark = self._pragma("PRAGMA application_id")
        if not tables and not mark:
            return _CREATE
        if mark != _APPLICATION_ID:
            raise FormatError(
                f"{self.path} is a database of another program, not a journal. "
                "Name another file."
            )
        version = self._pragma("PRAGMA user_version")
        if version == 1:
            return _FROM_VERSION_1
        if version != _VERSION:
            raise FormatError(
                f"{self.path} is a journal of version {version}, and this program "
                f"reads version {_VERSION}. Update fiftyone-gemini."
            )
        return ()

    def _pragma(self, query: str) -> int:
        return int(self._database.execute(query).fetchone()[0])

    def _trouble(self, error: sqlite3.Error) -> FormatError:
        """Say what is wrong with the file."""
        # The low byte is the kind, the rest a detail; errors of Python's side have none.
        kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if kind in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
            reason = "" if kind == sqlite3.SQLITE_FULL else f", it seems ({error})"
            return FormatError(
                f"There is no space left for the journal {self.path}{reason}. Free some "
                "and run the same command again; it goes on where it stopped."
            )
        if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError):
            return FormatError(
                f"The journal {self.path} cannot be used ({error}). Check that its "
                "folder exists, may be written to, and is on a local disk."
            )
        return FormatError(
            f"{self.path} is not a journal, or it is damaged ({error}). "
            "Name another file, or move this one away to start anew."
        )
