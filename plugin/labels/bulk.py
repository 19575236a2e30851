"""What FiftyOne does one by one, done in bulk: fields, objects, results of a run.

FiftyOne has no public call for it: its `set_values` writes one field after the other,
and each time goes through all objects. What is private of FiftyOne stands in this file;
where it is not to be had, or the samples are not as they were read, the public calls
write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import fiftyone as fo
import orjson
from bson import ObjectId
from pymongo import UpdateOne

PART = 500
"""Samples that are changed at once."""


def declare(dataset: fo.Dataset, fields: Mapping[str, fo.Field]) -> None:
    """Declare fields, by their paths, in one go where that is to be had."""
    at_once = getattr(dataset, "_merge_sample_field_schema", None)
    if at_once is not None:
        at_once(fields)
        return
    for path, kind in fields.items():
        dataset.add_sample_field(path, type(kind))


def save_results(
    view: fo.SampleCollection, method: Any, key: str, results: Any
) -> None:
    """Store the results of a registered run, as its `save_run_results` does.

    That one goes through every number of the curves in Python, twice.
    """
    document_of = getattr(method, "_get_run_doc", None)
    cache_field = getattr(method, "_results_cache_field", None)
    if document_of is None or cache_field is None:
        method.save_run_results(view, key, results)
        return
    document = document_of(view, key)
    packed = orjson.dumps(results.serialize(), option=orjson.OPT_SERIALIZE_NUMPY)
    document.results.put(packed, content_type="application/json")
    document.results_meta = dict(results.get_meta() or {})
    getattr(view._root_dataset, cache_field())[key] = results  # noqa: SLF001
    document.save()


@dataclass(frozen=True, slots=True)
class ObjectValues:
    """Attributes for the objects of one `Detections` field, listed [sample][object].

    `ids` are those of the objects; every list of `columns` has their shape.
    """

    field: str
    ids: Sequence[Sequence[str]]
    columns: Mapping[str, Sequence[Sequence[Any]]]


def write_sample(
    dataset: fo.Dataset, sample_id: str, values: Mapping[str, Any]
) -> None:
    """Set fields of one sample, all of them or none; the fields must be declared.

    A value is a document as `label.to_dict()` gives it, or a text, number, None.
    """
    collection = _collection(dataset)
    if collection is not None:
        changes = {"$set": {**values, **_now()}}
        collection.update_one({"_id": ObjectId(sample_id)}, changes)
        fo.Sample._reload_docs(collection.name, sample_ids=[sample_id])  # noqa: SLF001
        return
    for name, value in values.items():
        known = isinstance(value, dict)
        value_of = {sample_id: _revived(value) if known else value}
        dataset.set_values(name, value_of, key_field="id", expand_schema=False)


def write_object(
    dataset: fo.Dataset,
    sample_id: str,
    inner: str,
    object_id: str,
    values: Mapping[str, Any],
) -> None:
    """Set attributes of one object of a list (`field.detections`); all or none of them."""
    collection = _collection(dataset)
    if collection is not None:
        where = {"_id": ObjectId(sample_id), f"{inner}._id": ObjectId(object_id)}
        changes = {f"{inner}.$.{name}": value for name, value in values.items()}
        collection.update_one(where, {"$set": {**changes, **_now()}})
        fo.Sample._reload_docs(collection.name, sample_ids=[sample_id])  # noqa: SLF001
        return
    for name, value in values.items():
        dataset.set_label_values(f"{inner}.{name}", {object_id: value})


def _revived(document: dict[str, Any]) -> Any:
    """Make the label or metadata again that a document was written from."""
    return getattr(fo, document["_cls"]).from_dict(document)


def _collection(view: fo.SampleCollection) -> Any:
    """Give the samples in MongoDB; None where they are not what the view shows."""
    if view._is_generated or not hasattr(fo.Sample, "_reload_docs"):  # noqa: SLF001
        return None
    return getattr(view._dataset, "_sample_collection", None)  # noqa: SLF001


def _now() -> dict[str, datetime]:
    return {"last_modified_at": datetime.now(UTC).replace(tzinfo=None)}


def read_documents(
    view: fo.SampleCollection, fields: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Read fields of samples as MongoDB keeps them, with the `_id` of each sample."""
    wanted = dict.fromkeys(("_id", *fields), True)
    return iter(view._aggregate(pipeline=[{"$project": wanted}]))  # noqa: SLF001


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one sample, made only where it is still `expected`.

    `values` are set; the paths of `gone` are removed; `more` is added to lists.
    """

    sample_id: ObjectId
    expected: Mapping[str, Any]
    values: Mapping[str, Any]
    gone: Sequence[str] = ()
    more: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def update(self) -> UpdateOne:
        """Write the change for MongoDB."""
        parts: dict[str, Any] = {"$set": {**self.values, **_now()}}
        if self.gone:
            parts["$unset"] = dict.fromkeys(self.gone, "")
        if self.more:
            parts["$push"] = {path: {"$each": each} for path, each in self.more.items()}
        return UpdateOne({"_id": self.sample_id, **self.expected}, parts)


def change_samples(dataset: fo.Dataset, changes: Iterable[Change]) -> int:
    """Make changes; gives how many samples were not as expected, and stay as they are.

    Samples in memory are read anew.
    """
    collection, missed = dataset._sample_collection, 0  # noqa: SLF001
    for part in _parts(changes):
        updates = [change.update() for change in part]
        done = collection.bulk_write(updates, ordered=False)
        missed += len(part) - done.matched_count
        ids = [str(change.sample_id) for change in part]
        fo.Sample._reload_docs(collection.name, sample_ids=ids)  # noqa: SLF001
    return missed


def _parts(changes: Iterable[Change]) -> Iterator[list[Change]]:
    left = iter(changes)
    while part := list(islice(left, PART)):
        yield part


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
    collection = _collection(view)
    if collection is None:
        return False
    ids = view.values("id")
    updates = list(_updates(ids, objects, samples))
    if not updates:
        return True
    done = collection.bulk_write(updates, ordered=False)
    fo.Sample._reload_docs(collection.name, sample_ids=ids)  # noqa: SLF001
    return bool(done.matched_count == len(updates))


def _updates(
    sample_ids: Sequence[str],
    objects: Sequence[ObjectValues],
    samples: Mapping[str, Sequence[Any]],
) -> Iterator[UpdateOne]:
    """Address objects by place, and only where each still has its id there."""
    now = _now()
    for row, sample_id in enumerate(sample_ids):
        where: dict[str, Any] = {"_id": ObjectId(sample_id)}
        values: dict[str, Any] = {**now}
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
