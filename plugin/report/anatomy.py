"""`Scores` -> the blocks of a report that explain the numbers: errors, names."""

from __future__ import annotations

from collections.abc import Iterator

from ..evaluation import (
    Anatomy,
    Counts,
    ErrorKind,
    How,
    KindCost,
    Metrics,
    Names,
    Scores,
)
from .content import Block, Cell, Table
from .texts import number

MAX_NAMES = 50
"""Names listed at most; the rest is counted."""
KIND_MEANING = {
    ErrorKind.LOOSE: "right name, but IoU 0.1 to 0.5 with the object",
    ErrorKind.WRONG_CLASS: "in place (IoU 0.5 or more) on an object of another name",
    ErrorKind.DUPLICATE: "in place on an object that another prediction has",
    ErrorKind.INVENTED: "IoU at most 0.1 with any object",
    ErrorKind.BOTH: "on an object of another name, and loose",
    ErrorKind.MISSED: "an object that no prediction is meant for",
}


def explaining_blocks(scores: Scores) -> Iterator[Block]:
    """Give the blocks there is something to say in."""
    if scores.anatomy is not None:
        yield _anatomy_block(scores.anatomy)
    if scores.any_class is not None:
        yield _naming_block(scores.all, scores.any_class)
    if scores.names is not None and (block := _names_block(scores.names)):
        yield block


def _anatomy_block(found: Anatomy) -> Block:
    """Show the kinds of errors, the costliest first."""
    kinds = sorted(found.kinds, key=lambda cost: (-(cost.ap_gain or 0), -cost.count))
    most = max((cost.ap_gain or 0 for cost in kinds), default=0)
    shape = "boxes" if found.shape == "bbox" else "masks"
    text = (
        f"Each error has one kind, by {shape} and after TIDE (Bolya et al., ECCV 2020). "
        f"The gain is what AP at IoU 0.5, now {number(found.ap)}, would gain were the "
        "errors of one kind mended: a loose or misnamed prediction becomes right, any "
        "other is taken away. Gains do not add up. The bars compare them."
    )
    columns = ("Kind of error", "Errors", "AP gain", "What it means")
    rows = tuple(_kind_row(cost, most) for cost in kinds)
    return Block("What goes wrong", (text,), Table(columns, rows))


def _kind_row(cost: KindCost, most: float) -> tuple[Cell, ...]:
    gain = cost.ap_gain
    share = gain / most if gain is not None and most else None
    return (
        Cell(cost.kind.value),
        Cell(f"{cost.count:,}", is_number=True),
        Cell(number(gain), share, is_number=True),
        Cell(KIND_MEANING[cost.kind]),
    )


def _naming_block(by_name: Metrics, by_any: Metrics) -> Block:
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
    return Block("Naming or seeing", (text,), Table(columns, rows))


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


def _names_block(names: Names) -> Block | None:
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
        else "Nothing was renamed: these predictions count as invented."
    )
    if not names.applied and names.by(How.FOLDED):
        text += " To count what differs in spelling alone as the same, use --fold."
    text += f" {rest} more names are not listed." if rest else ""
    columns = ("Label said", "Objects", "What it means", "How it was matched")
    return Block("Names", (text,), Table(columns, rows))
