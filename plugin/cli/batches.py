"""`fiftyone-gemini batches`: look after what `label --batch` has submitted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..gemini.batches.keeper import Keeper
from ..gemini.batches.ledger import Batch, Stage
from ..gemini.batches.packing import Sizes, forget
from ..gemini.batches.service import Service
from ..gemini.endpoint import endpoint_from_environment
from ..gemini.journal import Journal
from ..gemini.limits import Limits
from . import options
from .show import console, dollars

app = typer.Typer(
    name="batches",
    help="Look after the batches that `label --batch` has submitted.",
    no_args_is_help=True,
)
Names = Annotated[
    list[str], typer.Argument(help="Names of batches, ours or Gemini's; or `all`.")
]


@app.command("list")
def list_batches(journal: options.JournalFile = options.JOURNAL) -> None:
    """List the batches of a journal, as they were known last; nobody is asked."""
    with _opened(journal) as book:
        batches = book.batches.every()
        if not batches:
            console.print(f"No batch was submitted by {journal}.")
        for batch in batches:
            counts = book.batches.counts(batch)
            console.print(
                f"{batch.name}: {_state(batch)} since {batch.changed:%Y-%m-%d %H:%M} UTC"
            )
            most = f", at most {dollars(batch.most_usd)}" if batch.most_usd else ""
            console.print(
                f"  {counts.answered} answered, {counts.failed} failed, {counts.open} "
                f"open; {batch.model}, {_job(batch)}{most}"
            )


@app.command("fetch")
def fetch_batches(journal: options.JournalFile = options.JOURNAL) -> None:
    """Fetch what has ended into the journal, and submit what a kill left unsubmitted.

    Labels are written by the `label` command, which finds the replies there.
    """
    with _opened(journal) as book, _kept(book) as keeper:
        keeper.look()
        left = len(keeper.unfinished())
    console.print(f"{left} batches are open." if left else "No batch is open.")


@app.command("cancel")
def cancel_batches(
    names: Names, journal: options.JournalFile = options.JOURNAL
) -> None:
    """Have batches cancelled; what they have answered is paid for, and can be fetched."""
    with _opened(journal) as book:
        chosen = _chosen(book, names)
        with _kept(book) as keeper:
            for batch in chosen:
                keeper.cancel(batch)


@app.command("forget")
def forget_batches(
    names: Names,
    *,
    journal: options.JournalFile = options.JOURNAL,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
) -> None:
    """Give batches up that Gemini does not know any more; their requests are free.

    What they answered is lost, and paid for again when it is asked again.
    """
    with _opened(journal) as book:
        for batch in _chosen(book, names):
            count = book.batches.counts(batch).open
            console.print(f"{batch.name}: {count} requests without an answer")
            if not yes:
                raise UsageError("Nothing was given up. Add --yes to do it.")
            forget(book.batches, batch)


@contextmanager
def _opened(journal: Path) -> Iterator[Journal]:
    """Open a journal that is there; raises `UsageError`."""
    if not journal.is_file():
        raise UsageError(f"There is no journal {journal}; name it by --journal.")
    with Journal(journal) as book:
        yield book


@contextmanager
def _kept(book: Journal) -> Iterator[Keeper]:
    """Connect to Gemini and look after the batches of a journal."""
    endpoint = endpoint_from_environment(os.environ)
    with Service(endpoint, Limits(), book) as service:
        yield Keeper(service, book, endpoint, console.print, sizes=Sizes())


def _state(batch: Batch) -> str:
    """Say where a batch stands: what Gemini said, else what we do."""
    if batch.stage in {Stage.OPEN, Stage.ENDED} and batch.state:
        return batch.state.lower().replace("_", " ")
    return batch.stage.value


def _job(batch: Batch) -> str:
    """Give Gemini's name of a batch, or say why there is none."""
    unknown = batch.stage is Stage.SUBMITTING
    return batch.job or ("perhaps submitted" if unknown else "not submitted")


def _chosen(book: Journal, names: list[str]) -> list[Batch]:
    """Find the batches that are named and have not ended; raises `UsageError`."""
    if names == ["all"]:
        return [b for b in book.batches.every() if b.stage is not Stage.ENDED]
    found = []
    for name in names:
        batch = book.batches.find(name)
        if batch is None:
            raise UsageError(f"The journal has no batch {name!r}.")
        if batch.stage is Stage.ENDED:
            raise UsageError(
                f"The batch {batch.name} has ended; nothing is open in it."
            )
        found.append(batch)
    return found
