"""Scenes as a COCO dataset on disk: `data/*.jpg` and `annotations.json` with compressed RLE."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from .scene import GENERATOR_VERSION, Scene, SceneObject
from .shapes import COCO_CATEGORIES
from .vectors import Bools


class Annotation(TypedDict):
    """One object as COCO writes it; `occluded` is the hidden share 0..1, `depth` metres."""

    id: int
    image_id: int
    category_id: int
    segmentation: dict[str, object]
    area: int
    bbox: list[int]
    iscrowd: int
    occluded: float
    depth: float


def write_coco(scenes: Iterable[Scene], folder: Path, quality: int = 85) -> None:
    """Write the scenes as JPEGs and one `annotations.json`; ids count from 1."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    images: list[dict[str, object]] = []
    annotations: list[Annotation] = []
    for image_id, scene in enumerate(scenes, 1):
        name = f"scene_{image_id:04d}.jpg"
        flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
        cv2.imwrite(str(folder / "data" / name), scene.image[..., ::-1], flags)
        images.append(_image(image_id, name, scene))
        for thing in scene.objects:
            annotations.append(_annotation(len(annotations) + 1, image_id, thing))
    info = {
        "description": "Rendered table-top scenes with exact instance masks",
        "generator_version": GENERATOR_VERSION,
    }
    content = {
        "info": info,
        "licenses": [{"id": 1, "name": "Apache-2.0", "url": _LICENCE}],
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": number, "name": name} for name, number in COCO_CATEGORIES.items()
        ],
    }
    (folder / "annotations.json").write_text(json.dumps(content, indent=1) + "\n")


_LICENCE = "https://www.apache.org/licenses/LICENSE-2.0"


def _image(image_id: int, name: str, scene: Scene) -> dict[str, object]:
    height, width = scene.image.shape[:2]
    return {
        "id": image_id,
        "file_name": name,
        "width": width,
        "height": height,
        "license": 1,
        "seed": scene.seed,
        "floor": scene.floor,
    }


def _annotation(number: int, image_id: int, thing: SceneObject) -> Annotation:
    return Annotation(
        id=number,
        image_id=image_id,
        category_id=COCO_CATEGORIES[thing.label],
        segmentation=rle(thing.mask),
        area=int(thing.mask.sum()),
        bbox=bbox_xywh_px(thing.mask),
        iscrowd=0,
        occluded=round(1 - thing.visible_fraction, 3),
        depth=round(thing.depth, 3),
    )


def rle(mask: Bools) -> dict[str, object]:
    """Return COCO's compressed run lengths of a mask `[H, W]`, as JSON can hold them."""
    encoded = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(mask.shape), "counts": encoded["counts"].decode()}


def bbox_xywh_px(mask: Bools) -> list[int]:
    """Return the tight box of a mask that is not empty: left, top, width, height."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]
