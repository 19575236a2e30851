"""The panel's tab of comparison: which of two fields is better, beyond noise."""

from __future__ import annotations

import fiftyone.operators as foo
from fiftyone.operators import types

from .fields import label_fields
from .panel_parts import choose, chosen, dropdown, guarded
from .panel_quality import summary_of


class CompareTab:
    """Handlers and drawing of the tab."""

    def choose_first(self, ctx: foo.ExecutionContext) -> None:
        """Hold others against another field."""
        _, second, _ = _pair(ctx)
        choose(ctx, compared=[ctx.params["value"], second], comparison="")

    def choose_second(self, ctx: foo.ExecutionContext) -> None:
        """Compare another field."""
        first, _, _ = _pair(ctx)
        choose(ctx, compared=[first, ctx.params["value"]], comparison="")

    def choose_truth(self, ctx: foo.ExecutionContext) -> None:
        """Judge by another field."""
        choose(ctx, compared_truth=ctx.params["value"], comparison="")

    @guarded
    def compare(self, ctx: foo.ExecutionContext) -> None:
        """Compare the two fields, and keep what came out."""
        from ..api.judging import compare
        from ..report.as_markdown import block_markdown
        from ..report.compare import compared_blocks

        first, second, truth = _pair(ctx)
        found = compare(ctx.dataset, [first, second], truth)
        text = block_markdown(compared_blocks(found))
        choose(ctx, comparison=text)

    def draw_compare(self, page: types.Object, ctx: foo.ExecutionContext) -> None:
        """Draw the tab."""
        names = label_fields(ctx.dataset, ours=True)
        first, second, truth = _pair(ctx)
        if len(names) < 3:  # noqa: PLR2004 - two fields and the truth
            page.md("Two label fields and a ground truth are needed.", name="too_few")
            return
        dropdown(page, "first", "Hold against", (names, first), self.choose_first)
        dropdown(page, "second", "Compare", (names, second), self.choose_second)
        dropdown(page, "truth", "Ground truth", (names, truth), self.choose_truth)
        page.btn("compare", "Compare", on_click=self.compare, variant="contained")
        if text := chosen(ctx).comparison:
            page.md(text, name="comparison")


def _pair(ctx: foo.ExecutionContext) -> tuple[str, str, str]:
    """Give the fields that were chosen, else the first two of ours and the truth."""
    now, names = chosen(ctx), label_fields(ctx.dataset, ours=True)
    _, summary = summary_of(ctx)
    others = label_fields(ctx.dataset, ours=False)
    truth = now.compared_truth or (summary.truth if summary else next(iter(others), ""))
    ours = [name for name in names if name != truth]
    pair = now.compared if len(now.compared) == 2 else (*ours, "", "")[:2]  # noqa: PLR2004
    return pair[0], pair[1], truth
