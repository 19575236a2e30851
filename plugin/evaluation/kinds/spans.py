"""Stretches of time, judged as ActivityNet does: AP at temporal IoUs, and P, R and F1.

Source: ActivityNet's `eval_detection.py` (Heilbron and others, CVPR 2015): in the order of
confidence, each prediction takes the free true span of its label it overlaps most, if that
is enough; AP is the area under the envelope of precision over recall.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...values import BoolArray, Span, Value
from ..intervals import FloatArray
from .counts import ClassCounts
from .numbers import (
    ItemVerdict,
    Judgement,
    Measure,
    Sheet,
    defined,
    mean_defined,
    ratio_of_sums,
    share,
)
from .pairs import ItemPair

IOUS = np.linspace(0.5, 0.95, 10)
MAIN_IOU = 0.5
_NOTHING = -1


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The spans said of one label, by confidence; `item` is the row of each one's.

    `right` has shape [10 tIoUs, spans]; `objects` counts the true spans of each item.
    """

    item: NDArray[np.intp]
    right: BoolArray
    objects: FloatArray


@dataclass(frozen=True, slots=True)
class SpanMatch:
    """A span that was said and the true span it is; one of the two may be missing."""

    label: str
    said: int | None
    true: int | None
    iou: float = 0.0


def judge_spans(pairs: Sequence[ItemPair], iou: float = MAIN_IOU) -> Judgement:
    """Compare stretches of time: P, R, F1 at one tIoU, and AP over ten."""
    sides = [(spans_of(pair.true), spans_of(pair.said)) for pair in pairs]
    classes = sorted({s.label for side in sides for part in side for s in part})
    matches = [match_spans(true, said, iou) for true, said in sides]
    counts = ClassCounts.blank(len(pairs), classes)
    for item, found in enumerate(matches):
        for match in found:
            counts.add(item, match.label, _column(match))
    rankings = [_rank(label, sides) for label in classes]
    return Judgement(
        (
            *counts.measures(f"right is a temporal IoU of {iou:g} or more"),
            Measure("Mean tIoU", "how well the right ones fit", _fit(matches)),
            *_ap_measures(rankings),
        ),
        (counts.sheet(), _by_iou(rankings, sides)),
        tuple(_verdict(p, found) for p, found in zip(pairs, matches, strict=True)),
        _remarks(sides),
    )


def _ap_measures(rankings: Sequence[Ranking]) -> Iterator[Measure]:
    for name, meaning, places in (
        ("AP", "mean of temporal IoU 0.50 to 0.95", range(len(IOUS))),
        ("AP50", "at temporal IoU 0.50", range(1)),
        ("AP75", "at temporal IoU 0.75", range(5, 6)),
    ):
        yield Measure(name, meaning, _ap(rankings, places), overstated=True)


def spans_of(values: Sequence[Value]) -> tuple[Span, ...]:
    """Give the spans among values."""
    return tuple(value for value in values if isinstance(value, Span))


def temporal_iou(a: Span, b: Span) -> float:
    """Give the time in both of the time in either; 0 for two of no length."""
    both = min(a.end_seconds, b.end_seconds) - max(a.start_seconds, b.start_seconds)
    either = (a.end_seconds - a.start_seconds) + (b.end_seconds - b.start_seconds)
    return max(0.0, both) / (either - max(0.0, both)) if either > 0 else 0.0


def match_spans(
    true: Sequence[Span], said: Sequence[Span], iou: float
) -> tuple[SpanMatch, ...]:
    """Match the spans of one item: those that were said as listed, then the missed."""
    chosen = _choose(true, said, iou)
    found = [
        SpanMatch(span.label, i, None)
        if chosen[i] == _NOTHING
        else SpanMatch(span.label, i, chosen[i], temporal_iou(span, true[chosen[i]]))
        for i, span in enumerate(said)
    ]
    missed = [i for i in range(len(true)) if i not in set(chosen)]
    return (*found, *(SpanMatch(true[i].label, None, i) for i in missed))


def _choose(true: Sequence[Span], said: Sequence[Span], iou: float) -> list[int]:
    """Choose a true span for each one said, or -1: the surest chooses first."""
    chosen = [_NOTHING] * len(said)
    for i in sorted(range(len(said)), key=lambda i: -_confidence(said[i])):
        free = [
            (temporal_iou(said[i], span), -j)
            for j, span in enumerate(true)
            if span.label == said[i].label and j not in chosen
        ]
        best, place = max(free, default=(0.0, 0))
        if free and best >= iou:
            chosen[i] = -place
    return chosen


def _confidence(span: Span) -> float:
    return 1.0 if span.confidence is None else span.confidence


_Sides = Sequence[tuple[tuple[Span, ...], tuple[Span, ...]]]
"""What is true and what was said, item by item."""


def _rank(label: str, sides: _Sides) -> Ranking:
    items: list[int] = []
    scores: list[float] = []
    right: list[list[bool]] = []
    objects = np.zeros(len(sides))
    for item, side in enumerate(sides):
        true, said = ([s for s in part if s.label == label] for part in side)
        objects[item] = len(true)
        items += [item] * len(said)
        scores += [_confidence(span) for span in said]
        at_each = [_choose(true, said, float(iou)) for iou in IOUS]
        right += [[at[i] != _NOTHING for at in at_each] for i in range(len(said))]
    order = np.argsort(-np.array(scores), kind="stable")
    table = np.array(right, bool).reshape(len(items), len(IOUS))
    return Ranking(np.array(items, np.intp)[order], table[order].T, objects)


def _ap(
    rankings: Sequence[Ranking], ious: Sequence[int]
) -> Callable[[FloatArray], FloatArray]:
    """Make the function of AP, averaged over tIoUs (by their places) and classes."""

    def of(weights: FloatArray) -> FloatArray:
        per_class = [
            np.mean([_area(weights, one, place) for place in ious], axis=0)
            for one in rankings
        ]
        if not per_class:
            return np.full(len(weights), np.nan)
        return mean_defined(np.array(per_class).T)

    return of


def _area(weights: FloatArray, ranking: Ranking, place: int) -> FloatArray:
    """Work out the area under the envelope at one tIoU, for each row of weights.

    An item drawn twice stands twice in the ranking, its copies side by side.
    """
    objects = weights @ ranking.objects
    drawn, right = weights[:, ranking.item], ranking.right[place]
    found, seen = np.cumsum(drawn * right, axis=1), np.cumsum(drawn, axis=1)
    precision = found / np.maximum(seen, 1e-12)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return share((drawn * right * best).sum(axis=1), objects)


def _fit(matches: Sequence[Sequence[SpanMatch]]) -> Callable[[FloatArray], FloatArray]:
    ious = [[m.iou for m in found if _column(m) == 0] for found in matches]
    return ratio_of_sums(
        np.array([sum(values) for values in ious], np.float64),
        np.array([len(values) for values in ious], np.float64),
    )


def _column(match: SpanMatch) -> int:
    """Say which column of the counts a match belongs to: right, invented, missed."""
    if match.said is None:
        return 2
    return 1 if match.true is None else 0


def _by_iou(rankings: Sequence[Ranking], sides: _Sides) -> Sheet:
    """List the numbers at each tIoU, over all items."""
    once = np.ones((1, len(sides)))
    true = sum(len(part) for part, _ in sides)
    said = sum(len(part) for _, part in sides)
    rows = []
    for place, iou in enumerate(IOUS):
        right = sum(int(ranking.right[place].sum()) for ranking in rankings)
        ratios = (
            right / said if said else None,
            right / true if true else None,
            2 * right / (said + true) if said + true else None,
        )
        ap = defined(float(_ap(rankings, [place])(once)[0]))
        rows.append((f"{iou:.2f}", *ratios, ap))
    columns = ("Temporal IoU", "Precision", "Recall", "F1", "AP")
    return Sheet("At each temporal IoU", columns, tuple(rows))


def _remarks(sides: _Sides) -> tuple[str, ...]:
    if all(s.confidence is not None for _, said in sides for s in said):
        return ()
    return (
        (
            "Not every span carries a confidence. AP ranks by confidence; without one it "
            "uses 1.0, with ties in the order they were listed: read F1 first."
        ),
    )


def _verdict(pair: ItemPair, matches: Sequence[SpanMatch]) -> ItemVerdict:
    columns = [_column(match) for match in matches]
    right, invented, missed = (columns.count(n) for n in range(3))
    whole = 2 * right + invented + missed
    return ItemVerdict(
        pair.truth.image_id,
        pair.truth.path,
        pair.status,
        2 * right / whole if whole else 1.0,
        _written(spans_of(pair.true)),
        _written(spans_of(pair.said)),
    )


def _written(spans: Sequence[Span]) -> str:
    """Write spans in a line, as `jump 1.0-2.5 s`."""
    return ", ".join(
        f"{s.label} {s.start_seconds:.1f}-{s.end_seconds:.1f} s" for s in spans
    )
