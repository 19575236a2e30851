"""`Section` -> `Summary`: what the panel in the App shows of an evaluation, small enough to keep.

All numbers of the panel come from here; texts are as they came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from ..evaluation import ClassScores, KindCost, Scores
from ..evaluation.curves import Calibration, ClassVerdicts, Curve, verdicts_by_class
from ..evaluation.trust import TARGET, ClassTrust, trust_in
from .anatomy import KIND_MEANING
from .build import headlines_of
from .charts import thinned
from .content import Headline, Section
from .trust import find_belief, rule_text, trust_summary

MOST_CURVES = 12
MOST_VERDICTS = 200_000
"""Beyond so many predictions no verdicts are kept; rules are then found by judging anew."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How one class did, at the IoU of the evaluation."""

    label: str
    right: int
    invented: int
    missed: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class CurveLine:
    """Precision over recall of one class."""

    label: str
    recall: tuple[float, ...]
    precision: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CalibrationDots:
    """The share right over the confidence, with what its 95 % interval adds both ways."""

    error: float
    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class KindRow:
    """How many errors of one kind there are, and what AP50 would gain without them."""

    kind: str
    count: int
    ap_gain: float | None
    meaning: str


@dataclass(frozen=True, slots=True)
class TrustRow:
    """What of one class can be accepted unseen at a target precision."""

    label: str
    predictions: int
    accepted: int
    rule: str
    above: float | None
    """What its precision is above, at 95 % confidence."""


@dataclass(frozen=True, slots=True)
class ClassSeen:
    """The predictions of one class, the most confident first, and which are right."""

    label: str
    objects: int
    confidence: tuple[float | None, ...]
    right: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class TrustTable:
    """The rules for a target precision, and what they save in a sentence."""

    said: str
    rows: tuple[TrustRow, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """An evaluation in short; `no_curves` says why there are none."""

    key: str
    field: str
    truth: str
    made: datetime
    images: int
    iou: float
    compared_by: str
    headlines: tuple[Headline, ...]
    classes: tuple[ClassRow, ...]
    kinds: tuple[KindRow, ...]
    curves: tuple[CurveLine, ...]
    calibration: CalibrationDots | None
    no_curves: str
    seen: tuple[ClassSeen, ...]


def summarize(section: Section, *, key: str, field: str, truth: str) -> Summary:
    """Sum up an evaluation that is kept under a key; takes a second for 5,000 images."""
    scores, predicted = section.scores, section.predicted
    belief = find_belief(section, TARGET)
    found = belief.confidences
    curves = sorted(found.curves, key=lambda one: (-one.objects, one.label))
    return Summary(
        key=key,
        field=field,
        truth=truth,
        made=datetime.now(UTC),
        images=scores.all.images,
        iou=scores.iou,
        compared_by="boxes" if scores.all.masks is None else "masks",
        headlines=headlines_of(scores, belief.intervals),
        classes=tuple(_class_row(row) for row in scores.all.main.classes),
        kinds=_kinds(scores),
        curves=tuple(_line(curve) for curve in curves[:MOST_CURVES]),
        calibration=_dots(found.overall) if found.overall else None,
        no_curves=found.reason,
        seen=_seen(verdicts_by_class(scores, predicted)),
    )


def trust_table(
    summary: Summary, target: float, by_class: Mapping[str, float] | None = None
) -> TrustTable:
    """Find what can be accepted unseen at a target precision, or one for each class.

    Raises `UsageError` for a target outside of 0..1.
    """
    targets = by_class or {}
    rows = [
        trust_in(_verdicts(one), target=targets.get(one.label, target))
        for one in summary.seen
    ]
    return _table(target, rows)


def _seen(judged: Sequence[ClassVerdicts]) -> tuple[ClassSeen, ...]:
    if sum(len(one.right) for one in judged) > MOST_VERDICTS:
        return ()
    return tuple(
        ClassSeen(
            one.label,
            one.objects,
            tuple(None if np.isnan(c) else float(c) for c in one.confidence),
            tuple(bool(right) for right in one.right),
        )
        for one in judged
    )


def _verdicts(seen: ClassSeen) -> ClassVerdicts:
    confidence = [np.nan if c is None else c for c in seen.confidence]
    return ClassVerdicts(
        seen.label,
        np.array(confidence, np.float64),
        np.array(seen.right, bool),
        seen.objects,
    )


def _class_row(row: ClassScores) -> ClassRow:
    counts = row.counts
    whole = (counts.tp, counts.fp, counts.fn)
    return ClassRow(row.label, *whole, counts.precision, counts.recall, counts.f1)


def _kinds(scores: Scores) -> tuple[KindRow, ...]:
    """List the kinds of errors, the costliest first."""
    if scores.anatomy is None:
        return ()

    def rank(cost: KindCost) -> tuple[float, int]:
        return (-(cost.ap_gain or 0.0), -cost.count)

    return tuple(
        KindRow(cost.kind.value, cost.count, cost.ap_gain, KIND_MEANING[cost.kind])
        for cost in sorted(scores.anatomy.kinds, key=rank)
    )


def _line(curve: Curve) -> CurveLine:
    points = [(p.recall or 0.0, p.precision) for p in curve.points]
    recall, precision = zip(*thinned(points), strict=True)
    return CurveLine(curve.label, recall, precision)


def _dots(found: Calibration) -> CalibrationDots:
    bins = found.bins
    return CalibrationDots(
        found.error,
        tuple(one.confidence for one in bins),
        tuple(one.accuracy for one in bins),
        tuple(one.accuracy - one.interval.low for one in bins),
        tuple(one.interval.high - one.accuracy for one in bins),
    )


def _table(target: float, rows: Sequence[ClassTrust]) -> TrustTable:
    ordered = sorted(rows, key=lambda row: (-row.accepted, row.label))
    return TrustTable(
        trust_summary(rows, target),
        tuple(
            TrustRow(
                row.label,
                row.predictions,
                row.accepted,
                rule_text(row),
                row.rule.lower if row.rule else None,
            )
            for row in ordered
        ),
    )
