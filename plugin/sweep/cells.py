"""The cells of a grid, one run after the other; what is finished is not asked again.

Each cell leaves its labels and the record of its run in a file of its own. A cell whose
file says that every sample was answered is read, not run. All others are run again with
the same journal, so that no reply is paid for twice; what earlier goes took is added.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..coco.files import read_all_asks, read_label_file
from ..coco.write import Category
from ..errors import FatalApiError, UsageError
from ..gemini.budget import Budget
from ..gemini.endpoint import Endpoint
from ..gemini.pool import Limits
from ..gemini.prices import TABLE, Prices
from ..pipeline import NO_LIMITS, Sink, Source, label
from ..progress import Progress
from ..records import add_up
from ..values import ImageLabels, Parsed, Run, Status
from .files import sink_for
from .grid import Cell, Grid

AGAIN = frozenset({Status.SKIPPED, Status.API_ERROR, Status.MEDIA_ERROR})
"""A cell with items that ended so is run again."""


@dataclass(frozen=True, slots=True)
class CellRun:
    """What a cell came to: its file and record; `problem` says why there is none.

    `was_there`: it was finished before, and nothing was asked.
    """

    cell: Cell
    path: Path
    run: Run | None = None
    was_there: bool = False
    problem: str = ""

    @property
    def complete(self) -> bool:
        """Whether every sample was asked about."""
        return self.run is not None and not self.run.statuses.get(Status.SKIPPED)

    def asks(self) -> tuple[tuple[ImageLabels, ...], ...]:
        """Read its labels, each ask by itself."""
        return read_all_asks([self.path]).asks


@dataclass(frozen=True, slots=True)
class Sweep:
    """Who asks, where to, and where labels and replies are kept.

    `watch` gives what is told about the progress of a cell; setting `stop` finishes what
    is in flight.
    """

    source: Source
    folder: Path
    journal: Path
    endpoint: Endpoint
    limits: Limits = NO_LIMITS
    prices: Prices = TABLE
    categories: tuple[Category, ...] | None = None
    watch: Callable[[Cell], Callable[[Progress], None]] | None = None
    stop: threading.Event | None = None

    @property
    def stopped(self) -> bool:
        """Whether somebody wants an end."""
        return self.stop is not None and self.stop.is_set()


def run_sweep(grid: Grid, sweep: Sweep) -> Iterator[CellRun]:
    """Run the cells in turn, within the budget of the grid; the same call resumes.

    A cell that fails as a whole (an unknown model) does not keep the others from being
    run. Raises `UsageError` for a budget that cannot be kept, before anything is asked,
    and for a folder with labels of another grid.
    """
    sweep.folder.mkdir(parents=True, exist_ok=True)
    cells = [replace(c, manner=c.manner.at(sweep.endpoint)) for c in grid.cells]
    paths = [sweep.folder / f"{cell.stem}.json" for cell in cells]
    if grid.budget_usd is not None:
        for cell in grid.cells:
            Budget(grid.budget_usd, sweep.prices).check(cell.model)
    before = {path: _before(path) for path in paths}
    spent = sum(run.cost_usd or 0.0 for run in before.values() if run)
    for cell, path in zip(cells, paths, strict=True):
        earlier = _of_cell(before[path], cell)
        if earlier is not None and _is_finished(
            earlier, len(sweep.source) * cell.manner.times
        ):
            yield CellRun(cell, path, earlier, was_there=True)
            continue
        if sweep.stopped:
            yield CellRun(cell, path, earlier, problem="not reached")
            continue
        done = _go(cell, path, earlier, sweep, _left(grid, spent))
        paid = earlier.cost_usd if earlier else 0.0
        spent += (done.run.cost_usd or 0.0) - (paid or 0.0) if done.run else 0.0
        yield done


def _left(grid: Grid, spent: float) -> float | None:
    return None if grid.budget_usd is None else grid.budget_usd - spent


def _before(path: Path) -> Run | None:
    return read_label_file(path).run if path.exists() else None


def _of_cell(run: Run | None, cell: Cell) -> Run | None:
    """Give the record of an earlier go at a cell; raises UsageError for another's."""
    if run is None:
        return None
    asked = (run.model, run.question, _manner_of(run))
    if asked != (cell.model, cell.question, cell.manner.record()):
        raise UsageError(
            f"{cell.stem}.json holds another question than the cell {cell.name}: the "
            "grid was changed. Use another folder (--out); the journal keeps its replies."
        )
    return run


def _manner_of(run: Run) -> dict[str, object]:
    left_out = {"schema", "budget_usd", "prices"}
    return {k: v for k, v in run.parameters.items() if k not in left_out}


def _is_finished(run: Run, items: int) -> bool:
    again = sum(run.statuses.get(status, 0) for status in AGAIN)
    return not again and sum(run.statuses.values()) == items


def _go(
    cell: Cell,
    path: Path,
    earlier: Run | None,
    sweep: Sweep,
    left: float | None,
) -> CellRun:
    """Run a cell with what is left of the budget."""
    sink = _CellSink(sink_for(cell.question, path, sweep.categories), earlier)
    try:
        label(
            sweep.source,
            sink,
            cell.question,
            model=cell.model,
            endpoint=sweep.endpoint,
            journal=sweep.journal,
            limits=_limits(cell, sweep, left),
            manner=cell.manner,
            run_name=cell.stem,
            on_progress=sweep.watch(cell) if sweep.watch else None,
            stop=sweep.stop,
            prices=sweep.prices,
        )
    except _SpentError:
        problem = "not asked: the budget of the grid does not pay for one more answer"
        return CellRun(cell, path, earlier, problem=problem)
    except FatalApiError as error:
        return CellRun(cell, path, sink.run or earlier, problem=str(error))
    return CellRun(cell, path, sink.run or earlier)


class _SpentError(Exception):
    """What is left pays for no answer; never leaves this file."""


def _limits(cell: Cell, sweep: Sweep, left: float | None) -> Limits:
    if left is None:
        return sweep.limits
    budget = Budget(max(left, 0.0), sweep.prices)
    try:
        budget.check(cell.model)
    except UsageError as error:
        raise _SpentError from error
    return replace(sweep.limits, budget=budget)


class _CellSink:
    """Writes the labels of a cell, with the record of all its goes together."""

    def __init__(self, sink: Sink, earlier: Run | None) -> None:
        self.run: Run | None = None
        self._sink = sink
        self._earlier = earlier

    def write(self, parsed: Parsed) -> None:
        """Take what one item came to."""
        self._sink.write(parsed)

    def finish(self, run: Run) -> None:
        """Write the file."""
        self.run = run if self._earlier is None else join_runs(self._earlier, run)
        self._sink.finish(self.run)


def join_runs(earlier: Run, run: Run) -> Run:
    """Add what an earlier go of the same run took: tokens, cost, seconds of work.

    Replies that the earlier go paid for no longer count as found in the journal.
    """
    ended = (Status.SKIPPED, *AGAIN)
    answered = sum(n for s, n in earlier.statuses.items() if s not in ended)
    return replace(
        add_up(run, (earlier, run)),
        from_journal=max(0, run.from_journal - answered + earlier.from_journal),
        notes=(*run.notes, "Went on after a stop; the time is that of working."),
    )
