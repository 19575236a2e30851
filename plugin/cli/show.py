"""What a person sees in the terminal: progress while a run goes on, tables after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from ..evaluation import Anatomy, Scores
from ..gemini.cost import Estimate
from ..progress import Progress
from ..values import Run, Status

SECONDS_BETWEEN_LINES = 5.0
# Replies and file names are printed as they are: no markup in them is obeyed.
console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def dollars(amount: float | None) -> str:
    """Write a price; None is an unknown price."""
    return "price unknown" if amount is None else f"${amount:.4f}"


def statuses(counts: Mapping[Status, int]) -> str:
    """Write how many items ended how, the answered ones first."""
    order = [status for status in Status if counts.get(status)]
    return ", ".join(f"{counts[status]} {status}" for status in order)


def duration(seconds: float | None) -> str:
    """Write a time span as `1:02:03` or `2:03`."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def progress_line(progress: Progress) -> str:
    """Write rate, statuses, cost so far (of the budget) and time left."""
    cost = dollars(progress.cost_usd)
    if progress.budget_usd is not None:
        cost += f" of ${progress.budget_usd:.2f}"
    return (
        f"{progress.rate:.1f}/s, {statuses(progress.statuses)}, "
        f"{cost}, {duration(progress.seconds_left)} left"
    )


@contextmanager
def shown_progress(title: str) -> Iterator[Callable[[Progress], None]]:
    """Show progress as a bar in a terminal, as a line now and then in a log."""
    if not console.is_terminal:
        yield _line_writer(title)
        return
    with Bar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[line]}"),
        console=console,
    ) as bar:
        task = bar.add_task(title, total=None, line="")

        def update(progress: Progress) -> None:
            bar.update(
                task,
                completed=progress.done,
                total=progress.total,
                line=progress_line(progress),
            )

        yield update


def _line_writer(title: str) -> Callable[[Progress], None]:
    last = time.monotonic()

    def write(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if progress.done == progress.total or now - last >= SECONDS_BETWEEN_LINES:
            last = now
            line = progress_line(progress)
            console.print(f"{title} {progress.done}/{progress.total}: {line}")

    return write


def show_estimate(estimate: Estimate, model: str) -> None:
    """Say before a run what it will ask for and cost, as an estimate."""
    console.print(
        f"Estimate: {estimate.requests} requests to {model}, about "
        f"{estimate.prompt_tokens:,} tokens in and {estimate.output_tokens:,} out, "
        f"{dollars(estimate.usd)}."
    )


def show_run(run: Run) -> None:
    """Say after a run who answered, how the items ended and what was paid."""
    who = ", ".join(f"{name} ({n})" for name, n in run.models_answered.items())
    console.print(f"{run.name}: {statuses(run.statuses)}")
    console.print(f"  asked {run.model}, answered by {who or 'nobody'}")
    if run.endpoint == "emulator" and who:
        console.print("  The answers came from the offline emulator, not from Gemini.")
    usage, journal = run.usage, run.from_journal
    cost = "nothing (emulator)" if run.endpoint == "emulator" else dollars(run.cost_usd)
    console.print(
        f"  {usage.prompt:,} tokens in, {usage.output + usage.thoughts:,} out, "
        f"cost {cost}; {journal} replies were in the journal already"
    )
    if run.objects.lost or run.objects.repaired:
        console.print(f"  objects in the replies: {run.objects}")
    for note in run.notes:
        console.print(f"  note: {note}")


def number(value: float | None) -> str:
    """Write a score with three digits; `-` where it is not defined."""
    return "-" if value is None else f"{value:.3f}"


def show_headline(title: str, scores: Scores) -> None:
    """Print the headline numbers by boxes and by masks, and how the images ended."""
    console.print(f"\n{title}: {scores.all.objects} true objects", style="bold")
    shapes = [("boxes", scores.all.boxes), ("masks", scores.all.masks)]
    if scores.any_class is not None:
        shapes.append(("boxes, any name", scores.any_class.boxes))
        shapes.append(("masks, any name", scores.any_class.masks))
    rows = table("", "AP", "AP50", "AP75", "precision", "recall", "F1")
    for name, shape in shapes:
        if shape is not None:
            coco, counts = shape.coco, shape.counts
            numbers = (coco.ap, coco.ap50, coco.ap75)
            ratios = (counts.precision, counts.recall, counts.f1)
            rows.add_row(name, *map(number, (*numbers, *ratios)))
    console.print(rows)
    console.print(f"  images: {statuses(scores.statuses)}")


def show_scores(title: str, scores: Scores) -> None:
    """Print the headline numbers, the tables below them and what is to be known."""
    show_headline(title, scores)
    rows = table("class", "AP", "precision", "recall", "right", "invented", "missed")
    for row in scores.all.main.classes:
        counts = row.counts
        ratios = (row.ap, counts.precision, counts.recall)
        whole = (counts.tp, counts.fp, counts.fn)
        rows.add_row(row.label, *map(number, ratios), *map(str, whole))
    console.print(rows)
    if scores.anatomy is not None:
        console.print(_kinds_table(scores.anatomy))
    if scores.confidence != "self":
        console.print(
            "  No confidence was given: AP breaks ties in the order of reply."
        )
    for source in scores.confidence_sources:
        console.print(f"  Confidence: {source}.")
    for remark in scores.names.remarks() if scores.names else ():
        console.print(f"  {remark}")


def _kinds_table(found: Anatomy) -> Table:
    """List the kinds of errors, the costliest first."""
    rows = table("kind of error", "errors", "AP50 gained if mended")
    for cost in sorted(found.kinds, key=lambda cost: -(cost.ap_gain or 0)):
        rows.add_row(cost.kind.value, f"{cost.count:,}", number(cost.ap_gain))
    return rows


def table(first: str, *columns: str) -> Table:
    """Make a plain table: one column of text, then columns of numbers."""
    made = Table(first, box=None, pad_edge=True, header_style="dim")
    for column in columns:
        made.add_column(column, justify="right")
    return made
