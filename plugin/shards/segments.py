"""Segments: the replies of a shard in files that never change, `_SUCCESS` last.

    OUT/shard-00003-of-00020/seg-00007-<sum>.jsonl

The first line of a segment says which items it holds, so that a retry reads only that.
Each further line is one item with its reply, byte for byte. The name holds the first
digits of the SHA-256 of the content: two workers on one shard never write over each
other, and a file that was damaged or cut is noticed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..errors import FormatError, UsageError
from ..gemini.endpoint import Kind
from ..gemini.exchange import join_body, split_body
from ..progress import ItemDone
from ..storage import exists, first_line, join, names, put, read
from ..values import Item, Media, Status
from .manifest import Manifest
from .plain import from_line, to_line

SUCCESS = "_SUCCESS"
_SUM_DIGITS = 16
_SHARD = re.compile(r"shard-\d+-of-\d+")


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a segment; items are named by their place in the shard.

    `answered` have a reply, whatever is in it; `failed` have none.
    """

    segment: str
    """The id of the manifest."""
    shard: int
    endpoint: Kind
    answered: tuple[int, ...]
    failed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What came back for one item: the body of the reply, or why there is none.

    `key`, `emulated`, `model` (that was asked), `received` and the body stand as in a
    line of `journal export`. `from_journal`: this worker's journal had it before;
    `batched`: it was paid for at the price of batches.
    """

    number: int
    item: Item
    key: str
    emulated: bool
    model: str
    media: Media | None = None
    """What was sent, without its content."""
    received: datetime | None = None
    from_journal: bool = False
    batched: bool = False
    status: Status | None = None
    error: str = ""
    body: str | None = None
    body_base64: str | None = None
    sha256: str = ""

    @property
    def answered(self) -> bool:
        """Whether there is a reply."""
        return self.body is not None or self.body_base64 is not None

    def reply_body(self) -> bytes:
        """Give the reply as it came; raises `FormatError` when it is not that."""
        body = join_body(self.body, self.body_base64)
        if hashlib.sha256(body).hexdigest() != self.sha256:
            raise FormatError(
                f"The reply to {self.item.sample_id} is not as it was received."
            )
        return body


def make_row(
    number: int,
    item: Item,
    done: ItemDone,
    *,
    model: str,
    emulated: bool,
    received: datetime | None,
) -> Row:
    """Make the row of an item; without a body its status and error are kept."""
    request, reply = done.answered.request, done.answered.reply
    row = Row(
        number=number,
        item=item,
        key=done.parsed.request_key,
        emulated=emulated,
        model=model,
        media=None if request is None else _without_content(request.media),
        received=received,
        from_journal=reply.from_journal,
        batched=reply.batched,
    )
    if not reply.body:
        return replace(row, status=done.parsed.status, error=done.parsed.error)
    text, coded = split_body(reply.body)
    sums = hashlib.sha256(reply.body).hexdigest()
    return replace(row, body=text, body_base64=coded, sha256=sums)


def _without_content(media: Media) -> Media:
    return replace(media, data=b"", path="", digest=media.content_sha256)


@dataclass(frozen=True, slots=True)
class Success:
    """The content of `_SUCCESS`: the shard is whole."""

    manifest: str
    shard: int
    items: int
    failed: int
    """Items without a reply; why stands in their rows."""
    finished: datetime
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Segments:
    """The segments of one shard, in a folder or below a URL."""

    out: str
    manifest: Manifest
    shard: int
    folder: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the folder."""
        name = f"shard-{self.shard:05}-of-{self.manifest.shards:05}"
        self.folder = join(self.out, name)

    def names(self) -> list[str]:
        """List the segments, the oldest first."""
        found = names(self.folder)
        return [n for n in found if n.startswith("seg-") and n.endswith(".jsonl")]

    def head(self, name: str) -> Head:
        """Read which items a segment holds; raises `FormatError`, `UsageError`."""
        place = join(self.folder, name)
        head = from_line(Head, first_line(place), place)
        if head.segment != self.manifest.id or head.shard != self.shard:
            raise UsageError(
                f"{self.folder} holds replies of another manifest. "
                "Name another folder (--out), or the manifest that it belongs to."
            )
        most = self.manifest.header.parts[self.shard - 1].items
        if not all(0 <= n < most for n in (*head.answered, *head.failed)):
            raise FormatError(f"{place} names items that the shard has not.")
        return head

    def rows(self, name: str) -> Iterator[Row]:
        """Read a segment whole; raises `FormatError` when it is not as it was."""
        place = join(self.folder, name)
        data = read(place)
        if _sum(data) != name.removesuffix(".jsonl").rpartition("-")[2]:
            raise FormatError(
                f"{place} is not as it was written. Remove it and its {SUCCESS}, then "
                "work on the shard again: only the items in it are asked again."
            )
        for line in data.rstrip(b"\n").split(b"\n")[1:]:
            yield from_line(Row, line, place)

    def put(self, number: int, endpoint: Kind, rows: Sequence[Row]) -> str:
        """Write a segment; give its name."""
        head = Head(
            self.manifest.id,
            self.shard,
            endpoint,
            tuple(row.number for row in rows if row.answered),
            tuple(row.number for row in rows if not row.answered),
        )
        data = b"".join([to_line(head), *(to_line(row) for row in rows)])
        name = f"seg-{number:05}-{_sum(data)}.jsonl"
        put(join(self.folder, name), data)
        return name

    def success(self) -> Success | None:
        """Read whether the shard is whole; raises as `head` does."""
        place = join(self.folder, SUCCESS)
        if not exists(place):
            return None
        found = from_line(Success, read(place), place)
        if found.manifest != self.manifest.id:
            raise UsageError(
                f"{self.folder} holds replies of another manifest. "
                "Name another folder, or the manifest that it belongs to."
            )
        return found

    def finish(self, success: Success) -> None:
        """Say that the shard is whole; the last thing that is written."""
        put(join(self.folder, SUCCESS), to_line(success))


def files_of_replies(place: str) -> Iterator[tuple[str, list[bytes]]]:
    """Give the files below the folder of all shards, or the one file, in lines.

    Raises `FormatError` where nothing is.
    """
    shards = [name for name in names(place) if _SHARD.fullmatch(name)]
    if not shards:
        yield place, read(place).split(b"\n")
    for shard in shards:
        folder = join(place, shard)
        for name in names(folder):
            if name.endswith(".jsonl"):
                file = join(folder, name)
                yield file, read(file).split(b"\n")


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_SUM_DIGITS]
