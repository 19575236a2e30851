"""`fiftyone-gemini label`: label a folder, a COCO file or a FiftyOne dataset."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ..coco.folder import CocoSink, FolderSource
from ..coco.read import read_coco
from ..errors import UsageError
from ..gemini.endpoint import Endpoint, endpoint_from_environment
from ..gemini.models import DEFAULT_MODEL
from ..gemini.pool import Limits
from ..gemini.stored import Reuse
from ..pipeline import USE_ALL, Sink, Source, estimate_run, label
from ..rerun import failing, read_statuses
from ..values import Question, Run, Status
from .show import console, show_estimate, show_run, shown_progress

DEFAULT_LIMITS = Limits()
JOURNAL = Path("fiftyone-gemini-journal.sqlite")
LEFT = "Stopped early. The same command goes on; nothing is paid twice."
LEFT_OFFLINE = (
    "{} have no reply in the journal; without --offline they are asked about."
)


Pictures = Annotated[
    Path | None,
    typer.Argument(help="A folder of pictures, or a COCO file that names them."),
]
Task = Annotated[str, typer.Option(help="What to ask: detect or segment.")]
Classes = Annotated[
    str, typer.Option(help="Names with commas between; empty: name everything.")
]
Instruction = Annotated[
    str, typer.Option(help="Words of your own, added to the prompt.")
]
Confidence = Annotated[
    bool, typer.Option("--confidence", help="Ask the model to score each object.")
]
Model = Annotated[str, typer.Option(help="The model to ask.")]
Out = Annotated[
    Path, typer.Option(help="The COCO file to write (for a folder or COCO file).")
]
Dataset = Annotated[str, typer.Option(help="A FiftyOne dataset, instead of PICTURES.")]
Field = Annotated[str, typer.Option(help="The label field to write (with --dataset).")]
JournalFile = Annotated[
    Path, typer.Option(help="The record of replies; the same file resumes a run.")
]
InFlight = Annotated[
    int, typer.Option(min=1, help="How many requests may be under way at once.")
]
MaxSide = Annotated[
    int | None, typer.Option(min=64, help="Shrink pictures to this many pixels.")
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


def label_pictures(
    pictures: Pictures = None,
    *,
    task: Task = "detect",
    classes: Classes = "",
    instruction: Instruction = "",
    confidence: Confidence = False,
    model: Model = DEFAULT_MODEL,
    out: Out = Path("labels.json"),
    dataset: Dataset = "",
    field: Field = "gemini",
    journal: JournalFile = JOURNAL,
    in_flight: InFlight = 16,
    max_side: MaxSide = None,
    retry: Retry = "",
    offline: Offline = False,
) -> None:
    """Label pictures with Gemini; run it again to resume where it stopped.

    Needs GEMINI_API_KEY (or the enterprise platform's variables) in the environment.
    """
    names = tuple(name.strip() for name in classes.split(",") if name.strip())
    job = Job(
        *_ends(pictures, out, dataset, field),
        Question(task, names, instruction, confidence),
        model,
        journal,
        Limits(in_flight=in_flight),
        max_side,
        _reuse(task, retry, offline=offline),
    )
    endpoint = _endpoint(offline=offline)
    if not offline:
        show_estimate(estimate_run(job.source, job.question, model=model), model)
    run = job.run(endpoint)
    show_run(run)
    console.print(f"  labels: {dataset + '.' + field if dataset else out}")
    if left := run.statuses.get(Status.SKIPPED):
        console.print(LEFT_OFFLINE.format(left) if offline else LEFT)
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class Job:
    """A labelling run that a person watches in a terminal and may stop."""

    source: Source
    sink: Sink
    question: Question
    model: str
    journal: Path
    limits: Limits = DEFAULT_LIMITS
    max_side: int | None = None
    reuse: Reuse = USE_ALL

    def run(self, endpoint: Endpoint) -> Run:
        """Label, showing progress; the first Ctrl-C finishes what is in flight."""
        title = self.question.task
        with stop_on_interrupt() as stop, shown_progress(title) as on_progress:
            return label(
                self.source,
                self.sink,
                self.question,
                model=self.model,
                endpoint=endpoint,
                journal=self.journal,
                limits=self.limits,
                max_side=self.max_side,
                on_progress=on_progress,
                stop=stop,
                reuse=self.reuse,
            )


def _endpoint(*, offline: bool) -> Endpoint:
    """Find who is asked; offline nothing is sent, so that any key does."""
    return endpoint_from_environment(os.environ, api_key="unused" if offline else "")


def _reuse(task: str, retry: str, *, offline: bool) -> Reuse:
    """Choose what becomes of the replies in the journal."""
    if retry and offline:
        raise UsageError("--retry asks again and --offline asks nobody: choose one.")
    stale = failing(task, read_statuses(retry)) if retry else None
    return Reuse(stale, nothing_else=offline)


def _ends(
    pictures: Path | None, out: Path, dataset: str, field: str
) -> tuple[Source, Sink]:
    """Choose where samples come from and labels go to."""
    if bool(dataset) == (pictures is not None):
        raise UsageError("Name either a folder or COCO file, or --dataset.")
    if pictures is not None and pictures.suffix == ".json":
        coco = read_coco(pictures)
        return FolderSource(coco), CocoSink(out, coco.categories)
    if pictures is not None:
        return FolderSource(pictures), CocoSink(out)
    from ..labels.samples import ViewSource
    from ..labels.write import FieldSink
    from .datasets import open_dataset

    opened = open_dataset(dataset)
    return ViewSource(opened), FieldSink(opened, field)


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """Let the first Ctrl-C finish what is in flight, and the second one break off."""
    stop = threading.Event()

    def interrupted(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        console.print("Stopping: finishing what is in flight (Ctrl-C again: at once).")

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
