"""COCO AP of images drawn with replacement, from one matching of every image.

Each image is matched once at the ten IoUs. AP of a drawing then needs no matching: a
prediction of an image drawn twice counts twice, and the precision at each recall comes
from sums of weights along the ranking, for many drawings at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..values import BoolArray, ImageLabels
from .intervals import (
    SEED,
    FloatArray,
    Intervals,
    corrected,
    count_per_image,
    draw_images,
    drawn_ratios,
    percentiles,
    wilson,
)
from .matching import choose, overlaps
from .pairs import Pair, pair_up
from .scores import Scores, Shape

IOUS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
MAX_PREDICTIONS = 100
AP_RESAMPLES = 200
MOST_RESAMPLES = 1000
MAX_WEIGHTS = 10_000_000
"""Drawings times images, held at once."""
MAX_CELLS = 4_000_000
"""Numbers held at once: drawings times predictions of a class."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The predictions of one class, by confidence; `image` is the row of each one's.

    `right` and `ignored` have shape [10 IoUs, predictions]. `objects` counts the truth
    of the class in each image, without crowds.
    """

    image: NDArray[np.intp]
    right: BoolArray
    ignored: BoolArray
    objects: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What each image adds to the numbers: all that drawings need.

    `counts` [images, 3]: right, invented and missed objects at the IoU of the scores.
    """

    counts: FloatArray
    rankings: tuple[Ranking, ...]


def gather_evidence(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    scores: Scores,
    shape: Shape | None = None,
) -> Evidence:
    """Count and match image by image, in one order for one truth.

    `shape`: what the scores compare mainly, unless named.
    """
    shape = shape or ("bbox" if scores.all.masks is None else "segm")
    pairs = pair_up(truth, predicted, with_masks=shape == "segm")
    matches = scores.matches if shape == "bbox" else scores.mask_matches
    return Evidence(
        count_per_image(matches or (), [pair.image_id for pair in pairs]),
        rank_classes(pairs, shape),
    )


def f1_resamples(images: int) -> int:
    """Say how often so many images are drawn: 1,000 times, above 10,000 images less."""
    return max(AP_RESAMPLES, min(MOST_RESAMPLES, MAX_WEIGHTS // max(1, images)))


def find_intervals(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    scores: Scores,
    *,
    seed: int = SEED,
) -> Intervals:
    """Give the 95 % intervals of the headline numbers of `evaluate`, over all images.

    Precision and recall by Wilson; F1 by `f1_resamples` and COCO AP by 200 drawings.
    AP's is corrected for few images, which raise it. One image has neither.
    """
    evidence = gather_evidence(truth, predicted, scores)
    counts, images = scores.all.main.counts, len(evidence.counts)
    weights = draw_images(images, f1_resamples(images), seed)
    drawn = drawn_ap(weights[:AP_RESAMPLES], evidence.rankings)
    ap = corrected(drawn, scores.all.main.coco.ap, images)
    return Intervals(
        wilson(counts.tp, counts.tp + counts.fp),
        wilson(counts.tp, counts.tp + counts.fn),
        percentiles(drawn_ratios(weights, evidence.counts).f1) if images > 1 else None,
        ap and ap.within(0, 1),
        len(weights),
        AP_RESAMPLES,
    )


@dataclass(slots=True)
class _Ranked:
    """What is gathered of one class, image by image."""

    images: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    right: list[BoolArray] = field(default_factory=lambda: [np.zeros((10, 0), bool)])
    ignored: list[BoolArray] = field(default_factory=lambda: [np.zeros((10, 0), bool)])
    objects: dict[int, int] = field(default_factory=dict)

    def ranking(self, images: int) -> Ranking:
        """Put the predictions in the order of their confidence, ties as listed."""
        order = np.argsort(-np.array(self.scores), kind="stable")
        objects = np.zeros(images)
        objects[list(self.objects)] = list(self.objects.values())
        return Ranking(
            np.array(self.images, np.intp)[order],
            np.hstack(self.right)[:, order],
            np.hstack(self.ignored)[:, order],
            objects,
        )


def rank_classes(pairs: Sequence[Pair], shape: Shape) -> tuple[Ranking, ...]:
    """Match every image at ten IoUs, as COCOeval does, and rank each class."""
    found: dict[str, _Ranked] = defaultdict(_Ranked)
    for row, pair in enumerate(pairs):
        for label in {*pair.predicted.labels, *pair.truth.labels}:
            said, true = _rows(pair, label), _columns(pair, label)
            crowds = np.array([pair.truth.crowds[column] for column in true], bool)
            ranked = found[label]
            ranked.objects[row] = int(np.count_nonzero(~crowds))
            right, ignored = _judge(_overlaps(pair, said, true, shape), crowds)
            ranked.images += [row] * len(said)
            ranked.scores += [pair.predicted.scores[i] for i in said]
            ranked.right.append(right)
            ranked.ignored.append(ignored)
    return tuple(ranked.ranking(len(pairs)) for ranked in found.values())


def drawn_ap(weights: FloatArray, rankings: Sequence[Ranking]) -> FloatArray:
    """Compute COCO AP of each drawing, [resamples]; NaN where no class has truth.

    `weights` [resamples, images] says how often each image was drawn. Equal to COCOeval
    on the drawn images, where copies of an image stand side by side in the ranking.
    """
    per_class = [_class_ap(weights, ranking) for ranking in rankings]
    if not per_class:
        return np.full(len(weights), np.nan)
    values = np.array(per_class)
    defined = ~np.isnan(values)
    total = np.where(defined, values, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / defined.sum(axis=0), np.float64)


def _rows(pair: Pair, label: str) -> list[int]:
    said = [i for i, name in enumerate(pair.predicted.labels) if name == label]
    said.sort(key=lambda row: -pair.predicted.scores[row])
    return said[:MAX_PREDICTIONS]


def _columns(pair: Pair, label: str) -> list[int]:
    true = [i for i, name in enumerate(pair.truth.labels) if name == label]
    true.sort(key=lambda column: pair.truth.crowds[column])
    return true


def _overlaps(
    pair: Pair, said: Sequence[int], true: Sequence[int], shape: Shape
) -> FloatArray:
    if not said or not true:
        return np.zeros((len(said), len(true)))
    return overlaps(pair.predicted, pair.truth, said, true, shape)


def _judge(table: FloatArray, crowds: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Tell at each IoU which rows of a table are right, and which are in a crowd."""
    rows, columns = table.shape
    if not rows or not columns:
        return np.zeros((10, rows), bool), np.zeros((10, rows), bool)
    near = table >= IOUS[0]
    if near.sum(axis=0).max() <= 1 and near.sum(axis=1).max() <= 1:
        # No two compete: each has its own, as far as the IoU is enough.
        chosen = np.where(table.max(axis=1) >= IOUS[:, None], table.argmax(axis=1), -1)
    else:
        ious, flags = table.tolist(), crowds.tolist()
        chosen = np.array([list(choose(ious, flags, float(iou))) for iou in IOUS])
    in_crowd = np.append(crowds, [False])[chosen]  # -1 picks the last
    return (chosen >= 0) & ~in_crowd, in_crowd


def _class_ap(weights: FloatArray, ranking: Ranking) -> FloatArray:
    step = max(1, MAX_CELLS // max(1, len(ranking.image)))
    parts = [
        _ap_of_some(weights[start : start + step], ranking)
        for start in range(0, len(weights), step)
    ]
    return np.concatenate(parts)


def _ap_of_some(weights: FloatArray, ranking: Ranking) -> FloatArray:
    """Average the precision at 101 recalls and ten IoUs, of some drawings."""
    objects = weights @ ranking.objects
    drawn = weights[:, ranking.image]  # [resamples, predictions]
    ten = [
        _precision(drawn, right, ignored, objects)
        for right, ignored in zip(ranking.right, ranking.ignored, strict=True)
    ]
    return np.where(objects > 0, np.mean(ten, axis=0), np.nan)


def _precision(
    drawn: FloatArray, right: BoolArray, ignored: BoolArray, objects: FloatArray
) -> FloatArray:
    """Average the precision at 101 recalls and one IoU; [resamples].

    Only where a right prediction stands does recall rise, and precision peak.
    """
    found = np.cumsum(drawn[:, right], axis=1)
    seen = np.cumsum(drawn * ~ignored, axis=1)[:, right]
    precision = found / (seen + np.spacing(1))
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    best = np.hstack([best, np.zeros((len(best), 1))])
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = found / objects[:, None]
    found_best = np.take_along_axis(best, np.array(list(_places(recall))), axis=1)
    return np.asarray(found_best.mean(axis=1), np.float64)


def _places(recall: FloatArray) -> Iterator[NDArray[np.intp]]:
    """Find where each drawing first reaches each of the 101 recalls."""
    for row in recall:
        yield np.searchsorted(row, RECALLS, side="left")
