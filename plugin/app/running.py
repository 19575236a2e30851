"""A labelling run started by an operator: shown in the App, reported elsewhere.

In the App `execute` gives a generator, whose progress and errors the App shows; a
generator's result would be lost elsewhere, and an error in it would not be seen.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import GeminiLabelError
from ..progress import Progress
from ..records import run_record
from ..settings import LabelSettings
from ..values import Run, Status
from .background import Report, with_progress
from .context import runs_in_app
from .words import progress, run_table, statuses

LOG = logging.getLogger(__name__)
REPORT_SECONDS = 1.0
FOLLOW_SECONDS = 8.0
Prepared = tuple[str, LabelSettings, Callable[[Report | None], Run]]
"""What is said first, the settings, and the run itself."""


def run_operator(
    ctx: foo.ExecutionContext, prepare: Callable[[], Prepared]
) -> dict[str, Any] | Iterator[foo.operator.Operator]:
    """Run what `prepare` gives; its errors are shown as those of the run are."""
    if runs_in_app(ctx):
        return _stream(ctx, prepare)
    _, _, work = prepare()
    return run_record(work(_delegated_report(ctx)))


def _delegated_report(ctx: foo.ExecutionContext) -> Report | None:
    """Report to the record of a delegated operation, at most once a second."""
    if not ctx.delegated:
        return None
    last = 0.0

    def report(now: Progress) -> None:
        nonlocal last
        if time.monotonic() - last > REPORT_SECONDS or now.done == now.total:
            last = time.monotonic()
            ctx.set_progress(progress=now.done / now.total, label=progress(now))

    return report


def _stream(
    ctx: foo.ExecutionContext, prepare: Callable[[], Prepared]
) -> Generator[Any, None, None]:
    """Label, and tell the App what happens; an error becomes a sentence."""
    try:
        first, settings, work = prepare()
        yield ctx.ops.set_progress(progress=0, label=first)
        run = yield from _shown(ctx, with_progress(work))
        if run is None:
            yield ctx.ops.open_panel("gemini", layout="horizontal")
            yield ctx.ops.show_output(_goes_on(settings).to_json(), {})
            return
    except Exception as error:  # noqa: BLE001 - else the App would show nothing at all
        yield ctx.ops.reload_dataset()
        yield ctx.ops.show_output(_failed(sentence(error)).to_json(), {})
        return
    yield ctx.ops.reload_dataset()
    result = {"lines": run_table(run)}
    yield ctx.ops.show_output(_finished(run, settings).to_json(), result)


def _shown(
    ctx: foo.ExecutionContext, running: Generator[Progress, None, Run]
) -> Generator[Any, None, Run | None]:
    """Turn each progress into a message to the App, for a while.

    The App would show its window again at every message, even when it was closed: a
    long run is left to the panel. Gives None when the run goes on.
    """
    end = time.monotonic() + FOLLOW_SECONDS
    while time.monotonic() < end:
        try:
            now = next(running)
        except StopIteration as end:
            return end.value
        share = now.done / now.total
        yield ctx.ops.set_progress(progress=share, label=progress(now))
    return None


def sentence(error: Exception) -> str:
    """Say what went wrong; what we did not foresee is told in the server's log."""
    if isinstance(error, GeminiLabelError):
        return str(error)
    LOG.error("An operator stopped", exc_info=error)
    return f"Unexpected {type(error).__name__}: the log of the App server says more."


def _failed(said: str) -> types.Property:
    outputs = types.Object()
    outputs.view("error", types.Error(label="Stopped", description=said))
    outputs.md("Labels that came before are kept. Run it again to go on from there.")
    return types.Property(outputs, view=types.View(label="Label with Gemini"))


def _goes_on(settings: LabelSettings) -> types.Property:
    outputs = types.Object()
    said = (
        f"Labels come into the field {settings.field!r} one by one. The panel Gemini "
        "shows how far it is, and stops it."
    )
    label = "It goes on without this window"
    outputs.view("goes_on", types.Notice(label=label, description=said))
    return types.Property(outputs, view=types.View(label="Label with Gemini"))


def _finished(run: Run, settings: LabelSettings) -> types.Property:
    outputs = types.Object()
    saved = f"Saved in the field {settings.field!r}"
    left = run.statuses.get(Status.SKIPPED, 0)
    troubles = statuses(run.statuses, (Status.OK, Status.EMPTY, Status.SKIPPED))
    if left:
        why = f"{left:,} samples are left: the panel Gemini resumes the run."
        outputs.view("left", types.Warning(label="Stopped early", description=why))
    if troubles:
        why = f"{troubles}: {settings.field}_error says why."
        outputs.view("done", types.Warning(label=saved, description=why))
    else:
        outputs.view("done", types.Success(label=saved))
    table = types.TableView()
    table.add_column("what", label="Run")
    table.add_column("value", label=" ")
    outputs.list("lines", types.Object(), view=table)
    return types.Property(outputs, view=types.View(label="Label with Gemini"))
