"""FiftyOne datasets by name, with a sentence where there is none of that name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..coco.runs import parse_run
from ..errors import UsageError
from ..values import ImageLabels, Run
from .show import console

if TYPE_CHECKING:
    import fiftyone as fo


@dataclass(frozen=True, slots=True)
class LabelField:
    """The labels of one field, and the run that made them where that was recorded."""

    name: str
    images: Sequence[ImageLabels]
    run: Run | None


@dataclass(frozen=True, slots=True)
class Opened:
    """Truth and labels of the samples of a dataset that can judge.

    `classes` are all that occur in the truth of the dataset.
    """

    view: fo.SampleCollection
    truth: Sequence[ImageLabels]
    classes: tuple[str, ...]
    fields: tuple[LabelField, ...]


def open_dataset(name: str) -> fo.Dataset:
    """Load a FiftyOne dataset; raises `UsageError` where there is none of this name."""
    import fiftyone as fo

    if not fo.dataset_exists(name):
        known = ", ".join(fo.list_datasets()) or "none at all"
        raise UsageError(f"There is no dataset {name!r}; there are: {known}.")
    return fo.load_dataset(name)


def open_labels(
    dataset: str, truth: str, fields: Sequence[str], *, blank_is_empty: bool
) -> Opened:
    """Read truth and label fields of a dataset, and say which samples are left out.

    Raises `UsageError` where there is no such dataset or field, or nothing to judge by.
    """
    from ..labels.read import class_names, read_labels
    from ..labels.trusted import judging_samples

    whole = open_dataset(dataset)
    judging = judging_samples(whole, truth, blank_is_empty=blank_is_empty)
    for remark in judging.remarks(truth):
        console.print(f"  {remark}")
    return Opened(
        judging.view,
        read_labels(judging.view, truth),
        class_names(whole, truth),
        tuple(
            LabelField(name, read_labels(judging.view, name), _run(whole, name))
            for name in fields
        ),
    )


def _run(dataset: fo.Dataset, field: str) -> Run | None:
    from ..labels.runs import record_of_field

    record = record_of_field(dataset, field)
    return parse_run(record) if record else None
