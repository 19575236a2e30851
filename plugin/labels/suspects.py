"""Possible mistakes of the truth into a dataset: marked objects, and a saved view.

Each object that runs agree on has its place in `suspect_rank` (1 is the surest), and
each sample the best one of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import fiftyone as fo
from fiftyone import ViewField

from ..values import ImageLabels
from .bulk import ObjectValues, declare, write_values
from .read import detection_fields

RANK = "suspect_rank"
VIEW = "possible mistakes of the truth"


class Suspected(Protocol):
    """An object the truth lacks: see `evaluation.Suspect`."""

    @property
    def image_id(self) -> str:
        """Id of the sample."""
        ...

    @property
    def members(self) -> Sequence[tuple[int, int]]:
        """The agreeing predictions: number of the field, place in its label."""
        ...


def save_suspects_view(
    view: fo.SampleCollection,
    fields: Mapping[str, Sequence[ImageLabels]],
    found: Sequence[Suspected],
) -> str:
    """Mark the objects of `found`, the surest first, and save a view of them.

    `fields` are what `read_labels` gave for this view, in the order of the runs. What
    an earlier call left goes away. Gives the name of the view.
    """
    dataset = view._root_dataset  # noqa: SLF001 - no public twin
    delete_suspects_view(dataset)
    marks = [f"{name}.detections.{RANK}" for name in fields]
    declare(dataset, {name: fo.IntField() for name in (*marks, RANK)})
    ranks: list[list[list[Any]]] = [
        [[None] * len(image.detections) for image in images]
        for images in fields.values()
    ]
    best: list[Any] = [None] * len(view)
    rows = {sample_id: row for row, sample_id in enumerate(view.values("id"))}
    for rank, suspect in enumerate(found, start=1):
        row = rows[suspect.image_id]
        best[row] = best[row] or rank
        for run, index in suspect.members:
            ranks[run][row][index] = rank
    objects = [
        ObjectValues(name, [[d.id for d in i.detections] for i in images], {RANK: rank})
        for (name, images), rank in zip(fields.items(), ranks, strict=True)
    ]
    write_values(view, objects, {RANK: best})
    dataset.save_view(VIEW, _shown(dataset, fields))
    return VIEW


def delete_suspects_view(dataset: fo.Dataset) -> None:
    """Remove what `save_suspects_view` made: the view and all marks."""
    if VIEW in dataset.list_saved_views():
        dataset.delete_saved_view(VIEW)
    marks = [f"{name}.detections.{RANK}" for name in detection_fields(dataset)]
    for name in (RANK, *marks):
        if dataset.has_field(name):
            dataset.delete_sample_field(name)


def _shown(dataset: fo.Dataset, fields: Mapping[str, object]) -> fo.DatasetView:
    """Show the marked objects alone, the sample with the surest first."""
    shown = dataset.exists(RANK)
    for name in fields:
        shown = shown.filter_labels(name, ViewField(RANK) > 0, only_matches=False)
    return shown.sort_by(RANK)
