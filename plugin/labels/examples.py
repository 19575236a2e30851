"""Labels of a dataset as examples: what the model is shown before it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo

from ..errors import UsageError
from ..values import Answer, Form, Item, Kind, Shown, Tag, Value
from .kinds import answer_field
from .read import read_labels
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
    if form.kind is Kind.OBJECTS:
        unlabelled = set(view.exists(field, bool=False).values("id"))
        for image in read_labels(view, field):
            yield None if image.image_id in unlabelled else image.values
        return
    reader = {Kind.TEXT: _texts, Kind.TAG: _tag, Kind.TAGS: _tags}.get(form.kind)
    if reader is None:
        raise UsageError(f"Labels of the kind {form.kind} cannot be read as examples.")
    names = form.names if form.kind is Kind.TEXT else ("",)
    fields = [answer_field(field, name) for name in names]
    for name in fields:
        if view.get_field(name) is None:
            raise UsageError(f"The dataset has no field {name!r}.")
    for labels in zip(*(view.values(name) for name in fields), strict=True):
        yield None if None in labels else tuple(reader(labels, names))


def _texts(labels: tuple[Any, ...], names: tuple[str, ...]) -> Iterator[Value]:
    for text, name in zip(labels, names, strict=True):
        yield Answer(str(text), name)


def _tag(labels: tuple[Any, ...], names: tuple[str, ...]) -> Iterator[Value]:
    del names
    _expect(labels[0], fo.Classification)
    yield Tag(labels[0].label or "", labels[0].confidence)


def _tags(labels: tuple[Any, ...], names: tuple[str, ...]) -> Iterator[Value]:
    del names
    _expect(labels[0], fo.Classifications)
    for label in labels[0].classifications:
        yield Tag(label.label or "", label.confidence)


def _expect(label: Any, kind: type) -> None:
    if not isinstance(label, kind):
        raise UsageError(
            f"An example needs {kind.__name__}; the field holds {type(label).__name__}."
        )
