"""Instance masks to one label for each pixel: a full-frame `Segmentation`, free of cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..values import Detection, Frame, Mask
from .read import check_detections, read_labels
from .write import check_column, sign_fields

MOST_CLASSES = 65_535
NAMELESS = "unlabelled"
_SMALL = 255


@dataclass(frozen=True, slots=True)
class Flattened:
    """What came of it: samples painted, classes by their pixel value, objects left out."""

    samples: int
    classes: Mapping[int, str]
    without_mask: int


def flatten(
    view: fo.SampleCollection, field: str, target: str, folder: Path
) -> Flattened:
    """Paint the masks of a `Detections` field into PNG files, one for each sample.

    The new field `target` points to them; its `mask_targets` name the classes, which keep
    their values when this is done again, and 0 is none. Where objects overlap, the one with
    fewer pixels is on top. Objects without a mask are left out and counted. Raises
    `UsageError` for a target that was not written here, or when there is no mask at all.
    """
    check_detections(view, field)
    dataset = view._root_dataset  # noqa: SLF001 - no public twin
    check_column(dataset, target, fo.Segmentation)
    labels = [one for one in read_labels(view, field) if one.status.answers(1)]
    found = [d for one in labels for d in one.detections]
    bare = sum(d.mask is None for d in found)
    if bare == len(found):
        raise UsageError(
            f"No object of {field!r} has a mask: label with the task segment, or refine "
            "the boxes first."
        )
    values = _numbered((d for d in found if d.mask), dataset.mask_targets.get(target))
    folder.mkdir(parents=True, exist_ok=True)
    painted = {}
    for one in labels:
        path = folder / f"{one.image_id}.png"
        pixels = paint(one.detections, one.frame, values)
        fo.Segmentation(mask=pixels).export_mask(str(path))
        painted[one.image_id] = fo.Segmentation(mask_path=str(path.resolve()))
    _keep(dataset, target, painted, values, field)
    return Flattened(len(painted), {n: name for name, n in values.items()}, bare)


def paint(
    detections: Iterable[Detection], frame: Frame, values: Mapping[str, int]
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Give the value of each pixel, `[height, width]`: the smallest object is on top."""
    kind = np.uint8 if max(values.values()) <= _SMALL else np.uint16
    pixels = np.zeros((frame.height, frame.width), kind)
    masked = [(d.mask, values[d.label or NAMELESS]) for d in detections if d.mask]
    for mask, value in sorted(masked, key=lambda each: -int(each[0].crop.sum())):
        _lay(pixels, mask, value)
    return pixels


def _lay(
    pixels: NDArray[np.uint8] | NDArray[np.uint16], mask: Mask, value: int
) -> None:
    """Paint one mask."""
    height, width = mask.crop.shape
    part = pixels[mask.y : mask.y + height, mask.x : mask.x + width]
    part[mask.crop[: part.shape[0], : part.shape[1]]] = value


def _numbered(
    detections: Iterable[Detection], known: Mapping[int, str] | None
) -> dict[str, int]:
    """Give each class a value; those that have one keep it."""
    values = {name: int(value) for value, name in (known or {}).items()}
    names = {detection.label or NAMELESS for detection in detections}
    for name in sorted(names - values.keys()):
        values[name] = max(values.values(), default=0) + 1
    if max(values.values()) > MOST_CLASSES:
        raise UsageError(f"{len(values)} classes are more than a PNG can tell apart.")
    return values


def _keep(
    dataset: fo.Dataset,
    target: str,
    painted: Mapping[str, fo.Segmentation],
    values: Mapping[str, int],
    field: str,
) -> None:
    """Write the field and the names of its values."""
    if not dataset.has_field(target):
        dataset.add_sample_field(
            target, fo.EmbeddedDocumentField, embedded_doc_type=fo.Segmentation
        )
    dataset.set_values(target, painted, key_field="id")
    sign_fields(dataset, [target], f"flattened from {field}")
    dataset.mask_targets[target] = {value: name for name, value in values.items()}
    dataset.save()
