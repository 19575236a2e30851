"""How far a number can be trusted: intervals of shares, and the bootstrap over images.

A share (precision, recall) has Wilson's interval, which treats objects as independent.
Numbers without a formula (F1, AP) are computed again on images drawn with replacement:
a drawing is a row of weights, how often each image was drawn, so that nothing is matched
twice (`bootstrap.py` has the matching).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .scores import Match

FloatArray: TypeAlias = NDArray[np.float64]
LEVEL = 0.95
SEED = 51
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Interval:
    """The range in which the true value lies, at the confidence asked for."""

    low: float
    high: float

    def within(self, low: float, high: float) -> Interval:
        """Cut the range to what the number can be."""
        return Interval(min(max(self.low, low), high), min(max(self.high, low), high))


@dataclass(frozen=True, slots=True)
class Intervals:
    """The intervals of the headline numbers, over all images; None where undefined."""

    precision: Interval | None
    recall: Interval | None
    f1: Interval | None
    ap: Interval | None
    f1_resamples: int
    ap_resamples: int


def wilson(successes: int, trials: int, level: float = LEVEL) -> Interval | None:
    """Give the two-sided interval of a share; None without trials.

    Wilson's score interval: E. B. Wilson, "Probable inference", JASA 22 (1927).
    """
    if not trials:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / trials
    scale = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / scale
    half = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2) / scale
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == trials else min(1.0, middle + half)
    return Interval(low, high)


def chance_of_at_least(successes: int, trials: int, share: float) -> float:
    """Give P(X >= successes) of a binomial X: the exact one-sided p-value."""
    if successes <= 0:
        return 1.0
    if not 0 < share < 1:
        return float(share >= 1)
    numbers = range(successes, trials + 1)
    logs = [
        math.lgamma(trials + 1)
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(share)
        + (trials - k) * math.log1p(-share)
        for k in numbers
    ]
    return min(1.0, math.fsum(map(math.exp, logs)))


def exact_lower(successes: int, trials: int, level: float = LEVEL) -> float:
    """Give the one-sided lower bound of a share: Clopper and Pearson, Biometrika 1934.

    The share under which so many successes have the chance 1 - level; it is never too
    high more often than that, at any share and any number of trials.
    """
    low, high = 0.0, successes / trials if trials else 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if chance_of_at_least(successes, trials, middle) <= 1 - level:
            low = middle
        else:
            high = middle
    return low


def draw_images(images: int, resamples: int, seed: int = SEED) -> FloatArray:
    """Draw images with replacement; [resamples, images]: how often each was drawn."""
    if not images:
        return np.zeros((resamples, 0))
    rng = np.random.default_rng(seed)
    even = np.full(images, 1 / images)
    return rng.multinomial(images, even, size=resamples).astype(np.float64)


def count_per_image(matches: Sequence[Match], images: Sequence[str]) -> FloatArray:
    """Count right, invented and missed objects of each image: [images, 3]."""
    rows = {image_id: row for row, image_id in enumerate(images)}
    columns = {"tp": 0, "fp": 1, "fn": 2}
    found = np.zeros((len(images), 3))
    for match in matches:
        if match.kind in columns:
            found[rows[match.image_id], columns[match.kind]] += 1
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Ratios:
    """Precision, recall and F1 of each drawing, [resamples]; NaN where undefined."""

    precision: FloatArray
    recall: FloatArray
    f1: FloatArray


def drawn_ratios(weights: FloatArray, counts: FloatArray) -> Ratios:
    """Compute the ratios of all drawings at once, from the counts of each image."""
    right, invented, missed = (weights @ counts).T
    with np.errstate(invalid="ignore"):
        return Ratios(
            right / (right + invented),
            right / (right + missed),
            2 * right / (2 * right + invented + missed),
        )


def percentiles(values: FloatArray, level: float = LEVEL) -> Interval | None:
    """Give the range that holds the middle share of the drawings; None if undefined.

    Drawings in which the number is not defined are left out.
    """
    defined = values[~np.isnan(values)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def corrected(
    values: FloatArray, measured: float | None, images: int, level: float = LEVEL
) -> Interval | None:
    """Give the interval of a number that few images overstate; None if undefined.

    What drawings add to the number measured, the images have added to the truth: the
    middle is moved down by as much. Around it lies the spread of the drawings, which is
    too small by (n - 1) / n, times Student's t (Hesterberg, "What teachers should know
    about the bootstrap", The American Statistician 69, 2015).
    """
    defined = values[~np.isnan(values)]
    if measured is None or images < 2 or len(defined) < 2:  # noqa: PLR2004
        return None
    middle = 2 * measured - float(np.mean(defined))
    spread = float(np.std(defined, ddof=1)) * math.sqrt(images / (images - 1))
    half = student((1 + level) / 2, images - 1) * spread
    return Interval(middle - half, middle + half)


def student(share: float, freedom: int) -> float:
    """Give the quantile of Student's t: exact up to two degrees of freedom.

    Beyond, to a hundredth, the expansion of Fisher and Cornish (Abramowitz and
    Stegun, 26.7.5).
    """
    if freedom == 1:
        return math.tan(math.pi * (share - 0.5))
    if freedom == 2:  # noqa: PLR2004
        return (2 * share - 1) / math.sqrt(2 * share * (1 - share))
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(t / float(freedom) ** n for n, t in enumerate(terms, start=1))
