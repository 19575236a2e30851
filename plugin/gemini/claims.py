"""Which requests are being asked now, so that no two runs on a journal ask the same.

A claim holds for some seconds and is renewed while its run lives: what a killed run had
claimed is free again soon, without anybody having to find out whether it lives.
"""

from __future__ import annotations

import secrets
import threading
import time

from ..errors import FormatError
from .store import Store

_HOLDS_SECONDS = 3.0
_RENEW_SECONDS = 0.5
_TAKE = (
    "INSERT INTO claim (key, emulated, owner, until) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (key, emulated) DO UPDATE "
    "SET owner = excluded.owner, until = excluded.until "
    "WHERE claim.until < ? OR claim.owner = excluded.owner RETURNING 1"
)


class Claims:
    """The claims of one opening of a journal; for any number of threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owner = secrets.token_hex(8)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._renewer: threading.Thread | None = None

    def take(self, key: str, *, emulated: bool) -> bool:
        """Claim a request; False while another opening, which lives, has it."""
        self._start()
        now = time.time()
        until = now + _HOLDS_SECONDS
        return bool(self._store.run(_TAKE, (key, emulated, self._owner, until, now)))

    def drop(self, key: str, *, emulated: bool) -> None:
        """Give a request back, if it is ours."""
        self._store.run(
            "DELETE FROM claim WHERE key = ? AND emulated = ? AND owner = ?",
            (key, emulated, self._owner),
        )

    def close(self) -> None:
        """Renew no longer; what is still claimed is free soon."""
        self._closing.set()
        if self._renewer is not None:
            self._renewer.join()

    def _start(self) -> None:
        """Start to renew, with the first claim."""
        with self._lock:
            if self._renewer is None:
                # A daemon: a journal that nobody closes must not keep Python from ending.
                self._renewer = threading.Thread(
                    target=self._renew, name="journal-claims", daemon=True
                )
                self._renewer.start()

    def _renew(self) -> None:
        """Renew all claims now and then; this is the thread."""
        while not self._closing.wait(_RENEW_SECONDS):
            try:
                self._store.run(
                    "UPDATE claim SET until = ? WHERE owner = ?",
                    (time.time() + _HOLDS_SECONDS, self._owner),
                )
            except FormatError:
                # A full disk ends the run where replies are written; this is no place.
                continue
