"""The official COCO numbers, by a fast engine or by the reference.

Both engines give the same arrays, bit for bit (`tests/test_evaluation_coco.py`), so the
choice only decides how long it takes. Neither mean nor order is ours.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..values import JsonValue
from .pairs import Objects, Pair
from .rles import RleDict, blank
from .scores import CocoCurves, CocoNumbers, Engine, Shape

if TYPE_CHECKING:
    from hotcoco import COCO

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
    if engine == "hotcoco":
        import hotcoco

        return _run_hotcoco(hotcoco.COCO(truth), hotcoco.COCO(predicted), shape)
    return _run_pycocotools(truth, predicted, shape)


def evaluate_pairs(
    pairs: Sequence[Pair], classes: Sequence[str], shape: Shape, engine: Engine
) -> CocoArrays:
    """Evaluate the predictions of some images against their truth."""
    if engine == "hotcoco":
        return _run_hotcoco(*_columns(pairs, classes, shape), shape)
    return run_engine(*build_documents(pairs, classes, shape), shape, engine)


def build_documents(
    pairs: Sequence[Pair], classes: Sequence[str], shape: Shape
) -> tuple[CocoDict, CocoDict]:
    """Write truth and predictions as COCO documents."""
    return (
        _document(pairs, classes, shape, [pair.truth for pair in pairs]),
        _document(pairs, classes, shape, [pair.predicted for pair in pairs]),
    )


def _run_hotcoco(truth: COCO, predicted: COCO, shape: Shape) -> CocoArrays:
    import hotcoco

    run = hotcoco.COCOeval(truth, predicted, shape)
    run.evaluate()
    run.accumulate()
    found = run.eval  # copies all arrays each time it is asked for
    assert found is not None
    return CocoArrays(
        *(np.asarray(found[name]) for name in ("precision", "recall", "scores"))
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
    images, categories = _headers(pairs, numbers)
    return {
        "images": list[JsonValue](images),
        "annotations": annotations,
        "categories": list[JsonValue](categories),
    }


def _columns(
    pairs: Sequence[Pair], classes: Sequence[str], shape: Shape
) -> tuple[COCO, COCO]:
    """Hand both sides to hotcoco as arrays: the documents would cost more than the run.

    The areas of predictions are those of their boxes there, as here.
    """
    import hotcoco

    numbers = {label: number for number, label in enumerate(classes, start=1)}
    images, categories = _headers(pairs, numbers)
    true, said = [p.truth for p in pairs], [p.predicted for p in pairs]
    image_ids, boxes, category_ids = _table(true, numbers)
    truth = hotcoco.COCO.from_arrays(
        images,
        categories,
        image_ids,
        category_ids,
        boxes,
        area=np.array([area for side in true for area in side.areas], np.float64),
        iscrowd=np.array([crowd for side in true for crowd in side.crowds], np.bool_),
        segmentation=_masks(pairs, true, said, shape),
    )
    image_ids, boxes, category_ids = _table(said, numbers)
    scores = np.array([score for side in said for score in side.scores], np.float64)
    rows = np.column_stack([image_ids, boxes, scores, category_ids])
    return truth, truth.load_res(rows, segmentation=_masks(pairs, said, true, shape))


def _table(
    objects: Sequence[Objects], numbers: Mapping[str, int]
) -> tuple[NDArray[np.int64], FloatArray, NDArray[np.int64]]:
    """Join all images: image numbers, boxes [N, 4], class numbers."""
    sizes = [len(side.labels) for side in objects]
    labels = chain.from_iterable(side.labels for side in objects)
    boxes = [side.boxes_xywh_px for side in objects]
    return (
        np.repeat(np.arange(1, len(sizes) + 1), sizes),
        np.concatenate([np.empty((0, 4)), *boxes]),
        np.array([numbers[label] for label in labels], np.int64),
    )


def _masks(
    pairs: Sequence[Pair],
    ours: Sequence[Objects],
    others: Sequence[Objects],
    shape: Shape,
) -> list[RleDict | list[list[float]]] | None:
    """List the masks of one side; blank where the other has nothing of the class."""
    if shape == "bbox":
        return None
    found: list[RleDict | list[list[float]]] = []
    for pair, side, other in zip(pairs, ours, others, strict=True):
        assert side.masks is not None
        compared, nothing = set(other.labels), blank(pair.frame)
        found += [
            side.masks[index] if label in compared else nothing
            for index, label in enumerate(side.labels)
        ]
    return found


def _headers(
    pairs: Sequence[Pair], numbers: Mapping[str, int]
) -> tuple[list[CocoDict], list[CocoDict]]:
    """Write the entries of images and classes, numbered."""
    images: list[CocoDict] = [
        {"id": n, "width": pair.frame.width, "height": pair.frame.height}
        for n, pair in enumerate(pairs, start=1)
    ]
    return images, [{"id": n, "name": str(n)} for n in numbers.values()]


def _frozen(values: FloatArray) -> FloatArray:
    """Copy a part of an array, so that the whole can go, and seal it."""
    kept = values.copy(order="C")
    kept.flags.writeable = False
    return kept


def _mean(values: FloatArray) -> float | None:
    """Average what is defined, as COCOeval.summarize does."""
    defined = values[values > -1]
    return float(np.mean(defined)) if len(defined) else None
