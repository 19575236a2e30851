"""Classes of whole pictures: one for each (`Kind.TAG`), or any number (`Kind.TAGS`).

The numbers are those of scikit-learn: accuracy, balanced accuracy, F1 over the classes of
the truth, and by samples for several labels (exact match, Jaccard).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ...values import Kind, Tag, Value
from ..curves import ClassVerdicts, calibrate
from ..intervals import FloatArray
from .counts import ClassCounts
from .numbers import ItemVerdict, Judgement, Measure, Sheet, mean_over_items
from .pairs import ItemPair

NOTHING = "(nothing)"
"""Stands for what was said where nothing was."""
MOST_CLASSES = 20
"""Up to so many classes the confusion is a matrix; above, a list of mix-ups."""
MOST_MIXUPS = 30


def judge_tags(pairs: Sequence[ItemPair], kind: Kind) -> Judgement:
    """Compare the classes of pictures; of several for one, `Kind.TAG` takes the first."""
    most = 1 if kind is Kind.TAG else None
    sides = [(tags_of(p.true)[:most], tags_of(p.said)[:most]) for p in pairs]
    classes = sorted({label for side in sides for part in side for label in part})
    counts = ClassCounts.blank(len(sides), classes)
    for item, (true, said) in enumerate(sides):
        for column, labels in enumerate(_sorted_out(true, said)):
            for label in labels:
                counts.add(item, label, column)
    return Judgement(
        _single(sides, counts) if most else _several(sides, counts),
        (counts.sheet(), *([_confusion(sides)] if most else [])),
        tuple(_verdict(*both) for both in zip(pairs, sides, strict=True)),
        _confidence_remarks(pairs, sides),
    )


def tags_of(values: Sequence[Value]) -> tuple[str, ...]:
    """Name the tags among values, each once."""
    return tuple(dict.fromkeys(v.label for v in values if isinstance(v, Tag)))


_Sides = Sequence[tuple[tuple[str, ...], tuple[str, ...]]]
"""What is true and what was said, item by item."""


def _sorted_out(
    true: Sequence[str], said: Sequence[str]
) -> tuple[set[str], set[str], set[str]]:
    """Give what is right, invented and missed."""
    return set(true) & set(said), set(said) - set(true), set(true) - set(said)


def _single(sides: _Sides, counts: ClassCounts) -> tuple[Measure, ...]:
    right = np.array([true == said for true, said in sides], np.float64)
    return (
        Measure(
            "Accuracy", "share of items with the right class", mean_over_items(right)
        ),
        Measure("Macro F1", "F1 of each true class, averaged", counts.macro_f1),
        Measure(
            "Balanced accuracy",
            "share found of each true class, averaged",
            counts.macro_recall,
        ),
    )


def _several(sides: _Sides, counts: ClassCounts) -> tuple[Measure, ...]:
    exact = np.array([set(true) == set(said) for true, said in sides], np.float64)
    overlap = np.array([_jaccard(*side) for side in sides], np.float64)
    micro, precision, recall = counts.measures("over all labels of all items")
    return (
        Measure("Micro F1", micro.meaning, micro.of),
        Measure("Macro F1", "F1 of each true class, averaged", counts.macro_f1),
        precision,
        recall,
        Measure(
            "Jaccard", "right of all that is true or said", mean_over_items(overlap)
        ),
        Measure("Exact match", "share of items all right", mean_over_items(exact)),
    )


def _jaccard(true: Sequence[str], said: Sequence[str]) -> float:
    """Give the share of labels in both of those in either; 1 where there are none."""
    either = set(true) | set(said)
    return len(set(true) & set(said)) / len(either) if either else 1.0


def _verdict(
    pair: ItemPair, side: tuple[tuple[str, ...], tuple[str, ...]]
) -> ItemVerdict:
    true, said = side
    return ItemVerdict(
        pair.truth.image_id,
        pair.truth.path,
        pair.status,
        _jaccard(true, said),
        ", ".join(true),
        ", ".join(said),
    )


def _confusion(sides: _Sides) -> Sheet:
    """Count what was said of each true class: as a matrix, or as a list of mix-ups."""
    cells = Counter((true[0], said[0] if said else NOTHING) for true, said in sides)
    rows = sorted({true for true, _ in cells})
    columns = sorted({said for _, said in cells} - {NOTHING} | set(rows))
    columns += [NOTHING] if any(said == NOTHING for _, said in cells) else []
    if len(columns) > MOST_CLASSES:
        return _mixups(cells)
    return Sheet(
        "Confusion",
        ("True class", *columns),
        tuple((true, *(cells[true, said] for said in columns)) for true in rows),
        "A row for each true class, a column for what was said.",
    )


def _mixups(cells: Counter[tuple[str, str]]) -> Sheet:
    wrong = [(count, *names) for names, count in cells.items() if names[0] != names[1]]
    wrong.sort(key=lambda entry: (-entry[0], *entry[1:]))
    return Sheet(
        "Confusion",
        ("True class", "Said", "Items"),
        tuple((true, said, count) for count, true, said in wrong[:MOST_MIXUPS]),
        f"The most frequent of {len(wrong)} mix-ups, failed items included.",
    )


def _confidence_remarks(pairs: Sequence[ItemPair], sides: _Sides) -> tuple[str, ...]:
    """Say how far confidences are from the share right, where all have one."""
    given: list[float] = []
    right: list[bool] = []
    for pair, (true, said) in zip(pairs, sides, strict=True):
        tags = {v.label: v for v in reversed(pair.said) if isinstance(v, Tag)}
        for label in said:
            confidence = tags[label].confidence
            if confidence is None or not 0 <= confidence <= 1:
                return ()
            given.append(confidence)
            right.append(label in true)
    if not given:
        return ()
    error = calibration_error(np.array(given), np.array(right))
    return (
        (
            f"The confidences say {np.mean(given):.3f} on average, and {np.mean(right):.3f} "
            f"are right: calibration error {error:.3f} over ten bins."
        ),
    )


def calibration_error(confidence: FloatArray, right: FloatArray) -> float:
    """Work out the expected calibration error, as `curves.calibrate` does."""
    found = calibrate([ClassVerdicts("", confidence, right.astype(bool), 0)])
    return found.error if found else 0.0
