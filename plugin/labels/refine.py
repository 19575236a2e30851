"""Boxes to masks by a model of the FiftyOne zoo (SAM family), asked for by name.

Nothing is downloaded, and nothing happens unless it was asked for: the field, its objects
and the record of the run say which model made the masks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import fiftyone as fo
import fiftyone.zoo as foz

from ..errors import UsageError
from .read import check_detections
from .write import check_field, sign_fields

_PROMPT = "box_prompt_field"
"""The name by which SAM models of FiftyOne take a field of boxes."""


@dataclass(frozen=True, slots=True)
class Refined:
    """How many objects got a mask, and how many kept their box alone."""

    with_mask: int
    without_mask: int


def find_model(name: str) -> Any:
    """Load a model of the zoo that is on this machine; raises `UsageError` where it is not."""
    if name not in foz.list_zoo_models():
        able = [n for n in foz.list_zoo_models() if n.startswith("segment-anything")]
        raise UsageError(
            f"The FiftyOne zoo has no model {name!r}; it has {', '.join(able)}."
        )
    try:
        return foz.load_zoo_model(name, download_if_necessary=False, error_level=0)
    except ValueError as error:
        raise UsageError(
            f"The model {name!r} is not on this machine, and nothing is downloaded "
            f"unasked. Fetch it: fiftyone zoo models download {name}"
        ) from error
    except (ImportError, OSError) as error:
        raise UsageError(
            f"The model {name!r} cannot run here: {' '.join(str(error).split())[:300]} "
            f"See: fiftyone zoo models requirements --print {name}"
        ) from error


def refine(view: fo.SampleCollection, field: str, target: str, name: str) -> Refined:
    """Copy a field of boxes into `target`, each with the mask that a model sees in it.

    An object for which the model gives no mask keeps its box alone. Raises `UsageError`
    before anything is written, for a model that is not there and for a field that holds
    labels from elsewhere.
    """
    check_detections(view, field)
    dataset = view._root_dataset  # noqa: SLF001 - no public twin
    if field == target:
        raise UsageError(
            "The boxes stay as they are: choose another field for the masks."
        )
    check_field(dataset, target)
    model = find_model(name)
    made = f"{target}_by_model"
    boxed = view.exists(field).match(fo.ViewField(f"{field}.detections").length() > 0)
    try:
        boxed.apply_model(model, label_field=made, **{_PROMPT: field})
        refined = _copy(view.exists(field), field, made, target, name)
    finally:
        if dataset.has_field(made):
            dataset.delete_sample_field(made)
    _record(dataset, field, target, name)
    return refined


def _copy(
    view: fo.SampleCollection, field: str, made: str, target: str, name: str
) -> Refined:
    """Put boxes and masks together, sample by sample."""
    dataset, copies, masked, bare = view._root_dataset, {}, 0, 0  # noqa: SLF001
    for sample in view.iter_samples():
        found = sample[field].detections
        masks = (
            sample[made].detections if sample.has_field(made) and sample[made] else ()
        )
        if len(masks) != len(found):  # whose is whose cannot be told
            masks = [None] * len(found)
        pairs = zip(found, masks, strict=True)
        kept = [_with_mask(one, mask, name) for one, mask in pairs]
        masked += sum(one.mask is not None for one in kept)
        bare += sum(one.mask is None for one in kept)
        copies[sample.id] = fo.Detections(detections=kept)
    if not dataset.has_field(target):
        dataset.add_sample_field(
            target, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
        )
    dataset.set_values(target, copies, key_field="id", dynamic=True)
    return Refined(masked, bare)


def _with_mask(
    found: fo.Detection, made: fo.Detection | None, name: str
) -> fo.Detection:
    """Copy an object, with the mask and the box of the other."""
    copy = found.copy()
    if made is not None and made.mask is not None and _meet(found, made):
        copy.mask = made.mask.astype(bool)
        copy.bounding_box = list(made.bounding_box)
        copy["mask_source"] = name
    return copy


def _meet(one: fo.Detection, other: fo.Detection) -> bool:
    """Tell whether two boxes share some place: else they are not of one object."""
    ax, ay, aw, ah = one.bounding_box
    bx, by, bw, bh = other.bounding_box
    return abs(ax + aw / 2 - bx - bw / 2) < (aw + bw) / 2 and (
        abs(ay + ah / 2 - by - bh / 2) < (ah + bh) / 2
    )


def _record(dataset: fo.Dataset, field: str, target: str, name: str) -> None:
    """Say in the field and in a run which model made the masks."""
    now = datetime.now(UTC)
    key = re.sub(r"\W", "_", f"refine_{target}_{now:%Y%m%d_%H%M%S}")
    sign_fields(dataset, [target], key)
    declared = dataset.get_field(target)
    declared.info = {**declared.info, "masks_by": name, "boxes_from": field}
    declared.save()
    config = dataset.init_run(
        method="gemini/refine", field=target, boxes_from=field, masks_by=name
    )
    dataset.register_run(key, config)
    dataset.reload()
