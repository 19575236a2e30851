"""What has been uploaded: a table of the journal's file, so that later runs use it again.

A file belongs to the credentials that uploaded it. They stand here as a fingerprint: a
hash that is keyed with the key itself and covers the endpoint, from which neither can be
worked out.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from .endpoint import Endpoint
from .files import RemoteFile
from .store import Cell, Store

MARGIN = timedelta(minutes=15)
"""A file that lives shorter than this is as good as gone: requests may wait in a queue."""
_CREATE = """CREATE TABLE IF NOT EXISTS upload (
    sha256 TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    credentials TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    name TEXT NOT NULL,
    uri TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    expires TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (sha256, mime_type, credentials)
) WITHOUT ROWID"""
_COLUMNS = "name, uri, mime_type, bytes, expires, state"


class Uploads:
    """The files uploaded with the credentials of an endpoint; for any number of threads.

    All methods raise `FormatError` when the file cannot be read or written.
    """

    def __init__(self, store: Store, endpoint: Endpoint) -> None:
        self._store = store
        self._who = fingerprint(endpoint)
        host = urlsplit(endpoint.base_url).netloc.rpartition("@")[2]
        self._endpoint = host or endpoint.kind
        store.run(_CREATE)

    def claim_key(self, sha256: str, mime_type: str) -> str:
        """Name the upload of a content, so that one run alone does it."""
        return f"upload {sha256} {mime_type} {self._who}"

    def find(self, sha256: str, mime_type: str) -> RemoteFile | None:
        """Find a file by its content, unless it has expired or soon will."""
        soon = _text(datetime.now(UTC) + MARGIN)
        rows = self._store.run(
            f"SELECT {_COLUMNS} FROM upload WHERE sha256 = ? AND mime_type = ? "  # noqa: S608 - fixed words
            "AND credentials = ? AND expires > ?",
            (sha256, mime_type, self._who, soon),
        )
        return _read(rows[0]) if rows else None

    def keep(self, sha256: str, mime_type: str, file: RemoteFile) -> None:
        """Remember a file; it takes the place of an older one with this content."""
        self._store.run(
            "INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(sha256, mime_type, self._who, self._endpoint),
                *(file.name, file.uri, file.bytes, _text(file.expires), file.state),
            ),
        )

    def forget(self, name: str) -> None:
        """Forget a file by its name."""
        self._store.run(
            "DELETE FROM upload WHERE name = ? AND credentials = ?", (name, self._who)
        )

    def all(self) -> list[RemoteFile]:
        """Give all that these credentials uploaded and that has not expired."""
        rows = self._store.run(
            f"SELECT {_COLUMNS} FROM upload "  # noqa: S608 - fixed words
            "WHERE credentials = ? AND expires > ? ORDER BY expires",
            (self._who, _text(datetime.now(UTC))),
        )
        return [_read(row) for row in rows]


def fingerprint(endpoint: Endpoint) -> str:
    """Name credentials without telling them (32 hexadecimal digits)."""
    place = f"{endpoint.kind} {endpoint.base_url} {endpoint.project}"
    about = f"fiftyone-gemini uploads {place}".encode()
    return hmac.new(endpoint.api_key.encode(), about, "sha256").hexdigest()[:32]


def _read(row: tuple[Cell, ...]) -> RemoteFile:
    """Read the columns of a file."""
    name, uri, mime_type, size, expires, state = row
    return RemoteFile(
        name=str(name),
        uri=str(uri),
        mime_type=str(mime_type),
        bytes=int(str(size)),
        expires=datetime.fromisoformat(str(expires)),
        state=str(state),
    )


def _text(moment: datetime) -> str:
    """Write a time so that texts are in the order of times."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
