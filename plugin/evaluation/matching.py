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

NOTHING = -1


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
    said, true = places(predicted.labels), places(truth.labels)
    for label in said.keys() & true.keys():
        rows = sorted(said[label], key=lambda row: -predicted.scores[row])
        columns = sorted(true[label], key=lambda column: truth.crowds[column])
        table = overlaps(predicted, truth, rows, columns, shape).tolist()
        crowds = [truth.crowds[column] for column in columns]
        for row, column in enumerate(choose(table, crowds, min_iou)):
            if column != NOTHING:
                chosen[rows[row]] = columns[column]
                ious[rows[row]] = table[row][column]
    yield from _verdicts(pair, chosen, ious)


def places(labels: Sequence[str]) -> dict[str, list[int]]:
    """Tell for each label where it stands."""
    found: dict[str, list[int]] = {}
    for place, label in enumerate(labels):
        found.setdefault(label, []).append(place)
    return found


def choose(
    ious: Sequence[Sequence[float]], crowds: Sequence[bool], min_iou: float
) -> Iterator[int]:
    """Choose a column for each row of IoUs in turn, or -1; crowds are the last columns.

    Of equal IoUs COCO takes the last.
    """
    regular, limit = list(crowds).count(False), min(min_iou, 1 - 1e-10)
    free = list(range(regular))
    in_crowd = range(regular, len(crowds))
    for row in ious:
        column = _best(row, free, limit)
        if column == NOTHING:
            yield _best(row, in_crowd, limit)
            continue
        free.remove(column)
        yield column


def _best(row: Sequence[float], columns: Sequence[int], limit: float) -> int:
    """Find the column of the largest IoU that is enough."""
    best, found = limit, NOTHING
    for column in columns:
        if row[column] >= best:
            best, found = row[column], column
    return found


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
