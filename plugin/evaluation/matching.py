"""Which prediction is which true object, by COCO's greedy matching at one IoU.

Within an image and a class, predictions choose in the order of their confidence, ties in
listed order; each takes the free true object it overlaps most. A crowd may be chosen by
many, but only by those that match nothing else. (COCOeval.evaluateImg of pycocotools,
without its cap of 100 predictions an image.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from .pairs import Objects, Pair
from .scores import Counts, Match, Shape, Verdict

FREE, NOTHING = -1, -1


def match_pairs(
    pairs: Sequence[Pair], shape: Shape, min_iou: float
) -> tuple[Match, ...]:
    """Match every image: its predictions as listed, then what it missed."""
    return tuple(chain.from_iterable(_match(pair, shape, min_iou) for pair in pairs))


def count(matches: Sequence[Match]) -> Counts:
    """Count verdicts; those that are ignored count as nothing."""
    kinds = [match.kind for match in matches]
    ious = [match.iou for match in matches if match.kind == "tp"]
    return Counts(
        tp=kinds.count("tp"),
        fp=kinds.count("fp"),
        fn=kinds.count("fn"),
        mean_iou=float(np.mean(ious)) if ious else None,
    )


def overlaps(
    predicted: Objects,
    truth: Objects,
    rows: Sequence[int],
    columns: Sequence[int],
    shape: Shape,
) -> NDArray[np.float64]:
    """Compute IoU, [rows, columns]; with a crowd it is the share inside the crowd."""
    crowds = [truth.crowds[column] for column in columns]
    if shape == "segm" and predicted.masks is not None and truth.masks is not None:
        said = [predicted.masks[row] for row in rows]
        true = [truth.masks[column] for column in columns]
        found = coco_mask.iou(said, true, crowds)
    else:
        found = coco_mask.iou(
            predicted.boxes_xywh_px[list(rows)],
            truth.boxes_xywh_px[list(columns)],
            crowds,
        )
    return np.asarray(found, np.float64).reshape(len(rows), len(columns))


def _match(pair: Pair, shape: Shape, min_iou: float) -> Iterator[Match]:
    truth, predicted = pair.truth, pair.predicted
    chosen = [NOTHING] * len(predicted.labels)
    ious = [0.0] * len(predicted.labels)
    for label in sorted(set(predicted.labels) & set(truth.labels)):
        rows = [i for i, name in enumerate(predicted.labels) if name == label]
        rows.sort(key=lambda row: -predicted.scores[row])
        columns = [i for i, name in enumerate(truth.labels) if name == label]
        columns.sort(key=lambda column: truth.crowds[column])
        table = overlaps(predicted, truth, rows, columns, shape)
        crowds = np.array([truth.crowds[column] for column in columns])
        for row, column in enumerate(choose(table, crowds, min_iou)):
            if column != NOTHING:
                chosen[rows[row]] = columns[column]
                ious[rows[row]] = float(table[row, column])
    yield from _verdicts(pair, chosen, ious)


def choose(
    ious: NDArray[np.float64], crowds: NDArray[np.bool_], min_iou: float
) -> Iterator[int]:
    """Choose a column for each row of IoUs in turn, or -1; crowds are the last columns."""
    regular = int(np.count_nonzero(~crowds))
    free = ious.copy()
    for row in free:
        column = _best(row[:regular], min_iou)
        if column == NOTHING:
            inside = _best(row[regular:], min_iou)
            yield NOTHING if inside == NOTHING else regular + inside
            continue
        free[:, column] = FREE
        yield column


def _best(ious: NDArray[np.float64], min_iou: float) -> int:
    """Find the largest IoU that is enough; of equal ones COCO takes the last."""
    if not len(ious):
        return NOTHING
    last = len(ious) - 1 - int(np.argmax(ious[::-1]))
    return last if ious[last] >= min(min_iou, 1 - 1e-10) else NOTHING


def _verdicts(
    pair: Pair, chosen: Sequence[int], ious: Sequence[float]
) -> Iterator[Match]:
    truth, image_id = pair.truth, pair.image_id
    for index, label in enumerate(pair.predicted.labels):
        target = chosen[index]
        if target == NOTHING:
            yield Match(image_id, index, None, 0.0, "fp", label)
        else:
            kind: Verdict = "ignored" if truth.crowds[target] else "tp"
            yield Match(image_id, index, target, ious[index], kind, label)
    found = set(chosen)
    for index, label in enumerate(truth.labels):
        if index not in found and not truth.crowds[index]:
            yield Match(image_id, None, index, 0.0, "fn", label)
