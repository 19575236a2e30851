"""The ways to read a reply that are compared; each keeps what it makes."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import supervision
from fiftyone_gemini.coco.rle import Rle, mask_to_rle
from fiftyone_gemini.tasks import find_task
from fiftyone_gemini.values import Frame, Media, Question, Reading
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask
from replies import Kind

Reader: TypeAlias = Callable[[str, Kind, Frame], object]

_SEGMENT = find_task("segment")


def ours(text: str, _kind: Kind, frame: Frame) -> Reading:
    """Read crops, every value checked; the form of the masks is not told."""
    return _SEGMENT.read(text, Question("segment"), Media(b"", "", frame, frame))


def ours_rle(text: str, kind: Kind, frame: Frame) -> tuple[Reading, list[Rle]]:
    """Read crops, and write each as RLE of the full frame."""
    reading = ours(text, kind, frame)
    masks = [d.mask for d in reading.detections if d.mask is not None]
    return reading, [mask_to_rle(mask, frame) for mask in masks]


def by_supervision(text: str, kind: Kind, frame: Frame) -> supervision.Detections:
    """Read full-frame masks with supervision, told which model answered."""
    is_polygon = kind is Kind.POLYGON
    vlm = supervision.VLM
    return supervision.Detections.from_vlm(
        vlm.GOOGLE_GEMINI_3_6 if is_polygon else vlm.GOOGLE_GEMINI_2_5,
        # Its reader of polygons takes the bare JSON that a schema brings.
        result=text.removeprefix("```json\n").removesuffix("\n```")
        if is_polygon
        else text,
        resolution_wh=(frame.width, frame.height),
    )


def by_supervision_rle(text: str, kind: Kind, frame: Frame) -> tuple[object, object]:
    """Read with supervision, then encode each mask with pycocotools as usual."""
    found = by_supervision(text, kind, frame)
    assert found.mask is not None
    frames = (np.asfortranarray(mask.view(np.uint8)) for mask in found.mask)
    return found, [coco_mask.encode(whole) for whole in frames]


def by_docs_loop(text: str, _kind: Kind, frame: Frame) -> list[Image.Image]:
    """Do what the loop in Google's documentation of Gemini 2.5 does, mask by mask.

    https://ai.google.dev/gemini-api/docs/image-understanding: a full-frame overlay in
    Pillow is drawn pixel by pixel. Its saving of files is left out, and its bug that
    keeps the closing fence, with which it reads no fenced reply.
    """
    overlays = []
    for item in json.loads(text.removeprefix("```json\n").removesuffix("\n```")):
        top, left, bottom, right = (
            int(edge / 1000 * side)
            for edge, side in zip(item["box_2d"], _sides(frame), strict=True)
        )
        data = base64.b64decode(item["mask"].removeprefix("data:image/png;base64,"))
        grey = Image.open(io.BytesIO(data))
        size = (right - left, bottom - top)
        pixels = np.array(grey.resize(size, Image.Resampling.BILINEAR))
        overlays.append(_overlay(pixels, left, top, frame))
    return overlays


def _sides(frame: Frame) -> tuple[int, int, int, int]:
    return frame.height, frame.width, frame.height, frame.width


def _overlay(
    pixels: NDArray[np.uint8], left: int, top: int, frame: Frame
) -> Image.Image:
    overlay = Image.new("RGBA", (frame.width, frame.height), (0, 0, 0, 0))
    pen = ImageDraw.Draw(overlay)
    for y in range(top, top + pixels.shape[0]):
        for x in range(left, left + pixels.shape[1]):
            if pixels[y - top, x - left] > 128:
                pen.point((x, y), fill=(255, 255, 255, 200))
    return overlay
