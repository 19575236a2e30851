"""`fiftyone-gemini work` and `merge`: the shards of a manifest that `plan` wrote."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..events import EventLog
from ..gemini.endpoint import endpoint_from_environment
from ..pipeline import Sink
from ..shards.manifest import Manifest, read_manifest
from ..shards.merge import merge, missing_shards, name_shards
from ..shards.work import UNMOVED, Moved, Terms, Worked, work
from ..sweep import sink_for
from ..tasks import form_of
from ..values import Status
from . import options
from .by_batch import LEFT as LEFT_IN_BATCHES
from .by_batch import ByBatch, Told
from .groups import grouped
from .job import stop_on_interrupt
from .show import console, show_run, shown_progress

LEFT = "Stopped early. The same command goes on; nothing in {} is paid twice."
ManifestFile = Annotated[
    str,
    typer.Argument(help="The manifest that `plan --shards` wrote: a file or a URL."),
]
ShardName = Annotated[
    str, typer.Option("--shard", help="Which one: 3/20 or 3, from 1.")
]
Segments = Annotated[
    str, typer.Option("--out", help="Where replies go: a folder or a URL, all shards.")
]
From = Annotated[
    str, typer.Option("--from", help="Where the workers wrote to (their --out).")
]
MovedTo = Annotated[
    str,
    typer.Option(
        "--moved",
        help="Where workers find the pictures: OLD=NEW, two folders or URLs.",
    ),
]
OwnJournal = Annotated[
    Path | None,
    typer.Option(
        "--journal", help="The journal, on this machine's disk; by default below /tmp."
    ),
]
Again = Annotated[
    bool,
    typer.Option("--again", help="Ask again where a finished shard has no reply."),
]
OnBeam = Annotated[
    bool, typer.Option("--beam", help="Run all shards on Apache Beam (needs [beam]).")
]
BeamOptions = Annotated[
    list[str] | None, typer.Argument(help="After `--`: options of Apache Beam.")
]
Labels = Annotated[
    Path, typer.Option("--out", help="The file to write (without --dataset).")
]
Partial = Annotated[
    bool, typer.Option("--partial", help="Merge what is there; the rest is skipped.")
]


@grouped
def work_on_shards(
    manifest: ManifestFile,
    beam_options: BeamOptions = None,
    *,
    out: Segments,
    shard: ShardName = "",
    moved: MovedTo = "",
    journal: OwnJournal = None,
    pace: options.Pace,
    budget: options.Budget = None,
    prices: options.PriceFile = None,
    again: Again = False,
    log: options.LogFile = None,
    by_batch: ByBatch,
    beam: OnBeam = False,
) -> None:
    """Label one shard of a manifest; needs neither FiftyOne nor a database.

    Run it again to go on: what is in OUT is not asked again. All limits and the budget
    are those of this shard alone. The exit code is 0 when the shard is whole.
    """
    plan = read_manifest(manifest)
    costs = options.chosen_prices(prices)
    limits = pace.limits(costs, budget)
    batching = by_batch.batching(Told(), offline=False)
    terms = Terms(limits, costs, read_moved(moved), journal, again, batching)
    if beam == bool(shard) or (beam_options and not beam):
        raise UsageError("Name either one --shard, or --beam for all of them.")
    if beam and batching:
        raise UsageError("--batch is for one --shard: Beam asks online.")
    if beam:
        _work_on_beam(plan, out, terms, beam_options or [], log)
    else:
        _work_here(plan, read_shard(shard, plan), out, terms, log)


def _work_here(
    plan: Manifest, shard: int, out: str, terms: Terms, log: Path | None
) -> None:
    """Work on one shard, as a person or a job of a cluster watches it."""
    endpoint = endpoint_from_environment(os.environ)
    name = f"{plan.header.name}_{shard}"
    with (
        stop_on_interrupt() as stop,
        shown_progress(f"shard {shard}/{plan.shards}") as on_progress,
        EventLog(log, endpoint.redact, name) as events,
    ):
        done = work(
            plan,
            shard,
            out,
            endpoint=endpoint,
            terms=terms,
            on_progress=on_progress,
            on_item=events.item,
            stop=stop,
        )
        if done.run is not None:
            events.run(done.run)
    _conclude(done, shard, out, LEFT_IN_BATCHES if terms.batching else LEFT)


def _conclude(done: Worked, shard: int, out: str, left: str) -> None:
    """Say how a shard ended."""
    if done.run is not None:
        show_run(done.run)
    if done.success is None:
        items = 0 if done.run is None else done.run.statuses.get(Status.SKIPPED, 0)
        console.print(left.format(items if left is LEFT_IN_BATCHES else out))
        raise typer.Exit(1)
    failed = done.success.failed
    console.print(
        f"  shard {shard} is whole: {done.success.items} items"
        + (f", {failed} without a reply (--again asks for these)" if failed else "")
    )


def _work_on_beam(
    plan: Manifest, out: str, terms: Terms, argv: list[str], log: Path | None
) -> None:
    """Work on all shards by Apache Beam, wherever its options say."""
    from ..shards.beam import run_on_beam

    if log is not None:
        raise UsageError("--log is for one --shard; Beam has counters of its own.")
    run_on_beam(plan.place, out, terms, argv)
    missing = missing_shards(plan, out)
    if missing:
        console.print(f"{name_shards(missing)} not whole. {LEFT.format(out)}")
        raise typer.Exit(1)
    console.print(f"all {plan.shards} shards are whole: {plan.items} items")


def merge_shards(
    manifest: ManifestFile,
    *,
    source: From,
    dataset: options.Dataset = "",
    field: options.Field = "gemini",
    out: Labels = Path("labels.json"),
    partial: Partial = False,
    prices: options.PriceFile = None,
) -> None:
    """Read the replies of all shards and write their labels; asks and costs nothing.

    Merging twice gives the same labels.
    """
    plan = read_manifest(manifest)
    with shown_progress("merge") as on_progress:
        run = merge(
            plan,
            source,
            _sink(plan, dataset, field, out),
            partial=partial,
            prices=options.chosen_prices(prices),
            on_progress=on_progress,
        )
    show_run(run)
    console.print(f"  labels: {f'{dataset}.{field}' if dataset else out}")


def _sink(plan: Manifest, dataset: str, field: str, out: Path) -> Sink:
    """Choose where labels go to."""
    header = plan.header
    if not dataset:
        return sink_for(header.question, out, None)
    from ..labels.known import MatchingSink
    from .datasets import open_dataset

    form, times = form_of(header.question), header.manner.times
    return MatchingSink(open_dataset(dataset), field, form, times=times)


def read_shard(text: str, manifest: Manifest) -> int:
    """Read `3/20` or `3`; raises `UsageError` for a shard that the manifest has not."""
    found = re.fullmatch(r"(\d{1,7})(?:/(\d{1,7}))?", text.strip())
    if found is None:
        raise UsageError(f"{text!r} names no shard; write 3/{manifest.shards}.")
    if found[2] and int(found[2]) != manifest.shards:
        raise UsageError(
            f"{manifest.place} has {manifest.shards} shards, not {found[2]}."
        )
    manifest.check_shard(int(found[1]))
    return int(found[1])


def read_moved(text: str) -> Moved:
    """Read `OLD=NEW`; raises `UsageError`."""
    if not text:
        return UNMOVED
    old, equals, new = text.partition("=")
    if not (old and equals):
        raise UsageError(f"{text!r} says nothing of two places; write OLD=NEW.")
    return Moved(old, new)
