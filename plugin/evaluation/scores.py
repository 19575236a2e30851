"""What an evaluation comes to: frozen values, read by the report and by FiftyOne.

A number that is not defined (no truth of that size, no prediction) is None, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..values import Status
from .faults import Anatomy
from .names import Names

Engine: TypeAlias = Literal["hotcoco", "pycocotools"]
Shape: TypeAlias = Literal["bbox", "segm"]
Verdict: TypeAlias = Literal["tp", "fp", "fn", "ignored"]


@dataclass(frozen=True, slots=True)
class Match:
    """The verdict on one object of one image, at one IoU.

    `prediction_index` and `truth_index` count the detections of that image's
    `ImageLabels`. `tp` has both, `fp` only a prediction, `fn` only a truth. `ignored`
    is a prediction inside a crowd (`truth_index`): neither right nor wrong. A crowd
    itself gets no verdict. `iou` is 0 for `fp` and `fn`.
    """

    image_id: str
    prediction_index: int | None
    truth_index: int | None
    iou: float
    kind: Verdict
    label: str


@dataclass(frozen=True, slots=True)
class CocoNumbers:
    """The twelve numbers of the COCO challenge, in its order.

    AP and AR are means over IoU 0.50..0.95; sizes are areas up to 32 x 32 pixels, up to
    96 x 96, and above. Source: https://cocodataset.org/#detection-eval
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None
    ar1: float | None
    ar10: float | None
    ar100: float | None
    ar_small: float | None
    ar_medium: float | None
    ar_large: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Right, invented and missed objects at one IoU, and the ratios they give."""

    tp: int
    fp: int
    fn: int
    mean_iou: float | None
    """Mean IoU of the right ones."""

    @property
    def precision(self) -> float | None:
        """Share of the predictions that are right."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """Share of the true objects that were found."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN)."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How one class did; `ap` and `ap50` are None for a class the truth lacks."""

    label: str
    counts: Counts
    ap: float | None
    ap50: float | None


@dataclass(frozen=True, slots=True, eq=False)
class CocoCurves:
    """The arrays behind AP and AR, all sizes, at most 100 predictions an image.

    Axes: T = 10 IoUs (0.50..0.95), K classes in the order of `Scores.classes`, R = 101
    recalls (0..1). -1 where nothing is defined; read-only.
    """

    precision: NDArray[np.float64]  # [T, K, R]
    recall: NDArray[np.float64]  # [T, K]
    scores: NDArray[np.float64]  # [T, K, R]


@dataclass(frozen=True, slots=True)
class ShapeScores:
    """All numbers of one way to compare objects: by their boxes or by their masks."""

    coco: CocoNumbers
    counts: Counts
    classes: tuple[ClassScores, ...]
    curves: CocoCurves = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Metrics:
    """The numbers over a set of images; `objects` counts the truth without crowds.

    `masks` is None when the truth or the predictions have none.
    """

    images: int
    objects: int
    boxes: ShapeScores
    masks: ShapeScores | None

    @property
    def main(self) -> ShapeScores:
        """The stricter comparison there is: by masks, else by boxes."""
        return self.masks or self.boxes


@dataclass(frozen=True, slots=True)
class Scores:
    """How good predictions are: over all images, and over those that were answered.

    In `all`, the objects of an image without answer count as missed. `classes` are the
    labels of truth and predictions, sorted. `confidence` tells whether predictions
    carried one: where it is missing, COCO's numbers use 1.0, with ties in the order
    the model listed its objects. `unknown_images` counts predictions for images that
    the truth does not have; they are left out.

    `any_class` are the numbers over all images with all names made one, so errors of
    seeing alone; `names` tells how labels were understood, `anatomy` what kind each
    error is. All three are None unless by `judge`.
    """

    all: Metrics
    answered: Metrics
    statuses: Mapping[Status, int]
    classes: tuple[str, ...]
    engine: Engine
    confidence: Literal["none", "self", "mixed"]
    iou: float
    matches: tuple[Match, ...]
    """By boxes, over all images."""
    mask_matches: tuple[Match, ...] | None
    unknown_images: int
    any_class: Metrics | None = None
    names: Names | None = None
    anatomy: Anatomy | None = None
    confidence_sources: tuple[str, ...] = ()
    """Where confidences come from, in words; empty where there are none."""

    @property
    def main_matches(self) -> tuple[Match, ...]:
        """The verdicts of the stricter comparison there is."""
        return self.matches if self.mask_matches is None else self.mask_matches


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
