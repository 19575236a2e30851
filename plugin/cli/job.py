"""A labelling run that a person watches in a terminal: told before, shown, concluded."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from ..asking import PLAIN, Manner
from ..events import EventLog
from ..gemini.batches.answers import Batching
from ..gemini.endpoint import Endpoint
from ..gemini.journal import Journal
from ..gemini.plan import Plan
from ..gemini.pool import Limits
from ..gemini.prices import TABLE, Prices
from ..gemini.stored import Reuse
from ..pipeline import USE_ALL, Sink, Source, label, name_run, stale_in
from ..planning import Stored, plan_run, stored_in
from ..values import Question, Run, Status
from .by_batch import LEFT as LEFT_IN_BATCHES
from .by_batch import Told
from .show import console, show_estimate, show_run, shown_progress

DEFAULT_LIMITS = Limits()
LOOKED_AT = 500
"""Up to so many pictures are read before a run to know which of them are left to ask."""
LEFT = "Stopped early. The same command goes on; nothing is paid twice."
IN_JOURNAL = "  {} replies are in the journal already."
IN_BATCHES = "  {} are in the journal or in an open batch already."
LEFT_OFFLINE = (
    "{} have no reply in the journal; without --offline they are asked about."
)


@dataclass(frozen=True, slots=True)
class Job:
    """A labelling run that a person watches in a terminal and may stop."""

    source: Source
    sink: Sink
    question: Question
    model: str
    journal: Path
    limits: Limits = DEFAULT_LIMITS
    manner: Manner = PLAIN
    reuse: Reuse = USE_ALL
    prices: Prices = TABLE
    batching: Batching | None = None
    log: Path | None = None

    def show_estimate(self, endpoint: Endpoint) -> None:
        """Say what the run will take; what the journal holds already is left out.

        Where looking would take long, because every picture must be read, it is said that
        less may be asked.
        """
        emulated = endpoint.kind == "emulator"
        if not self.journal.exists():
            show_estimate(self.plan().likely, self.model)
        elif len(self.source) > LOOKED_AT:
            show_estimate(self.plan().likely, self.model)
            console.print("  at most: what the journal holds is not asked again.")
        else:
            with Journal(self.journal, stale_in(self.manner, self.reuse)) as book:
                stored = stored_in(book, emulated=emulated)
                plan = self.plan(stored)
                batched = bool(book.batches.unfinished(emulated=emulated))
            show_estimate(plan.likely, self.model)
            words = IN_BATCHES if batched else IN_JOURNAL
            console.print(words.format(plan.in_journal))

    def plan(self, stored: Stored | None = None) -> Plan:
        """Foresee the run."""
        return plan_run(
            self.source,
            self.question,
            model=self.model,
            limits=self.limits,
            manner=self.manner,
            prices=self.prices.for_batches() if self.batching else self.prices,
            stored=stored,
        )

    def run(self, endpoint: Endpoint) -> Run:
        """Label, showing progress; the first Ctrl-C finishes what is in flight."""
        title = self.question.task
        name = name_run(title, datetime.now(UTC))
        with (
            stop_on_interrupt() as stop,
            shown_progress(title) as on_progress,
            EventLog(self.log, endpoint.redact, name) as log,
        ):
            run = label(
                self.source,
                self.sink,
                self.question,
                model=self.model,
                endpoint=endpoint,
                journal=self.journal,
                limits=self.limits,
                manner=self.manner,
                on_progress=on_progress,
                stop=stop,
                reuse=self.reuse,
                prices=self.prices,
                batching=self.batching,
                run_name=name,
                on_item=log.item,
            )
            log.run(run)
            return run


def carry_out(job: Job, endpoint: Endpoint, labels: str | Path, told: Told) -> None:
    """Run, and say how it ended, where the labels are, and what is left to do."""
    offline = job.reuse.nothing_else
    if not offline:
        job.show_estimate(endpoint)
    run = told.taken_from(job.run(endpoint))
    show_run(run)
    if run.statuses.keys() != {Status.SKIPPED}:
        console.print(f"  labels: {labels}")
    if left := run.statuses.get(Status.SKIPPED):
        words = LEFT_OFFLINE if offline else LEFT_IN_BATCHES if job.batching else LEFT
        console.print(words.format(left))
        raise typer.Exit(1)


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """Let the first Ctrl-C finish what is in flight, and the second one break off.

    SIGTERM counts as one: so clusters tell a job that it has some seconds left.
    """
    stop = threading.Event()

    def interrupted(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        console.print("Stopping: finishing what is in flight (Ctrl-C again: at once).")

    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, interrupted) for kind in kinds]
    try:
        yield stop
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
