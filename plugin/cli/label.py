"""`fiftyone-gemini label`: label a folder, a COCO file or a FiftyOne dataset."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ..asking import PLAIN, Manner
from ..coco.folder import FolderSource, UrlSource
from ..coco.read import read_coco
from ..coco.write import Category
from ..errors import UsageError
from ..events import EventLog
from ..gemini.endpoint import Endpoint
from ..gemini.journal import Journal
from ..gemini.models import DEFAULT_MODEL
from ..gemini.plan import Plan
from ..gemini.pool import Limits
from ..gemini.prices import TABLE, Prices
from ..gemini.stored import Reuse
from ..parsing.rules import DEFAULT_RULES, MAX_THRESHOLD, ReadRules
from ..pipeline import USE_ALL, Sink, Source, label, name_run
from ..planning import Stored, plan_run, stored_in
from ..rerun import failing, read_statuses
from ..storage import local_path
from ..sweep import sink_for
from ..values import Question, Run, Status
from . import options
from .beside import open_sink, open_source, with_examples
from .groups import grouped
from .show import console, show_estimate, show_run, shown_progress

DEFAULT_LIMITS = Limits()
NOTHING_BESIDE = options.Beside()
LOOKED_AT = 500
"""Up to so many pictures are read before a run to know which of them are left to ask."""
LEFT = "Stopped early. The same command goes on; nothing is paid twice."
LEFT_OFFLINE = (
    "{} have no reply in the journal; without --offline they are asked about."
)


Out = Annotated[
    Path,
    typer.Option(
        help="The file to write, for a folder or COCO file: COCO, or JSON Lines for what "
        "is no box."
    ),
]
Retry = Annotated[
    str,
    typer.Option(
        help="Ask again where the stored reply was one of these (commas between): "
        "failed, or blocked, truncated, malformed, empty, ok."
    ),
]
Offline = Annotated[
    bool,
    typer.Option(
        "--offline", help="Read the journal's replies again; ask and pay for nothing."
    ),
]
MaskThreshold = Annotated[
    int,
    typer.Option(
        min=0,
        max=MAX_THRESHOLD,
        help="A pixel of a grey mask is the object's when it is over this level.",
    ),
]
DropUnlabelled = Annotated[
    bool,
    typer.Option("--drop-unlabelled", help="Leave out objects that have no label."),
]


@grouped
def label_pictures(
    pictures: options.Pictures = None,
    *,
    words: options.Words,
    model: options.Model = DEFAULT_MODEL,
    out: Out = Path("labels.json"),
    dataset: options.Dataset = "",
    field: options.Field = "gemini",
    beside: options.Beside,
    journal: options.JournalFile = options.JOURNAL,
    pace: options.Pace,
    budget: options.Budget = None,
    prices: options.PriceFile = None,
    how: options.How,
    where: options.Where,
    retry: Retry = "",
    offline: Offline = False,
    mask_threshold: MaskThreshold = DEFAULT_RULES.threshold,
    drop_unlabelled: DropUnlabelled = False,
    log: options.LogFile = None,
) -> None:
    """Label pictures with Gemini (GEMINI_API_KEY); run it again to go on."""
    costs = options.chosen_prices(prices)
    limits = pace.limits(costs, budget)
    rules = ReadRules(mask_threshold, keep_unlabelled=not drop_unlabelled)
    # Offline nothing is sent, so that any key does.
    endpoint = where.endpoint(api_key="unused" if offline else "")
    question = words.question
    source, categories = find_source(pictures, dataset, beside)
    manner = replace(how.manner.at(endpoint), reading=rules)
    manner = with_examples(manner, dataset, question, beside)
    reuse = _reuse(question, retry, rules, offline=offline)
    if dataset:
        sink = open_sink(dataset, field, question, manner.times, beside)
    else:
        sink = sink_for(question, out, categories)
    job = Job(source, sink, question, model, journal, limits, manner, reuse, costs, log)
    if not offline:
        job.show_estimate(endpoint)
    _conclude(job.run(endpoint), f"{dataset}.{field}" if dataset else out, offline)


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
    log: Path | None = None

    def show_estimate(self, endpoint: Endpoint) -> None:
        """Say what the run will take; what the journal holds already is left out.

        Where looking would take long, because every picture must be read, it is said that
        less may be asked.
        """
        if not self.journal.exists():
            show_estimate(self.plan().likely, self.model)
        elif len(self.source) > LOOKED_AT:
            show_estimate(self.plan().likely, self.model)
            console.print("  at most: what the journal holds is not asked again.")
        else:
            with Journal(self.journal, self.reuse.stale) as book:
                stored = stored_in(book, emulated=endpoint.kind == "emulator")
                plan = self.plan(stored)
            show_estimate(plan.likely, self.model)
            console.print(f"  {plan.in_journal} replies are in the journal already.")

    def plan(self, stored: Stored | None = None) -> Plan:
        """Foresee the run."""
        return plan_run(
            self.source,
            self.question,
            model=self.model,
            limits=self.limits,
            manner=self.manner,
            prices=self.prices,
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
                run_name=name,
                on_item=log.item,
            )
            log.run(run)
            return run


def _conclude(run: Run, labels: str | Path, offline: bool) -> None:
    """Say how a run ended, where its labels are, and what is left to do."""
    show_run(run)
    console.print(f"  labels: {labels}")
    if left := run.statuses.get(Status.SKIPPED):
        console.print(LEFT_OFFLINE.format(left) if offline else LEFT)
        raise typer.Exit(1)


def _reuse(question: Question, retry: str, rules: ReadRules, *, offline: bool) -> Reuse:
    """Choose what becomes of the replies in the journal."""
    if retry and offline:
        raise UsageError("--retry asks again and --offline asks nobody: choose one.")
    stale = failing(question, read_statuses(retry), rules) if retry else None
    return Reuse(stale, nothing_else=offline)


def find_source(
    pictures: str | None, dataset: str, beside: options.Beside = NOTHING_BESIDE
) -> tuple[Source, Sequence[Category] | None]:
    """Choose where samples come from; a COCO file brings its categories along."""
    if bool(dataset) == (pictures is not None):
        raise UsageError("Name either a folder or COCO file, or --dataset.")
    beside.check(dataset)
    if pictures is not None:
        path = local_path(pictures)
        if path is None:
            return UrlSource(pictures), None
        if path.suffix == ".json":
            coco = read_coco(path)
            return FolderSource(coco), coco.categories
        return FolderSource(path), None
    return open_source(dataset, beside), None


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
