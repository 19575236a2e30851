"""What confidence is worth: precision and recall at every threshold, and calibration.

Scores + predictions --verdicts_by_class--> ClassVerdicts (one class) --> Curve, Calibration

Matching goes in the order of confidence, so that leaving out predictions below a
threshold changes no verdict above it: one matching serves every threshold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..values import ImageLabels
from .intervals import Interval, wilson
from .scores import Scores

FloatArray: TypeAlias = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, slots=True, eq=False)
class ClassVerdicts:
    """The predictions of one class with their verdicts, the most confident first.

    `confidence` is NaN where none was given (these come last). Predictions inside a
    crowd are left out. `objects` counts the true ones, those of failed images included.
    """

    label: str
    confidence: FloatArray
    right: NDArray[np.bool_]
    objects: int


@dataclass(frozen=True, slots=True)
class Point:
    """What is kept at a threshold: all predictions with this confidence or more."""

    threshold: float
    kept: int
    right: int
    precision: float
    recall: float | None
    f1: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision and recall of one class, a point for each confidence, highest first.

    `best` has the highest F1; of equals the one with the highest threshold. It was
    chosen on these very images, so that new images will do a little worse.
    """

    label: str
    objects: int
    points: tuple[Point, ...]
    best: Point


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of similar confidence: what they claim, and how many are right."""

    low: float
    high: float
    predictions: int
    right: int
    confidence: float
    """Their mean."""
    accuracy: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether a confidence of 0.8 is right 8 times in 10.

    `error` is the expected calibration error: the gap between confidence and share
    right, averaged over the predictions in bins of equal width. Source: Naeini and
    others, AAAI 2015, https://ojs.aaai.org/index.php/AAAI/article/view/9602
    """

    label: str
    bins: tuple[Bin, ...]
    error: float


def verdicts_by_class(
    scores: Scores, predicted: Sequence[ImageLabels]
) -> tuple[ClassVerdicts, ...]:
    """Put the verdicts of the main comparison beside the confidences, class by class."""
    said = {image.image_id: image.detections for image in predicted}
    found: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for match in scores.main_matches:
        if match.prediction_index is None or match.kind == "ignored":
            continue
        confidence = said[match.image_id][match.prediction_index].confidence
        value = np.nan if confidence is None else float(confidence)
        found[match.label].append((value, match.kind == "tp"))
    return tuple(
        _judged(row.label, found[row.label], row.counts.tp + row.counts.fn)
        for row in scores.all.main.classes
    )


def curve(judged: ClassVerdicts) -> Curve | None:
    """Walk down the confidences of a class; None without predictions.

    Equal confidences are kept or left together. Every prediction needs a confidence.
    """
    if not len(judged.right):
        return None
    last = np.append(np.diff(judged.confidence) != 0, [True])
    kept = np.arange(1, len(judged.right) + 1)[last]
    right = np.cumsum(judged.right)[last]
    points = tuple(
        _point(float(threshold), int(k), int(r), judged.objects)
        for threshold, k, r in zip(judged.confidence[last], kept, right, strict=True)
    )
    return Curve(judged.label, judged.objects, points, max(points, key=_f1))


def calibrate(judged: Sequence[ClassVerdicts], label: str = "") -> Calibration | None:
    """Compare confidence with the share right, in ten bins; None without predictions.

    Every prediction needs a confidence from 0 to 1.
    """
    confidence = np.concatenate([np.zeros(0), *(j.confidence for j in judged)])
    right = np.concatenate([np.zeros(0, bool), *(j.right for j in judged)])
    if not len(right):
        return None
    places = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    bins = tuple(
        _bin(place, confidence[places == place], right[places == place])
        for place in np.unique(places).tolist()
    )
    gaps = (b.predictions * abs(b.accuracy - b.confidence) for b in bins)
    return Calibration(label, bins, sum(gaps) / len(right))


@dataclass(frozen=True, slots=True)
class Confidences:
    """The curves and the calibration of all classes; `reason` says why there are none.

    `overall` pools the classes.
    """

    curves: tuple[Curve, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    overall: Calibration | None = None
    reason: str = ""


def study_confidence(scores: Scores, predicted: Sequence[ImageLabels]) -> Confidences:
    """Draw curves and calibration where every prediction carries a confidence."""
    if scores.confidence == "none":
        return Confidences(
            reason="No prediction carries a confidence, so there is no threshold to "
            "choose and nothing to calibrate. Ask for one with --confidence."
        )
    if scores.confidence == "mixed":
        return Confidences(
            reason="Some predictions carry a confidence and some none, so that they "
            "cannot be put in one order."
        )
    judged = verdicts_by_class(scores, predicted)
    outside = sum(int(np.sum((j.confidence < 0) | (j.confidence > 1))) for j in judged)
    if outside:
        return Confidences(
            reason=f"{outside} confidences lie outside of 0 to 1: they are no shares."
        )
    return Confidences(
        tuple(drawn for one in judged if (drawn := curve(one))),
        tuple(found for one in judged if (found := calibrate([one], one.label))),
        calibrate(judged),
    )


def _judged(
    label: str, found: Sequence[tuple[float, bool]], objects: int
) -> ClassVerdicts:
    confidence = np.array([value for value, _ in found], np.float64)
    right = np.array([is_right for _, is_right in found], bool)
    order = np.argsort(-confidence, kind="stable")
    return ClassVerdicts(label, confidence[order], right[order], objects)


def _point(threshold: float, kept: int, right: int, objects: int) -> Point:
    recall = right / objects if objects else None
    return Point(
        threshold, kept, right, right / kept, recall, 2 * right / (kept + objects)
    )


def _f1(point: Point) -> float:
    return point.f1


def _bin(place: int, confidence: FloatArray, right: NDArray[np.bool_]) -> Bin:
    interval = wilson(int(right.sum()), len(right))
    assert interval is not None
    return Bin(
        place / BINS,
        (place + 1) / BINS,
        len(right),
        int(right.sum()),
        float(confidence.mean()),
        float(right.mean()),
        interval,
    )
