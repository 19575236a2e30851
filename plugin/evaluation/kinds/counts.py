"""Right, invented and missed labels of each item and class, and the numbers they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..intervals import FloatArray
from .numbers import CellValue, Measure, Sheet, defined, mean_defined, share


@dataclass(frozen=True, slots=True, eq=False)
class ClassCounts:
    """Counts of each item and class: [items, classes, 3] (right, invented, missed)."""

    classes: tuple[str, ...]
    counts: FloatArray

    @classmethod
    def blank(cls, items: int, classes: Sequence[str]) -> ClassCounts:
        """Start with nothing counted."""
        return cls(tuple(classes), np.zeros((items, len(classes), 3)))

    def add(self, item: int, label: str, column: int) -> None:
        """Count one label: column 0 right, 1 invented, 2 missed."""
        self.counts[item, self.classes.index(label), column] += 1

    def pooled(self, weights: FloatArray) -> FloatArray:
        """Sum over items and classes: [n, 3]."""
        return np.asarray(weights @ self.counts.sum(axis=1), np.float64)

    def by_class(self, weights: FloatArray) -> FloatArray:
        """Sum over items: [n, classes, 3]."""
        return np.tensordot(weights, self.counts, axes=1)

    def precision(self, weights: FloatArray) -> FloatArray:
        """Share of what was said that is right."""
        right, invented, _ = self.pooled(weights).T
        return share(right, right + invented)

    def recall(self, weights: FloatArray) -> FloatArray:
        """Share of what is true that was said."""
        right, _, missed = self.pooled(weights).T
        return share(right, right + missed)

    def f1(self, weights: FloatArray) -> FloatArray:
        """Both in one, over all labels."""
        return f1_of(self.pooled(weights))

    def macro_f1(self, weights: FloatArray) -> FloatArray:
        """F1 of each class that the truth shows, averaged."""
        counts = self.by_class(weights)
        return mean_defined(np.where(_is_true(counts), f1_of(counts), np.nan))

    def macro_recall(self, weights: FloatArray) -> FloatArray:
        """Recall of each class that the truth shows, averaged."""
        counts = self.by_class(weights)
        return mean_defined(share(counts[..., 0], counts[..., 0] + counts[..., 2]))

    def measures(self, right_means: str) -> tuple[Measure, ...]:
        """Give precision, recall and F1 over all labels; `right_means` in words."""
        return (
            Measure("F1", f"precision and recall in one; {right_means}", self.f1),
            Measure(
                "Precision", "share of what was said that is right", self.precision
            ),
            Measure("Recall", "share of what is true that was said", self.recall),
        )

    def sheet(self) -> Sheet:
        """List the classes over all items, the worst F1 first."""
        totals = self.counts.sum(axis=0)
        rows = [
            _class_row(label, counts)
            for label, counts in zip(self.classes, totals, strict=True)
        ]
        rows.sort(key=lambda row: (2.0 if row[-1] is None else row[-1], row[0]))
        columns = ("Class", "True", "Right", "Invented", "Missed")
        return Sheet(
            "Classes, worst F1 first",
            (*columns, "Precision", "Recall", "F1"),
            tuple(rows),
        )


def f1_of(counts: FloatArray) -> FloatArray:
    """Work out 2 right / (2 right + invented + missed) along the last axis."""
    right, invented, missed = np.moveaxis(counts, -1, 0)
    return share(2 * right, 2 * right + invented + missed)


def _is_true(counts: FloatArray) -> FloatArray:
    return np.asarray(counts[..., 0] + counts[..., 2] > 0)


def _class_row(label: str, counts: FloatArray) -> tuple[CellValue, ...]:
    right, invented, missed = (int(n) for n in counts)
    precision = share(counts[0], counts[0] + counts[1])
    recall = share(counts[0], counts[0] + counts[2])
    ratios = (precision, recall, f1_of(counts))
    return (
        label,
        right + missed,
        right,
        invented,
        missed,
        *(defined(float(value)) for value in ratios),
    )
