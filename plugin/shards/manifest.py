"""The manifest of a run: what is asked, and one line for each item, shard by shard.

The first line is the header. The items of one shard stand together, and the header
says how long each part is: a worker reads its own part and no more, whatever the size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from ..asking import Asking, Manner
from ..errors import FormatError, UsageError
from ..pipeline import Source, name_run
from ..storage import first_line, is_url, lines, writing
from ..values import Item, Medium, Question
from ..version import __version__
from .plain import from_line, to_line

VERSION = 1
_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one shard: how many, and how long together in bytes."""

    items: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: all that is the same for every item.

    `id` is a hash of everything but `created`: the same plan has the same id. `origin`
    says where the items come from. `prompt` is what workers must come to as well. What
    is asked several times (`manner`) has as many lines.
    """

    manifest: int
    id: str
    name: str
    question: Question
    model: str
    prompt: str
    manner: Manner
    origin: str
    code_version: str
    created: datetime
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest at its place; shards are counted from 1."""

    place: str
    header: Header
    body_at: int = field(repr=False)

    @property
    def id(self) -> str:
        """Name the manifest by its content."""
        return self.header.id

    @property
    def shards(self) -> int:
        """Count the shards."""
        return len(self.header.parts)

    @property
    def items(self) -> int:
        """Count the items of all shards."""
        return sum(part.items for part in self.header.parts)

    def items_of(self, shard: int) -> Iterator[Item]:
        """Give the items of one shard in order; the file is read as they are taken."""
        before, part = self.header.parts[: shard - 1], self.header.parts[shard - 1]
        start = self.body_at + sum(other.bytes for other in before)
        for line in lines(self.place, start, part.bytes):
            yield from_line(Item, line, self.place)

    def asking(self) -> Asking:
        """Put the question into words; raises `UsageError` where they came out anew."""
        header = self.header
        asking = Asking.about(header.question, header.model, header.manner)
        if asking.prompt != header.prompt:
            raise UsageError(
                f"{self.place} was planned by version {header.code_version}, which "
                f"words the question differently from this version {__version__}. "
                "Use one version for all shards, or plan again."
            )
        return asking

    def check_shard(self, shard: int) -> None:
        """Raise `UsageError` when there is no such shard."""
        if not 1 <= shard <= self.shards:
            raise UsageError(
                f"There is no shard {shard} in {self.place}: they are 1 to "
                f"{self.shards}."
            )


def write_manifest(
    place: str,
    source: Source,
    asking: Asking,
    *,
    shards: int,
    origin: str = "",
) -> Manifest:
    """Split the items of a source into shards of the same size and write them down.

    The items are not held in memory. Raises `UsageError` for more shards than items.
    """
    _check_whole_items(asking)
    total = len(source) * asking.manner.times
    if not 1 <= shards <= total:
        raise UsageError(
            f"{total} items cannot be split into {shards} shards: take 1 to {total}."
        )
    header = _new_header(asking, origin)
    with writing(place) as path:
        body = path.with_name(path.name + ".body")
        try:
            items = asking.repeated(source.items())
            header = _write_body(body, items, total, header, shards)
            _join_files(path, to_line(header), body)
        finally:
            body.unlink(missing_ok=True)
    return Manifest(place, header, len(to_line(header)))


def _check_whole_items(asking: Asking) -> None:
    """Refuse what a manifest does not hold: rows are whole pictures, asked alike."""
    kept_out = {
        "tiles": asking.manner.tile is not None,
        "chunks": asking.manner.chunk > 1,
        "examples": bool(asking.examples),
        "words of samples": bool(asking.names),
        "videos": asking.question.medium is Medium.VIDEO,
    }
    for what, asked in kept_out.items():
        if asked:
            raise UsageError(f"Shards take no {what}; `label` asks with them.")


def _new_header(asking: Asking, origin: str) -> Header:
    """Say what is asked; the id and the parts are known when the body is written."""
    now = datetime.now(UTC)
    return Header(
        manifest=VERSION,
        id="",
        name=name_run(asking.question.task, now),
        question=asking.question,
        model=asking.model,
        prompt=asking.prompt,
        manner=asking.manner,
        origin=origin,
        code_version=__version__,
        created=now,
        parts=(),
    )


def read_manifest(place: str) -> Manifest:
    """Read the header of a manifest; raises `FormatError`."""
    line = first_line(place)
    if not line.startswith(b'{"manifest":'):
        raise FormatError(f"{place} is not a manifest. `plan --shards` writes one.")
    header = from_line(Header, line, place)
    if header.manifest != VERSION:
        raise FormatError(
            f"{place} is a manifest of version {header.manifest}, and this program "
            f"reads version {VERSION}. Use the version that planned it."
        )
    return Manifest(place, header, len(line))


def _write_body(
    path: Path, items: Iterator[Item], total: int, header: Header, shards: int
) -> Header:
    """Write the lines of all shards; give the header with their lengths and the id."""
    timeless = replace(header, name="", created=datetime.fromtimestamp(0, UTC))
    sums = hashlib.sha256(to_line(timeless))
    parts = list[Part]()
    with path.open("wb") as file:
        for shard in range(shards):
            size = total * (shard + 1) // shards - total * shard // shards
            count = length = 0
            for count, item in enumerate(islice(items, size), 1):  # noqa: B007
                line = to_line(_absolute(item))
                sums.update(line)
                length += file.write(line)
            parts.append(Part(count, length))
    if sum(part.items for part in parts) != total:
        raise UsageError("The samples changed while they were listed. Plan again.")
    sums.update(str(shards).encode())
    return replace(header, id=sums.hexdigest()[:16], parts=tuple(parts))


def _absolute(item: Item) -> Item:
    """Name the pictures so that any folder to work in will do."""
    return replace(
        item,
        path=_absolute_path(item.path),
        others=tuple(_absolute_path(other) for other in item.others),
    )


def _absolute_path(place: str) -> str:
    whole = is_url(place) or Path(place).is_absolute()
    return place if whole else str(Path(place).absolute())


def _join_files(path: Path, header: bytes, body: Path) -> None:
    """Put the header before the body."""
    with path.open("wb") as file, body.open("rb") as source:
        file.write(header)
        while data := source.read(_COPY_BYTES):
            file.write(data)
