"""The panel's tab of problems: which samples got no whole answer, and why."""

from __future__ import annotations

from collections.abc import Mapping

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone import ViewField
from fiftyone.operators import types

from ..errors import UsageError
from ..labels.runs import field_of_run, labelling_runs
from ..values import Status
from .context import NAMESPACE
from .panel_parts import Chosen, choose, chosen, dropdown, guarded, plain, show_view

MOST = 25
MOST_SIGNS = 4000
SHORT = 48
"""Signs of an error in the list; the whole stands with its reply."""
TROUBLES = (
    *(Status.BLOCKED, Status.TRUNCATED, Status.MALFORMED),
    *(Status.MEDIA_ERROR, Status.API_ERROR, Status.EMPTY),
)


class ProblemsTab:
    """Handlers and drawing of the tab."""

    def choose_problems_field(self, ctx: foo.ExecutionContext) -> None:
        """Look at the samples of another field."""
        choose(ctx, problems_field=ctx.params["value"], problems_status="", reply="")

    @guarded
    def show_problem(self, ctx: foo.ExecutionContext) -> None:
        """Show the samples of a status in the grid, and list them."""
        status, field = ctx.params["status"], ctx.params["field"]
        choose(ctx, problems_field=field, problems_status=status, reply="")
        show_view(ctx, _samples(ctx.dataset, field, status))

    @guarded
    def show_reply(self, ctx: foo.ExecutionContext) -> None:
        """Read the stored reply of a listed sample again, and show it."""
        from ..api.problems import stored_reply

        now = chosen(ctx)
        rows = ctx.panel.state.get("problem_rows") or []
        row = ctx.params["row"]
        if not 0 <= row < len(rows):
            raise UsageError("This sample is not listed any more.")
        sample_id = rows[row]["id"]
        found = stored_reply(ctx.dataset, now.problems_field, sample_id)
        said = [f"**{plain(rows[row]['name'])}**: {found.status or 'no reply'}"]
        said += [plain(found.error)] if found.error else []
        said += [f"- `{i.path}` {plain(i.message)}" for i in found.issues[:MOST]]
        raw = found.raw[:MOST_SIGNS].replace("````", "'" * 4)
        said += ["````text", raw, "````"] if raw else []
        choose(ctx, reply="\n".join(said))
        ctx.ops.set_view(ctx.dataset.select([sample_id]))

    @guarded
    def ask_again(self, ctx: foo.ExecutionContext) -> None:
        """Open the form that asks again for what failed."""
        run = ctx.params["run"]
        ctx.prompt(
            f"{NAMESPACE}/resume_run",
            params={"run": run, "retry_failed": True},
            on_success=self.problems_changed,
        )

    def problems_changed(self, ctx: foo.ExecutionContext) -> None:
        """Draw again."""
        choose(ctx, reply="")

    def draw_problems(self, page: types.Object, ctx: foo.ExecutionContext) -> None:
        """Draw the tab."""
        now = chosen(ctx)
        latest = _latest_runs(ctx.dataset)
        if not latest:
            page.md("Nothing has been labelled with Gemini yet.", name="no_problems")
            return
        field = (
            now.problems_field if now.problems_field in latest else next(iter(latest))
        )
        dropdown(
            page,
            "problems_field",
            "Labels",
            (list(latest), field),
            self.choose_problems_field,
        )
        counts = ctx.dataset.count_values(f"{field}_status")
        found = {s: counts[s.value] for s in TROUBLES if counts.get(s.value)}
        if not found:
            page.md("Every sample that was asked about got a whole answer.")
            return
        bar = page.h_stack("problems_bar", gap=1)
        for status, count in found.items():
            bar.btn(
                f"show_{status.value}",
                f"{count:,} {status.value.replace('_', ' ')}",
                on_click=self.show_problem,
                params={"status": status.value, "field": field},
                variant="outlined",
            )
        bar.btn(
            "again",
            "Ask again",
            on_click=self.ask_again,
            params={"run": latest[field]},
            variant="contained",
        )
        self._draw_samples(page, ctx, now, field)

    def _draw_samples(
        self, page: types.Object, ctx: foo.ExecutionContext, now: Chosen, field: str
    ) -> None:
        """List the samples of the status that was clicked, and the reply last looked at."""
        if not now.problems_status:
            return
        view = _samples(ctx.dataset, field, now.problems_status).limit(MOST)
        columns = view.values(["id", "filepath", f"{field}_error"])
        rows = [
            {"id": i, "name": path.rsplit("/", 1)[-1], "error": (error or "")[:SHORT]}
            for i, path, error in zip(*columns, strict=True)
        ]
        ctx.panel.state.set("problem_rows", rows)
        table = types.TableView()
        table.add_column("name", label="Picture")
        table.add_column("error", label="What was wrong")
        table.add_row_action("reply", self.show_reply, label="Reply", icon="article")
        page.list("problem_rows", types.Object(), view=table, label="Samples")
        if now.reply:
            page.md(now.reply, name="reply")


def _samples(dataset: fo.Dataset, field: str, status: str) -> fo.DatasetView:
    return dataset.match(ViewField(f"{field}_status") == status)


def _latest_runs(dataset: fo.Dataset) -> Mapping[str, str]:
    """Give the newest run of each field that has statuses."""
    found: dict[str, str] = {}
    for key in labelling_runs(dataset):
        found.setdefault(field_of_run(dataset, key), key)
    return {n: key for n, key in found.items() if dataset.has_field(f"{n}_status")}
