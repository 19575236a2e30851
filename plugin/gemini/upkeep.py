"""Looking after a journal between runs: check it, take old replies away."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from ..errors import UsageError
from ..values import Status, Usage
from .envelope import read_body
from .store import Cell, Store

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Stored:
    """One reply as it stands in a journal; `sound` is None when it has no sum."""

    key: str
    emulated: bool
    model: str
    """The model that was asked."""
    received: datetime
    body: bytes
    sound: bool | None


@dataclass(frozen=True, slots=True)
class Group:
    """Replies are counted by these: the model asked, who answered, and what came."""

    model: str
    emulated: bool
    status: Status | None
    """Why there is no text; None: there is text, which a task may read."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a journal holds, and all that is wrong with it."""

    replies: int
    requests: int
    """Distinct ones: the newest reply to each is the one that counts."""
    groups: dict[Group, int]
    usage: Usage
    oldest: datetime | None
    newest: datetime | None
    problems: tuple[str, ...]
    without_sum: int
    """Replies of older programs, whose bytes cannot be checked."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Replies that meet every condition that is set."""

    before: datetime | None = None
    model: str = ""
    emulated: bool = False
    """Only those of the emulator."""

    def clause(self) -> tuple[str, tuple[Cell, ...]]:
        """Write the conditions in SQL; raises `UsageError` when none is set."""
        found: list[tuple[str, Cell]] = []
        if self.before is not None:
            moment = self.before.astimezone(UTC).isoformat(timespec="seconds")
            found.append(("received < ?", moment))
        if self.model:
            found.append(("model = ?", self.model))
        if self.emulated:
            found.append(("emulated = ?", 1))
        if not found:
            raise UsageError("Say which replies: by age, by model, or the emulator's.")
        return " AND ".join(text for text, _ in found), tuple(v for _, v in found)


def verify(path: Path) -> Health:
    """Read a journal from end to end: pages, index, the bytes of each reply, counts.

    Raises `FormatError` when it cannot be opened or read at all.
    """
    with closing(Store(path, create=False)) as store:
        said = [str(row[0]) for row in store.run("PRAGMA integrity_check")]
        return _examine(store, [] if said == ["ok"] else said)


def count(path: Path, selection: Selection) -> dict[str, int]:
    """Count the replies of a selection by the model that was asked."""
    clause, values = selection.clause()
    with closing(Store(path, create=False)) as store:
        rows = store.run(
            f"SELECT model, count(*) FROM reply WHERE {clause} GROUP BY model",  # noqa: S608 - fixed words
            values,
        )
    return {str(model): cast("int", number) for model, number in rows}


def prune(path: Path, selection: Selection) -> int:
    """Take a selection of replies away and give back their space; give their number.

    What was asked by them is paid for again when it is asked again.
    """
    clause, values = selection.clause()
    with closing(Store(path, create=False)) as store:
        rows = store.run(
            f"DELETE FROM reply WHERE {clause} RETURNING id",  # noqa: S608 - fixed words
            values,
        )
        store.run("VACUUM")
        store.run("PRAGMA wal_checkpoint(TRUNCATE)")
    return len(rows)


def _examine(store: Store, problems: list[str]) -> Health:
    """Read every reply, and add to the problems."""
    groups: Counter[Group] = Counter()
    usage, unchecked = Usage(), 0
    oldest: datetime | None = None
    newest: datetime | None = None
    for reply in replies(store):
        read = read_body(reply.body)
        groups[Group(reply.model, reply.emulated, read.failure)] += 1
        usage += read.usage
        oldest = min(oldest or reply.received, reply.received)
        newest = max(newest or reply.received, reply.received)
        unchecked += reply.sound is None
        if reply.sound is False:
            problems.append(f"The reply {reply.key[:12]} is not as it was received.")
    distinct = "SELECT count(*) FROM (SELECT DISTINCT key, emulated FROM reply)"
    return Health(
        replies=groups.total(),
        requests=store.number(distinct),
        groups=dict(groups),
        usage=usage,
        oldest=oldest,
        newest=newest,
        problems=tuple(problems),
        without_sum=unchecked,
    )


def replies(store: Store) -> Iterator[Stored]:
    """Give every reply, oldest first; a run may go on adding meanwhile."""
    last: Cell = 0
    query = (
        "SELECT id, key, emulated, model, received, body, sha256 FROM reply "
        "WHERE id > ? ORDER BY id LIMIT ?"
    )
    while rows := store.run(query, (last, _AT_ONCE)):
        for number, key, emulated, model, received, body, digest in rows:
            last = number
            assert isinstance(body, bytes)
            yield Stored(
                key=str(key),
                emulated=bool(emulated),
                model=str(model),
                received=datetime.fromisoformat(str(received)),
                body=body,
                sound=_matches(body, digest),
            )


def _matches(body: bytes, digest: Cell) -> bool | None:
    """Compare a body with its sum; None where there is none."""
    return None if digest is None else hashlib.sha256(body).digest() == digest
