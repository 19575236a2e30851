"""Corrections that a person makes to the labels of a field, told from what Gemini said.

Each label is sealed before (a sum of its name, place and pixels), and each sample keeps
the ids of its labels: what differs afterwards was changed, added or removed by someone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import fiftyone as fo
from fiftyone import ViewField

from ..errors import UsageError
from .accepted import Document, in_place, objects_of, seal
from .bulk import Change, change_samples, declare, read_documents

SEAL, STATE = "review_seal", "review_state"
UNTOUCHED, CHANGED, ADDED = "untouched", "changed", "added"
HIDDEN = (
    *(SEAL, STATE, "accept_key", "accept_verdict", "suspect_rank"),
    *("confidence_source", "mask_path", "index"),
)
"""Attributes that nobody should edit by hand."""


@dataclass(frozen=True, slots=True)
class Review:
    """What people did with labels; `view` is the saved view of what they corrected."""

    untouched: int
    changed: int
    added: int
    removed: int
    samples: int
    view: str


def ids_field(field: str) -> str:
    """Name the field with the ids of the labels as they were."""
    return f"{field}_review_ids"


def seal_labels(samples: fo.SampleCollection, field: str) -> int:
    """Seal the labels of a field that have no seal yet; gives their number."""
    dataset = samples._root_dataset  # noqa: SLF001 - no public twin
    kept = ids_field(field)
    names = {f"{field}.detections.{n}": fo.StringField() for n in (SEAL, STATE)}
    declare(dataset, names | {kept: fo.ListField(fo.StringField())})
    counts: Counter[str] = Counter()
    change_samples(dataset, _sealing(samples, field, counts))
    return counts["sealed"]


def _sealing(
    samples: fo.SampleCollection, field: str, counts: Counter[str]
) -> Iterator[Change]:
    kept = ids_field(field)
    for sample in read_documents(samples, (field, kept)):
        held = objects_of(sample, field)
        if not held or sample.get(kept) is not None:
            continue
        path = f"{field}.detections"
        values = {f"{path}.{n}.{SEAL}": seal(one) for n, one in enumerate(held)}
        counts["sealed"] += len(held)
        ids = {kept: [str(one["_id"]) for one in held]}
        yield Change(sample["_id"], in_place(field, held), values | ids)


def count_review(samples: fo.SampleCollection, field: str) -> Review:
    """Compare the labels of a field with their seals, and mark each with its state."""
    dataset = samples._root_dataset  # noqa: SLF001 - no public twin
    if not dataset.has_field(ids_field(field)):
        raise UsageError(
            f"{field!r} was not opened for review, so that nobody knows how its labels "
            "were before."
        )
    counts: Counter[str] = Counter()
    change_samples(dataset, _marking(samples, field, counts))
    name = f"{field}: corrected"
    corrected = dataset.filter_labels(field, ViewField(STATE).is_in([CHANGED, ADDED]))
    dataset.save_view(name, corrected, overwrite=True)
    return Review(
        untouched=counts[UNTOUCHED],
        changed=counts[CHANGED],
        added=counts[ADDED],
        removed=counts["removed"],
        samples=counts["samples"],
        view=name,
    )


def _marking(
    samples: fo.SampleCollection, field: str, counts: Counter[str]
) -> Iterator[Change]:
    kept, path = ids_field(field), f"{field}.detections"
    for sample in read_documents(samples, (field, kept)):
        before = sample.get(kept)
        if before is None:
            continue
        held = objects_of(sample, field)
        states = [_state(one, before) for one in held]
        removed = set(before) - {str(one["_id"]) for one in held}
        counts.update(states)
        counts["removed"] += len(removed)
        counts["samples"] += bool(removed) or set(states) - {UNTOUCHED} != set()
        values = {f"{path}.{n}.{STATE}": state for n, state in enumerate(states)}
        if values:
            yield Change(sample["_id"], in_place(field, held), values)


def _state(found: Document, before: list[str]) -> str:
    if str(found["_id"]) not in before:
        return ADDED
    return UNTOUCHED if found.get(SEAL) == seal(found) else CHANGED


def show_in_annotate_tab(
    samples: fo.SampleCollection, field: str, classes: tuple[str, ...]
) -> None:
    """Describe a field to the App's Annotate tab: its classes, and nothing of ours."""
    dataset = samples._root_dataset  # noqa: SLF001 - no public twin
    schema = dataset.generate_label_schemas(field)
    known = dict.fromkeys([*schema.get("classes", ()), *classes])
    if known:
        schema["classes"] = sorted(known)
    schema["attributes"] = [
        one
        for one in schema.get("attributes", ())
        if not _is_ours(dataset, one["name"])
    ]
    dataset.update_label_schema(field, schema)
    dataset.activate_label_schemas([field])


def _is_ours(dataset: fo.Dataset, name: str) -> bool:
    """Tell whether an attribute is ours, or the verdict of an evaluation."""
    keys = dataset.list_evaluations()
    return name in HIDDEN or any(name.startswith(key) for key in keys)
