"""The panel's tab of runs: those at work, with a stop button, and those that are over."""

from __future__ import annotations

from collections.abc import Mapping

import fiftyone.operators as foo
from fiftyone.operators import types

from ..live import LiveRun, ask_to_stop, forget, live_runs
from ..values import Status
from .context import NAMESPACE
from .manage_runs import RUN_COLUMNS, run_rows
from .panel_parts import guarded, plain
from .words import duration, money, statuses

SHOWN = 6
REFRESH_MILLISECONDS = 1500
STATES = {
    "running": "at work",
    "stopping": "stopping: finishing what is in flight",
    "done": "done",
    "stopped": "stopped early",
    "failed": "failed",
    "lost": "died with its process",
}


class RunsTab:
    """Handlers and drawing of the tab."""

    @guarded
    def stop_run(self, ctx: foo.ExecutionContext) -> None:
        """Ask a run to stop."""
        ask_to_stop(ctx.dataset, ctx.params["run"])
        ctx.ops.notify("Stopping: what is in flight is still taken", variant="info")

    @guarded
    def resume_run(self, ctx: foo.ExecutionContext) -> None:
        """Open the form that resumes a run."""
        ctx.prompt(
            f"{NAMESPACE}/resume_run",
            params={"run": ctx.params["run"]},
            on_success=self.refresh,
        )

    @guarded
    def forget_run(self, ctx: foo.ExecutionContext) -> None:
        """Take a run that is over from the list."""
        forget(ctx.dataset, ctx.params["run"])

    def label(self, ctx: foo.ExecutionContext) -> None:
        """Open the form that labels samples."""
        ctx.prompt(f"{NAMESPACE}/label_samples", on_success=self.refresh)

    def manage(self, ctx: foo.ExecutionContext) -> None:
        """Open the form that renames and deletes runs."""
        ctx.prompt(f"{NAMESPACE}/manage_runs", on_success=self.refresh)

    def refresh(self, ctx: foo.ExecutionContext) -> None:
        """Draw again; a run that has ended brings its labels."""
        going = any(run.goes_on for run in live_runs(ctx.dataset))
        if ctx.panel.state.going and not going:
            ctx.ops.reload_dataset()
        ctx.panel.state.going = going

    def draw_runs(self, page: types.Object, ctx: foo.ExecutionContext) -> None:
        """Draw the tab."""
        runs = live_runs(ctx.dataset)[:SHOWN]
        bar = page.h_stack("runs_bar", gap=1)
        bar.btn("label", "Label with Gemini", on_click=self.label, variant="contained")
        bar.btn("refresh", "Refresh", on_click=self.refresh, variant="outlined")
        bar.btn("manage", "Rename, delete", on_click=self.manage, variant="outlined")
        for number, run in enumerate(runs):
            self._draw_run(page, ctx, number, run)
        if any(run.goes_on for run in runs):
            timer = types.TimerView(
                interval=REFRESH_MILLISECONDS, on_interval=self.refresh
            )
            page.view("runs_timer", timer)
        rows = run_rows(ctx.dataset)
        if rows:
            said = "\n".join(_line(row) for row in rows)
            page.md(f"**All runs of this dataset**\n\n{said}", name="all_runs")
        elif not runs:
            page.md("Nothing has been labelled with Gemini yet.", name="no_runs")

    def _draw_run(
        self, page: types.Object, ctx: foo.ExecutionContext, number: int, run: LiveRun
    ) -> None:
        page.md(describe(run), name=f"run_{number}")
        if run.goes_on:
            name = f"progress_{number}"
            ctx.panel.state.set(name, run.share)
            page.float(
                name, view=types.ProgressView(label=f"{run.done} of {run.total}")
            )
        buttons = page.h_stack(f"buttons_{number}", gap=1)
        params = {"run": run.key}
        if run.goes_on:
            buttons.btn(
                f"stop_{number}",
                "Stop",
                on_click=self.stop_run,
                params=params,
                disabled=run.state == "stopping",
                variant="outlined",
            )
            return
        if run.state != "done":
            buttons.btn(
                f"resume_{number}",
                "Resume",
                on_click=self.resume_run,
                params=params,
                variant="contained",
            )
        buttons.btn(f"forget_{number}", "Hide", on_click=self.forget_run, params=params)


def _line(row: Mapping[str, str]) -> str:
    """Say in a line of Markdown what a run was and came to."""
    run, *facts = (plain(row[name]) for name in RUN_COLUMNS)
    return f"- **{run}**: {', '.join(facts)}"


def describe(run: LiveRun) -> str:
    """Say in Markdown how far a run is, at which pace and cost, and what went wrong."""
    settings = run.settings
    field, budget = settings.get("field", "gemini"), settings.get("budget")
    counts = {Status(name): count for name, count in run.statuses.items()}
    spent = money(run.cost_usd) + (f" of {money(budget)}" if budget else "")
    spent = "free of charge" if run.free else spent
    facts = [f"{run.done:,} of {run.total:,}", statuses(counts), spent]
    if run.from_journal:
        facts.append(f"{run.from_journal:,} from the journal")
    if run.goes_on:
        facts.append(f"{run.rate:.1f} a second, {duration(run.seconds_left)} to go")
    said = "  ·  ".join(fact for fact in facts if fact)
    lines = [f"**{plain(run.key)}** → `{field}`: {STATES[run.state]}", plain(said)]
    if run.error:
        lines.append(f"*{plain(run.error)}*")
    return "\n\n".join(lines)
