"""Truth and prediction of each image, side by side, in the form IoU is computed on.

Everything here follows `pycocotools.COCO(truth).loadRes(predictions)` on the files that
`coco.write` makes: image order, areas, boxes in place of missing masks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..values import Detection, Frame, ImageLabels, Status
from .rles import Rles

MAX_DIGITS = 19


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """The objects of one image, in their listed order.

    `boxes_xywh_px` has shape [N, 4]; `masks` is None unless masks are compared, and
    encodes each when it is first asked for.
    """

    labels: tuple[str, ...]
    boxes_xywh_px: NDArray[np.float64]
    masks: Rles | None
    areas: tuple[float, ...]
    scores: tuple[float, ...]
    crowds: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """One image: what is true and what was said about it."""

    image_id: str
    frame: Frame
    status: Status
    truth: Objects
    predicted: Objects

    @property
    def is_answered(self) -> bool:
        """Whether Gemini answered about this image, be it with nothing."""
        return self.status.answers(len(self.predicted.labels))


def pair_up(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    *,
    with_masks: bool,
) -> list[Pair]:
    """Join truth and predictions by image id, in COCO's order of images.

    A truth without prediction is `skipped`. Raises UsageError when an image comes twice
    or has two sizes.
    """
    said = by_id(predicted, "predictions")
    return [
        _pair(labels, said.get(image_id), with_masks=with_masks)
        for image_id, labels in in_coco_order(by_id(truth, "truth"))
    ]


def by_id(images: Sequence[ImageLabels], name: str) -> dict[str, ImageLabels]:
    """Index images by id; raises UsageError when one comes twice."""
    found = {image.image_id: image for image in images}
    if len(found) != len(images):
        raise UsageError(f"An image comes twice in the {name}.")
    return found


def in_coco_order(
    images: Mapping[str, ImageLabels],
) -> list[tuple[str, ImageLabels]]:
    """Sort images by the id they get in a COCO file: it decides ties between images.

    Whole numbers are kept as ids; others are numbered in the order they are listed.
    """
    if all(_is_whole(image_id) for image_id in images):
        return sorted(images.items(), key=lambda entry: int(entry[0]))
    return list(images.items())


def _is_whole(image_id: str) -> bool:
    digits = image_id.isascii() and image_id.isdigit() and len(image_id) < MAX_DIGITS
    return digits and str(int(image_id)) == image_id


def _pair(truth: ImageLabels, said: ImageLabels | None, *, with_masks: bool) -> Pair:
    detections = said.detections if said else ()
    if said and detections and said.frame != truth.frame:
        raise UsageError(
            f"Image {truth.image_id} is {truth.frame.width} x {truth.frame.height} "
            f"pixels in the truth, but {said.frame.width} x {said.frame.height} in the "
            "predictions."
        )
    return Pair(
        truth.image_id,
        truth.frame,
        said.status if said else Status.SKIPPED,
        _objects(truth.detections, truth.frame, _true_area, with_masks=with_masks),
        _objects(detections, truth.frame, _box_area, with_masks=with_masks),
    )


def _objects(
    detections: Sequence[Detection],
    frame: Frame,
    area: Callable[[Detection], float],
    *,
    with_masks: bool,
) -> Objects:
    boxes = [detection.box.xywh_px for detection in detections]
    return Objects(
        tuple(detection.label for detection in detections),
        np.array(boxes, np.float64).reshape(-1, 4),
        Rles(detections, frame) if with_masks else None,
        tuple(area(detection) for detection in detections),
        tuple(_score(detection) for detection in detections),
        tuple(detection.is_crowd for detection in detections),
    )


def _score(detection: Detection) -> float:
    return 1.0 if detection.confidence is None else float(detection.confidence)


def _true_area(detection: Detection) -> float:
    if detection.area is not None:
        return float(detection.area)
    if detection.mask is not None:
        return float(detection.mask.area)
    return _box_area(detection)


def _box_area(detection: Detection) -> float:
    """Give the area of the box, by which COCO sizes every prediction with a box."""
    return float(detection.box.width * detection.box.height)
