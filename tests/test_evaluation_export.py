"""What is printed is what anyone computes with pycocotools from the exported files."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from evaluation_cases import random_case
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.coco.write import Category, write_coco
from fiftyone_gemini.evaluation import CocoNumbers, evaluate
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def export(
    folder: Path, truth: list[ImageLabels], predicted: list[ImageLabels]
) -> tuple[Path, Path]:
    """Write truth and predictions as COCO files."""
    labels = sorted({d.label for i in (*truth, *predicted) for d in i.detections})
    categories = [Category(n, label) for n, label in enumerate(labels, start=1)]
    paths = folder / "truth.json", folder / "labels.json"
    for path, images in zip(paths, (truth, predicted), strict=True):
        write_coco(path, images, categories)
    return paths


def official(truth: Path, predicted: Path, shape: str) -> list[float]:
    """Evaluate two files as the documentation of pycocotools says."""
    with redirect_stdout(io.StringIO()):
        true = COCO(str(truth))
        said = true.loadRes(json.loads(predicted.read_text())["annotations"])
        run = COCOeval(true, said, shape)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return list(run.stats)


def listed(numbers: CocoNumbers) -> list[float]:
    """List the twelve numbers as pycocotools writes them: -1 where undefined."""
    return [-1 if number is None else number for number in astuple(numbers)]


def exportable_case(seed: int) -> tuple[list[ImageLabels], list[ImageLabels]]:
    """Make a case that pycocotools can load: true objects all with mask, or none."""
    truth, predicted = random_case(seed)
    if any(d.mask for image in truth for d in image.detections):
        truth = [
            replace(i, values=tuple(d for d in i.detections if d.mask)) for i in truth
        ]
    said = {image.image_id: image for image in predicted}
    empty = [replace(image, values=()) for image in truth]
    return truth, [said.get(image.image_id, image) for image in empty]


# loadRes cannot load an empty list.
SEEDS = [s for s in range(1, 25) if any(i.detections for i in exportable_case(s)[1])]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("ids", ["numbers", "words"])
def test_exported_files_score_the_same(tmp_path: Path, seed: int, ids: str) -> None:
    """Masks, crowds, ties, whole or other image ids: pycocotools agrees on the files."""
    truth, predicted = exportable_case(seed)
    if ids == "words":
        truth, predicted = ([_named(i) for i in side] for side in (truth, predicted))
    files = export(tmp_path, truth, predicted)
    scores = evaluate(truth, predicted)
    assert listed(scores.all.boxes.coco) == official(*files, "bbox")
    if scores.all.masks is not None:
        assert listed(scores.all.masks.coco) == official(*files, "segm")
    read = [read_coco(file).images for file in files]
    assert evaluate(*read).all == scores.all


def _named(image: ImageLabels) -> ImageLabels:
    return replace(image, image_id=f"sample-{90 - int(image.image_id)}")


def test_photos_judged_by_their_own_truth_are_perfect(
    shared: Path, tmp_path: Path
) -> None:
    """52 COCO photos: exact boxes and masks give AP 1, moved boxes what COCO says."""
    truth = list(read_coco(shared / "photos/coco_open/instances.json").images)
    exact = [
        replace(i, values=tuple(d for d in i.detections if not d.is_crowd))
        for i in truth
    ]
    scores = evaluate(truth, exact)
    assert scores.all.boxes.coco.ap == pytest.approx(1)
    assert scores.all.masks.coco.ap == pytest.approx(1)
    assert scores.all.boxes.counts.f1 == scores.all.masks.counts.f1 == 1
    rng = np.random.default_rng(0)
    moved = [replace(i, values=tuple(_moved(rng, i))) for i in exact]
    boxes = evaluate(truth, moved).all.boxes.coco
    assert 0.3 < boxes.ap < 0.9
    assert listed(boxes) == official(*export(tmp_path, truth, moved), "bbox")


def _moved(rng: np.random.Generator, image: ImageLabels) -> list[Detection]:
    """Shift the boxes by some 5 % of their size."""
    return [
        Detection(d.label, _shifted(d.box, *rng.normal(0, 0.05, 2), image.frame))
        for d in image.detections
    ]


def _shifted(box: Box, right: float, down: float, frame: Frame) -> Box:
    x = min(max(0.0, box.x + right * box.width), frame.width - box.width)
    y = min(max(0.0, box.y + down * box.height), frame.height - box.height)
    return Box(float(x), float(y), box.width, box.height)
