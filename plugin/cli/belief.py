"""How far numbers can be believed, in the terminal: intervals and rules of trust."""

from __future__ import annotations

from collections.abc import Sequence

from ..evaluation import Scores
from ..evaluation.bootstrap import find_intervals
from ..evaluation.intervals import Interval
from ..evaluation.trust import ClassTrust, trust
from ..report.trust import rule_text, trust_summary
from ..values import ImageLabels
from .show import console, number, table


def with_interval(value: float | None, interval: Interval | None) -> str:
    """Write a number with its interval, as `0.884 [0.85, 0.91]`."""
    if interval is None:
        return number(value)
    return f"{number(value)} [{interval.low:.2f}, {interval.high:.2f}]"


def show_belief(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    scores: Scores,
    target: float,
) -> None:
    """Print the headline numbers with 95 % intervals, and what can be accepted."""
    sure, main = find_intervals(truth, predicted, scores), scores.all.main
    shape = "boxes" if scores.all.masks is None else "masks"
    rows = table(f"{shape}, 95 % sure", "")
    for name, value, interval in (
        ("F1", main.counts.f1, sure.f1),
        ("precision", main.counts.precision, sure.precision),
        ("recall", main.counts.recall, sure.recall),
        ("COCO AP", main.coco.ap, sure.ap),
    ):
        rows.add_row(name, with_interval(value, interval))
    console.print(rows)
    show_trust(trust(scores, predicted, target=target), target)


def show_trust(rules: Sequence[ClassTrust], target: float) -> None:
    """Print for each class what can be accepted unseen."""
    rows = table("class", "predictions", "accepted", "precision", "rule")
    for row in rules:
        lower = f"> {number(row.rule.lower)}" if row.rule else ""
        whole = (f"{row.predictions}", f"{row.accepted}")
        rows.add_row(row.label, *whole, lower, rule_text(row))
    rows.columns[-1].justify, rows.columns[-1].no_wrap = "left", True
    console.print(rows)
    console.print(f"  {trust_summary(rules, target)}")
