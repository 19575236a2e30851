"""Runs side by side, as blocks of a report: who is better, what is noise, what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ..evaluation.compare import NUMBERS, Against, Comparison, Difference, Standing
from ..values import JsonValue, Run
from .content import Block, Cell, Table
from .texts import UNDEFINED, cost, number


def compared_blocks(comparison: Comparison) -> tuple[Block, ...]:
    """Lay out a comparison: the verdicts in words, then the tables behind them."""
    return (
        Block(
            f"Against {comparison.first}",
            (*verdicts(comparison), *remarks(comparison)),
            _difference_table(comparison),
        ),
        Block("Each by itself", (), _standing_table(comparison)),
        Block("What each took", tuple(_effort_texts(comparison)), _effort(comparison)),
    )


def verdicts(comparison: Comparison) -> tuple[str, ...]:
    """Say in a sentence for each run what is better, worse or noise."""
    return tuple(_sentence(against, comparison.first) for against in comparison.against)


def remarks(comparison: Comparison) -> Iterator[str]:
    """Say what must be known to read the differences."""
    yield (
        f"Compared by {comparison.compared_by} over all {comparison.images} images. The "
        "ranges hold 95 % of the differences over images drawn with replacement, the "
        f"same drawings for every run ({comparison.f1_resamples:,}; for AP "
        f"{comparison.ap_resamples}). Each range stands by itself: of twenty "
        "differences that are only noise, one will look real."
    )
    if comparison.few_images:
        yield "These are few images: the ranges come out somewhat too narrow."


def signed(value: float | None) -> str:
    """Write a difference with its sign and three digits."""
    return UNDEFINED if value is None else f"{value:+.3f}"


def signed_interval(difference: Difference) -> str:
    """Write the range of a difference, as `[-0.02, +0.01]`."""
    found = difference.interval
    return "" if found is None else f"[{found.low:+.3f}, {found.high:+.3f}]"


class Effort(Protocol):
    """What a run took: a `Standing` of objects, or of another kind of labels."""

    @property
    def run(self) -> Run | None:
        """The record of the run, where there is one."""

    @property
    def failures(self) -> int:
        """How many items got no answer."""

    @property
    def seconds(self) -> float | None:
        """How long it took."""

    @property
    def cost_per_right(self) -> float | None:
        """What each right label cost."""


def effort_row(standing: Effort) -> tuple[str, ...]:
    """Write model, failures, tokens in and out, time, cost, cost of what is right."""
    run, failures = standing.run, f"{standing.failures}"
    if run is None:
        return ("not recorded", failures, *[UNDEFINED] * 5)
    seconds, each = standing.seconds, standing.cost_per_right
    emulated = run.endpoint == "emulator"
    return (
        run.model,
        failures,
        f"{run.usage.prompt:,}",
        f"{run.usage.output + run.usage.thoughts:,}",
        UNDEFINED if seconds is None else f"{seconds:,.1f} s",
        "none (emulator)" if emulated else cost(run),
        UNDEFINED if each is None or emulated else f"${each:,.6f}",
    )


EFFORT = (
    "Model",
    "Failed",
    "Tokens in",
    "Tokens out",
    "Time",
    "Cost",
    "Per right object",
)


def comparison_json(comparison: Comparison) -> JsonValue:
    """Write the numbers of a comparison at full precision."""
    return {
        "compared_by": comparison.compared_by,
        "images": comparison.images,
        "iou": comparison.iou,
        "first": comparison.first,
        "runs": [_standing_json(standing) for standing in comparison.standings],
        "against_first": {
            against.name: {d.number: _difference_json(d) for d in against.differences}
            for against in comparison.against
        },
    }


def _standing_json(standing: Standing) -> JsonValue:
    run = standing.run
    return {
        "name": standing.name,
        **{name: standing.value(name) for name in NUMBERS},
        "right": standing.shape.counts.tp,
        "failures": standing.failures,
        "model": run.model if run else None,
        "tokens_in": run.usage.prompt if run else None,
        "tokens_out": run.usage.output + run.usage.thoughts if run else None,
        "seconds": standing.seconds,
        "cost_usd": run.cost_usd if run else None,
        "cost_per_right_usd": standing.cost_per_right,
    }


def _difference_json(difference: Difference) -> JsonValue:
    found = difference.interval
    return {
        "difference": difference.value,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "verdict": difference.verdict,
    }


def _sentence(against: Against, first: str) -> str:
    groups = [
        f"{verdict} in {' and '.join(named)}"
        for verdict in ("better", "worse", "within noise", "undefined")
        if (named := [d.number for d in against.differences if d.verdict == verdict])
    ]
    if len(groups) == 1 and groups[0].startswith("within noise"):
        return f"{against.name} against {first}: every difference is within noise."
    return f"{against.name} against {first}: {', '.join(groups)}."


def _difference_table(comparison: Comparison) -> Table:
    return Table(
        ("Run", "Number", "Difference", "95 % range", "Verdict"),
        tuple(
            (
                Cell(against.name),
                Cell(d.number, is_number=True),
                Cell(signed(d.value), is_number=True),
                Cell(signed_interval(d), is_number=True),
                Cell(d.verdict),
            )
            for against in comparison.against
            for d in against.differences
        ),
    )


def _standing_table(comparison: Comparison) -> Table:
    return Table(
        ("Run", *NUMBERS),
        tuple(
            (
                Cell(s.name),
                *(
                    Cell(number(s.value(name)), s.value(name), is_number=True)
                    for name in NUMBERS
                ),
            )
            for s in comparison.standings
        ),
    )


def _effort(comparison: Comparison) -> Table:
    return Table(
        ("Run", *EFFORT),
        tuple(
            (Cell(s.name), *(Cell(text, is_number=True) for text in effort_row(s)))
            for s in comparison.standings
        ),
    )


def _effort_texts(comparison: Comparison) -> Iterator[str]:
    for standing in comparison.standings:
        if standing.run and standing.run.from_journal:
            yield (
                f"{standing.name}: {standing.run.from_journal} replies were in the "
                "journal already; tokens, time and cost leave them out."
            )
