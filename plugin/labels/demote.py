"""What `promote` did, taken back: its copies, its marks, its tags, its record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import fiftyone as fo

from ..errors import UsageError
from .accepted import (
    BY,
    KEY,
    METHOD,
    REVIEW,
    SEAL,
    VERDICT,
    Document,
    in_place,
    is_own,
    objects_of,
    seal,
)
from .bulk import Change, change_samples, read_documents


@dataclass(frozen=True, slots=True)
class Undone:
    """What `undo_promotion` did; `kept` are objects that someone has edited since.

    `busy` counts samples that changed meanwhile and were left: undo again.
    """

    removed: int
    kept: int
    untagged: int
    busy: int


def undo_promotion(dataset: fo.Dataset, key: str) -> Undone:
    """Take back all that was promoted under a key, on all samples of the dataset.

    An object that was edited since (name, place or pixels) is somebody's work: it stays
    and counts as truth from now on. Truth that is empty then was none before, and is
    none again. Raises UsageError where nothing was accepted under the key.
    """
    runs = dataset.list_runs()
    info = dataset.get_run_info(key) if key in runs else None
    if info is None or info.config.method != METHOD:
        raise UsageError(f"Nothing was accepted under the name {key!r}.")
    field, truth = info.config.field, info.config.truth
    counts: Counter[str] = Counter()
    if dataset.has_field(field) and dataset.has_field(truth):
        changes = _changes(dataset, field, truth, key, counts)
        counts["busy"] = change_samples(dataset, changes)
    if not counts["busy"]:
        _forget(dataset, key, field, truth, created=info.config.created)
    return Undone(counts["removed"], counts["kept"], counts["untagged"], counts["busy"])


def _changes(
    dataset: fo.Dataset, field: str, truth: str, key: str, counts: Counter[str]
) -> Iterator[Change]:
    for sample in read_documents(dataset, (field, truth)):
        labels, held = objects_of(sample, field), objects_of(sample, truth)
        marked = any(label.get(KEY) == key for label in labels)
        own = any(is_own(one, key) for one in held)
        if not marked and not own:
            continue
        expected: Document = {}
        values: dict[str, Any] = {}
        gone: list[str] = []
        if own:
            expected |= in_place(truth, held)
            values |= _without_own(held, truth, key, counts)
        if marked:
            expected |= in_place(field, labels)
        for place, label in enumerate(labels):
            if label.get(KEY) == key:
                path = f"{field}.detections.{place}"
                gone += [f"{path}.{KEY}", f"{path}.{VERDICT}"]
                values |= _untagged(label, path, counts)
        yield Change(sample["_id"], expected, values, gone)


def _without_own(
    held: list[Document], truth: str, key: str, counts: Counter[str]
) -> dict[str, Any]:
    """Leave out what was put there; what was edited stays, as somebody's work."""
    left = []
    for one in held:
        if not is_own(one, key):
            left.append(one)
        elif one.get(SEAL) != seal(one):
            counts["kept"] += 1
            left.append({name: v for name, v in one.items() if name not in {BY, SEAL}})
        else:
            counts["removed"] += 1
    return {f"{truth}.detections": left} if left else {truth: None}


def _untagged(label: Document, path: str, counts: Counter[str]) -> dict[str, Any]:
    """Remove the tag that `promote` gave."""
    tags = label.get("tags") or []
    if label.get(VERDICT) != REVIEW or REVIEW not in tags:
        return {}
    counts["untagged"] += 1
    return {f"{path}.tags": [tag for tag in tags if tag != REVIEW]}


def _forget(
    dataset: fo.Dataset, key: str, field: str, truth: str, *, created: bool
) -> None:
    """Delete the record, and fields that hold nothing any more."""
    dataset.delete_run(key)
    path = f"{field}.detections.{KEY}"
    if dataset.has_field(path) and not dataset.count(path):
        for name in (KEY, VERDICT):
            dataset.delete_sample_field(f"{field}.detections.{name}")
    if created and dataset.has_field(truth) and not dataset.count(truth):
        dataset.delete_sample_field(truth)
