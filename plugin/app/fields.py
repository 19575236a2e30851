"""Form parts that more than one operator has."""

from __future__ import annotations

import fiftyone.operators as foo
from fiftyone.operators import types

from ..labels.read import detection_fields
from ..labels.write import is_written_here


def no_dataset() -> types.Object:
    """Draw what stands for a form where no dataset is open."""
    inputs = types.Object()
    inputs.view("none", types.Warning(label="Open a dataset first"))
    return inputs


def ask_label_field(
    inputs: types.Object,
    name: str,
    label: str,
    ctx: foo.ExecutionContext,
    *,
    ours: bool,
) -> str:
    """Let one of the `Detections` fields be chosen; give the choice, "" if none.

    The first field written by Gemini (`ours`), or the first of all others, is chosen
    beforehand.
    """
    fields = detection_fields(ctx.dataset)
    liked = [f for f in fields if is_written_here(ctx.dataset, f) is ours]
    default = next(iter([*liked, *fields]), None)
    choices = types.DropdownView()
    for field in fields:
        choices.add_choice(field, label=field)
    inputs.enum(
        name,
        choices.values(),
        default=default,
        required=True,
        label=label,
        view=choices,
    )
    if not fields:
        inputs.view(
            f"{name}_missing",
            types.Warning(label="This dataset has no field of Detections"),
        )
    return ctx.params.get(name) or default or ""
