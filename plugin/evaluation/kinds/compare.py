"""Runs of one kind of labels side by side, on the same drawings of the items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from ...values import ImageLabels, Kind, Run
from ..bootstrap import f1_resamples
from ..compare import FEW_IMAGES, Contender, check_contenders
from ..intervals import SEED, FloatArray, Interval, draw_images
from .judging import find_kind, judge_kind
from .numbers import Better, KindScores, Measure, defined, range_of

Verdict: TypeAlias = Literal["better", "worse", "within noise", "undefined"]


@dataclass(frozen=True, slots=True)
class KindStanding:
    """How one run did by itself."""

    name: str
    run: Run | None
    scores: KindScores

    @property
    def failures(self) -> int:
        """Count the items without an answer."""
        return self.scores.items - self.scores.answered

    @property
    def seconds(self) -> float | None:
        """How long the run took; None when nobody recorded it."""
        if self.run is None or self.run.finished is None:
            return None
        return (self.run.finished - self.run.started).total_seconds()

    @property
    def right(self) -> int:
        """Count the items that are right as a whole."""
        return sum(verdict.score >= 1 for verdict in self.scores.verdicts)

    @property
    def cost_per_right(self) -> float | None:
        """US dollars for each item that is right as a whole; None when unknown."""
        run = self.run
        if run is None or run.cost_usd is None or run.from_journal or not self.right:
            return None
        return run.cost_usd / self.right


@dataclass(frozen=True, slots=True)
class KindDifference:
    """One number of a run minus that of the first; None where one is undefined."""

    number: str
    value: float | None
    interval: Interval | None
    better: Better

    @property
    def verdict(self) -> Verdict:
        """Say what the interval allows: it is noise as long as it holds 0."""
        if self.value is None or self.interval is None:
            return "undefined"
        if self.interval.low <= 0 <= self.interval.high:
            return "within noise"
        return (
            "better" if (self.interval.low > 0) == (self.better == "high") else "worse"
        )


@dataclass(frozen=True, slots=True)
class KindAgainst:
    """All differences of one run from the first."""

    name: str
    differences: tuple[KindDifference, ...]


@dataclass(frozen=True, slots=True)
class KindComparison:
    """Runs side by side; the first is what others are held against.

    Intervals are 95 % ranges, each by itself, over items drawn with replacement.
    """

    kind: Kind
    items: int
    standings: tuple[KindStanding, ...]
    against: tuple[KindAgainst, ...]
    resamples: int

    @property
    def first(self) -> str:
        """The name of the run that others are held against."""
        return self.standings[0].name

    @property
    def few_items(self) -> bool:
        """Whether the items are so few that intervals come out too narrow."""
        return self.items < FEW_IMAGES


def compare_kinds(
    truth: Sequence[ImageLabels],
    contenders: Sequence[Contender],
    *,
    kind: Kind | None = None,
    seed: int = SEED,
) -> KindComparison:
    """Hold runs against the first of them, over all items of the truth.

    Raises UsageError for fewer than two runs, two of one name, and what `judge_kind`
    raises.
    """
    check_contenders(contenders)
    kind = kind or find_kind(*(one.predicted for one in contenders), truth)
    standings = [
        KindStanding(c.name, c.run, judge_kind(truth, c.predicted, kind=kind))
        for c in contenders
    ]
    items = standings[0].scores.items
    weights = draw_images(items, f1_resamples(items), seed)
    against = (_against(one, standings[0], weights) for one in standings[1:])
    return KindComparison(kind, items, tuple(standings), tuple(against), len(weights))


def _against(
    standing: KindStanding, first: KindStanding, weights: FloatArray
) -> KindAgainst:
    both = zip(standing.scores.measures, first.scores.measures, strict=True)
    differences = (_difference(mine, theirs, weights) for mine, theirs in both)
    return KindAgainst(standing.name, tuple(differences))


def _difference(mine: Measure, theirs: Measure, weights: FloatArray) -> KindDifference:
    once = np.ones((1, weights.shape[1]))
    value = defined(float(mine.of(once)[0] - theirs.of(once)[0]))
    drawn = mine.of(weights) - theirs.of(weights)
    return KindDifference(
        mine.name,
        value,
        range_of(mine, drawn, value, weights.shape[1]),
        mine.better,
    )
