"""Official COCO metrics of the segmenter on a COCO folder."""

import contextlib
import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from plugin.emulator.features import U8Image
from plugin.emulator.segmenter import Seen, Segmenter

from .scenes.coco import rle
from .scenes.shapes import COCO_CATEGORIES


@dataclass(frozen=True, slots=True)
class Accuracy:
    """COCO's averages over IoU 0.50 to 0.95; sizes are small, medium, large (masks).

    `milliseconds` is the median wall time of one image.
    """

    box_ap: float
    mask_ap: float
    mask_ap50: float
    mask_ap75: float
    by_size: tuple[float, float, float]
    by_class: tuple[tuple[str, float], ...]
    milliseconds: float


def read_rgb(path: Path) -> U8Image:
    """Read a picture file; raise FileNotFoundError where there is none."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise FileNotFoundError(path)
    return np.ascontiguousarray(picture[..., ::-1], np.uint8)


def measure(segmenter: Segmenter, folder: Path, long_side: int) -> Accuracy:
    """Segment every image of a COCO folder and score it with pycocotools."""
    results, times = [], []
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "annotations.json"))
        for image in truth.dataset["images"]:
            pixels = read_rgb(folder / "data" / image["file_name"])
            started = time.perf_counter()
            seen = segmenter.see(pixels, long_side)
            times.append(time.perf_counter() - started)
            results += [_result(image, thing) for thing in seen]
        found = truth.loadRes(results)
        box, mask = (_evaluated(truth, found, kind) for kind in ("bbox", "segm"))
    size = mask.stats[3:6]
    return Accuracy(
        box_ap=float(box.stats[0]),
        mask_ap=float(mask.stats[0]),
        mask_ap50=float(mask.stats[1]),
        mask_ap75=float(mask.stats[2]),
        by_size=(float(size[0]), float(size[1]), float(size[2])),
        by_class=tuple(_class_precision(mask, truth)),
        milliseconds=float(np.median(times) * 1000),
    )


def _result(image: dict[str, Any], thing: Seen) -> dict[str, Any]:
    mask = np.zeros((image["height"], image["width"]), bool)
    height, width = thing.probability.shape
    inside = np.s_[thing.y : thing.y + height, thing.x : thing.x + width]
    mask[inside] = thing.probability > 0.5
    return {
        "image_id": image["id"],
        "category_id": COCO_CATEGORIES[thing.label],
        "score": thing.score,
        "bbox": [thing.x, thing.y, width, height],
        "segmentation": rle(mask),
    }


def _evaluated(truth: COCO, found: COCO, kind: str) -> Any:
    evaluation = COCOeval(truth, found, kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation


def _class_precision(evaluation: Any, truth: COCO) -> list[tuple[str, float]]:
    rows = []
    for k, number in enumerate(evaluation.params.catIds):
        precision = evaluation.eval["precision"][:, :, k, 0, 2]
        rows.append(
            (truth.cats[number]["name"], float(precision[precision > -1].mean()))
        )
    return rows
