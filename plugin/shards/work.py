"""One shard on one machine: the items it has no reply for are asked, as `label` does.

    manifest -> Items -> pipeline.label -> journal (this machine) -> segments (for all)

Neither FiftyOne nor a database is needed. The journal on the local disk holds each reply
before it is read, so that a killed worker that starts again on this machine pays only
for what was in flight; the segments are what outlives the machine.
"""

from __future__ import annotations

import getpass
import os
import stat
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import UsageError
from ..gemini.batches.answers import Batching
from ..gemini.endpoint import Endpoint
from ..gemini.journal import Journal
from ..gemini.pool import Limits
from ..gemini.prices import TABLE, Prices
from ..pipeline import NO_LIMITS, label
from ..progress import ItemDone, Progress
from ..values import Run
from .manifest import Manifest
from .segments import Segments, Success
from .shard import Shard


@dataclass(frozen=True, slots=True)
class Moved:
    """Where workers find pictures: what lay in the folder `old` lies in `new`."""

    old: str = ""
    new: str = ""

    def apply(self, path: str) -> str:
        """Say where a picture of the manifest is."""
        old = self.old.rstrip("/") + "/"
        if not self.old or not path.startswith(old):
            return path
        return self.new.rstrip("/") + "/" + path[len(old) :]


UNMOVED = Moved()


@dataclass(frozen=True, slots=True)
class Terms:
    """How a worker works, the same for every shard.

    `journal`: by default that of `own_journal`. With `again`, a finished shard's items
    without a reply are asked once more. `batching`: ask by the Batch API.
    """

    limits: Limits = NO_LIMITS
    prices: Prices = TABLE
    moved: Moved = UNMOVED
    journal: Path | None = None
    again: bool = False
    batching: Batching | None = None


USUAL = Terms()


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of a shard; `success` is None while items are left.

    `run` is None when there was nothing to ask.
    """

    success: Success | None
    run: Run | None = None


def work(
    manifest: Manifest,
    shard: int,
    out: str,
    *,
    endpoint: Endpoint,
    terms: Terms = USUAL,
    on_progress: Callable[[Progress], None] | None = None,
    on_item: Callable[[ItemDone], None] | None = None,
    stop: threading.Event | None = None,
) -> Worked:
    """Ask about the items of a shard that have no reply yet; write segments to `out`.

    `out`: a folder, or a URL of fsspec. Raises what `pipeline.label` raises, and
    `UsageError` when `out` holds replies of another manifest or kind of endpoint.
    """
    manifest.check_shard(shard)
    manifest.asking()
    segments = Segments(out, manifest, shard)
    success = segments.success()
    if success is not None and not (terms.again and success.failed):
        return Worked(success)
    journal = terms.journal or own_journal(manifest)
    with Journal(journal) as book:
        part = Shard(segments, book, endpoint, terms.moved.apply)
        if len(part) == 0:
            return Worked(part.conclude(()))
        run = _ask(
            part, journal, terms, on_progress=on_progress, on_item=on_item, stop=stop
        )
        return Worked(part.success, run)


def _ask(
    part: Shard,
    journal: Path,
    terms: Terms,
    *,
    on_progress: Callable[[Progress], None] | None,
    on_item: Callable[[ItemDone], None] | None,
    stop: threading.Event | None,
) -> Run:
    """Run the items that are left."""
    header = part.segments.manifest.header
    return label(
        part,
        part,
        header.question,
        model=header.model,
        endpoint=part.endpoint,
        journal=journal,
        limits=terms.limits,
        # Each ask has a line of its own.
        manner=replace(header.manner.at(part.endpoint), times=1),
        run_name=f"{header.name}_{part.segments.shard}",
        on_progress=on_progress,
        on_item=_each(part.take, on_item),
        stop=stop,
        prices=terms.prices,
        batching=terms.batching,
    )


def _each(
    first: Callable[[ItemDone], None], second: Callable[[ItemDone], None] | None
) -> Callable[[ItemDone], None]:
    """Tell two of the same thing."""

    def tell(done: ItemDone) -> None:
        first(done)
        if second is not None:
            second(done)

    return tell


def own_journal(manifest: Manifest) -> Path:
    """Name the journal of a manifest on this machine's disk for temporary files.

    All shards that run on the machine share it. The folder is the user's alone; raises
    `UsageError` where it is not.
    """
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    folder = Path(tempfile.gettempdir()) / f"fiftyone-gemini-{user}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    ours = found.st_uid == user or isinstance(user, str)
    if not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022 or not ours:
        raise UsageError(
            f"{folder} may be written to by others. Name a journal (--journal)."
        )
    return folder / f"{manifest.id}.sqlite"
