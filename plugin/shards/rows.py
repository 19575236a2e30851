"""The rows of all segments: which one counts for each item, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..errors import FormatError, UsageError
from ..gemini.endpoint import Kind
from ..gemini.envelope import read_body
from ..progress import Tally
from ..values import Parsed, Reply, Status
from .segments import Head, Row, Segments


@dataclass(slots=True)
class Account:
    """Reads shards, and counts each reply that was paid for once.

    A row that came out of a worker's journal was paid by another row (two equal
    pictures), by a try that was killed before its segment was written, or before the run
    was planned: the second of these is known by its time and by no row that paid.
    """

    tally: Tally
    kind: Kind | None = None
    times: list[datetime] = field(default_factory=list)
    """When the first and the last reply of this run came."""
    _paid: set[str] = field(default_factory=set)
    _open: dict[str, Reply] = field(default_factory=dict)
    _reused: int = 0

    def rows(self, segments: Segments) -> Iterator[tuple[Row, Reply]]:
        """Give of each item of a shard the row that counts, with its reply read.

        Raises `UsageError` for a mix of places, `FormatError` for what is damaged.
        """
        names = segments.names()
        heads = [segments.head(name) for name in names]
        for head in heads:
            self._note_kind(head, segments.out)
        winners = _winners(segments, heads)
        for place, name in enumerate(names):
            for row in segments.rows(name):
                reply = _read(row)
                self._note_payment(row, reply)
                if winners.get(row.number) == place:
                    del winners[row.number]
                    yield row, reply

    def count(self, parsed: Parsed) -> None:
        """Count an item; it is on the bill already."""
        self.tally.add(replace(parsed, from_journal=True))
        self._reused += parsed.from_journal

    def close(self) -> None:
        """Pay what only a killed try can have paid, and count what nobody did."""
        orphans = [paid for key, paid in self._open.items() if key not in self._paid]
        for reply in orphans:
            self._pay(reply)
        self.tally.from_journal = max(0, self._reused - len(orphans))

    def _note_kind(self, head: Head, out: str) -> None:
        """Refuse to mix Gemini's replies with those of the emulator."""
        if self.kind not in {None, head.endpoint}:
            raise UsageError(
                f"{out} holds replies of {self.kind} and of {head.endpoint}; they are "
                "not mixed. Remove the shards that do not belong to the run."
            )
        self.kind = head.endpoint
        self.tally.free = head.endpoint == "emulator"

    def _note_payment(self, row: Row, reply: Reply) -> None:
        """Put the reply of a row on the bill, unless it may be there already."""
        since = self.tally.started.replace(microsecond=0)
        if row.received is None or (row.from_journal and row.received < since):
            return
        seen = [*self.times, row.received]
        self.times = [min(seen), max(seen)]
        if row.from_journal:
            self._open[row.key] = reply
        else:
            self._paid.add(row.key)
            self._pay(reply)

    def _pay(self, reply: Reply) -> None:
        self.tally.pay(reply.usage, reply.model_version, batched=reply.batched)


def _winners(segments: Segments, heads: Sequence[Head]) -> dict[int, int]:
    """Choose for each item the segment whose row counts: the last that has a reply."""
    winners = {n: place for place, head in enumerate(heads) for n in head.failed}
    winners |= {n: place for place, head in enumerate(heads) for n in head.answered}
    success = segments.success()
    if success is not None and len(winners) != success.items:
        raise FormatError(
            f"{segments.folder} is said to be whole, but {success.items - len(winners)} "
            "of its items have no row. Remove its _SUCCESS and work on it again."
        )
    return winners


def _read(row: Row) -> Reply:
    """Read the reply of a row, as the worker did."""
    if not row.answered:
        return Reply(failure=row.status or Status.API_ERROR, error=row.error)
    reply = read_body(row.reply_body())
    return replace(reply, from_journal=row.from_journal, batched=row.batched)
