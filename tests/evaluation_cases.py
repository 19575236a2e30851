"""Random small evaluations with everything that is awkward, and the oracle for them."""

from __future__ import annotations

import copy
import io
from contextlib import redirect_stdout
from dataclasses import replace

import numpy as np
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels, Mask, Status
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

LABELS = ("cat", "dog", "owl", "zebra")


def random_case(seed: int) -> tuple[list[ImageLabels], list[ImageLabels]]:
    """Make truth and predictions: ties, crowds, failures, zero-size boxes, masks."""
    rng = np.random.default_rng(seed)
    with_masks = bool(rng.random() < 0.6)
    scores = [(None,), (0.5, 0.9), (None, 0.3, 1.0), tuple(rng.random(40))][seed % 4]
    truth, predicted = [], []
    for number in range(int(rng.integers(1, 6))):
        frame = Frame(int(rng.integers(40, 200)), int(rng.integers(40, 160)))
        true = _objects(rng, frame, int(rng.integers(0, 7)), with_masks, (None,))
        said = [_moved(rng, frame, d, scores) for d in true if rng.random() < 0.8]
        said += _objects(rng, frame, int(rng.integers(0, 5)), with_masks, scores)
        if seed % 25 == 0:  # COCO counts 100 predictions of an image and class
            said += _many(rng, frame, scores)
        true = [_crowded(d) if rng.random() < 0.15 else d for d in true]
        order = rng.permutation(len(said))
        truth.append(ImageLabels(str(number + 7), f"{number}.jpg", frame, tuple(true)))
        if rng.random() < 0.85:
            shuffled = tuple(said[i] for i in order)
            labels = ImageLabels(str(number + 7), f"{number}.jpg", frame, shuffled)
            predicted.append(labels)
        elif rng.random() < 0.5:
            failed = ImageLabels(str(number + 7), "x.jpg", frame, (), Status.BLOCKED)
            predicted.append(failed)
    return truth, predicted


def reference(
    truth: list[ImageLabels], predicted: list[ImageLabels], shape: str
) -> COCOeval:
    """Evaluate by pycocotools: COCO(truth).loadRes(predictions), written by hand."""
    labels = sorted({d.label for i in (*truth, *predicted) for d in i.detections})
    frames = {image.image_id: image.frame for image in truth}
    documents = [
        [
            _annotation(d, image, labels, frames[image.image_id], number)
            for number, (image, d) in enumerate(
                ((i, d) for i in images for d in i.detections), start=1
            )
        ]
        for images in (truth, predicted)
    ]
    with redirect_stdout(io.StringIO()):
        true = COCO()
        true.dataset = {
            "images": [
                {
                    "id": int(i.image_id),
                    "width": i.frame.width,
                    "height": i.frame.height,
                }
                for i in truth
            ],
            "categories": [{"id": n + 1, "name": x} for n, x in enumerate(labels)],
            "annotations": documents[0],
        }
        true.createIndex()
        if documents[1]:
            said = true.loadRes(copy.deepcopy(documents[1]))
        else:  # loadRes fails on an empty list
            said = COCO()
            said.dataset = {**true.dataset, "annotations": []}
            said.createIndex()
        run = COCOeval(true, said, shape)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run


def _annotation(
    d: Detection, image: ImageLabels, labels: list[str], frame: Frame, number: int
) -> dict:
    x0, y0, x1, y1 = d.box.xyxy_px
    segmentation: object = [[x0, y0, x0, y1, x1, y1, x1, y0]]
    area = d.box.width * d.box.height
    if d.mask is not None:
        full = full_mask(d.mask, frame)
        segmentation = coco_mask.encode(np.asfortranarray(full))
        area = int(full.sum())
    return {
        "id": number,
        "image_id": int(image.image_id),
        "category_id": labels.index(d.label) + 1,
        "bbox": list(d.box.xywh_px),
        "segmentation": segmentation,
        "area": area if d.area is None else d.area,
        "iscrowd": int(d.is_crowd),
        "score": 1.0 if d.confidence is None else d.confidence,
    }


def full_mask(mask: Mask, frame: Frame) -> NDArray[np.uint8]:
    """Lay the crop of a mask into its frame."""
    full = np.zeros((frame.height, frame.width), np.uint8)
    height, width = mask.crop.shape
    full[mask.y : mask.y + height, mask.x : mask.x + width] = mask.crop
    return full


def _objects(
    rng: np.random.Generator,
    frame: Frame,
    count: int,
    with_masks: bool,
    scores: tuple[float | None, ...],
) -> list[Detection]:
    return [_object(rng, frame, with_masks, scores) for _ in range(count)]


def _object(
    rng: np.random.Generator,
    frame: Frame,
    with_masks: bool,
    scores: tuple[float | None, ...],
) -> Detection:
    label = str(rng.choice(LABELS))
    score = scores[int(rng.integers(len(scores)))]
    x0, x1 = sorted(rng.integers(0, frame.width + 1, 2).tolist())
    y0, y1 = sorted(rng.integers(0, frame.height + 1, 2).tolist())
    if rng.random() < 0.05:
        x1 = x0
    mask = None
    if with_masks and x1 > x0 and y1 > y0 and rng.random() < 0.9:
        crop = np.ascontiguousarray(rng.random((y1 - y0, x1 - x0)) < 0.8)
        mask = Mask(x0, y0, crop)
    area = float(rng.integers(1, 20000)) if rng.random() < 0.3 else None
    box = Box.from_xyxy_px(float(x0), float(y0), float(x1), float(y1))
    return Detection(label, box, mask, score, area=area)


def _many(
    rng: np.random.Generator, frame: Frame, scores: tuple[float | None, ...]
) -> list[Detection]:
    found = _objects(rng, frame, 130, with_masks=False, scores=scores)
    return [replace(d, label="cat") for d in found]


def _moved(
    rng: np.random.Generator,
    frame: Frame,
    d: Detection,
    scores: tuple[float | None, ...],
) -> Detection:
    """Make a prediction of a true object: exact, or its box a little off."""
    label = d.label if rng.random() < 0.9 else "yak"
    score = scores[int(rng.integers(len(scores)))]
    if d.mask is not None or rng.random() < 0.3:
        return Detection(label, d.box, d.mask, score)
    x, y, width, height = d.box.xywh_px + rng.normal(0, 2, 4)
    box = Box(float(x), float(y), max(0.0, float(width)), max(0.0, float(height)))
    return Detection(label, box, None, score)


def _crowded(d: Detection) -> Detection:
    return Detection(d.label, d.box, d.mask, is_crowd=True, area=d.area)
