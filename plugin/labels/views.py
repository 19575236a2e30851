"""Kinds of errors onto the objects of a dataset, and a saved view for each kind.

The attributes are `<key>_error` (the kind) and `<key>_error_rank` (1 is the worst of its
kind); the views are called `<key>: wrong class` and so on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import fiftyone as fo
from fiftyone import ViewField

from ..values import ImageLabels
from .bulk import ObjectValues, write_values
from .read import check_detections


class Fault(Protocol):
    """One error: see `evaluation.Fault`, whose indices count detections."""

    @property
    def image_id(self) -> str:
        """Id of the sample."""
        ...

    @property
    def kind(self) -> str:
        """What kind of error it is, in words."""
        ...

    @property
    def prediction_index(self) -> int | None:
        """Place of the wrong prediction in its image; None for a missed object."""
        ...

    @property
    def truth_index(self) -> int | None:
        """Place of the true object a prediction was meant for, or that was missed."""
        ...


@dataclass(frozen=True, slots=True)
class _Ranked:
    """An error by the object it is written on; rank 1 is the worst of its kind."""

    image_id: str
    kind: str
    rank: int
    index: int
    missed: bool


def save_error_views(
    view: fo.SampleCollection,
    predicted: Sequence[ImageLabels],
    truth: Sequence[ImageLabels],
    faults: Sequence[Fault],
    *,
    predicted_field: str,
    truth_field: str,
    eval_key: str,
) -> tuple[str, ...]:
    """Write the kind on each object that is an error, and save a view for each kind.

    `predicted` and `truth` are what `read_labels` gave for the same view and fields;
    `faults` stand worst first within their kind. A view shows the objects of its kind
    alone, the sample with the worst of them first. What an earlier call wrote under the
    key goes away. Gives the names of the views; raises what `read_labels` raises.
    """
    for name in (predicted_field, truth_field):
        check_detections(view, name)
    delete_error_views(view, eval_key)
    ranked = list(_ranked(faults))
    sides = (
        (predicted_field, predicted, [r for r in ranked if not r.missed]),
        (truth_field, truth, [r for r in ranked if r.missed]),
    )
    objects = [_values(*side, eval_key) for side in sides]
    for group in objects:
        _declare(view, group.field, eval_key)
    write_values(view, objects, {})
    return tuple(
        _save(view, field, kind, eval_key)
        for field, _, of_side in sides
        for kind in dict.fromkeys(ranked.kind for ranked in of_side)
    )


def delete_error_views(view: fo.SampleCollection, eval_key: str) -> None:
    """Remove what `save_error_views` made under a key: views and attributes."""
    dataset = view._root_dataset  # noqa: SLF001 - no public twin
    for name in dataset.list_saved_views():
        if name.startswith(f"{eval_key}: "):
            dataset.delete_saved_view(name)
    for field in dataset.get_field_schema(embedded_doc_type=fo.Detections):
        for attribute in _attributes(eval_key):
            path = f"{field}.detections.{attribute}"
            if dataset.has_field(path):
                dataset.delete_sample_field(path)


def _attributes(eval_key: str) -> tuple[str, str]:
    return f"{eval_key}_error", f"{eval_key}_error_rank"


def _ranked(faults: Iterable[Fault]) -> Iterator[_Ranked]:
    """Count off the errors of each kind, and find the object each is written on."""
    counts: Counter[str] = Counter()
    for fault in faults:
        missed = fault.prediction_index is None
        index = fault.truth_index if missed else fault.prediction_index
        assert index is not None
        counts[fault.kind] += 1
        rank = counts[fault.kind]
        yield _Ranked(fault.image_id, str(fault.kind), rank, index, missed)


def _values(
    field: str,
    images: Sequence[ImageLabels],
    faults: Iterable[_Ranked],
    eval_key: str,
) -> ObjectValues:
    """Lay out kinds and ranks of one field as its objects stand."""
    kinds: list[list[Any]] = [[None] * len(image.detections) for image in images]
    places: list[list[Any]] = [[None] * len(image.detections) for image in images]
    rows = {image.image_id: row for row, image in enumerate(images)}
    for fault in faults:
        row = rows[fault.image_id]
        kinds[row][fault.index], places[row][fault.index] = fault.kind, fault.rank
    ids = [[d.id for d in image.detections] for image in images]
    columns = dict(zip(_attributes(eval_key), (kinds, places), strict=True))
    return ObjectValues(field, ids, columns)


def _declare(view: fo.SampleCollection, field: str, eval_key: str) -> None:
    dataset = view._root_dataset  # noqa: SLF001 - no public twin
    kind, rank = (f"{field}.detections.{name}" for name in _attributes(eval_key))
    dataset.add_sample_field(kind, fo.StringField)
    dataset.add_sample_field(rank, fo.IntField)


def _save(view: fo.SampleCollection, field: str, kind: str, eval_key: str) -> str:
    """Save the view of one kind, and give its name."""
    attribute, rank = _attributes(eval_key)
    name = f"{eval_key}: {kind}"
    shown = view.filter_labels(field, ViewField(attribute) == kind).sort_by(
        ViewField(f"{field}.detections.{rank}").min()
    )
    view._root_dataset.save_view(name, shown)  # noqa: SLF001 - no public twin
    return name
