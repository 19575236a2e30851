"""`compare`: two or more runs over the same pictures, told apart from noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..coco.files import read_label_file
from ..coco.lines_read import is_lines
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
from .judge import (
    IOU,
    BlankIsEmpty,
    Dataset,
    Iou,
    TargetPrecision,
    TruthField,
    only_for_objects,
)
from .kinds import conclude_kinds, read_contenders, read_field_contenders
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
    iou: Iou = IOU,
    out: Out = None,
    target_precision: TargetPrecision = TARGET,
    suspects: ListSuspects = False,
) -> None:
    """Compare runs (models, prompts, settings) with each other, by the same truth.

    Tokens, time and cost come from the record that `label` leaves with its labels.
    """
    other = _other_kind(truth, runs or [], dataset, (truth_field, field or []))
    if other is not None:
        _only_for_objects(iou, target_precision, blank=blank_is_empty, listed=suspects)
        conclude_kinds(*other, None, out)
        return
    if dataset and truth is None:
        opened = open_labels(
            dataset, truth_field, field or [], blank_is_empty=blank_is_empty
        )
        true = tuple(opened.truth)
        contenders = [Contender(f.name, f.images, f.run) for f in opened.fields]
    elif truth is not None and not dataset:
        opened, file = None, read_label_file(truth)
        true, contenders = file.images, read_contenders(runs or [], file)
    else:
        raise UsageError("Name COCO files (truth, runs), or --dataset.")
    comparison = compare(true, contenders, iou=iou)
    if out is not None:  # first: whoever reads the tables may stop early
        path = write_comparison(comparison, contenders, true, out, target_precision)
    show_comparison(comparison)
    show_suspects(true, contenders, opened, whole=suspects)
    if out is not None:
        console.print(f"report: {path}")


def _only_for_objects(iou: float, target: float, *, blank: bool, listed: bool) -> None:
    """Refuse what other kinds make no use of."""
    only_for_objects(target, blank_is_empty=blank)
    if listed or iou != IOU:
        raise UsageError("--suspects and --iou are for objects; leave them out.")


def _other_kind(
    truth: Path | None, runs: Sequence[Path], dataset: str, names: tuple[str, list[str]]
) -> tuple[Sequence[ImageLabels], list[Contender]] | None:
    """Read truth and runs of other labels than objects; None where they are objects."""
    truth_field, fields = names
    if dataset and truth is None and fields:
        return read_field_contenders(dataset, truth_field, fields)
    if truth is None or dataset or not runs or not all(map(is_lines, runs)):
        return None
    file = read_label_file(truth)
    return file.images, read_contenders(runs, file)


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
