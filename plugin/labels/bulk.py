"""Many attributes of many objects into a dataset, in one update per sample.

FiftyOne has no public call for it: its `set_values` writes one field after the other,
and each time goes through all objects. What is private of FiftyOne stands in this file;
where it is not to be had, or the samples are not as they were read, `set_values` writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import fiftyone as fo
from bson import ObjectId
from pymongo import UpdateOne


@dataclass(frozen=True, slots=True)
class ObjectValues:
    """Attributes for the objects of one `Detections` field, listed [sample][object].

    `ids` are those of the objects; every list of `columns` has their shape.
    """

    field: str
    ids: Sequence[Sequence[str]]
    columns: Mapping[str, Sequence[Sequence[Any]]]


def write_values(
    view: fo.SampleCollection,
    objects: Sequence[ObjectValues],
    samples: Mapping[str, Sequence[Any]],
) -> None:
    """Set attributes of objects and fields of samples, all in the order of a view.

    The fields must be declared. A value is what MongoDB holds: text, number, None.
    """
    if not _write_at_once(view, objects, samples):
        _write_by_field(view, objects, samples)


def _write_at_once(
    view: fo.SampleCollection,
    objects: Sequence[ObjectValues],
    samples: Mapping[str, Sequence[Any]],
) -> bool:
    """Write one update per sample; False when any did not find its objects in place."""
    dataset = view._dataset  # noqa: SLF001 - no public twin
    collection = getattr(dataset, "_sample_collection", None)
    reload = getattr(fo.Sample, "_reload_docs", None)
    if collection is None or reload is None or view._is_generated:  # noqa: SLF001
        return False
    ids = view.values("id")
    updates = list(_updates(ids, objects, samples))
    if not updates:
        return True
    done = collection.bulk_write(updates, ordered=False)
    reload(collection.name, sample_ids=ids)
    return bool(done.matched_count == len(updates))


def _updates(
    sample_ids: Sequence[str],
    objects: Sequence[ObjectValues],
    samples: Mapping[str, Sequence[Any]],
) -> Iterator[UpdateOne]:
    """Address objects by place, and only where each still has its id there."""
    now = datetime.now(UTC).replace(tzinfo=None)
    for row, sample_id in enumerate(sample_ids):
        where: dict[str, Any] = {"_id": ObjectId(sample_id)}
        values: dict[str, Any] = {"last_modified_at": now}
        values |= {name: column[row] for name, column in samples.items()}
        for group in objects:
            columns = [(name, column[row]) for name, column in group.columns.items()]
            for place, object_id in enumerate(group.ids[row]):
                path = f"{group.field}.detections.{place}"
                where[f"{path}._id"] = ObjectId(object_id)
                for name, column in columns:
                    values[f"{path}.{name}"] = column[place]
        yield UpdateOne(where, {"$set": values})


def _write_by_field(
    view: fo.SampleCollection,
    objects: Sequence[ObjectValues],
    samples: Mapping[str, Sequence[Any]],
) -> None:
    for group in objects:
        for name, column in group.columns.items():
            view.set_values(f"{group.field}.detections.{name}", list(column))
    for name, values in samples.items():
        view.set_values(name, list(values))
