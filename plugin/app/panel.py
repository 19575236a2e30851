"""The panel "Gemini": runs, problems, quality, trust and comparison, in half a window."""

from __future__ import annotations

import fiftyone.operators as foo
from fiftyone.operators import types

from .context import ICON
from .panel_compare import CompareTab
from .panel_parts import TABS, choose, chosen
from .panel_problems import ProblemsTab
from .panel_quality import QualityTab
from .panel_runs import RunsTab
from .panel_trust import TrustTab
from .refusals import refusal


class GeminiPanel(RunsTab, ProblemsTab, QualityTab, TrustTab, CompareTab, foo.Panel):
    """Watches runs, and judges and accepts their labels."""

    @property
    def config(self) -> foo.PanelConfig:
        """Describe the panel to FiftyOne."""
        return foo.PanelConfig(
            name="gemini",
            label="Gemini",
            icon=ICON,
            surfaces="grid",
            category=foo.Categories.ANALYZE,
            help_markdown="Watch runs of Gemini, look into what went wrong, see how good "
            "labels are, and accept those that can be trusted.",
        )

    def on_load(self, ctx: foo.ExecutionContext) -> None:
        """Begin where it was left."""
        if ctx.dataset is not None:
            ctx.panel.state.set("tab", chosen(ctx).tab)

    def on_change_dataset(self, ctx: foo.ExecutionContext) -> None:
        """Begin with another dataset."""
        self.on_load(ctx)

    def choose_tab(self, ctx: foo.ExecutionContext) -> None:
        """Turn to another tab."""
        choose(ctx, tab=ctx.params["value"])

    def render(self, ctx: foo.ExecutionContext) -> types.Property:
        """Draw the tab that is open."""
        page = refusal(ctx)
        if page is None:
            page = types.Object()
            now = chosen(ctx)
            tabs = types.TabsView()
            for name in TABS:
                tabs.add_choice(name, label=name)
            page.enum(
                "tab",
                tabs.values(),
                default=now.tab,
                view=tabs,
                on_change=self.choose_tab,
            )
            drawing = (
                *(self.draw_runs, self.draw_problems, self.draw_quality),
                *(self.draw_trust, self.draw_compare),
            )
            dict(zip(TABS, drawing, strict=True)).get(now.tab, self.draw_runs)(
                page, ctx
            )
        edge = {"container": {"sx": {"padding": 1.5}}}
        view = types.GridView(orientation="vertical", gap=1, componentsProps=edge)
        return types.Property(page, view=view)
