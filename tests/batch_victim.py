"""A process that labels by batches and kills itself at a moment that it is told.

The kill is a real SIGKILL: nothing is flushed, nothing is cleaned up.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from batch_runs import BY_FILE, by_batch, numbered, waiting
from fiftyone_gemini.gemini.batches.keeper import Keeper
from fiftyone_gemini.gemini.batches.ledger import Ledger
from fiftyone_gemini.gemini.batches.packing import Package
from fiftyone_gemini.gemini.batches.service import Service

ITEMS = 6
MOMENTS: dict[str, tuple[Any, str, int, bool]] = {
    "while the third line is written": (Package, "add", 3, False),
    "before the file is noted as whole": (Package, "close", 1, False),
    "before the upload": (Service, "upload", 1, False),
    "after the upload": (Service, "upload", 1, True),
    "before the submission": (Service, "submit", 1, False),
    "after the submission, its name unknown": (Service, "submit", 1, True),
    "when its name was noted": (Keeper, "_opened", 1, True),
    "after the download": (Service, "download", 1, True),
    "before the third reply is kept": (Ledger, "keep", 3, False),
    "when the third reply is kept": (Ledger, "keep", 3, True),
    "before the batch ends": (Ledger, "end", 1, False),
    "when the batch has ended": (Ledger, "end", 1, True),
}
"""What is called, for which time, and whether the kill comes after it."""


def kill_at(owner: Any, name: str, time: int, *, after: bool) -> None:
    """Arrange for the kill."""
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def deadly(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        result = original(*arguments, **options) if after or calls < time else None
        if calls == time:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


if __name__ == "__main__":
    url, journal, moment = sys.argv[1:]
    owner, name, time, after = MOMENTS[moment]
    kill_at(owner, name, time, after=after)
    by_batch(url, Path(journal), numbered(0, ITEMS), waiting(sizes=BY_FILE))
