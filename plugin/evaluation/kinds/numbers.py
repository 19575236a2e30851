"""What the judging of every kind of label comes to, and how a number is worked out.

A number is a function of how often each item counts. All items once: the number over all;
those without an answer not at all: the number over answered items; items drawn with
replacement: its interval; one item alone: how good that item is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from ...values import Kind, Status
from ..bootstrap import f1_resamples
from ..intervals import SEED, FloatArray, Interval, corrected, draw_images, percentiles

Better: TypeAlias = Literal["high", "low"]
CellValue: TypeAlias = str | int | float | None


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """One number: `of` takes weights [n, items] and gives n numbers, NaN if undefined.

    `overstated`: few items raise it (AP), and drawings more so: its range is corrected.
    """

    name: str
    meaning: str
    of: Callable[[FloatArray], FloatArray]
    better: Better = "high"
    overstated: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A measure over all items, and over those that were answered; None if undefined.

    `interval` is the 95 % range over items drawn with replacement, all items.
    """

    name: str
    meaning: str
    all: float | None
    answered: float | None
    interval: Interval | None
    better: Better


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table behind the numbers. Shares are floats, counts are whole numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[CellValue, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a picture, as shares of its width and height, and its verdict."""

    x_rel: float
    y_rel: float
    verdict: Literal["right", "invented", "missed"]


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    """How one item did: `score` from 0 (all wrong) to 1; what is true, what was said.

    `marks` show where, for points.
    """

    image_id: str
    path: str
    status: Status
    score: float
    truth: str
    said: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge of one kind works out; the rest is the same for all kinds."""

    measures: tuple[Measure, ...]
    sheets: tuple[Sheet, ...]
    verdicts: tuple[ItemVerdict, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KindScores:
    """How good labels of one kind are. An item without an answer said nothing.

    `verdicts` are in the order of the truth. `unknown_items` counts predictions for
    items that the truth lacks, `unlabelled` items that it has without a label: both
    are left out.
    """

    kind: Kind
    items: int
    answered: int
    statuses: Mapping[Status, int]
    numbers: tuple[Number, ...]
    sheets: tuple[Sheet, ...]
    verdicts: tuple[ItemVerdict, ...]
    remarks: tuple[str, ...]
    resamples: int
    unknown_items: int = 0
    unlabelled: int = 0
    measures: tuple[Measure, ...] = field(default=(), compare=False, repr=False)

    def number(self, name: str) -> Number:
        """Find a number by its name; raises KeyError where there is none."""
        found = next((n for n in self.numbers if n.name == name), None)
        if found is None:
            raise KeyError(name)
        return found


def work_out(
    measures: Sequence[Measure], answered: Sequence[bool], seed: int = SEED
) -> tuple[Number, ...]:
    """Work out numbers over all items and over the `answered`, with intervals."""
    drawn = draw_images(len(answered), f1_resamples(len(answered)), seed)
    both = np.array([np.ones(len(answered)), answered], np.float64)
    return tuple(_number(measure, both, drawn) for measure in measures)


def _number(measure: Measure, both: FloatArray, drawn: FloatArray) -> Number:
    over_all, over_answered = (defined(value) for value in measure.of(both))
    return Number(
        measure.name,
        measure.meaning,
        over_all,
        over_answered,
        range_of(measure, measure.of(drawn), over_all, drawn.shape[1]),
        measure.better,
    )


def range_of(
    measure: Measure, drawn: FloatArray, value: float | None, items: int
) -> Interval | None:
    """Give the 95 % range of what drawings give; `corrected` for one they overstate."""
    if measure.overstated:
        return corrected(drawn, value, items)
    return percentiles(drawn)


def defined(value: float) -> float | None:
    """Turn NaN into None."""
    return None if np.isnan(value) else float(value)


def share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide; NaN where there is nothing to divide by."""
    parts, wholes = np.broadcast_arrays(np.asarray(part, np.float64), whole)
    out = np.full(wholes.shape, np.nan)
    np.divide(parts, wholes, out=out, where=wholes > 0)
    return out


def mean_defined(values: FloatArray) -> FloatArray:
    """Average over the last axis, without what is undefined; NaN where nothing is."""
    known = ~np.isnan(values)
    return share(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))


def ratio_of_sums(part: FloatArray, whole: FloatArray) -> Callable[..., FloatArray]:
    """Make the function of a pooled ratio from what each item adds to it."""
    return lambda weights: share(weights @ part, weights @ whole)


def mean_over_items(values: FloatArray) -> Callable[..., FloatArray]:
    """Make the function of a mean over items."""
    return ratio_of_sums(values, np.ones(len(values)))
