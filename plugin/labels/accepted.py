"""What stands on a label that was accepted unseen: on itself, and on its copy.

The label keeps `accept_key` (under which it was looked at) and `accept_verdict`; where
the verdict is `review` it is tagged so. Its copy in the truth carries its provenance.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import fiftyone as fo
from bson import ObjectId

from .bulk import declare

METHOD = "gemini/accept"
REVIEW = "review"
"""The tag of labels that did not pass."""
KEY, VERDICT = "accept_key", "accept_verdict"
BY, FROM, SEAL = "accepted_by", "accepted_from", "accepted_seal"
COPIED = (
    *("_cls", "label", "bounding_box", "mask", "mask_path"),
    *("confidence", "iscrowd", "area", "attributes"),
)
"""What a copy has of its label: verdicts of evaluations stay behind."""

Document = dict[str, Any]
"""A sample or an object as MongoDB keeps it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which labelling run made the labels; empty where that was not recorded."""

    run: str = ""
    model: str = ""


def objects_of(sample: Document, field: str) -> list[Document]:
    """Give the objects of one field; none where the sample has no label there."""
    return (sample.get(field) or {}).get("detections") or []


def copy_of(label: Document, key: str, origin: Origin, rule: str) -> Document:
    """Make the copy of a label that goes into the truth, sealed."""
    made = {name: label[name] for name in COPIED if name in label}
    made |= {
        "_id": ObjectId(),
        "tags": [],
        BY: key,
        FROM: str(label["_id"]),
        "accepted_run": origin.run,
        "accepted_model": origin.model,
        "accepted_rule": rule,
    }
    return made | {SEAL: seal(made)}


def seal(found: Document) -> str:
    """Sum up what a person could have edited: name, place and pixels of an object.

    Pixels are summed unpacked: FiftyOne packs them anew when it saves a sample.
    """
    mask = found.get("mask")
    pixels = zlib.decompress(mask) if isinstance(mask, bytes) else b""
    box = [float(edge) for edge in found.get("bounding_box") or ()]
    name = repr((found.get("label"), box, found.get("mask_path")))
    return sha256(name.encode() + pixels).hexdigest()


def is_own(found: Document, key: str) -> bool:
    """Tell whether an object was put there under a key."""
    return bool(found.get(BY) == key)


def declare_marks(dataset: fo.Dataset, field: str, truth: str) -> None:
    """Declare all that is written, so that the App and views know of it."""
    labels = {f"{field}.detections.{name}": fo.StringField() for name in (KEY, VERDICT)}
    names = (BY, FROM, SEAL, "accepted_run", "accepted_model", "accepted_rule")
    copies = {f"{truth}.detections.{name}": fo.StringField() for name in names}
    declare(dataset, labels | copies)


def in_place(field: str, found: Sequence[Document]) -> Document:
    """Give the condition that a field still has just these objects."""
    path = f"{field}.detections"
    where: Document = {path: {"$size": len(found)}}
    return where | {f"{path}.{n}._id": entry["_id"] for n, entry in enumerate(found)}
