"""A shard as the source and the sink of a run: items without a reply, then segments."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ..errors import FormatError, UsageError
from ..gemini.endpoint import Endpoint
from ..gemini.journal import Journal
from ..progress import ItemDone
from ..values import Item, Parsed, Run
from .segments import Row, Segments, Success, make_row

ROWS = 256
"""Replies in a segment, at most ..."""
SECONDS = 60.0
"""... and how long replies wait for it: what a machine that vanishes takes along."""
_FAILED, _ANSWERED = 1, 2


@dataclass(slots=True)
class Shard:
    """The items of a shard that have no reply in its segments.

    What is held: two bytes or less an item, and the replies of one segment.
    """

    segments: Segments
    book: Journal
    endpoint: Endpoint
    moved: Callable[[str], str]
    success: Success | None = None
    _states: bytearray = field(init=False)
    _segment: int = 0
    _open: dict[tuple[str, int], tuple[int, Item]] = field(default_factory=dict)
    """Items that were handed out and have not come back."""
    _rows: list[Row] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Look at what earlier tries have left."""
        shard = self.segments.shard
        self._states = bytearray(self.segments.manifest.header.parts[shard - 1].items)
        for name in self.segments.names():
            head = self.segments.head(name)
            if head.endpoint != self.endpoint.kind:
                raise UsageError(
                    f"{self.segments.folder} holds replies of another place "
                    f"({head.endpoint}, now it is {self.endpoint.kind}), and they are "
                    "not mixed. Name another folder (--out)."
                )
            for number in head.failed:
                self._states[number] = max(self._states[number], _FAILED)
            for number in head.answered:
                self._states[number] = _ANSWERED
            self._segment += 1

    def __len__(self) -> int:
        """Count the items without a reply."""
        return len(self._states) - self._states.count(_ANSWERED)

    def items(self) -> Iterator[Item]:
        """Give the items without a reply, with the place where pictures are now."""
        manifest = self.segments.manifest
        for number, item in enumerate(manifest.items_of(self.segments.shard)):
            if self._states[number] == _ANSWERED:
                continue
            if _name(item) in self._open:
                raise FormatError(f"{manifest.place} names {item.sample_id} twice.")
            self._open[_name(item)] = (number, item)
            others = tuple(self.moved(other) for other in item.others)
            yield replace(item, path=self.moved(item.path), others=others)

    def take(self, done: ItemDone) -> None:
        """Keep the reply to one item; called when it is on this machine's disk."""
        number, item = self._open.pop(_name(done.parsed.item))
        emulated = self.endpoint.kind == "emulator"
        row = make_row(
            number,
            item,
            done,
            model=self.segments.manifest.header.model,
            emulated=emulated,
            received=self.book.received(done.parsed.request_key, emulated=emulated),
        )
        self._rows.append(row)
        self._states[number] = _ANSWERED if row.answered else _FAILED
        if len(self._rows) >= ROWS or time.monotonic() - self._since >= SECONDS:
            self._flush()

    def write(self, parsed: Parsed) -> None:
        """Keep no labels: `take` has the reply, and `merge` reads it."""

    def finish(self, run: Run) -> None:
        """Write what is left; when every item was reached, say so last of all."""
        self._flush()
        if 0 not in self._states:
            self.success = self.conclude(run.notes)

    def conclude(self, notes: Sequence[str]) -> Success:
        """Say that the shard is whole."""
        success = Success(
            manifest=self.segments.manifest.id,
            shard=self.segments.shard,
            items=len(self._states),
            failed=len(self),
            finished=datetime.now(UTC),
            notes=tuple(notes),
        )
        self.segments.finish(success)
        return success

    def _flush(self) -> None:
        """Write the replies at hand as one segment."""
        if self._rows:
            self.segments.put(self._segment, self.endpoint.kind, self._rows)
            self._segment += 1
            self._rows.clear()
        self._since = time.monotonic()


def _name(item: Item) -> tuple[str, int]:
    """Tell the items of a shard apart."""
    return item.sample_id, item.attempt
