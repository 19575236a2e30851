"""The way data flows, as short functions; read this file second, after `values/`.

    Item --tasks--> Request --gemini--> Reply --tasks--> Parsed --sink--> labels

A source gives items, `gemini` asks about each (or finds the reply in the journal), a
task reads the reply, a sink keeps the labels. What comes after is in the other parts:
`evaluation` scores labels against ground truth, `report` draws the scores, `coco`
exports. Running `label` again with the same journal resumes: nothing is paid twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias

from .asking import PLAIN, Asking, Manner
from .chunking import Chunks
from .errors import UsageError
from .gemini.batches.answers import Batching
from .gemini.endpoint import Endpoint
from .gemini.journal import Journal
from .gemini.pool import Answered, Limits
from .gemini.prices import TABLE, Prices
from .gemini.stored import Reuse
from .progress import ItemDone, Progress, Tally
from .templates import told
from .tiling import Joiner
from .values import (
    Item,
    JsonValue,
    Medium,
    Parsed,
    Question,
    Run,
    Status,
)
from .version import __version__

NO_LIMITS = Limits()
NO_BATCHES = "Chunks are not asked by batches: leave out one of them."
USE_ALL = Reuse()
Listeners: TypeAlias = tuple[
    Callable[[Progress], None] | None, Callable[[ItemDone], None] | None
]


class Source(Protocol):
    """Where samples come from: a FiftyOne view or a folder."""

    def __len__(self) -> int:
        """Count the items."""
        ...

    def items(self) -> Iterator[Item]:
        """Give one item after the other; pictures are not opened."""
        ...


class Sink(Protocol):
    """Where labels go: a FiftyOne field or a COCO file."""

    def write(self, parsed: Parsed) -> None:
        """Keep what one item came to; durable when it returns, or at `finish`."""
        ...

    def finish(self, run: Run) -> None:
        """Write what is left, and the record of the run."""
        ...


def label(
    source: Source,
    sink: Sink,
    question: Question,
    *,
    model: str,
    endpoint: Endpoint,
    journal: Path,
    limits: Limits = NO_LIMITS,
    manner: Manner = PLAIN,
    run_name: str = "",
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    reuse: Reuse = USE_ALL,
    prices: Prices = TABLE,
    batching: Batching | None = None,
    on_item: Callable[[ItemDone], None] | None = None,
) -> Run:
    """Ask a question about every item of a source and keep the labels in a sink.

    `reuse`: see `rerun`. `batching`: by the Batch API. `stop` finishes what is in flight;
    the rest is `skipped`. Raises `UsageError` before asking, or `FatalApiError`.
    """
    asking = Asking.about(question, model, manner.at(endpoint), medium_of(source))
    source = told(source, asking.names)
    tally = _start(source, asking, limits, prices, free=_is_free(endpoint, reuse))
    chunks = Chunks(asking.task, asking.question)
    ask = partial(_way(asking, tally, batching, reuse), endpoint=endpoint, stop=stop)
    take = partial(_take, chunks, sink, tally, (on_progress, on_item))
    try:
        with Journal(journal, stale_in(manner, reuse)) as book:
            take(ask(asking.pieces(source.items()), journal=book, limits=limits))
        with Journal(journal, reuse.stale) as book:
            if alone := chunks.alone(tally):
                take(ask(alone, journal=book, limits=tally.rest_of(limits)))
            _explain_rest(tally, book, endpoint, batching, stop)
    finally:
        run = _record(tally, asking, endpoint, journal, batching, name=run_name)
        _finish(sink, run)
    return run


def medium_of(source: Source) -> Medium | None:
    """Tell what the samples of a source are; None: it does not say."""
    medium: Medium | None = getattr(source, "medium", None)
    return medium


def _way(
    asking: Asking, tally: Tally, batching: Batching | None, reuse: Reuse
) -> Callable[..., Iterator[Answered]]:
    """Choose how to come by replies; raises `UsageError` for chunks in batches."""
    how, way = asking.manner, reuse.answers
    if batching is not None:
        if how.chunk > 1:
            raise UsageError(NO_BATCHES)
        way = batching.answers(tally.notes.append)
    return partial(way, build=asking.request, upload=how.upload)


def stale_in(manner: Manner, reuse: Reuse) -> Callable[[bytes], bool] | None:
    """Tell which stored replies are asked for anew: never one about several pictures.

    Whatever such a reply does not answer is asked about alone, and judged there.
    """
    return None if manner.chunk > 1 else reuse.stale


def _finish(sink: Sink, run: Run) -> None:
    """Let the sink conclude, unless no item was reached: then it stays as it was."""
    if run.statuses.keys() != {Status.SKIPPED}:
        sink.finish(run)


def name_run(task: str, started: datetime) -> str:
    """Name a run by what it asks and when it started."""
    return f"{task}_{started:%Y%m%d_%H%M%S}"


def _is_free(endpoint: Endpoint, reuse: Reuse) -> bool:
    """Tell whether nothing can be billed."""
    return reuse.nothing_else or endpoint.kind == "emulator"


def _start(
    source: Source, asking: Asking, limits: Limits, prices: Prices, *, free: bool
) -> Tally:
    """Begin to count; a budget that can never be reached is left out."""
    total = len(source) * asking.manner.times
    if total == 0:
        raise UsageError("There is nothing to label: no pictures, no videos.")
    tally = Tally(total, asking.model, free=free, prices=prices)
    if limits.budget is not None:
        limits.budget.check(asking.model)
        tally.budget_usd = None if free else limits.budget.usd
    return tally


def _take(
    chunks: Chunks,
    sink: Sink,
    tally: Tally,
    listeners: Listeners,
    replies: Iterator[Answered],
) -> None:
    """Keep the labels of one item after the other, count it and say so."""
    on_progress, on_item = listeners
    joiner = Joiner()
    for came in replies:
        tally.notes.extend(came.notes)
        tally.traffic += came.traffic
        for answered, parsed in chunks.read(came, tally):
            whole = joiner.add(replace(parsed, cost_usd=tally.price_of(parsed)))
            if whole is None:
                continue
            cost = tally.add(whole)
            kept = chunks.with_share(whole)
            sink.write(kept)
            if on_item is not None:
                on_item(ItemDone(answered, kept, cost))
            if on_progress is not None:
                on_progress(tally.progress())
    for parsed in joiner.rest():
        tally.add(parsed)


def _explain_rest(
    tally: Tally,
    book: Journal,
    endpoint: Endpoint,
    batching: Batching | None,
    stop: threading.Event | None,
) -> None:
    """Say why items are left, where nothing has said so yet."""
    if not tally.left or batching is not None:
        return
    opened = book.batches.unfinished(emulated=endpoint.kind == "emulator")
    unasked = tally.left - sum(book.batches.counts(batch).open for batch in opened)
    if opened:
        names = ", ".join(batch.name for batch in opened)
        tally.notes.append(
            f"What is in open batches ({names}) was not asked online; label with "
            "--batch to fetch it."
        )
    stopped = stop is not None and stop.is_set()
    if tally.budget_usd is not None and unasked > 0 and not stopped:
        tally.notes.append(
            f"The budget of ${tally.budget_usd:.2f} was reached before "
            f"{unasked} of {tally.total} items."
        )


def _record(
    tally: Tally,
    asking: Asking,
    endpoint: Endpoint,
    journal: Path,
    batching: Batching | None,
    *,
    name: str,
) -> Run:
    """Write down a run; items that were not reached are skipped."""
    tally.skip_rest()
    parameters: dict[str, JsonValue] = {"schema": asking.schema}
    parameters |= asking.manner.record()
    if batching is not None:
        parameters["mode"] = batching.words()
    if tally.budget_usd is not None:
        parameters["budget_usd"] = tally.budget_usd
    if tally.prices.path:
        parameters["prices"] = tally.prices.path
    return Run(
        name=name or name_run(asking.question.task, tally.started),
        question=asking.question,
        model=asking.model,
        endpoint=endpoint.kind,
        prompt=asking.prompt,
        parameters=parameters,
        started=tally.started,
        finished=datetime.now(UTC),
        models_answered=dict(tally.models),
        statuses=dict(tally.statuses),
        usage=tally.usage,
        usage_by_model=tally.by_model,
        from_journal=tally.from_journal,
        cost_usd=tally.cost_usd,
        journal=str(journal),
        code_version=__version__,
        notes=(*tally.notes, *tally.traffic.words()),
        objects=tally.objects,
    )
