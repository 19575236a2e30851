"""Labels into the frames of a video sample, in one go and without opening the video.

FiftyOne's own way, `sample.frames[n] = ...; sample.save()`, makes an object of every frame
and label. What is private of FiftyOne stands here and in `bulk`; where it is not to be had,
that way is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import fiftyone as fo
from bson import ObjectId
from pymongo import UpdateMany, UpdateOne


def write_frames(
    dataset: fo.Dataset,
    sample_id: str,
    field: str,
    documents: Mapping[int, dict[str, Any]],
) -> None:
    """Set a field of the frames of one sample, by their numbers; the field is declared.

    Frames that are not named, and have labels of an earlier run there, lose them.
    """
    collection = getattr(dataset, "_frame_collection", None)
    if collection is None or not hasattr(fo.Frame, "_reload_docs"):
        _write_slowly(dataset, sample_id, field, documents)
        return
    now = datetime.now(UTC).replace(tzinfo=None)
    sample = ObjectId(sample_id)
    first = {"_dataset_id": dataset._doc.id, "created_at": now}  # noqa: SLF001
    updates: list[UpdateMany | UpdateOne] = [
        UpdateMany(
            {
                "_sample_id": sample,
                "frame_number": {"$nin": list(documents)},
                field: {"$ne": None},
            },
            {"$set": {field: None, "last_modified_at": now}},
        )
    ]
    updates += [
        UpdateOne(
            {"_sample_id": sample, "frame_number": number},
            {
                "$set": {field: document, "last_modified_at": now},
                "$setOnInsert": first,
            },
            upsert=True,
        )
        for number, document in documents.items()
    ]
    collection.bulk_write(updates, ordered=False)
    fo.Frame._reload_docs(collection.name, sample_ids=[sample_id])  # noqa: SLF001


def _write_slowly(
    dataset: fo.Dataset,
    sample_id: str,
    field: str,
    documents: Mapping[int, dict[str, Any]],
) -> None:
    sample = dataset[sample_id]
    for number, frame in sample.frames.items():
        if number not in documents:
            frame[field] = None
    for number, document in documents.items():
        sample.frames[number][field] = fo.Detections.from_dict(document)
    sample.save()
