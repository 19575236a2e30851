"""`fiftyone-gemini label`: label a folder, a COCO file or a FiftyOne dataset."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ..coco.folder import CocoSink, FolderSource
from ..coco.read import read_coco
from ..errors import UsageError
from ..gemini.endpoint import endpoint_from_environment
from ..gemini.models import DEFAULT_MODEL
from ..gemini.pool import Limits
from ..pipeline import Sink, Source, estimate_run, label
from ..values import Question, Status
from .show import console, show_estimate, show_run, shown_progress

JOURNAL = Path("fiftyone-gemini-journal.sqlite")


def label_pictures(
    pictures: Annotated[
        Path | None,
        typer.Argument(help="A folder of pictures, or a COCO file that names them."),
    ] = None,
    *,
    task: Annotated[str, typer.Option(help="What to ask: detect or segment.")] = (
        "detect"
    ),
    classes: Annotated[
        str, typer.Option(help="Names with commas between; empty: name everything.")
    ] = "",
    instruction: Annotated[
        str, typer.Option(help="Words of your own, added to the prompt.")
    ] = "",
    confidence: Annotated[
        bool, typer.Option(help="Ask the model to score each object.")
    ] = False,
    model: Annotated[str, typer.Option(help="The model to ask.")] = DEFAULT_MODEL,
    out: Annotated[
        Path, typer.Option(help="The COCO file to write (for a folder or COCO file).")
    ] = Path("labels.json"),
    dataset: Annotated[
        str, typer.Option(help="A FiftyOne dataset, instead of PICTURES.")
    ] = "",
    field: Annotated[
        str, typer.Option(help="The label field to write (with --dataset).")
    ] = "gemini",
    journal: Annotated[
        Path, typer.Option(help="The record of replies; the same file resumes a run.")
    ] = JOURNAL,
    in_flight: Annotated[
        int, typer.Option(min=1, help="How many requests may be under way at once.")
    ] = 16,
    max_side: Annotated[
        int | None, typer.Option(help="Shrink pictures to this many pixels.", min=64)
    ] = None,
) -> None:
    """Label pictures with Gemini; run it again to resume where it stopped.

    Needs GEMINI_API_KEY (or the enterprise platform's variables) in the environment.
    """
    names = tuple(name.strip() for name in classes.split(",") if name.strip())
    question = Question(task, names, instruction, confidence)
    endpoint = endpoint_from_environment(os.environ)
    source, sink = _ends(pictures, out, dataset, field)
    show_estimate(estimate_run(source, question, model=model), model)
    with stop_on_interrupt() as stop, shown_progress(task) as on_progress:
        run = label(
            source,
            sink,
            question,
            model=model,
            endpoint=endpoint,
            journal=journal,
            limits=Limits(in_flight=in_flight),
            max_side=max_side,
            on_progress=on_progress,
            stop=stop,
        )
    show_run(run)
    console.print(f"  labels: {dataset + '.' + field if dataset else out}")
    if run.statuses.get(Status.SKIPPED):
        console.print("Stopped early. The same command goes on; nothing is paid twice.")
        raise typer.Exit(1)


def _ends(
    pictures: Path | None, out: Path, dataset: str, field: str
) -> tuple[Source, Sink]:
    """Choose where samples come from and labels go to."""
    if bool(dataset) == (pictures is not None):
        raise UsageError("Name either a folder or COCO file, or --dataset.")
    if pictures is not None:
        return open_pictures(pictures), CocoSink(out)
    from ..labels.samples import ViewSource
    from ..labels.write import FieldSink
    from .datasets import open_dataset

    opened = open_dataset(dataset)
    return ViewSource(opened), FieldSink(opened, field)


def open_pictures(pictures: Path) -> FolderSource:
    """Open a folder of pictures, or those a COCO file names."""
    if pictures.suffix == ".json":
        return FolderSource(read_coco(pictures))
    return FolderSource(pictures)


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
