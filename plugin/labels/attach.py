"""`ImageLabels` of a file into a new field of samples that are there already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import fiftyone as fo

from ..errors import UsageError
from ..records import run_record
from ..values import ImageLabels, Run
from .convert import to_fiftyone
from .read import COCO_ID
from .write import MADE_BY


@dataclass(frozen=True, slots=True)
class Attached:
    """How many images of a file found their sample, and by what."""

    samples: int
    objects: int
    unknown: int
    by: str


def attach_labels(
    samples: fo.SampleCollection,
    images: Sequence[ImageLabels],
    field: str,
    run: Run | None = None,
) -> Attached:
    """Write labels to a new field; images find their samples by id, else by file name.

    Ids are those of `coco_id`, where every image of the file is there. `run` made the
    labels, and its record is kept. Raises `UsageError` for a field that exists, and where no image is known.
    """
    dataset = samples._root_dataset  # noqa: SLF001 - no public twin
    if dataset.has_field(field) or not field.isidentifier():
        raise UsageError(f"The field {field!r} exists, or cannot be one: name another.")
    by, found = _find(samples, images)
    if not found:
        raise UsageError("No picture of the file is among the samples.")
    labels = {found[n]: to_fiftyone(i.detections, i.frame) for n, i in enumerate(images) if n in found}  # fmt: skip
    dataset.set_values(field, labels, key_field="id")
    if run is not None:
        _keep_record(dataset, field, run)
    objects = sum(len(images[n].detections) for n in found)
    return Attached(len(found), objects, len(images) - len(found), by)


def _find(
    samples: fo.SampleCollection, images: Sequence[ImageLabels]
) -> tuple[str, dict[int, str]]:
    """Give the sample id of each image, by its place in the file."""
    ids, paths = samples.values(["id", "filepath"])
    if samples.has_field(COCO_ID):
        known = dict(zip(map(str, samples.values(COCO_ID)), ids, strict=True))
        wanted = [image.image_id for image in images]
        if all(one in known for one in wanted):
            return COCO_ID, {n: known[one] for n, one in enumerate(wanted)}
    names = [PurePath(path).name for path in paths]
    counts = Counter(names)
    known = {n: i for n, i in zip(names, ids, strict=True) if counts[n] == 1}
    found = ((n, known.get(PurePath(i.path).name)) for n, i in enumerate(images))
    return "file name", {n: sample for n, sample in found if sample is not None}


def _keep_record(dataset: fo.Dataset, field: str, run: Run) -> None:
    key = f"{field}_imported"
    method = f"gemini/{run.question.task}"
    config = dataset.init_run(method=method, field=field, **run_record(run))
    dataset.register_run(key, config, overwrite=True)
    kept = dataset.get_field(field)
    kept.info = {"made_by": MADE_BY, "run": key}
    kept.save()
