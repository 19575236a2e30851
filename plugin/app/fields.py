"""Form parts that more than one operator has."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import UsageError
from ..labels.read import detection_fields
from ..labels.write import is_written_here

HALF = 6
"""Two fields beside each other, in FiftyOne's rows of twelve columns."""


def label_fields(dataset: fo.Dataset, *, ours: bool) -> list[str]:
    """Name the fields of `Detections`; those written by Gemini (`ours`) or not, first."""
    fields = detection_fields(dataset)
    liked = [f for f in fields if is_written_here(dataset, f) is ours]
    return [*liked, *(f for f in fields if f not in liked)]


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
    fields = label_fields(ctx.dataset, ours=ours)
    if not fields:
        inputs.view(
            f"{name}_missing",
            types.Warning(label="This dataset has no field of Detections"),
        )
    return ask_choice(inputs, name, label, fields, ctx)


def ask_fields(inputs: types.Object, ctx: foo.ExecutionContext, truth: str) -> None:
    """Let several fields of labels be chosen; those of Gemini come first."""
    fields = [name for name in label_fields(ctx.dataset, ours=True) if name != truth]
    chips = types.AutocompleteView(
        multiple=True, allow_user_input=False, allow_duplicates=False
    )
    for name in fields:
        chips.add_choice(name, label=name)
    inputs.list(
        "fields",
        types.String(),
        default=fields[:2],
        required=True,
        label="Labels",
        description="Two or more; the first is what the others are held against.",
        view=chips,
    )


def ask_choice(
    inputs: types.Object,
    name: str,
    label: str,
    names: Sequence[str],
    ctx: foo.ExecutionContext,
) -> str:
    """Let one of some names be chosen, the first beforehand; give the choice."""
    default = next(iter(names), None)
    choices = types.DropdownView()
    for one in names:
        choices.add_choice(one, label=one)
    inputs.enum(
        name,
        choices.values(),
        default=default,
        required=True,
        label=label,
        view=choices,
    )
    return str(ctx.params.get(name) or default or "")


def ask_switch(
    inputs: types.Object,
    name: str,
    label: str,
    description: str = "",
    *,
    default: bool = False,
) -> None:
    """Let something be switched on."""
    inputs.bool(
        name,
        default=default,
        label=label,
        description=description,
        view=types.SwitchView(space=HALF),
    )


def mark(asked: types.Property, error: UsageError) -> None:
    """Mark a field of a form as wrong, and say why."""
    asked.invalid = True
    asked.error_message = str(error)
