"""Which run is better, and is it more than noise: runs over the same images.

All runs are judged on the same drawings of images, so that a hard image that was drawn
twice counts twice for each of them: what they share cancels out of the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import UsageError
from ..values import ImageLabels, Run
from .bootstrap import (
    AP_RESAMPLES,
    Evidence,
    drawn_ap,
    f1_resamples,
    gather_evidence,
)
from .intervals import (
    SEED,
    FloatArray,
    Interval,
    corrected,
    draw_images,
    drawn_ratios,
    percentiles,
)
from .scores import Scores, Shape, ShapeScores
from .scoring import evaluate

FEW_IMAGES = 30
Number: TypeAlias = Literal["F1", "Precision", "Recall", "COCO AP"]
NUMBERS: tuple[Number, ...] = ("F1", "Precision", "Recall", "COCO AP")


@dataclass(frozen=True, slots=True)
class Contender:
    """The labels of one run, under a name of its own; `run` is None when unrecorded."""

    name: str
    predicted: Sequence[ImageLabels]
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How one run did by itself; numbers over all images, failed ones included."""

    name: str
    run: Run | None
    scores: Scores
    shape: ShapeScores
    failures: int
    """Images without an answer."""

    @property
    def seconds(self) -> float | None:
        """How long the run took; None when nobody recorded it."""
        if self.run is None or self.run.finished is None:
            return None
        return (self.run.finished - self.run.started).total_seconds()

    @property
    def cost_per_right(self) -> float | None:
        """US dollars for each right object; None when the cost is unknown.

        It is unknown too when replies came from a journal: an earlier run paid them.
        """
        right, run = self.shape.counts.tp, self.run
        if run is None or run.cost_usd is None or run.from_journal or not right:
            return None
        return run.cost_usd / right

    def value(self, number: Number) -> float | None:
        """Give one of the numbers that are compared."""
        counts = self.shape.counts
        return {
            "F1": counts.f1,
            "Precision": counts.precision,
            "Recall": counts.recall,
            "COCO AP": self.shape.coco.ap,
        }[number]


@dataclass(frozen=True, slots=True)
class Difference:
    """One number of a run minus that of the first; None where one is undefined.

    A single image gives no range.
    """

    number: Number
    value: float | None
    interval: Interval | None

    @property
    def verdict(self) -> Literal["better", "worse", "within noise", "undefined"]:
        """Say what the interval allows: it is noise as long as it holds 0."""
        if self.value is None or self.interval is None:
            return "undefined"
        if self.interval.low <= 0 <= self.interval.high:
            return "within noise"
        return "better" if self.interval.low > 0 else "worse"


@dataclass(frozen=True, slots=True)
class Against:
    """All differences of one run from the first."""

    name: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side, in the order given; the first is what others are held against.

    Intervals are 95 % ranges, each by itself: of twenty differences that are nothing
    but noise, one is called better or worse.
    """

    images: int
    iou: float
    compared_by: Literal["boxes", "masks"]
    standings: tuple[Standing, ...]
    against: tuple[Against, ...]
    f1_resamples: int
    ap_resamples: int

    @property
    def first(self) -> str:
        """The name of the run that others are held against."""
        return self.standings[0].name

    @property
    def few_images(self) -> bool:
        """Whether the images are so few that intervals come out too narrow."""
        return self.images < FEW_IMAGES


def check_contenders(contenders: Sequence[Contender]) -> None:
    """Raise `UsageError` for fewer than two runs, or two of one name."""
    names = [contender.name for contender in contenders]
    if len(set(names)) < max(2, len(names)):
        raise UsageError("A comparison needs two runs or more, each with its own name.")


def compare(
    truth: Sequence[ImageLabels],
    contenders: Sequence[Contender],
    *,
    iou: float = 0.5,
    seed: int = SEED,
) -> Comparison:
    """Hold runs against the first of them, over all images of the truth.

    By masks when the truth and every run have some, else by boxes. Raises UsageError
    for fewer than two runs, for two of one name, and what `evaluate` raises.
    """
    check_contenders(contenders)
    all_scores = [evaluate(truth, c.predicted, iou=iou) for c in contenders]
    shape: Shape = "segm" if all(s.all.masks for s in all_scores) else "bbox"
    pairs = list(zip(contenders, all_scores, strict=True))
    standings = [_standing(c, scores, shape) for c, scores in pairs]
    weights = draw_images(len(truth), f1_resamples(len(truth)), seed)
    drawn = [
        _drawn(weights, gather_evidence(truth, c.predicted, scores, shape))
        for c, scores in pairs
    ]
    return Comparison(
        len(truth),
        iou,
        "masks" if shape == "segm" else "boxes",
        tuple(standings),
        tuple(
            _against(standing, standings[0], draws, drawn[0])
            for standing, draws in zip(standings[1:], drawn[1:], strict=True)
        ),
        len(weights),
        AP_RESAMPLES,
    )


def _standing(contender: Contender, scores: Scores, shape: Shape) -> Standing:
    masks = scores.all.masks if shape == "segm" else None
    failures = scores.all.images - scores.answered.images
    main = masks or scores.all.boxes
    return Standing(contender.name, contender.run, scores, main, failures)


def _drawn(weights: FloatArray, evidence: Evidence) -> dict[Number, FloatArray]:
    """Compute each number of each drawing."""
    ratios = drawn_ratios(weights, evidence.counts)
    return {
        "F1": ratios.f1,
        "Precision": ratios.precision,
        "Recall": ratios.recall,
        "COCO AP": drawn_ap(weights[:AP_RESAMPLES], evidence.rankings),
    }


def _against(
    standing: Standing,
    first: Standing,
    mine: dict[Number, FloatArray],
    theirs: dict[Number, FloatArray],
) -> Against:
    return Against(
        standing.name,
        tuple(
            _difference(
                number,
                standing.value(number),
                first.value(number),
                mine[number] - theirs[number],
                standing.scores.all.images,
            )
            for number in NUMBERS
        ),
    )


def _difference(
    number: Number,
    mine: float | None,
    theirs: float | None,
    drawn: FloatArray,
    images: int,
) -> Difference:
    if mine is None or theirs is None:
        return Difference(number, None, None)
    value = mine - theirs
    if images == 1:
        return Difference(number, value, None)
    ap = number == "COCO AP"
    interval = corrected(drawn, value, images) if ap else percentiles(drawn)
    return Difference(number, value, interval and interval.within(-1, 1))
