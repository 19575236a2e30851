"""The operators `resume_run` and `manage_runs`: what is done with runs that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import UsageError
from ..labels.runs import delete_run, labelling_runs, record_of_run, rename_run
from ..records import run_record
from .context import dataset_of, endpoint_of, needed_text, switch_of, text_of
from .fields import ask_choice, ask_switch
from .running import Prepared, run_operator
from .step import Card, Step, table_of
from .words import asking

ACTIONS: Mapping[str, str] = {
    "list": "List all runs",
    "rename": "Rename a run",
    "delete": "Delete a run",
    "reparse": "Read the stored replies of a run again, at no cost",
}


class ResumeRun(Step):
    """Goes on with a run that was stopped, killed, or had failures."""

    card: ClassVar[Card] = Card(
        name="resume_run",
        label="Resume a run of Gemini",
        description="Go on with a stopped or killed run; replies in the journal are not "
        "asked for again. Sends pictures to Google and costs money.",
        risk="MEDIUM",
        submit="Resume",
        streams=True,
        targets_samples=False,
    )

    def form(self, ctx: foo.ExecutionContext) -> types.Object:
        """Ask which run."""
        from ..live import live_runs

        inputs = types.Object()
        runs = [run.key for run in live_runs(ctx.dataset) if not run.goes_on]
        ask_choice(inputs, "run", "Run", runs, ctx)
        said = "Also where the stored reply was blocked, truncated or malformed."
        ask_switch(inputs, "retry_failed", "Ask again what failed", said)
        if not runs:
            inputs.view("none", types.Warning(label="There is no run to resume"))
        return inputs

    def execute(
        self, ctx: foo.ExecutionContext
    ) -> dict[str, Any] | Iterator[foo.operator.Operator]:
        """Resume; gives the record of the run."""
        return run_operator(ctx, lambda: _resuming(ctx))


def _resuming(ctx: foo.ExecutionContext) -> Prepared:
    from ..api.labelling import resumable, run_labels

    key = needed_text(ctx, "run")
    retry = "failed" if switch_of(ctx, "retry_failed") else ""
    view, settings = resumable(dataset_of(ctx), key, retry=retry)
    endpoint = endpoint_of(ctx)
    return (
        asking(view.count(), endpoint),
        settings,
        lambda report: run_labels(view, settings, endpoint, report=report, key=key),
    )


class ManageRuns(Step):
    """Lists, renames, deletes and reads again runs."""

    card: ClassVar[Card] = Card(
        name="manage_runs",
        label="Manage runs of Gemini",
        description="List, rename or delete runs (with their labels, if you say so), or "
        "read their stored replies again with the parser of today, at no cost.",
        risk="HIGH",
        submit="Do it",
        targets_samples=False,
    )

    def form(self, ctx: foo.ExecutionContext) -> types.Object:
        """Ask what to do with which run."""
        inputs = types.Object()
        choices = types.DropdownView()
        for name, label in ACTIONS.items():
            choices.add_choice(name, label=label)
        inputs.enum(
            "action", choices.values(), default="list", label="Do what", view=choices
        )
        action = text_of(ctx, "action", "list")
        if action == "list":
            return inputs
        ask_choice(inputs, "run", "Run", labelling_runs(ctx.dataset), ctx)
        if action == "rename":
            inputs.str("new_name", required=True, label="New name")
        if action == "delete":
            said = "The fields it wrote, unless a later run has written them again."
            ask_switch(inputs, "labels", "Delete its labels too", said)
            inputs.view(
                "danger",
                types.Warning(
                    label="Deleted labels cannot be brought back but from the journal"
                ),
            )
        return inputs

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        """Do it; gives what was done, and the runs that there are."""
        action = text_of(ctx, "action", "list")
        if action not in _DOING:
            known = ", ".join(_DOING)
            raise UsageError(f"There is no action {action!r}; there are: {known}.")
        done = _DOING[action](ctx)
        if not ctx.delegated and action != "list":
            ctx.ops.reload_dataset()
        return {**done, "runs": run_rows(dataset_of(ctx))}

    def resolve_output(
        self,
        ctx: foo.ExecutionContext,  # noqa: ARG002 - FiftyOne passes it
    ) -> types.Property:
        """List the runs."""
        outputs = types.Object()
        outputs.str("said", label="Done")
        table_of(outputs, "runs", RUN_COLUMNS, "Runs")
        return types.Property(outputs, view=types.View(label="Runs"))


RUN_COLUMNS = {
    "run": "Run",
    "task": "Task",
    "model": "Model",
    "field": "Field",
    "samples": "Samples",
    "cost": "Cost",
    "started": "Started",
}


def run_rows(dataset: Any) -> list[dict[str, str]]:
    """Give a line for each labelling run, the newest first."""
    from ..coco.runs import parse_run
    from ..labels.runs import field_of_run
    from .words import run_cost, statuses

    rows = []
    for key in labelling_runs(dataset):
        run = parse_run(record_of_run(dataset, key))
        if run is None:
            continue
        rows.append(
            {
                "run": key,
                "task": run.question.task,
                "model": ", ".join(run.models_answered) or run.model,
                "field": field_of_run(dataset, key),
                "samples": statuses(run.statuses),
                "cost": run_cost(run),
                "started": f"{run.started:%Y-%m-%d %H:%M}",
            }
        )
    return rows


def _list(ctx: foo.ExecutionContext) -> dict[str, Any]:
    return {"said": f"{len(labelling_runs(dataset_of(ctx)))} runs"}


def _rename(ctx: foo.ExecutionContext) -> dict[str, Any]:
    key, new = needed_text(ctx, "run"), needed_text(ctx, "new_name")
    rename_run(dataset_of(ctx), key, new)
    return {"said": f"{key} is called {new} now"}


def _delete(ctx: foo.ExecutionContext) -> dict[str, Any]:
    from ..live import forget

    key = needed_text(ctx, "run")
    gone = delete_run(dataset_of(ctx), key, labels=switch_of(ctx, "labels"))
    forget(dataset_of(ctx), key)
    fields = f", with the fields {', '.join(gone)}" if gone else ""
    return {"said": f"{key} is deleted{fields}", "fields": list(gone)}


def _reparse(ctx: foo.ExecutionContext) -> dict[str, Any]:
    from ..api.labelling import resumable, run_labels

    key = needed_text(ctx, "run")
    view, settings = resumable(dataset_of(ctx), key, offline=True)
    endpoint = endpoint_of(ctx, offline=True)
    run = run_labels(view, settings, endpoint, key=key)
    return {"said": f"{run.from_journal} replies read again", "run": run_record(run)}


_DOING: Mapping[str, Callable[[foo.ExecutionContext], dict[str, Any]]] = {
    "list": _list,
    "rename": _rename,
    "delete": _delete,
    "reparse": _reparse,
}
