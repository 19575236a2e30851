"""How numbers are put into words for people."""

from __future__ import annotations

from collections.abc import Mapping

from ..gemini.endpoint import Endpoint
from ..gemini.plan import Plan
from ..progress import Progress
from ..values import Run, Status

MINUTE, HOUR = 60, 3600


def money(usd: float | None) -> str:
    """Say a price; an unknown one is unknown, never 0."""
    if usd is None:
        return "price unknown"
    return f"${usd:,.4f}" if usd < 1 else f"${usd:,.2f}"


def duration(seconds: float | None) -> str:
    """Say a length of time, roughly."""
    if seconds is None:
        return "unknown"
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h"


def foreseen(plan: Plan, *, free: bool) -> str:
    """Say what a run will take: requests, tokens, a range of prices, time."""
    if free:
        cost = "free of charge"
    elif plan.likely.usd is None:
        cost = "price unknown for this model"
    else:
        cost = (
            f"about {money(plan.likely.usd)} ({money(plan.few.usd)} with few objects, "
            f"{money(plan.many.usd)} with many)"
        )
    return (
        f"{counted(plan.requests, 'request')}, about "
        f"{plan.likely.prompt_tokens:,} prompt tokens and "
        f"{plan.likely.output_tokens:,} output tokens: {cost}; "
        f"{duration(plan.seconds)} or more"
    )


def asking(samples: int, endpoint: Endpoint) -> str:
    """Say who is being asked about how much."""
    who = "the emulator" if endpoint.kind == "emulator" else "Gemini"
    return f"Asking {who} about {counted(samples, 'sample')}"


def progress(now: Progress) -> str:
    """Say how far a run is, in one line."""
    said = f"{now.done:,} of {now.total:,} samples"
    troubles = statuses(now.statuses, (Status.OK, Status.EMPTY))
    parts = [said, money(now.cost_usd), *([troubles] if troubles else [])]
    return "  ·  ".join(parts)


def statuses(counts: Mapping[Status, int], without: tuple[Status, ...] = ()) -> str:
    """List how many samples ended how: `12 ok, 1 blocked`."""
    shown = [s for s in Status if counts.get(s) and s not in without]
    return ", ".join(f"{counts[s]:,} {s.value.replace('_', ' ')}" for s in shown)


def run_table(run: Run) -> list[dict[str, str]]:
    """Give the lines of the table that ends a run."""
    tokens = f"{run.usage.prompt:,} prompt, {run.usage.output:,} output"
    if run.usage.thoughts:
        tokens += f", {run.usage.thoughts:,} thinking"
    lines = {
        "Samples": statuses(run.statuses),
        "Model": ", ".join(run.models_answered) or run.model,
        "Tokens": tokens,
        "Cost": run_cost(run),
        "From the journal": counted(run.from_journal, "reply", "replies"),
        "Run": run.name,
    }
    if run.objects.lost or run.objects.repaired:
        lines["Objects"] = f"{run.objects}"
    lines |= {f"Note {n}": note for n, note in enumerate(run.notes, start=1)}
    return [{"what": key, "value": value} for key, value in lines.items()]


def run_cost(run: Run) -> str:
    """Say what a run cost."""
    if run.endpoint == "emulator":
        return "free: answered by the emulator, which is not Gemini"
    return money(run.cost_usd)


def counted(number: int, one: str, many: str = "") -> str:
    """Say a number of things: `1 request`, `2 requests`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
