"""`compare`: two or more runs over the same pictures, told apart from noise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..coco.read import read_coco
from ..coco.runs import read_run
from ..errors import UsageError
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
from .datasets import open_labels
from .judge import BlankIsEmpty, Dataset, Iou, TargetPrecision, TruthField
from .kinds import compare_kind_files
from .show import console, number, table
from .suspects import show_suspects

Truth = Annotated[
    Path | None, typer.Argument(help="The COCO file with the ground truth.")
]
Runs = Annotated[
    list[Path] | None,
    typer.Argument(help="The COCO files to compare; the first is the baseline."),
]
RunFields = Annotated[
    list[str] | None,
    typer.Option("--field", help="A field to compare; repeat it (with --dataset)."),
]
Out = Annotated[Path | None, typer.Option(help="Also write a report to this folder.")]
ListSuspects = Annotated[
    bool,
    typer.Option(
        "--suspects",
        help="List objects that runs agree on and the truth lacks; with --dataset "
        "also save a view of them.",
    ),
]


def compare_runs(
    truth: Truth = None,
    runs: Runs = None,
    *,
    dataset: Dataset = "",
    truth_field: TruthField = "ground_truth",
    field: RunFields = None,
    blank_is_empty: BlankIsEmpty = False,
    iou: Iou = 0.5,
    out: Out = None,
    target_precision: TargetPrecision = TARGET,
    suspects: ListSuspects = False,
) -> None:
    """Compare runs (models, prompts, settings) with each other, by the same truth.

    Tokens, time and cost come from the record that `label` leaves in its files and
    fields.
    """
    if truth and not dataset and compare_kind_files(truth, runs or [], out):
        return
    if dataset and truth is None:
        opened = open_labels(
            dataset, truth_field, field or [], blank_is_empty=blank_is_empty
        )
        true = tuple(opened.truth)
        contenders = [Contender(f.name, f.images, f.run) for f in opened.fields]
    elif truth is not None and not dataset:
        opened, true = None, read_coco(truth).images
        contenders = read_contenders(runs or [])
    else:
        raise UsageError("Name COCO files (truth, runs), or --dataset.")
    comparison = compare(true, contenders, iou=iou)
    if out is not None:  # first: whoever reads the tables may stop early
        path = write_comparison(comparison, contenders, true, out, target_precision)
    show_comparison(comparison)
    show_suspects(true, contenders, opened, whole=suspects)
    if out is not None:
        console.print(f"report: {path}")


def read_contenders(runs: list[Path]) -> list[Contender]:
    """Read the labels of each run, and its record."""
    names = short_names(runs)
    return [
        Contender(name, read_coco(path).images, read_run(path))
        for path, name in zip(runs, names, strict=True)
    ]


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
    *,
    title: str = "",
) -> Path:
    """Write a report with the comparison first, then a section for each run."""
    sections = []
    for one in contenders:
        scores = judge(truth, one.predicted, iou=comparison.iou).scores
        sections.append(Section(one.name, one.run, scores, truth, one.predicted))
    report = build_report(
        sections,
        title=title or " / ".join(one.name for one in contenders),
        comparison=comparison,
        target_precision=target,
    )
    return write_report(report, folder).html
