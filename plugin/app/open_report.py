"""The operator `open_report`: a whole report on labels, written and opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import UsageError
from .context import names_of, needed_text, number_of, target_view, text_of
from .evaluate import DEFAULT_IOU, ask_iou
from .fields import ask_fields, ask_label_field
from .step import Card, Step


class OpenReport(Step):
    """Writes the report of one or several fields, and opens it."""

    card: ClassVar[Card] = Card(
        name="open_report",
        label="Open a report on labels",
        description="Write how good one or several label fields are (numbers, charts, "
        "worst pictures) as one HTML file, Markdown and JSON, and open it.",
        risk="LOW",
        submit="Write the report",
    )

    def form(self, ctx: foo.ExecutionContext) -> types.Object:
        """Ask for the fields and the folder."""
        inputs = types.Object()
        inputs.view_target(ctx, action_description="Report on")
        truth = ask_label_field(inputs, "truth_field", "Ground truth", ctx, ours=False)
        ask_fields(inputs, ctx, truth)
        ask_iou(inputs)
        inputs.str(
            "folder",
            default=str(_default_folder(ctx)),
            label="Write to the folder",
            description="On the machine that FiftyOne runs on.",
        )
        return inputs

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        """Write the report; gives the paths of its files."""
        from ..api.judging import report

        fields = names_of(ctx, "fields")
        if not fields:
            raise UsageError("Choose at least one field of labels.")
        folder = Path(text_of(ctx, "folder", str(_default_folder(ctx)))).expanduser()
        if not folder.is_absolute():
            raise UsageError("Give the whole path of the folder, from the root on.")
        files = report(
            target_view(ctx),
            fields,
            needed_text(ctx, "truth_field"),
            out=folder,
            iou=number_of(ctx, "iou", DEFAULT_IOU),
        )
        return {
            name: str(getattr(files, name)) for name in ("html", "markdown", "json")
        }

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        """Link to the report."""
        outputs = types.Object()
        path = (ctx.results or {}).get("html", "")
        link = f"### [Open the report](/media?filepath={quote(path)})"
        outputs.md(link, name="link")
        outputs.str("html", label="HTML")
        outputs.str("markdown", label="Markdown")
        outputs.str("json", label="JSON")
        return types.Property(outputs, view=types.View(label="Report"))


def _default_folder(ctx: foo.ExecutionContext) -> Path:
    return Path.home() / "fiftyone-gemini" / "reports" / str(ctx.dataset.name)
