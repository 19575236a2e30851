"""`accept`: labels that can be trusted go into the ground truth, and back out again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ..evaluation import evaluate
from ..evaluation.trust import TARGET, ClassTrust, trust
from ..report.trust import rule_text
from ..values import JsonValue
from .belief import show_trust
from .datasets import open_dataset, open_labels
from .judge import Iou, TargetPrecision
from .show import console

if TYPE_CHECKING:
    import fiftyone as fo

Name = Annotated[str, typer.Argument(help="The FiftyOne dataset.")]
Field = Annotated[str, typer.Option(help="The field with the labels.")]
Truth = Annotated[
    str, typer.Option(help="The field with the ground truth that judges them.")
]
Into = Annotated[
    str, typer.Option(help="The field they go to; empty: the one of --truth.")
]
Key = Annotated[
    str, typer.Option(help="The name to undo it by; empty: <field>_accepted.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show the rules, and change nothing.")
]
Undo = Annotated[
    bool, typer.Option("--undo", help="Take back what was accepted under the key.")
]


def accept_labels(
    dataset: Name,
    *,
    field: Field = "gemini",
    truth: Truth = "ground_truth",
    into: Into = "",
    target_precision: TargetPrecision = TARGET,
    iou: Iou = 0.5,
    key: Key = "",
    dry_run: DryRun = False,
    undo: Undo = False,
) -> None:
    """Copy labels that need no review into the ground truth of unlabelled samples.

    The rules come from the samples with truth. The other labels are tagged `review`.
    """
    key = key or f"{field}_accepted"
    if undo:
        undo_accepted(dataset, key)
        return
    opened = open_labels(dataset, truth, [field], blank_is_empty=False)
    predicted = opened.fields[0].images
    scores = evaluate(opened.truth, predicted, iou=iou)
    rules = trust(scores, predicted, target=target_precision)
    show_trust(rules, target_precision)
    if not dry_run:
        whole, receives = open_dataset(dataset), into or truth
        blank = whole if receives == truth else whole.exists(truth, bool=False)
        accept_by(rules, target_precision, blank, (field, receives), key)
        console.print(f"  undo: fiftyone-gemini accept {dataset} --key {key} --undo")


def accept_by(
    rules: Sequence[ClassTrust],
    target: float,
    view: fo.SampleCollection,
    fields: tuple[str, str],
    key: str,
) -> None:
    """Accept labels of the first field into the second, and say what was done."""
    from ..api.accepting import Targets, passes_by
    from ..labels.promote import promote

    field, receives = fields
    texts: list[JsonValue] = [[rule.label, rule_text(rule)] for rule in rules]
    record: dict[str, JsonValue] = {"target": target, "classes": texts}
    done = promote(
        view, field, receives, passes_by(rules, Targets(target)), key=key, rules=record
    )
    console.print(
        f"{done.promoted:,} labels accepted into {receives!r} and {done.for_review:,} "
        f"tagged review, on {done.samples:,} samples; {done.complete:,} samples need no "
        "review."
    )
    if done.untouched:
        console.print(f"  {done.untouched:,} samples have truth, and stay as they are.")
    if done.busy:
        console.print(f"  {done.busy:,} samples changed meanwhile: run it again.")


def undo_accepted(dataset: str, key: str) -> None:
    """Take back what was accepted, and say what stays."""
    from ..labels.demote import undo_promotion

    done = undo_promotion(open_dataset(dataset), key)
    console.print(
        f"{done.removed:,} accepted labels removed, {done.untagged:,} review tags too."
    )
    if done.kept:
        console.print(f"  {done.kept:,} were edited since, and stay as your own.")
    if done.busy:
        console.print(f"  {done.busy:,} samples changed meanwhile: undo it again.")
