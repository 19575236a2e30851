"""`Scores` -> the parts of a report that explain the numbers: names, naming or seeing."""

from __future__ import annotations

from collections.abc import Iterator

from ..evaluation import Counts, How, Metrics, Names, Scores
from .content import Cell, Part, Table
from .texts import number

MAX_NAMES = 50
"""Names listed at most; the rest is counted."""


def explaining_parts(scores: Scores) -> Iterator[Part]:
    """Give the parts there is something to say in."""
    if scores.any_class is not None:
        yield _naming_part(scores.all, scores.any_class)
    if scores.names is not None and (part := _names_part(scores.names)):
        yield part


def _naming_part(by_name: Metrics, by_any: Metrics) -> Part:
    """Set the numbers with names beside those with all names made one."""
    rows = tuple(
        _naming_row(name, metrics)
        for name, metrics in (
            ("with the right name", by_name),
            ("under any name", by_any),
        )
    )
    text = (
        "The same numbers with all names made one: what the second row has more than "
        "the first is lost by wrong names, what it lacks to 1 by wrong seeing."
    )
    columns = ("Objects found", "Precision", "Recall", "F1", "AP", "AP50")
    return Part("Naming or seeing", text, Table(columns, rows))


def _naming_row(name: str, metrics: Metrics) -> tuple[Cell, ...]:
    counts, coco = metrics.main.counts, metrics.main.coco
    return (
        Cell(name),
        *(_share(value) for value in _ratios(counts)),
        *(_share(value) for value in (coco.ap, coco.ap50)),
    )


def _ratios(counts: Counts) -> tuple[float | None, ...]:
    return counts.precision, counts.recall, counts.f1


def _share(value: float | None) -> Cell:
    return Cell(number(value), value, is_number=True)


def _names_part(names: Names) -> Part | None:
    """List the labels that are not simply those of the truth."""
    uses = [use for use in names.uses if use.how is not How.EXACT]
    if not uses:
        return None
    rows = tuple(
        (
            Cell(use.said),
            Cell(f"{use.count:,}", is_number=True),
            Cell(use.meant or "no class of the truth"),
            Cell(use.how if names.applied or not use.meant else "differs in spelling"),
        )
        for use in uses[:MAX_NAMES]
    )
    rest = len(uses) - len(rows)
    text = "Labels that are not, letter by letter, a class of the truth. " + (
        "They were counted as what they mean."
        if names.applied
        else "Nothing was renamed: these predictions count as invented. To count those "
        "that differ in spelling alone as the same, evaluate with --fold."
    )
    text += f" {rest} more names are not listed." if rest else ""
    columns = ("Label said", "Objects", "What it means", "How it was matched")
    return Part("Names", text, Table(columns, rows))
