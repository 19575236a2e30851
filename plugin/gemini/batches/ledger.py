"""Which batches there are, where each stands, and which requests are in them.

The tables are in the journal's file (see `store`). Every step of a batch is written
down before it is taken and after it, so that a kill at any moment leaves no doubt about
what may have been paid.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from ..store import ADD_REPLY, Cell, Store, reply_row

ANSWERED = ""
"""The outcome of a request whose reply is in the journal."""
_COLUMNS = (
    "name, emulated, place, model, stage, created, changed, most_usd, "
    "file, job, state, note"
)


class Stage(StrEnum):
    """Where a batch stands."""

    WRITING = "writing"
    """Its file is being written; nothing was sent."""
    WRITTEN = "written"
    """Its file is whole, on disk or uploaded; nothing was asked."""
    SUBMITTING = "submitting"
    """It may have reached Gemini or not: look for its name there."""
    OPEN = "open"
    """Gemini has it."""
    ENDED = "ended"
    """Every request of it has an outcome."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch; `name` is ours, unique, and the display name of its job at Gemini.

    `place` is where it was sent. `most_usd` is what it may cost at most, as far as that
    was worked out. `file` is what was uploaded, `job` Gemini's name for it, `state` what
    Gemini said last, `note` how it ended.
    """

    name: str
    emulated: bool
    place: str
    model: str
    stage: Stage
    created: datetime
    changed: datetime
    most_usd: float = 0.0
    file: str = ""
    job: str = ""
    state: str = ""
    note: str = ""

    @property
    def age_seconds(self) -> float:
        """How long ago something changed about it."""
        return (datetime.now(UTC) - self.changed).total_seconds()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many requests of a batch have which outcome."""

    open: int
    answered: int
    failed: int

    @property
    def all(self) -> int:
        """All requests of the batch."""
        return self.open + self.answered + self.failed


def new_name() -> str:
    """Make a name that no other batch has."""
    return f"fiftyone-gemini-{secrets.token_hex(6)}"


class Ledger:
    """The batches of one journal; for any number of threads and processes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.path = store.path

    def begin(self, name: str, model: str, place: str, *, emulated: bool) -> Batch:
        """Note that a batch is being written; who does so has claimed its name."""
        now = datetime.now(UTC)
        batch = Batch(name, emulated, place, model, Stage.WRITING, now, now)
        marks = ", ".join("?" * len(_COLUMNS.split(", ")))
        self._store.run(
            f"INSERT INTO batch ({_COLUMNS}) VALUES ({marks})",  # noqa: S608 - fixed words
            _row(batch),
        )
        return batch

    def save(self, batch: Batch) -> Batch:
        """Note where a batch stands now."""
        batch = replace(batch, changed=datetime.now(UTC))
        values = (batch.stage, batch.changed.isoformat(), batch.most_usd)
        self._store.run(
            "UPDATE batch SET stage = ?, changed = ?, most_usd = ?, file = ?, job = ?, "
            "state = ?, note = ? WHERE name = ?",
            (*values, batch.file, batch.job, batch.state, batch.note, batch.name),
        )
        return batch

    def hold(self, batch: Batch, key: str) -> bool:
        """Put a request into a batch; False when it is in an open one already.

        False as well when the batch is gone: another process took it for left behind.
        """
        held = self._store.run(
            "INSERT OR IGNORE INTO batch_request (batch, key, emulated) "
            "SELECT name, ?, emulated FROM batch WHERE name = ? RETURNING 1",
            (key, batch.name),
        )
        return bool(held)

    def is_open(self, key: str, *, emulated: bool) -> bool:
        """Tell whether a request is in an open batch."""
        rows = self._store.run(
            "SELECT 1 FROM batch_request "
            "WHERE key = ? AND emulated = ? AND outcome IS NULL",
            (key, emulated),
        )
        return bool(rows)

    def has(self, batch: Batch, key: str) -> bool:
        """Tell whether a request is in a batch."""
        rows = self._store.run(
            "SELECT 1 FROM batch_request WHERE batch = ? AND key = ?", (batch.name, key)
        )
        return bool(rows)

    def keep(self, batch: Batch, key: str, body: bytes) -> None:
        """Keep a reply of a batch, once, however often it is fetched."""
        row = reply_row(key, body, model=batch.model, emulated=batch.emulated)
        unanswered = (
            f"{ADD_REPLY.partition('VALUES')[0]} SELECT ?, ?, ?, ?, ?, ? "  # noqa: S608 - fixed words
            "WHERE EXISTS (SELECT 1 FROM batch_request "
            "WHERE batch = ? AND key = ? AND outcome IS NOT ?)"
        )
        mine: tuple[Cell, ...] = (batch.name, key)
        self._store.together(
            (
                (unanswered, (*row, *mine, ANSWERED)),
                (
                    "UPDATE batch_request SET outcome = ? WHERE batch = ? AND key = ?",
                    (ANSWERED, *mine),
                ),
            )
        )

    def fail(self, batch: Batch, key: str, why: str) -> None:
        """Note why a request of a batch has no reply, unless it has one."""
        self._store.run(
            "UPDATE batch_request SET outcome = ? "
            "WHERE batch = ? AND key = ? AND outcome IS NULL",
            (why, batch.name, key),
        )

    def end(self, batch: Batch, why: str) -> Batch:
        """End a batch; its requests without an outcome get this one."""
        self._store.run(
            "UPDATE batch_request SET outcome = ? WHERE batch = ? AND outcome IS NULL",
            (why, batch.name),
        )
        return self.save(replace(batch, stage=Stage.ENDED))

    def discard(self, batch: Batch) -> None:
        """Forget a batch of which nothing was asked."""
        self._store.together(
            (
                ("DELETE FROM batch_request WHERE batch = ?", (batch.name,)),
                ("DELETE FROM batch WHERE name = ?", (batch.name,)),
            )
        )

    def news(self, key: str, *, emulated: bool) -> str | None:
        """Give the outcome of a request that no run has told yet; None: there is none."""
        rows = self._store.run(
            "SELECT outcome FROM batch_request WHERE key = ? AND emulated = ? "
            "AND outcome IS NOT NULL AND told = 0 ORDER BY outcome LIMIT 1",
            (key, emulated),
        )
        return str(rows[0][0]) if rows else None

    def answered(self, key: str, *, emulated: bool) -> bool:
        """Tell whether a batch has answered a request."""
        rows = self._store.run(
            "SELECT 1 FROM batch_request "
            "WHERE key = ? AND emulated = ? AND outcome = '' LIMIT 1",
            (key, emulated),
        )
        return bool(rows)

    def told(self, key: str, *, emulated: bool) -> None:
        """Note that a run has told the outcome of a request."""
        self._store.run(
            "UPDATE batch_request SET told = 1 WHERE key = ? AND emulated = ? "
            "AND outcome IS NOT NULL AND told = 0",
            (key, emulated),
        )

    def every(self) -> list[Batch]:
        """Give all batches, the oldest first."""
        rows = self._store.run(f"SELECT {_COLUMNS} FROM batch ORDER BY created, name")  # noqa: S608 - fixed words
        return [_read(row) for row in rows]

    def find(self, name: str) -> Batch | None:
        """Find a batch by its name, or by the one that Gemini gave it."""
        return next((b for b in self.every() if name in {b.name, b.job}), None)

    def unfinished(self, *, emulated: bool) -> list[Batch]:
        """Give the batches that have not ended, the oldest first."""
        rows = self._store.run(
            f"SELECT {_COLUMNS} FROM batch WHERE emulated = ? AND stage <> ? "  # noqa: S608 - fixed words
            "ORDER BY created, name",
            (emulated, Stage.ENDED.value),
        )
        return [_read(row) for row in rows]

    def counts(self, batch: Batch) -> Counts:
        """Count the requests of a batch by their outcome."""
        rows = self._store.run(
            "SELECT ifnull(sum(outcome IS NULL), 0), ifnull(sum(outcome = ''), 0), "
            "ifnull(sum(outcome <> ''), 0) FROM batch_request WHERE batch = ?",
            (batch.name,),
        )
        return Counts(*(int(str(cell)) for cell in rows[0]))


def _row(batch: Batch) -> tuple[Cell, ...]:
    """Write a batch as a row of its table."""
    return (
        *(batch.name, batch.emulated, batch.place, batch.model, batch.stage.value),
        *(batch.created.isoformat(), batch.changed.isoformat(), batch.most_usd),
        *(batch.file, batch.job, batch.state, batch.note),
    )


def _read(row: tuple[Cell, ...]) -> Batch:
    """Read a row of the table."""
    name, emulated, place, model, stage, created, changed, most, *words = row
    return Batch(
        str(name),
        bool(emulated),
        str(place),
        str(model),
        Stage(str(stage)),
        datetime.fromisoformat(str(created)),
        datetime.fromisoformat(str(changed)),
        float(str(most)),
        *map(str, words),
    )
