"""The masks of one image in the form that both engines compare, made when needed.

Of most predictions the pixels are never looked at: where an image has no true object of
the class, there is nothing to compare them with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from pycocotools import mask as coco_mask

from ..coco.rle import mask_to_rle
from ..values import Box, Detection, Frame, JsonValue

RleDict: TypeAlias = dict[str, JsonValue]
"""`{"size": [height, width], "counts": compressed}`, as both engines read it."""


class Rles:
    """The masks of some objects of one image; one without a mask is its filled box."""

    __slots__ = ("_detections", "_frame", "_made")

    def __init__(self, detections: Sequence[Detection], frame: Frame) -> None:
        self._detections = detections
        self._frame = frame
        self._made: dict[int, RleDict] = {}

    def __getitem__(self, index: int) -> RleDict:
        """Give a mask by the place of its object, encoded once."""
        made = self._made.get(index)
        if made is None:
            made = self._made[index] = _rle(self._detections[index], self._frame)
        return made


def blank(frame: Frame) -> RleDict:
    """Give a mask without pixels, for an object that is compared with nothing."""
    pixels: JsonValue = [frame.height, frame.width]
    runs = {"size": pixels, "counts": [frame.width * frame.height]}
    packed = coco_mask.frPyObjects(runs, frame.height, frame.width)
    return {"size": pixels, "counts": packed["counts"].decode("ascii")}


def box_outline(box: Box) -> list[float]:
    """Write a box as the polygon that `loadRes` makes of it: x, y of four corners."""
    x0, y0, x1, y1 = box.xyxy_px
    return [x0, y0, x0, y1, x1, y1, x1, y0]


def _rle(detection: Detection, frame: Frame) -> RleDict:
    """Encode the mask for the whole frame; without mask, the box filled."""
    if detection.mask is not None:
        rle = mask_to_rle(detection.mask, frame)
        return {"size": [rle.height, rle.width], "counts": rle.counts}
    outline = [box_outline(detection.box)]
    filled = coco_mask.frPyObjects(outline, frame.height, frame.width)[0]
    return {
        "size": [frame.height, frame.width],
        "counts": filled["counts"].decode("ascii"),
    }
