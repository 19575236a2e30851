"""All segments to labels, once: rows -> tasks -> sink, as if one machine had asked.

Merging again gives the same labels and the same record: all of it comes out of the
manifest and the segments, and an item has one row that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..asking import Asking
from ..errors import UsageError
from ..gemini.prices import TABLE, Prices
from ..pipeline import Sink
from ..progress import Progress, Tally
from ..reading import read_reply
from ..values import JsonValue, Parsed, Reply, Run
from .manifest import Manifest
from .rows import Account
from .segments import Row, Segments, Success


def merge(
    manifest: Manifest,
    out: str,
    sink: Sink,
    *,
    partial: bool = False,
    prices: Prices = TABLE,
    on_progress: Callable[[Progress], None] | None = None,
) -> Run:
    """Read the segments of all shards and keep their labels in a sink.

    Where an item has several rows, the newest with a reply counts. With `partial`, what
    is there is merged, and the rest counts as skipped. Raises `UsageError` when shards
    are missing, and `FormatError` for a segment that is not as it was written.
    """
    shards = [Segments(out, manifest, n + 1) for n in range(manifest.shards)]
    notes = _check_whole(shards, partial=partial)
    asking = manifest.asking()
    header = manifest.header
    account = Account(
        Tally(manifest.items, header.model, prices=prices, started=header.created)
    )
    for segments in shards:
        for row, reply in account.rows(segments):
            parsed = _parse(row, reply, asking)
            sink.write(replace(parsed, cost_usd=account.tally.price_of(parsed)))
            account.count(parsed)
            if on_progress is not None:
                on_progress(account.tally.progress())
    account.close()
    account.tally.notes.extend(notes)
    run = _record(manifest, out, asking, account)
    sink.finish(run)
    return run


def _parse(row: Row, reply: Reply, asking: Asking) -> Parsed:
    """Read a reply as the run that asked would have."""
    return read_reply(
        row.item,
        reply,
        asking.task,
        asking.question,
        media=row.media,
        key=row.key,
    )


def missing_shards(manifest: Manifest, out: str) -> list[int]:
    """List the shards that are not whole yet."""
    shards = range(1, manifest.shards + 1)
    return [n for n in shards if Segments(out, manifest, n).success() is None]


def name_shards(shards: Sequence[int]) -> str:
    """Name shards in words: `Shard 4 is`, `Shards 4, 7 are`."""
    listed = ", ".join(str(shard) for shard in shards)
    return f"Shard {listed} is" if len(shards) == 1 else f"Shards {listed} are"


def _check_whole(shards: Sequence[Segments], *, partial: bool) -> list[str]:
    """Look for shards that are not done; give the notes of those that are."""
    found: list[Success] = []
    missing: list[int] = []
    for segments in shards:
        success = segments.success()
        if success is None:
            missing.append(segments.shard)
        else:
            found.append(success)
    text = f"{name_shards(missing)} not there yet"
    if missing and not partial:
        raise UsageError(
            f"{text} in {shards[0].out}. Work on them, or merge the rest (--partial)."
        )
    notes = dict.fromkeys(note for success in found for note in success.notes)
    return [*notes, *([f"{text}."] if missing else [])]


def _record(manifest: Manifest, out: str, asking: Asking, account: Account) -> Run:
    """Write down the run of all shards; items without a row are skipped."""
    header, tally = manifest.header, account.tally
    if account.kind is None:
        raise UsageError(f"There are no replies to {manifest.place} in {out}.")
    tally.skip_rest()
    parameters: dict[str, JsonValue] = {
        "schema": asking.schema,
        **asking.manner.record(),
        "manifest": manifest.id,
        "shards": manifest.shards,
    }
    if tally.prices.path:
        parameters["prices"] = tally.prices.path
    first, last = (*account.times, header.created, header.created)[:2]
    return Run(
        name=header.name,
        question=header.question,
        model=header.model,
        endpoint=account.kind,
        prompt=asking.prompt,
        parameters=parameters,
        started=first,
        finished=last,
        models_answered=dict(tally.models),
        statuses=dict(tally.statuses),
        usage=tally.usage,
        from_journal=tally.from_journal,
        cost_usd=tally.cost_usd,
        journal=out,
        code_version=header.code_version,
        notes=tuple(tally.notes),
    )
