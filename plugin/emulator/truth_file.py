"""A COCO ground truth file, read on its own so that no reader's bug can hide itself.

Sources: the COCO data format page; the compressed run-length counts as written by
`rleToString` of the COCO API (6 bits a character, deltas from the third count on).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..values import BoolArray, Box, Frame, JsonValue
from .settings import EmulatorError
from .sight import Sight, Soft, SoftMask, Thing

SUBPIXELS = 4
"""How finely polygons are drawn before they become shares of pixels."""


@dataclass(frozen=True, slots=True)
class TruthObject:
    """One annotation: `segmentation` as it stands in the file, decoded when asked.

    `text` is that of its `attributes`: what is written there.
    """

    id: str
    label: str
    box: Box
    segmentation: JsonValue
    text: str = ""


@dataclass(frozen=True, slots=True)
class TruthImage:
    """One image of the file with its objects, crowds left out."""

    name: str
    frame: Frame
    objects: tuple[TruthObject, ...]

    def sight(self, labels: tuple[str, ...]) -> Sight:
        """Say exactly what the file says is there."""
        things = tuple(
            Thing(
                o.label,
                o.box,
                soft_mask(o.segmentation, o.box, self.frame),
                text=o.text,
            )
            for o in self.objects
        )
        return Sight(self.frame, things, labels)


def read_truth(path: Path) -> tuple[tuple[TruthImage, ...], tuple[str, ...]]:
    """Read images and category names; raise EmulatorError if it is not a COCO file.

    A file of videos alone has none.
    """
    document = read_document(path)
    if "videos" in document and "images" not in document:
        return (), ()
    try:
        names = {c["id"]: str(c["name"]) for c in document["categories"]}
        objects: dict[int, list[TruthObject]] = {
            i["id"]: [] for i in document["images"]
        }
        for entry in document["annotations"]:
            if not entry.get("iscrowd"):
                found = TruthObject(
                    id=str(entry["id"]),
                    label=names[entry["category_id"]],
                    box=Box(*map(float, entry["bbox"])),
                    segmentation=entry.get("segmentation"),
                    text=str((entry.get("attributes") or {}).get("text", "")),
                )
                objects[entry["image_id"]].append(found)
        images = tuple(
            TruthImage(
                name=str(entry["file_name"]),
                frame=Frame(int(entry["width"]), int(entry["height"])),
                objects=tuple(objects[entry["id"]]),
            )
            for entry in document["images"]
        )
    except (ValueError, KeyError, TypeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise EmulatorError(
            f"{path} cannot be read as a COCO file ({what})."
        ) from error
    return images, tuple(names.values())


def read_document(path: Path) -> dict[str, Any]:
    """Read the object that a truth file is; raise EmulatorError."""
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise EmulatorError(
            f"{path} cannot be read as a COCO file ({what})."
        ) from error
    if not isinstance(document, dict):
        raise EmulatorError(f"{path} cannot be read as a COCO file: it is no object.")
    return document


def soft_mask(segmentation: JsonValue, box: Box, frame: Frame) -> SoftMask | None:
    """Decode polygons or run-length counts into the pixels around the box."""
    if not segmentation:
        return None
    x0, y0 = max(0, int(box.x) - 1), max(0, int(box.y) - 1)
    x1 = min(frame.width, int(box.x + box.width) + 2)
    y1 = min(frame.height, int(box.y + box.height) + 2)
    if x1 <= x0 or y1 <= y0:
        return None
    region = Box(x0, y0, x1 - x0, y1 - y0)
    if isinstance(segmentation, dict):
        full = decode_rle(segmentation)
        return SoftMask(full[y0:y1, x0:x1].astype(np.float32), region)
    return SoftMask(_draw(segmentation, region), region)


def decode_rle(segmentation: dict[str, JsonValue]) -> BoolArray:
    """Decode COCO run-length counts, packed or listed, to a mask [height, width]."""
    size, counts = segmentation["size"], segmentation["counts"]
    assert isinstance(size, list)
    height, width = (int(str(side)) for side in size)
    listed = _unpack(counts) if isinstance(counts, str) else counts
    runs = np.asarray(listed, np.int64)
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T


def _unpack(text: str) -> list[int]:
    """Unpack run lengths: groups of 5 bits, low first, from the third on as deltas."""
    runs: list[int] = []
    value = shift = 0
    for character in text.encode("ascii"):
        group = character - 48
        value |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))  # noqa: PLR2004
        value = shift = 0
    return runs


def _draw(polygons: JsonValue, region: Box) -> Soft:
    """Draw polygons (flat x, y lists in pixels) as the covered share of each pixel."""
    width, height = int(region.width), int(region.height)
    canvas = np.zeros((height * SUBPIXELS, width * SUBPIXELS), np.float32)
    assert isinstance(polygons, list)
    for flat in polygons:
        points = np.asarray(flat, np.float64).reshape(-1, 2) - (region.x, region.y)
        # OpenCV counts from pixel centres, in fixed point with 8 fractional bits.
        fixed = np.round((points * SUBPIXELS - 0.5) * 256).astype(np.int32)
        cv2.fillPoly(canvas, [fixed], 1.0, shift=8)
    share = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return share.astype(np.float32)
