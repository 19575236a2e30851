"""The operator `export_coco`: a label field as a COCO file with lossless masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import UsageError
from ..labels.read import id_field_of, read_labels
from ..labels.runs import record_of_field
from ..records import coco_info
from .context import needed_text, switch_of, target_view, text_of
from .fields import ask_label_field, mark
from .step import Card, Step


class ExportCoco(Step):
    """Exports labels as COCO JSON with RLE masks."""

    card: ClassVar[Card] = Card(
        name="export_coco",
        label="Export labels as COCO with lossless masks",
        description="Write boxes and masks (RLE, no pixel lost) of a label field to a "
        "COCO JSON file on the machine that FiftyOne runs on.",
        risk="LOW",
        submit="Export",
    )

    def form(self, ctx: foo.ExecutionContext) -> types.Object:
        """Draw the form."""
        return _form(ctx)

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        """Write the file."""
        return export_view(
            target_view(ctx),
            needed_text(ctx, "field"),
            check_path(needed_text(ctx, "path"), switch_of(ctx, "overwrite")),
        )

    def resolve_output(
        self,
        ctx: foo.ExecutionContext,  # noqa: ARG002 - FiftyOne passes it
    ) -> types.Property:
        """Say what was written, and where."""
        outputs = types.Object()
        outputs.str("path", label="File")
        outputs.int("images", label="Images")
        outputs.int("objects", label="Objects")
        outputs.int("masks", label="Objects with a mask")
        outputs.str("image_ids", label="Image ids are taken from")
        return types.Property(outputs, view=types.View(label="Exported"))

    def __call__(
        self,
        samples: fo.SampleCollection,
        *,
        field: str,
        path: str,
        overwrite: bool = False,
    ) -> dict[str, Any]:
        """Export samples from Python; gives the file's path and counts.

        Raises `UsageError`.
        """
        whole = str(Path(path).expanduser().absolute())
        return export_view(samples, field, check_path(whole, overwrite))


def _form(ctx: foo.ExecutionContext) -> types.Object:
    inputs = types.Object()
    inputs.view_target(ctx, action_description="Export")
    field = ask_label_field(inputs, "field", "Labels", ctx, ours=True)
    default = str(Path.home() / f"{field}_coco.json")
    asked = inputs.str("path", required=True, default=default, label="Write to")
    inputs.bool(
        "overwrite",
        default=False,
        label="Replace the file if it exists",
        view=types.SwitchView(),
    )
    try:
        check_path(text_of(ctx, "path", default), switch_of(ctx, "overwrite"))
    except UsageError as error:
        mark(asked, error)
    return inputs


def check_path(path: str, overwrite: bool) -> Path:
    """Give the path of a COCO file to be written; raises `UsageError`."""
    chosen = Path(path).expanduser()
    if chosen.suffix != ".json":
        raise UsageError("The file must be named something.json.")
    if not chosen.is_absolute():
        raise UsageError("Give the whole path, from the root folder on.")
    if not chosen.parent.is_dir():
        raise UsageError(f"There is no folder {chosen.parent}.")
    if chosen.exists() and not overwrite:
        raise UsageError(f"The file {chosen} exists already.")
    return chosen


def export_view(view: fo.SampleCollection, field: str, path: Path) -> dict[str, Any]:
    """Read the labels and write the file."""
    from ..coco.write import write_coco

    id_field = id_field_of(view)
    images = read_labels(view, field, id_field=id_field)
    record = record_of_field(view, field)
    write_coco(path, images, info=coco_info(record) if record else None)
    detections = [d for image in images for d in image.detections]
    return {
        "path": str(path),
        "images": len(images),
        "objects": len(detections),
        "masks": sum(d.mask is not None for d in detections),
        "image_ids": id_field,
    }
