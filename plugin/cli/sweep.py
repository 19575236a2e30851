"""`sweep`: a grid of runs from one YAML file, then one comparison of them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..coco.files import read_label_file
from ..coco.folder import FolderSource
from ..coco.write import Category
from ..evaluation.agreement import agree
from ..evaluation.compare import Contender, compare
from ..evaluation.trust import TARGET
from ..progress import Progress
from ..sweep import Cell, CellRun, Grid, Sweep, read_grid, run_sweep
from ..values import ImageLabels, Kind
from . import options
from .compare import show_comparison, write_comparison
from .groups import grouped
from .job import stop_on_interrupt
from .judge import TargetPrecision
from .kinds import conclude_kinds
from .show import console, dollars, progress_line, statuses

AGAIN = "Not all cells are done. The same command goes on; nothing is paid twice."
SECONDS = 5.0


@grouped
def sweep_grid(
    grid: Annotated[Path, typer.Argument(help="The YAML file (docs/sweep.md).")],
    *,
    out: Annotated[
        Path, typer.Option(help="The folder for labels, journal and report.")
    ] = Path("sweep"),
    journal: Annotated[
        Path | None,
        typer.Option(help="The record of replies; without it, one in the folder."),
    ] = None,
    pace: options.Pace,
    where: options.Where,
    prices: options.PriceFile = None,
    target_precision: TargetPrecision = TARGET,
) -> None:
    """Try models, prompts and settings on the same samples, and compare them.

    Run it again to resume: finished cells are not asked again. The budget of the file
    is for the whole grid, all goes together.
    """
    found = read_grid(grid)
    source, truth, categories = _samples(found)
    costs = options.chosen_prices(prices)
    with stop_on_interrupt() as stop:
        sweep = Sweep(
            source,
            out,
            journal or out / "journal.sqlite",
            where.endpoint(),
            pace.limits(costs, None),
            costs,
            categories,
            watch=_watcher(len(found.cells)),
            stop=stop,
        )
        runs = [_told(run) for run in run_sweep(found, sweep)]
    _conclude(runs, truth, found, out / "report", target_precision)


def _samples(
    grid: Grid,
) -> tuple[FolderSource, Sequence[ImageLabels], tuple[Category, ...] | None]:
    """Find the samples of a grid, their truth, and the classes of a COCO file."""
    if grid.truth is not None:
        file = read_label_file(grid.truth)
        return FolderSource.of(file.images), file.images, file.categories
    from ..labels.read_kinds import read_kind
    from .datasets import open_dataset

    truth = read_kind(open_dataset(grid.dataset), grid.truth_field)
    return FolderSource.of(truth), truth, None


def _watcher(cells: int) -> Callable[[Cell], Callable[[Progress], None]]:
    """Print a line for each cell as it goes on."""
    started = iter(range(1, cells + 1))

    def watch(cell: Cell) -> Callable[[Progress], None]:
        console.print(f"{cell.name} (run {next(started)} of {cells} at most)")
        last = 0.0

        def told(progress: Progress) -> None:
            nonlocal last
            if progress.done < progress.total and progress.seconds - last < SECONDS:
                return
            last = progress.seconds
            console.print(
                f"  {progress.done}/{progress.total}: {progress_line(progress)}"
            )

        return told

    return watch


def _told(done: CellRun) -> CellRun:
    """Say how a cell ended."""
    if done.was_there:
        console.print(f"{done.cell.name}: was finished before")
    elif done.problem:
        console.print(f"{done.cell.name}: {done.problem}")
    elif done.run is not None and not done.complete:
        console.print(f"{done.cell.name}: {statuses(done.run.statuses)}")
    return done


def _conclude(
    runs: Sequence[CellRun],
    truth: Sequence[ImageLabels],
    grid: Grid,
    report: Path,
    target: float,
) -> None:
    """Compare the cells that are done; say what is left."""
    complete = [run for run in runs if run.complete]
    if len(complete) > 1:
        contenders = [
            Contender(one.cell.name, _labels(one), one.run) for one in complete
        ]
        title = f"Sweep of {grid.path.name}"
        if grid.kind is Kind.OBJECTS:
            comparison = compare(truth, contenders, iou=grid.iou)
            show_comparison(comparison)
            path = write_comparison(
                comparison, contenders, tuple(truth), report, target, title=title
            )
            console.print(f"report: {path}")
        else:
            conclude_kinds(truth, contenders, grid.kind, report, title)
    console.print(f"All cells together: {_spent(runs)}")
    if len(complete) < len(runs):
        console.print(AGAIN)
        raise typer.Exit(1)


def _labels(done: CellRun) -> tuple[ImageLabels, ...]:
    """Read the labels of a cell; what was asked several times is merged."""
    asks = done.asks()
    return asks[0] if len(asks) == 1 else agree(asks)


def _spent(runs: Sequence[CellRun]) -> str:
    """Write what all cells cost, all goes together."""
    records = [one.run for one in runs if one.run]
    if all(run.endpoint == "emulator" for run in records):
        return "nothing (emulator)"
    costs = [run.cost_usd for run in records]
    return dollars(None if None in costs else sum(cost or 0.0 for cost in costs))
