"""How far the numbers of a section can be believed, as blocks of its chapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..evaluation.bootstrap import find_intervals
from ..evaluation.curves import Calibration, Confidences, Curve, study_confidence
from ..evaluation.intervals import Intervals
from ..evaluation.trust import ClassTrust, trust
from .charts import draw_calibration, draw_curve
from .content import Belief, Block, Cell, Section, Table
from .texts import UNDEFINED, number

MAX_CHARTS = 12


def find_belief(section: Section, target: float) -> Belief:
    """Compute intervals, curves, calibration and rules of trust of one section."""
    scores, predicted = section.scores, section.predicted
    return Belief(
        find_intervals(section.truth, predicted, scores),
        study_confidence(scores, predicted),
        target,
        trust(scores, predicted, target=target),
    )


def belief_blocks(belief: Belief) -> tuple[Block, ...]:
    """Lay out trust first, then what confidence is worth."""
    rules = Block(
        "What can be accepted unseen",
        tuple(_trust_texts(belief)),
        Table(
            ("Class", "Predictions", "Right", "Rule", "Accepted", "Precision above"),
            tuple(_trust_row(row) for row in _by_accepted(belief.trust)),
        ),
    )
    return (rules, *_confidence_blocks(belief.confidences))


def interval_remark(intervals: Intervals) -> str:
    """Say what the brackets beside the headline numbers are."""
    return (
        "Brackets are 95 % intervals over all images: Wilson's for precision and recall "
        "(objects taken as independent), for F1 and AP the spread over images drawn "
        f"with replacement, {intervals.f1_resamples:,} and {intervals.ap_resamples:,} "
        "times."
    )


def rule_text(row: ClassTrust) -> str:
    """Say in words what is accepted, or why nothing is."""
    if row.rule is None:
        return f"review: {row.reason}"
    if row.rule.threshold is None:
        return "accept all"
    # Not rounded: the rule must accept what was tested.
    return f"accept from confidence {row.rule.threshold!r}"


def trust_summary(rows: Sequence[ClassTrust], target: float) -> str:
    """Say how much work the rules save."""
    whole = sum(row.predictions for row in rows)
    accepted = sum(row.accepted for row in rows)
    share = f"{100 * accepted / whole:.0f} %" if whole else UNDEFINED
    return (
        f"{accepted:,} of {whole:,} predictions ({share}) can be accepted unseen with a "
        f"precision above {target:g}; {whole - accepted:,} need review."
    )


def _trust_texts(belief: Belief) -> Iterator[str]:
    yield trust_summary(belief.trust, belief.target)
    yield (
        "Each rule is the largest of up to ten that passed an exact test at 95 % "
        "confidence, corrected for their number (Holm). That holds for each class by "
        "itself, if new pictures are like these and errors do not come in clusters. "
        "Accepting says nothing about objects that were missed."
    )


def _by_accepted(rows: Sequence[ClassTrust]) -> list[ClassTrust]:
    return sorted(rows, key=lambda row: (-row.accepted, row.label))


def _trust_row(row: ClassTrust) -> tuple[Cell, ...]:
    lower = row.rule.lower if row.rule else None
    return (
        Cell(row.label),
        *(Cell(f"{n:,}", is_number=True) for n in (row.predictions, row.right)),
        Cell(rule_text(row)),
        Cell(f"{row.accepted:,}", row.saved, is_number=True),
        Cell(number(lower), is_number=True),
    )


def _confidence_blocks(found: Confidences) -> Iterator[Block]:
    title = "What confidence is worth"
    if found.reason or found.overall is None:
        yield Block(title, (found.reason or "There are no predictions.",))
        return
    curves = sorted(found.curves, key=lambda c: (-c.objects, c.label))
    drawn = curves[:MAX_CHARTS]
    yield Block(
        title,
        (
            (
                "Of predictions with confidence 0.8, 8 in 10 should be right: dots on the "
                "dashed line. Whiskers are 95 % intervals. The calibration error is the "
                f"mean distance from it: {found.overall.error:.3f} over all classes."
            ),
        ),
        charts=tuple(map(draw_calibration, (found.overall, *_of(drawn, found)))),
    )
    texts = [
        (
            "Precision over recall as the threshold of confidence falls; the dot has the "
            "best F1. It was chosen on these images: new ones will do a little worse."
        )
    ]
    if len(curves) > len(drawn):
        texts.append(f"Drawn are the {len(drawn)} classes with most objects.")
    yield Block(
        "Thresholds by class",
        tuple(texts),
        _threshold_table(curves, found),
        tuple(map(draw_curve, drawn)),
    )


def _of(curves: Sequence[Curve], found: Confidences) -> Iterator[Calibration]:
    """Give the calibration of each of some classes; of a single one it is the whole."""
    by_class = {c.label: c for c in found.calibrations}
    if len(by_class) > 1:
        yield from (by_class[curve.label] for curve in curves)


def _threshold_table(curves: Sequence[Curve], found: Confidences) -> Table:
    errors = {c.label: c.error for c in found.calibrations}
    names = ("Class", "Best threshold", "F1 there", "Precision", "Recall", "F1 of all")
    return Table(
        (*names, "Calibration error"),
        tuple(_threshold_row(curve, errors[curve.label]) for curve in curves),
    )


def _threshold_row(curve: Curve, error: float) -> tuple[Cell, ...]:
    best, every = curve.best, curve.points[-1]
    ratios = (best.f1, best.precision, best.recall, every.f1, error)
    return (
        Cell(curve.label),
        Cell(f"{best.threshold:.2f}", is_number=True),
        *(Cell(number(value), is_number=True) for value in ratios),
    )
