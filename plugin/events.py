"""A log for programs: one line of JSON for each item as it ends, and one for the run.

Beside `pipeline`, which tells of each item. No line holds a key.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from .errors import FormatError
from .progress import ItemDone
from .values import JsonValue, Run

_log = logging.getLogger(__name__)


class EventLog:
    """Adds lines to a file, which several workers of one machine may share; None: to none.

    `redact` takes the key out of whatever is written. Opening raises `FormatError`. When
    a line cannot be written later, the log ends there and the run goes on.
    """

    def __init__(
        self, path: Path | None, redact: Callable[[str], str], name: str
    ) -> None:
        self._name = name
        self._redact = redact
        self._path = path
        self._file: FileIO | None = None
        try:
            if path is not None:
                self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise FormatError(f"{path} cannot be written ({error.strerror}).") from None

    def __enter__(self) -> Self:
        """Give the log."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def item(self, done: ItemDone) -> None:
        """Write how one item ended; `cost_usd` is null when the price is unknown."""
        parsed, reply = done.parsed, done.answered.reply
        self._write(
            "item",
            {
                "id": parsed.item.sample_id,
                "status": parsed.status.value,
                "seconds": round(reply.seconds, 3),
                "retries": reply.retries,
                "from_journal": parsed.from_journal,
                "model": parsed.model_version,
                "tokens": dict(asdict(parsed.usage)),
                "cost_usd": done.cost_usd,
                "issues": len(parsed.issues),
                "error": parsed.error,
            },
        )

    def run(self, run: Run) -> None:
        """Write how a run ended."""
        counts = {status.value: number for status, number in run.statuses.items()}
        self._write(
            "run",
            {
                "task": run.question.task,
                "model": run.model,
                "endpoint": run.endpoint,
                "started": run.started.isoformat(),
                "statuses": dict(counts),
                "from_journal": run.from_journal,
                "tokens": dict(asdict(run.usage)),
                "cost_usd": run.cost_usd,
                "notes": list(run.notes),
            },
        )

    def _write(self, event: str, values: dict[str, JsonValue]) -> None:
        """Write one line in one piece, so that lines of two workers never mix."""
        if self._file is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = {"time": now, "event": event, "run": self._name, **values}
        line = self._redact(json.dumps(entry, ensure_ascii=False))
        try:
            self._file.write(line.encode(errors="replace") + b"\n")
        except OSError as error:
            _log.warning("The log %s ends here (%s).", self._path, error.strerror)
            self._file.close()
            self._file = None
