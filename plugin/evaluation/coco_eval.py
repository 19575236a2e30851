"""The official COCO numbers, by a fast engine or by the reference.

Both engines give the same arrays, bit for bit (`tests/test_evaluation_coco.py`), so the
choice only decides how long it takes. Neither mean nor order is ours.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..values import JsonValue
from .pairs import Objects, Pair
from .scores import CocoCurves, CocoNumbers, Engine, Shape

FloatArray: TypeAlias = NDArray[np.float64]
CocoDict: TypeAlias = dict[str, JsonValue]
ALL, SMALL, MEDIUM, LARGE = range(4)
MAX_1, MAX_10, MAX_100 = range(3)
IOU_50, IOU_75 = 0, 5


@dataclass(frozen=True, slots=True, eq=False)
class CocoArrays:
    """What COCOeval accumulates; -1 where nothing is defined.

    Axes: T = 10 IoUs, R = 101 recalls, K classes, A = 4 sizes, M = at most 1, 10, 100
    predictions an image.
    """

    precision: FloatArray  # [T, R, K, A, M]
    recall: FloatArray  # [T, K, A, M]
    scores: FloatArray  # [T, R, K, A, M]

    def numbers(self) -> CocoNumbers:
        """Summarize as COCOeval does."""
        precision, recall = self.precision[..., MAX_100], self.recall
        sizes = (SMALL, MEDIUM, LARGE)
        return CocoNumbers(
            _mean(precision[:, :, :, ALL]),
            _mean(precision[IOU_50, :, :, ALL]),
            _mean(precision[IOU_75, :, :, ALL]),
            *(_mean(precision[:, :, :, size]) for size in sizes),
            *(_mean(recall[:, :, ALL, most]) for most in (MAX_1, MAX_10, MAX_100)),
            *(_mean(recall[:, :, size, MAX_100]) for size in sizes),
        )

    def class_ap(self, index: int) -> tuple[float | None, float | None]:
        """Give AP and AP50 of one class."""
        of_class = self.precision[:, :, index, ALL, MAX_100]
        return _mean(of_class), _mean(of_class[IOU_50])

    def curves(self) -> CocoCurves:
        """Keep what AP and AR over all sizes are made of."""
        return CocoCurves(
            _frozen(self.precision[:, :, :, ALL, MAX_100].transpose(0, 2, 1)),
            _frozen(self.recall[:, :, ALL, MAX_100]),
            _frozen(self.scores[:, :, :, ALL, MAX_100].transpose(0, 2, 1)),
        )


def default_engine() -> Engine:
    """Name the fastest engine that is installed."""
    try:
        import hotcoco  # noqa: F401  (only whether it loads)
    except ImportError:
        return "pycocotools"
    return "hotcoco"


def run_engine(
    truth: CocoDict, predicted: CocoDict, shape: Shape, engine: Engine
) -> CocoArrays:
    """Evaluate one COCO dataset against another, both as whole documents.

    `predicted` is what `loadRes` makes of results: annotations with id, area, iscrowd.
    """
    run = _run_hotcoco if engine == "hotcoco" else _run_pycocotools
    return run(truth, predicted, shape)


def evaluate_pairs(
    pairs: Sequence[Pair], classes: Sequence[str], shape: Shape, engine: Engine
) -> CocoArrays:
    """Evaluate the predictions of some images against their truth."""
    truth = _document(pairs, classes, shape, [pair.truth for pair in pairs])
    predicted = _document(pairs, classes, shape, [pair.predicted for pair in pairs])
    return run_engine(truth, predicted, shape, engine)


def _run_hotcoco(truth: CocoDict, predicted: CocoDict, shape: Shape) -> CocoArrays:
    import hotcoco

    run = hotcoco.COCOeval(hotcoco.COCO(truth), hotcoco.COCO(predicted), shape)
    run.evaluate()
    run.accumulate()
    assert run.eval is not None
    return CocoArrays(
        *(np.asarray(run.eval[name]) for name in ("precision", "recall", "scores"))
    )


def _run_pycocotools(truth: CocoDict, predicted: CocoDict, shape: Shape) -> CocoArrays:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(io.StringIO()):
        sides = [COCO(), COCO()]
        for side, document in zip(sides, (truth, predicted), strict=True):
            side.dataset = document
            side.createIndex()
        run = COCOeval(*sides, shape)
        run.evaluate()
        run.accumulate()
    return CocoArrays(run.eval["precision"], run.eval["recall"], run.eval["scores"])


def _document(
    pairs: Sequence[Pair],
    classes: Sequence[str],
    shape: Shape,
    objects: Sequence[Objects],
) -> CocoDict:
    """Write one side as a COCO document; images and classes are just numbered."""
    numbers = {label: number for number, label in enumerate(classes, start=1)}
    annotations: list[JsonValue] = []
    for image_id, side in enumerate(objects, start=1):
        for index, box in enumerate(side.boxes_xywh_px.tolist()):
            annotation: dict[str, JsonValue] = {
                "id": len(annotations) + 1,
                "image_id": image_id,
                "category_id": numbers[side.labels[index]],
                "bbox": box,
                "area": side.areas[index],
                "iscrowd": int(side.crowds[index]),
                "score": side.scores[index],
            }
            if shape == "segm" and side.masks is not None:
                annotation["segmentation"] = side.masks[index]
            annotations.append(annotation)
    return {
        "images": [
            {"id": n, "width": pair.frame.width, "height": pair.frame.height}
            for n, pair in enumerate(pairs, start=1)
        ],
        "annotations": annotations,
        "categories": [{"id": n, "name": str(n)} for n in numbers.values()],
    }


def _frozen(values: FloatArray) -> FloatArray:
    """Copy a part of an array, so that the whole can go, and seal it."""
    kept = values.copy(order="C")
    kept.flags.writeable = False
    return kept


def _mean(values: FloatArray) -> float | None:
    """Average what is defined, as COCOeval.summarize does."""
    defined = values[values > -1]
    return float(np.mean(defined)) if len(defined) else None
