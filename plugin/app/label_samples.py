"""The operator `label_samples`: ask Gemini about samples, keep its labels."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import GeminiLabelError
from ..gemini.endpoint import Endpoint
from ..labels.samples import ViewSource
from ..labels.write import FieldSink
from ..progress import Progress
from ..records import run_record
from ..tasks import form_of
from ..values import Run, Status
from .background import Report, with_progress
from .context import (
    ICON,
    endpoint_of,
    endpoint_of_process,
    journal_path,
    runs_in_app,
    target_view,
)
from .fields import no_dataset
from .label_form import label_form
from .settings import LabelSettings
from .words import asking, progress, run_table, statuses

LOG = logging.getLogger(__name__)
REPORT_SECONDS = 1.0


class LabelSamples(foo.Operator):
    """Labels images with Gemini.

    In the App `execute` gives a generator, whose progress and errors the App shows;
    elsewhere it labels and gives the record of the run.
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """Describe the operator to FiftyOne."""
        return foo.OperatorConfig(
            name="label_samples",
            label="Label with Gemini",
            description="Find objects with Gemini: boxes, masks and class names. "
            "Sends pictures to Google and costs money.",
            icon=ICON,
            dynamic=True,
            execute_as_generator=True,
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_placement(
        self,
        ctx: foo.ExecutionContext,  # noqa: ARG002 - FiftyOne passes it
    ) -> types.Placement:
        """Put a button above the samples."""
        return types.Placement(
            types.Places.SAMPLES_GRID_SECONDARY_ACTIONS,
            types.Button(label="Label with Gemini", icon=ICON, prompt=True),
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        """Draw the form."""
        inputs = no_dataset() if ctx.dataset is None else label_form(ctx)
        view = types.PromptView(label="Label with Gemini", submit_button_label="Label")
        return types.Property(inputs, view=view)

    def execute(
        self, ctx: foo.ExecutionContext
    ) -> dict[str, Any] | Iterator[foo.operator.Operator]:
        """Label the samples."""
        settings = LabelSettings.from_params(ctx.params)
        if runs_in_app(ctx):
            return _stream(ctx, settings)
        run = label_view(
            target_view(ctx), settings, endpoint_of(ctx), _delegated_report(ctx)
        )
        return run_record(run)

    def __call__(
        self,
        samples: fo.SampleCollection,
        *,
        delegate: bool = False,
        **settings: Any,
    ) -> dict[str, Any]:
        """Label samples from Python; `settings` are those of `LabelSettings`.

        Gives the record of the run or, with `delegate`, of the scheduled operation.
        Raises `UsageError` and `FatalApiError`.
        """
        if delegate:
            context = {"view": samples.view()}
            scheduled = foo.execute_operator(
                self.uri, context, params=settings, request_delegation=True
            )
            return scheduled.result
        chosen = LabelSettings(**settings)
        return run_record(label_view(samples, chosen, endpoint_of_process()))


def label_view(
    view: fo.SampleCollection,
    settings: LabelSettings,
    endpoint: Endpoint,
    report: Report | None = None,
    stop: threading.Event | None = None,
) -> Run:
    """Make the one pipeline call."""
    from ..gemini.pool import Limits
    from ..pipeline import label

    run_key = settings.run_key()
    return label(
        ViewSource(view),
        FieldSink(
            view._root_dataset,  # noqa: SLF001
            settings.field,
            form_of(settings.question),
            run_key=run_key,
        ),
        settings.question,
        model=settings.model,
        endpoint=endpoint,
        journal=journal_path(),
        limits=Limits(in_flight=settings.in_flight),
        run_name=run_key,
        on_progress=report,
        stop=stop,
    )


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
    ctx: foo.ExecutionContext, settings: LabelSettings
) -> Generator[Any, None, None]:
    """Label, and tell the App what happens; an error becomes a sentence."""
    try:
        view, endpoint = target_view(ctx), endpoint_of(ctx)
        yield ctx.ops.set_progress(progress=0, label=asking(view.count(), endpoint))
        running = with_progress(
            lambda report, stop: label_view(view, settings, endpoint, report, stop)
        )
        run = yield from _shown(ctx, running)
    except Exception as error:  # noqa: BLE001 - else the App would show nothing at all
        yield ctx.ops.reload_dataset()
        yield ctx.ops.show_output(_failed(_sentence(error)).to_json(), {})
        return
    yield ctx.ops.reload_dataset()
    result = {"lines": run_table(run)}
    yield ctx.ops.show_output(_finished(run, settings).to_json(), result)


def _shown(
    ctx: foo.ExecutionContext, running: Generator[Progress, None, Run]
) -> Generator[Any, None, Run]:
    """Turn each progress into a message to the App."""
    while True:
        try:
            now = next(running)
        except StopIteration as end:
            return end.value
        share = now.done / now.total
        yield ctx.ops.set_progress(progress=share, label=progress(now))


def _sentence(error: Exception) -> str:
    """Say what went wrong; what we did not foresee is told in the server's log."""
    if isinstance(error, GeminiLabelError):
        return str(error)
    LOG.error("Labelling stopped", exc_info=error)
    return f"Unexpected {type(error).__name__}: the log of the App server says more."


def _failed(sentence: str) -> types.Property:
    outputs = types.Object()
    outputs.view("error", types.Error(label="Stopped", description=sentence))
    outputs.md("Labels that came before are kept. Run it again to go on from there.")
    return types.Property(outputs, view=types.View(label="Label with Gemini"))


def _finished(run: Run, settings: LabelSettings) -> types.Property:
    outputs = types.Object()
    saved = f"Saved in the field {settings.field!r}"
    troubles = statuses(run.statuses, (Status.OK, Status.EMPTY))
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
