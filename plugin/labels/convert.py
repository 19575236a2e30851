"""Detections of the vocabulary to and from FiftyOne's.

A FiftyOne box is `[left, top, width, height]` in fractions of the picture; its mask
covers the box and may have any size. Ours has the size of the box in whole pixels.
"""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from typing import Any
from zlib import compress, decompress

import fiftyone as fo
import numpy as np
from bson import Binary
from numpy.typing import NDArray

from ..values import BoolArray, Box, Detection, Frame, Mask

_BOOL_FILE = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '\|b1', 'fortran_order': False, "
    rb"'shape': \((\d+), (\d+)\), \} *\n",
    re.DOTALL,
)
"""The head of a NumPy file of booleans, [height, width]: `np.load` is slow to read it."""
LABEL_LIMIT = 200
"""Characters of a label that are kept: a reply may hold any text."""


def to_fiftyone(detections: tuple[Detection, ...], frame: Frame) -> fo.Detections:
    """Turn the detections of one picture into a FiftyOne label."""
    return fo.Detections(detections=[_to_fiftyone(d, frame) for d in detections])


def to_document(detections: tuple[Detection, ...], frame: Frame) -> dict[str, Any]:
    """Give `to_fiftyone` as MongoDB keeps it, in a third of the time.

    A mask never enters a FiftyOne object, which would compare and copy it, and is
    deflated at the fastest level; FiftyOne reads every level.
    """
    bare = tuple(replace(detection, mask=None) for detection in detections)
    document: dict[str, Any] = to_fiftyone(bare, frame).to_dict()
    for entry, detection in zip(document["detections"], detections, strict=True):
        if detection.mask is not None:
            pixels = over_box(detection.mask, detection.box, frame)
            entry["mask"] = Binary(pack_mask(pixels))
    return document


def pack_mask(pixels: BoolArray) -> bytes:
    """Pack a mask as FiftyOne keeps it: a deflated NumPy file."""
    file = BytesIO()
    np.lib.format.write_array(file, pixels, version=(1, 0), allow_pickle=False)
    return compress(file.getvalue(), level=1)


def unpack_mask(packed: bytes) -> NDArray[Any]:
    """Unpack a mask as FiftyOne keeps it, of whichever type."""
    data = decompress(packed)
    plain = _BOOL_FILE.match(data)
    if plain is None:
        found: NDArray[Any] = np.load(BytesIO(data), allow_pickle=False)
        return found
    height, width = int(plain[1]), int(plain[2])
    pixels = np.frombuffer(data, np.uint8, height * width, plain.end())
    return pixels.reshape(height, width)


def _to_fiftyone(detection: Detection, frame: Frame) -> fo.Detection:
    attributes: dict[str, Any] = dict(detection.attributes)
    if detection.mask is not None:
        attributes["mask"] = over_box(detection.mask, detection.box, frame)
    if detection.confidence is not None:
        attributes["confidence"] = detection.confidence
    attributes |= source_of(detection.confidence_source)
    if detection.is_crowd:
        attributes["iscrowd"] = True
    if detection.area is not None:
        attributes["area"] = detection.area
    return fo.Detection(
        label=detection.label[:LABEL_LIMIT],
        bounding_box=list(detection.box.xywh_rel(frame)),
        **attributes,
    )


def source_of(confidence_source: str) -> dict[str, str]:
    """Give the attribute that says where a confidence comes from, if that is known."""
    return {"confidence_source": confidence_source} if confidence_source else {}


def box_from_rel(box_xywh_rel: list[float], frame: Frame) -> Box:
    """Turn a FiftyOne box into pixels, to the millionth: what the division cost."""
    x, y, w, h = box_xywh_rel
    return Box(
        round(x * frame.width, 6),
        round(y * frame.height, 6),
        round(w * frame.width, 6),
        round(h * frame.height, 6),
    )


def mask_in_box(mask: BoolArray, box: Box, frame: Frame) -> Mask:
    """Place the mask of a FiftyOne detection in the picture.

    The box is snapped to whole pixels, at least one each way and inside the frame; a
    mask of another size is resampled to it (nearest pixel).
    """
    x, y, width, height = snapped(box, frame)
    return Mask(x, y, _resampled(np.asarray(mask) > 0, height, width))


def over_box(mask: Mask, box: Box, frame: Frame) -> BoolArray:
    """Give the pixels of a mask in its box, snapped as by `mask_in_box`.

    The masks of a COCO file may be smaller than their boxes, and reach out of them by a
    part of a pixel or more: what lies outside has no place in FiftyOne, and is lost.
    """
    x, y, width, height = snapped(box, frame)
    rows, columns = mask.crop.shape
    if (x, y, width, height) == (mask.x, mask.y, columns, rows):
        return np.ascontiguousarray(mask.crop, dtype=bool)
    over = np.zeros((height, width), np.bool_)
    right, down = mask.x - x, mask.y - y
    inside = mask.crop[max(-down, 0) :, max(-right, 0) :]
    target = over[max(down, 0) :, max(right, 0) :]
    rows = min(len(inside), len(target))
    columns = min(inside.shape[1], target.shape[1])
    target[:rows, :columns] = inside[:rows, :columns]
    return over


def snapped(box: Box, frame: Frame) -> tuple[int, int, int, int]:
    """Round a box to whole pixels: left, top, width, height, inside the frame."""
    x0, y0, x1, y1 = (round(edge) for edge in box.xyxy_px)
    x0 = min(max(x0, 0), frame.width - 1)
    y0 = min(max(y0, 0), frame.height - 1)
    width = min(max(x1, x0 + 1), frame.width) - x0
    height = min(max(y1, y0 + 1), frame.height) - y0
    return x0, y0, width, height


def _resampled(mask: BoolArray, height: int, width: int) -> BoolArray:
    """Take the nearest pixels of a mask so that its shape is [height, width]."""
    if mask.shape == (height, width):
        return np.ascontiguousarray(mask)
    rows = (np.arange(height) * 2 + 1) * mask.shape[0] // (2 * height)
    columns = (np.arange(width) * 2 + 1) * mask.shape[1] // (2 * width)
    return np.ascontiguousarray(mask[np.ix_(rows, columns)])
