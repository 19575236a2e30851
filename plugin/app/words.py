"""How numbers are put into words for people."""

from __future__ import annotations

from collections.abc import Mapping

from ..gemini.cost import Estimate
from ..gemini.endpoint import Endpoint
from ..progress import Progress
from ..values import Run, Status


def money(usd: float | None) -> str:
    """Say a price; an unknown one is unknown, never 0."""
    if usd is None:
        return "price unknown"
    return f"${usd:,.4f}" if usd < 1 else f"${usd:,.2f}"


def estimated(estimate: Estimate, *, free: bool) -> str:
    """Say what a run will take."""
    cost = "free of charge" if free else f"about {money(estimate.usd)}"
    if estimate.usd is None and not free:
        cost = "price unknown for this model"
    return (
        f"{counted(estimate.requests, 'request')}, about "
        f"{estimate.prompt_tokens:,} prompt tokens and {estimate.output_tokens:,} "
        f"output tokens: {cost}"
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
        "Cost": _cost(run),
        "From the journal": counted(run.from_journal, "reply", "replies"),
        "Run": run.name,
    }
    if run.objects.lost or run.objects.repaired:
        lines["Objects"] = f"{run.objects}"
    return [{"what": key, "value": value} for key, value in lines.items()]


def _cost(run: Run) -> str:
    if run.endpoint == "emulator":
        return "nothing: answered by the emulator, which is not Gemini"
    return money(run.cost_usd)


def counted(number: int, one: str, many: str = "") -> str:
    """Say a number of things: `1 request`, `2 requests`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
