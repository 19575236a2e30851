"""A progress bar for notebooks and terminals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..progress import Progress
from ..values import Status

Report = Callable[[Progress], None]


@contextmanager
def progress_bar(title: str, *, shown: bool) -> Iterator[Report]:
    """Show how far a run is, what it cost, and what went wrong; or nothing at all."""
    if not shown:
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    words = TextColumn("{task.description}")
    with Bar(words, BarColumn(), MofNCompleteColumn()) as bar:
        task = bar.add_task(title, total=None)

        def report(now: Progress) -> None:
            said = f"{title}  {_words(now)}"
            bar.update(task, total=now.total, completed=now.done, description=said)

        yield report


def _words(now: Progress) -> str:
    cost = "price unknown" if now.cost_usd is None else f"${now.cost_usd:,.4f}"
    fine = {Status.OK, Status.EMPTY}
    troubles = [
        f"{n} {s.value.replace('_', ' ')}"
        for s, n in now.statuses.items()
        if s not in fine
    ]
    return ", ".join([cost, *troubles])
