"""`compare`: two or more runs over the same pictures, told apart from noise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..coco.read import read_coco
from ..coco.runs import read_run
from ..evaluation import judge
from ..evaluation.compare import NUMBERS, Comparison, Contender, Standing, compare
from ..evaluation.trust import TARGET
from ..report import Section, build_report, write_report
from ..report.compare import (
    EFFORT,
    effort_row,
    remarks,
    signed,
    signed_interval,
    verdicts,
)
from ..values import ImageLabels
from .judge import Iou, TargetPrecision
from .show import console, number, table


def compare_runs(
    truth: Annotated[Path, typer.Argument(help="The COCO file with the ground truth.")],
    runs: Annotated[
        list[Path],
        typer.Argument(help="The COCO files to compare; the first is the baseline."),
    ],
    *,
    iou: Iou = 0.5,
    out: Annotated[
        Path | None, typer.Option(help="Also write a report to this folder.")
    ] = None,
    target_precision: TargetPrecision = TARGET,
) -> None:
    """Compare runs (models, prompts, settings) with each other, by the same truth.

    Tokens, time and cost come from the record that `label` leaves in its files.
    """
    true = read_coco(truth).images
    contenders = [
        Contender(name, read_coco(path).images, read_run(path))
        for path, name in zip(runs, short_names(runs), strict=True)
    ]
    comparison = compare(true, contenders, iou=iou)
    show_comparison(comparison)
    if out is not None:
        write_comparison(comparison, contenders, true, out, target_precision)


def short_names(paths: list[Path]) -> list[str]:
    """Name files by their stem, or by their whole path where stems are not unique."""
    stems = [path.stem for path in paths]
    return stems if len(set(stems)) == len(stems) else [str(path) for path in paths]


def show_comparison(comparison: Comparison) -> None:
    """Print who is better in words, then the tables."""
    rows = table(comparison.compared_by, *NUMBERS)
    for standing in comparison.standings:
        rows.add_row(standing.name, *(number(standing.value(n)) for n in NUMBERS))
    console.print(rows)
    for standing in comparison.standings:
        console.print(f"  {standing.name}: {_effort_line(standing)}")
    rows = table(f"against {comparison.first}", "", "difference", "95 % range", "")
    for against in comparison.against:
        for d in against.differences:
            numbers = (signed(d.value), signed_interval(d))
            rows.add_row(against.name, d.number, *numbers, d.verdict)
    console.print(rows)
    for text in (*verdicts(comparison), *remarks(comparison)):
        console.print(f"  {text}")


def _effort_line(standing: Standing) -> str:
    named = zip(EFFORT, effort_row(standing), strict=True)
    return ", ".join(f"{name.lower()} {text}" for name, text in named)


def write_comparison(
    comparison: Comparison,
    contenders: list[Contender],
    truth: tuple[ImageLabels, ...],
    folder: Path,
    target: float,
) -> None:
    """Write a report with the comparison first, then a section for each run."""
    sections = []
    for one in contenders:
        scores = judge(truth, one.predicted, iou=comparison.iou).scores
        sections.append(Section(one.name, one.run, scores, truth, one.predicted))
    report = build_report(
        sections,
        title=" / ".join(one.name for one in contenders),
        comparison=comparison,
        target_precision=target,
    )
    console.print(f"report: {write_report(report, folder).html}")
