"""The panel's tab of trust: how precise labels must be, and what would be accepted."""

from __future__ import annotations

import fiftyone.operators as foo
from fiftyone.operators import types

from ..report.summary import Summary, trust_table
from ..report.texts import number
from .context import NAMESPACE
from .panel_parts import (
    ALL_CLASSES,
    Chosen,
    choose,
    chosen,
    dropdown,
    guarded,
    markdown_table,
)
from .panel_quality import summary_of

LEAST, MOST, STEP = 0.5, 0.99, 0.01


class TrustTab:
    """Handlers and drawing of the tab."""

    @guarded
    def choose_target(self, ctx: foo.ExecutionContext) -> None:
        """Move the slider, for all classes or for one."""
        now, value = chosen(ctx), round(float(ctx.params["value"]), 3)
        if now.target_class == ALL_CLASSES:
            choose(ctx, target=value)
        else:
            choose(ctx, targets={**now.targets, now.target_class: value})

    def choose_target_class(self, ctx: foo.ExecutionContext) -> None:
        """Let the slider be about another class."""
        choose(ctx, target_class=ctx.params["value"])
        now = chosen(ctx)
        ctx.panel.state.set("target", now.targets.get(now.target_class, now.target))

    def reset_targets(self, ctx: foo.ExecutionContext) -> None:
        """Let all classes have the same target again."""
        choose(ctx, targets={}, target_class=ALL_CLASSES)
        ctx.panel.state.set("target", chosen(ctx).target)
        ctx.panel.state.set("target_class", ALL_CLASSES)

    def accept(self, ctx: foo.ExecutionContext) -> None:
        """Open the form that accepts what is shown."""
        _, summary = summary_of(ctx)
        now = chosen(ctx)
        if summary is None:
            return
        params = {
            "action": "accept",
            "field": summary.field,
            "truth_field": summary.truth,
            "target": now.target,
            "targets": now.targets,
        }
        ctx.prompt(f"{NAMESPACE}/review", params=params, on_success=self.accepted)

    def undo(self, ctx: foo.ExecutionContext) -> None:
        """Open the form that takes back what was accepted."""
        params = {"action": "undo"}
        ctx.prompt(f"{NAMESPACE}/review", params=params, on_success=self.accepted)

    def annotate(self, ctx: foo.ExecutionContext) -> None:
        """Open the form for corrections."""
        params = {"action": "annotate"}
        ctx.prompt(f"{NAMESPACE}/review", params=params, on_success=self.accepted)

    def accepted(self, ctx: foo.ExecutionContext) -> None:
        """Draw again, with the labels as they are now."""
        ctx.ops.reload_dataset()

    def draw_trust(self, page: types.Object, ctx: foo.ExecutionContext) -> None:
        """Draw the tab."""
        _, summary = summary_of(ctx)
        if summary is None:
            page.md("Evaluate labels first (tab Quality).", name="no_trust")
            return
        now = chosen(ctx)
        names = [ALL_CLASSES, *(row.label for row in summary.classes)]
        dropdown(
            page,
            "target_class",
            "Target precision of",
            (names, now.target_class),
            self.choose_target_class,
        )
        slider = {"min": LEAST, "max": MOST, "step": STEP, "valueLabelDisplay": "off"}
        aim = now.targets.get(now.target_class, now.target)
        said = f"Accepted labels must have a precision above **{aim:g}**."
        page.md(said, name="aim")
        page.float(
            "target",
            default=aim,
            view=types.SliderView(componentsProps={"slider": slider}),
            on_change=self.choose_target,
        )
        page.md(rules(summary, now), name="rules")
        bar = page.h_stack("trust_bar", gap=1)
        bar.btn("accept", "Accept", on_click=self.accept, variant="contained")
        bar.btn("undo", "Undo", on_click=self.undo, variant="outlined")
        bar.btn(
            "annotate", "Correct by hand", on_click=self.annotate, variant="outlined"
        )
        bar.btn("reset", "One target for all", on_click=self.reset_targets)


def rules(summary: Summary, now: Chosen) -> str:
    """Say in Markdown what would be accepted, class by class."""
    if not summary.seen:
        return "There are no predictions, or too many to work the rules out here."
    table = trust_table(summary, now.target, now.targets)
    cells = [
        [
            row.label,
            f"{now.targets.get(row.label, now.target):g}",
            row.rule,
            f"{row.accepted:,} of {row.predictions:,}",
            number(row.above),
        ]
        for row in table.rows
    ]
    columns = ("Class", "Target", "Rule", "Accepted", "Precision above")
    return f"{table.said}\n\n{markdown_table(columns, cells)}"
