"""Labels of a dataset as examples: what the model is shown before it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import fiftyone as fo

from ..errors import UsageError
from ..values import Answer, Form, Item, Kind, Shown, Value
from .kinds import answer_field
from .read_kinds import kind_of_field, read_kind
from .samples import ViewSource

MOST = 20
"""Examples of one run: each is sent, and paid for, with every request."""


def examples_of(
    view: fo.SampleCollection, field: str, form: Form, *, good: bool = True
) -> tuple[Shown, ...]:
    """Make an example of each sample of a view, with the labels of a field.

    Bad ones (not `good`) show what is to be avoided. Raises `UsageError` for a field of
    another type, a sample without a label, or more than `MOST` samples.
    """
    items = list(ViewSource(view).items())
    if not 0 < len(items) <= MOST:
        raise UsageError(
            f"{len(items)} samples cannot be examples; choose 1 to {MOST}: each is sent "
            "and paid for with every request."
        )
    found = list(_read(view, field, form))
    for item, values in zip(items, found, strict=True):
        if values is None:
            raise UsageError(
                f"The sample {item.sample_id} is to be an example, but has no label in "
                f"{field!r}."
            )
    return tuple(
        Shown(Item(item.sample_id, item.path), values or (), good=good)
        for item, values in zip(items, found, strict=True)
    )


def _read(
    view: fo.SampleCollection, field: str, form: Form
) -> Iterator[tuple[Value, ...] | None]:
    """Give the labels of each sample; None where it has none."""
    names = form.names if form.kind is Kind.TEXT else ("",)
    columns = [_column(view, field, name, form.kind) for name in names]
    for parts in zip(*columns, strict=True):
        whole = [part for part in parts if part is not None]
        yield tuple(chain(*whole)) if len(whole) == len(parts) else None


def _column(
    view: fo.SampleCollection, field: str, name: str, kind: Kind
) -> list[tuple[Value, ...] | None]:
    """Read one field; raises `UsageError` where it holds another kind of labels."""
    column = answer_field(field, name)
    held = kind_of_field(view, column)
    if held is not kind:
        raise UsageError(
            f"The field {column!r} holds labels of the kind {held}, and an example "
            f"here needs {kind}."
        )
    unlabelled = set(view.exists(column, bool=False).values("id"))
    return [
        None
        if image.image_id in unlabelled
        else tuple(_named(value, name) for value in image.values)
        for image in read_kind(view, column)
    ]


def _named(value: Value, name: str) -> Value:
    """Say which of several questions a text answers."""
    return replace(value, name=name) if isinstance(value, Answer) else value
