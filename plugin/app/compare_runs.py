"""The operator `compare_runs`: which run is better, and whether it is more than noise."""

from __future__ import annotations

from typing import Any, ClassVar

import fiftyone.operators as foo
from fiftyone.operators import types

from .blocks import block_records, rows_of, show_blocks
from .context import names_of, needed_text, number_of, target_view
from .evaluate import DEFAULT_IOU, ask_iou
from .fields import ask_fields, ask_label_field
from .step import Card, Step


class CompareRuns(Step):
    """Compares label fields by the same ground truth."""

    card: ClassVar[Card] = Card(
        name="compare_runs",
        label="Compare runs of Gemini",
        description="Say which of several label fields is better by the same ground "
        "truth, and whether it is more than noise. Nothing leaves this machine.",
        risk="LOW",
        submit="Compare",
    )

    def form(self, ctx: foo.ExecutionContext) -> types.Object:
        """Ask for the fields."""
        inputs = types.Object()
        inputs.view_target(ctx, action_description="Compare")
        truth = ask_label_field(inputs, "truth_field", "Ground truth", ctx, ours=False)
        ask_fields(inputs, ctx, truth)
        ask_iou(inputs)
        return inputs

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        """Compare; gives verdicts in words, numbers, and tables."""
        from ..api.judging import compare
        from ..report.compare import compared_blocks, comparison_json, verdicts

        found = compare(
            target_view(ctx),
            names_of(ctx, "fields"),
            needed_text(ctx, "truth_field"),
            iou=number_of(ctx, "iou", DEFAULT_IOU),
        )
        blocks = block_records(compared_blocks(found))
        numbers = {"verdicts": list(verdicts(found)), "numbers": comparison_json(found)}
        return {**numbers, "blocks": blocks, **rows_of(blocks)}

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        """Show the verdicts and the tables behind them."""
        outputs = types.Object()
        show_blocks(outputs, (ctx.results or {}).get("blocks", []))
        return types.Property(outputs, view=types.View(label="Comparison"))
