"""The operator `import_coco`: labels of a COCO file into a new field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import GeminiLabelError, UsageError
from .context import needed_text, target_view, text_of
from .fields import mark
from .step import Card, Step


class ImportCoco(Step):
    """Imports labels of a COCO file."""

    card: ClassVar[Card] = Card(
        name="import_coco",
        label="Import labels of a COCO file",
        description="Put boxes and masks of a COCO JSON file into a new field of the "
        "samples with the same pictures. Existing fields are never overwritten.",
        risk="LOW",
        submit="Import",
    )

    def form(self, ctx: foo.ExecutionContext) -> types.Object:
        """Ask for the file and the name of the field."""
        inputs = types.Object()
        inputs.view_target(ctx, action_description="Import for")
        path = inputs.str("path", required=True, label="COCO file (its whole path)")
        field = inputs.str(
            "field", required=True, default="imported", label="Save in the new field"
        )
        if ctx.dataset.has_field(text_of(ctx, "field", "imported")):
            mark(field, UsageError("There is a field of this name already."))
        if given := text_of(ctx, "path"):
            try:
                check_file(given)
            except GeminiLabelError as error:
                mark(path, UsageError(str(error)))
        return inputs

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        """Read the file, and write the field."""
        from ..coco.read import read_coco
        from ..coco.runs import read_run
        from ..labels.attach import attach_labels

        path = check_file(needed_text(ctx, "path"))
        done = attach_labels(
            target_view(ctx),
            read_coco(path).images,
            needed_text(ctx, "field"),
            read_run(path),
        )
        if not ctx.delegated:
            ctx.ops.reload_dataset()
        counts = {"samples": done.samples, "objects": done.objects}
        return counts | {"unknown": done.unknown, "by": done.by}

    def resolve_output(
        self,
        ctx: foo.ExecutionContext,  # noqa: ARG002 - FiftyOne passes it
    ) -> types.Property:
        """Say what came in."""
        outputs = types.Object()
        outputs.int("samples", label="Samples with labels")
        outputs.int("objects", label="Objects")
        outputs.int("unknown", label="Pictures of the file that are not here")
        outputs.str("by", label="Pictures were found by")
        return types.Property(outputs, view=types.View(label="Imported"))


def check_file(path: str) -> Path:
    """Give the path of a file that is there; raises `UsageError`."""
    found = Path(path).expanduser()
    if not found.is_absolute():
        raise UsageError("Give the whole path, from the root folder on.")
    if not found.is_file():
        raise UsageError(f"There is no file {found}.")
    return found
