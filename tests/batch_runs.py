"""Batches against a real emulator: what the tests of them share."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from fiftyone_gemini.gemini.batches.answers import Batching
from fiftyone_gemini.gemini.batches.packing import Sizes
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.gemini.engine import Answered
from fiftyone_gemini.gemini.exchange import export
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.gemini.limits import Limits
from fiftyone_gemini.gemini.pool import ask_all
from fiftyone_gemini.values import Item
from gemini_server import KEY, build

BY_FILE = Sizes(inline_requests=0)
LIMITS = Limits(backoff_seconds=0.01, longest_wait_seconds=0.1)


def place(url: str) -> Endpoint:
    """Name the endpoint of a server on this machine."""
    return Endpoint("emulator", KEY, url, timeout_seconds=20)


def numbered(start: int, count: int) -> list[Item]:
    """Name some items; the path is the number of a picture."""
    return [Item(str(number), str(number)) for number in range(start, start + count)]


def waiting(**settings: Any) -> Batching:
    """Ask by batches and wait for them, looking often."""
    return Batching(
        **{"wait": True, "poll_seconds": 0.05, "sizes": BY_FILE, **settings}
    )


def by_batch(
    url: str, journal: Path, asked: list[Item], batching: Batching, **more: Any
) -> tuple[dict[str, Answered], list[str]]:
    """Ask about items by batches; give what came by item, and what was told."""
    told: list[str] = []
    with Journal(journal) as book:
        options = {"endpoint": place(url), "journal": book, "limits": LIMITS, **more}
        answers = batching.answers(told.append)(asked, build, **options)
        return {answered.item.path: answered for answered in answers}, told


def online(url: str, journal: Path, asked: list[Item]) -> dict[str, Answered]:
    """Ask about items one by one."""
    with Journal(journal) as book:
        options = {"endpoint": place(url), "journal": book, "limits": LIMITS}
        return {a.item.path: a for a in ask_all(asked, build, **options)}


def log_of(url: str) -> list[dict]:
    """Give the requests that the emulator has seen."""
    with urlopen(f"{url}/emulator/log") as reply:
        return json.load(reply)


def paid(url: str) -> Counter[str]:
    """Count the answers of the emulator by picture."""
    return Counter(entry["picture"] for entry in log_of(url) if entry["paid"])


def bodies(journal: Path) -> dict[str, str]:
    """Give the replies in a journal by the key of their request."""
    out = journal.with_suffix(".jsonl")
    export(journal, out)
    entries = [json.loads(line) for line in out.read_text().splitlines()]
    assert len({entry["key"] for entry in entries}) == len(entries)
    return {entry["key"]: entry["body"] for entry in entries}
