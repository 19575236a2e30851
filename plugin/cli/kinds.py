"""`evaluate`, `report` and `compare` for labels of other kinds than objects.

The kind is seen from the labels to judge: the type of a field, or what a file holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..coco.files import LabelFile, read_label_file
from ..coco.lines_read import is_lines
from ..coco.runs import parse_run
from ..errors import UsageError
from ..evaluation import Ontology
from ..evaluation.compare import Contender
from ..evaluation.kinds import KindScores, Sheet, find_kind, judge_kind, split_moments
from ..evaluation.kinds.compare import KindComparison, compare_kinds
from ..evaluation.kinds.numbers import CellValue
from ..report import KindSection, build_kind_report, write_report
from ..report.compare import effort_row
from ..report.kinds import (
    KIND_EFFORT,
    comparison_remarks,
    difference_cells,
    kind_remarks,
    kind_verdicts,
)
from ..report.texts import interval
from ..values import ImageLabels, Kind, Run, Sighting
from .show import console, number, statuses, table

if TYPE_CHECKING:
    import fiftyone as fo

MOST_ROWS = 30


@dataclass(frozen=True, slots=True)
class KindPair:
    """Truth and labels of one kind that is not objects."""

    title: str
    kind: Kind
    truth: Sequence[ImageLabels]
    predicted: Sequence[ImageLabels]
    run: Run | None = None
    view: fo.SampleCollection | None = None

    def judged(self, tiou: float, ontology: Ontology | None) -> KindScores:
        """Judge the labels by the truth."""
        return judge_kind(
            self.truth, self.predicted, kind=self.kind, tiou=tiou, ontology=ontology
        )


def find_pair(
    truth: Path | None, predicted: Path | None, dataset: str, fields: tuple[str, str]
) -> KindPair | None:
    """Read two files, or two fields (truth, labels) of a dataset.

    None where the labels to judge are objects, or where not enough is named.
    """
    if dataset and truth is None:
        return _pair_of_fields(dataset, *fields)
    if truth is None or predicted is None or dataset or not is_lines(predicted):
        return None
    true = read_label_file(truth)
    said = read_label_file(predicted).told_by(true, predicted.name)
    kind = find_kind(said.images, true.images)
    if kind is Kind.SIGHTINGS:
        return None
    if len(said.asks) > 1:
        console.print(
            f"{predicted.name} holds {len(said.asks)} asks; the first is judged. "
            "`agree` makes one of them."
        )
    return KindPair(predicted.name, kind, true.images, said.images, said.run)


def objects_of(
    truth: LabelFile, predicted: LabelFile
) -> tuple[Sequence[ImageLabels], Sequence[ImageLabels]]:
    """Give the pictures with objects of two files; moments of videos become pictures."""
    if not any(isinstance(v, Sighting) for i in truth.images for v in i.values):
        return truth.images, predicted.images
    moments = split_moments(truth.images, predicted.images)
    if moments.left_out:
        console.print(
            f"{moments.left_out} sightings are near no moment of the truth: left out."
        )
    return moments.truth, moments.predicted


def _pair_of_fields(name: str, truth_field: str, field: str) -> KindPair | None:
    """Read two fields of a dataset; None where the labels to judge are objects."""
    from ..labels.read_kinds import kind_of_field, read_kind
    from ..labels.runs import record_of_field
    from .datasets import open_dataset

    opened = open_dataset(name)
    kind = kind_of_field(opened, field)
    if kind is Kind.OBJECTS:
        return None
    record = record_of_field(opened, field)
    return KindPair(
        f"{name}: {field}",
        kind,
        read_kind(opened, truth_field),
        read_kind(opened, field),
        parse_run(record) if record else None,
        opened,
    )


def show_kind(pair: KindPair, tiou: float, ontology: Ontology | None) -> KindScores:
    """Print the numbers, the tables below them and what is to be known."""
    scores = pair.judged(tiou, ontology)
    console.print(
        f"\n{pair.title}: {scores.items} items, {scores.kind.value}", style="bold"
    )
    rows = table("", "all items", "95 % range", "answered items")
    for found in scores.numbers:
        numbers = (number(found.all), interval(found.interval), number(found.answered))
        rows.add_row(found.name, *numbers)
    console.print(rows)
    console.print(f"  items: {statuses(scores.statuses)}")
    for sheet in scores.sheets:
        _show_sheet(sheet)
    for remark in kind_remarks(scores):
        console.print(f"  {remark}")
    return scores


def _show_sheet(sheet: Sheet) -> None:
    console.print(f"\n{sheet.title}")
    rows = table(*sheet.columns)
    for row in sheet.rows[:MOST_ROWS]:
        rows.add_row(*map(_written, row))
    console.print(rows)
    if len(sheet.rows) > MOST_ROWS:
        console.print(f"  and {len(sheet.rows) - MOST_ROWS} more; a report lists all")


def _written(value: CellValue) -> str:
    if isinstance(value, str):
        return value
    return number(value) if isinstance(value, float | None) else f"{value:,}"


def save_kind(
    pair: KindPair, scores: KindScores, fields: tuple[str, str], key: str
) -> None:
    """Write verdicts back into the dataset."""
    if pair.view is None:
        raise UsageError("--save-as writes into a dataset: name one by --dataset.")
    from ..labels.kind_verdicts import write_kind_verdicts

    name = write_kind_verdicts(
        pair.view,
        scores.verdicts,
        scores.kind,
        predicted_field=fields[1],
        truth_field=fields[0],
        eval_key=key,
    )
    console.print(f"  verdict on each sample: the field {name!r}")


def report_kind(
    pair: KindPair, tiou: float, ontology: Ontology | None, folder: Path
) -> None:
    """Write a report."""
    section = KindSection(pair.title, pair.run, pair.judged(tiou, ontology))
    report = build_kind_report([section], title=pair.title)
    console.print(f"report: {write_report(report, folder).html}")


def read_contenders(runs: Sequence[Path], truth: LabelFile) -> list[Contender]:
    """Read the labels of each run about the pictures of a truth, and its record.

    They are named by their stem, or by their whole path where stems are not unique.
    """
    stems = [path.stem for path in runs]
    names = stems if len(set(stems)) == len(stems) else [str(path) for path in runs]
    files = [read_label_file(path).told_by(truth, path.name) for path in runs]
    return [
        Contender(name, file.images, file.run)
        for name, file in zip(names, files, strict=True)
    ]


def read_field_contenders(
    name: str, truth: str, fields: Sequence[str]
) -> tuple[Sequence[ImageLabels], list[Contender]] | None:
    """Read a truth and fields of other labels than objects, with their runs' records.

    None where they hold objects; raises `UsageError` for a mixture.
    """
    from ..labels.read_kinds import kind_of_field, read_kind
    from ..labels.runs import record_of_field
    from .datasets import open_dataset

    opened = open_dataset(name)
    kinds = {field: kind_of_field(opened, field) for field in fields}
    if set(kinds.values()) <= {Kind.OBJECTS}:
        return None
    if len(set(kinds.values())) > 1:
        texts = ", ".join(f"{f} ({kind.value})" for f, kind in kinds.items())
        raise UsageError(f"Labels of different kinds cannot be compared: {texts}.")
    records = [record_of_field(opened, field) for field in fields]
    return read_kind(opened, truth), [
        Contender(
            field, read_kind(opened, field), parse_run(record) if record else None
        )
        for field, record in zip(fields, records, strict=True)
    ]


def conclude_kinds(
    truth: Sequence[ImageLabels],
    contenders: Sequence[Contender],
    kind: Kind | None,
    out: Path | None,
    title: str = "",
) -> None:
    """Compare, print, and write a report where a folder is named."""
    comparison = compare_kinds(truth, contenders, kind=kind)
    _show_comparison(comparison)
    if out is None:
        return
    sections = [KindSection(s.name, s.run, s.scores) for s in comparison.standings]
    title = title or " / ".join(one.name for one in contenders)
    report = build_kind_report(sections, title=title, comparison=comparison)
    console.print(f"report: {write_report(report, out).html}")


def _show_comparison(comparison: KindComparison) -> None:
    names = [found.name for found in comparison.standings[0].scores.numbers]
    rows = table(comparison.kind.value, *names)
    for standing in comparison.standings:
        values = (number(found.all) for found in standing.scores.numbers)
        rows.add_row(standing.name, *values)
    console.print(rows)
    for standing in comparison.standings:
        effort = zip(KIND_EFFORT, effort_row(standing), strict=True)
        texts = ", ".join(f"{name.lower()} {text}" for name, text in effort)
        console.print(f"  {standing.name}: {texts}")
    rows = table(f"against {comparison.first}", "", "difference", "95 % range", "")
    for against in comparison.against:
        for difference in against.differences:
            cells = (cell.text for cell in difference_cells(difference))
            rows.add_row(against.name, *cells)
    console.print(rows)
    for text in (*kind_verdicts(comparison), *comparison_remarks(comparison)):
        console.print(f"  {text}")
