"""`evaluate`, `report` and `export`: what is done with labels that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ..coco.files import read_label_file
from ..coco.read import read_coco
from ..coco.write import write_coco
from ..errors import UsageError
from ..evaluation import Judged, Ontology, Scores, judge, read_ontology
from ..evaluation.trust import TARGET
from ..records import coco_info
from ..report import Section, build_report, write_report
from ..values import ImageLabels, Run
from .belief import show_belief
from .datasets import open_dataset, open_labels
from .kinds import find_pair, objects_of, report_kind, save_kind, show_kind
from .show import console, show_scores

IOU = 0.5
Truth = Annotated[Path | None, typer.Argument(help="The file with the ground truth.")]
Predicted = Annotated[
    Path | None, typer.Argument(help="The file with the labels to judge.")
]
Dataset = Annotated[
    str, typer.Option(help="A FiftyOne dataset, instead of two COCO files.")
]
TruthField = Annotated[
    str, typer.Option(help="Its field with the ground truth (with --dataset).")
]
Field = Annotated[
    str, typer.Option(help="Its field with the labels to judge (with --dataset).")
]
Iou = Annotated[
    float,
    typer.Option(min=0.05, max=0.95, help="Overlap that makes a match (for P, R, F1)."),
]
Names = Annotated[
    Path | None,
    typer.Option(
        "--ontology",
        help="A YAML file of synonyms and parents, by which labels find their class.",
    ),
]
Fold = Annotated[
    bool,
    typer.Option(
        "--fold", help="Match labels to classes but for case, spacing and plurals."
    ),
]
Fuzzy = Annotated[
    float | None,
    typer.Option(help="Match also what is spelled so much alike (0.85, up to 1)."),
]

BlankIsEmpty = Annotated[
    bool,
    typer.Option(
        "--blank-is-empty",
        help="A sample without a truth label holds nothing (else: it is left out).",
    ),
]
SaveAs = Annotated[
    str,
    typer.Option(
        help="Keep the verdicts in the dataset under this name (not for objects)."
    ),
]
OBJECTS_SAVED = (
    "Verdicts on objects are kept by the operator Evaluate labels of the App; leave "
    "--save-as out."
)
TargetPrecision = Annotated[
    float,
    typer.Option(
        min=0.5, max=0.999, help="Precision a class must surpass to be accepted unseen."
    ),
]


@dataclass(frozen=True, slots=True)
class Pair:
    """Ground truth and labels of the same images, with a title for both.

    `classes` are those the truth knows, also where it shows none; empty: its labels.
    `run` made the labels, where that was recorded.
    """

    title: str
    truth: Sequence[ImageLabels]
    predicted: Sequence[ImageLabels]
    classes: Sequence[str] = ()
    run: Run | None = None

    def judged(self, iou: float, ontology: Ontology | None = None) -> Judged:
        """Judge the labels by the ground truth, names matched first where asked."""
        return judge(
            self.truth,
            self.predicted,
            iou=iou,
            ontology=ontology,
            classes=self.classes,
        )

    def scores(self, iou: float) -> Scores:
        """Judge the labels by the ground truth."""
        return self.judged(iou).scores


def evaluate_labels(
    truth: Truth = None,
    predicted: Predicted = None,
    *,
    dataset: Dataset = "",
    truth_field: TruthField = "ground_truth",
    field: Field = "gemini",
    iou: Iou = IOU,
    ontology: Names = None,
    fold: Fold = False,
    fuzzy: Fuzzy = None,
    target_precision: TargetPrecision = TARGET,
    blank_is_empty: BlankIsEmpty = False,
    save_as: SaveAs = "",
) -> None:
    """Compare labels with ground truth: objects by the official COCO metrics.

    Tags, texts, points and stretches of time have numbers of their own; which kind it
    is, is seen from the labels.
    """
    names, fields = _ontology(ontology, fuzzy, fold=fold), (truth_field, field)
    if (other := find_pair(truth, predicted, dataset, fields)) is not None:
        only_for_objects(target_precision, blank_is_empty=blank_is_empty)
        scores = show_kind(other, iou, names)
        if save_as:
            save_kind(other, scores, fields, save_as)
        return
    if save_as:
        raise UsageError(OBJECTS_SAVED)
    pair = _open_pair(
        truth,
        predicted,
        dataset,
        fields,
        blank_is_empty=blank_is_empty,
    )
    judged = pair.judged(iou, names)
    show_scores(pair.title, judged.scores)
    show_belief(pair.truth, judged.predicted, judged.scores, target_precision)


def report_labels(
    truth: Truth = None,
    predicted: Predicted = None,
    *,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("report"),
    dataset: Dataset = "",
    truth_field: TruthField = "ground_truth",
    field: Field = "gemini",
    iou: Iou = IOU,
    ontology: Names = None,
    fold: Fold = False,
    fuzzy: Fuzzy = None,
    target_precision: TargetPrecision = TARGET,
    blank_is_empty: BlankIsEmpty = False,
) -> None:
    """Evaluate, and write the result as one HTML file, Markdown and JSON."""
    names, fields = _ontology(ontology, fuzzy, fold=fold), (truth_field, field)
    if (other := find_pair(truth, predicted, dataset, fields)) is not None:
        only_for_objects(target_precision, blank_is_empty=blank_is_empty)
        report_kind(other, iou, names, out)
        return
    pair = _open_pair(
        truth,
        predicted,
        dataset,
        fields,
        blank_is_empty=blank_is_empty,
    )
    judged = pair.judged(iou, names)
    section = Section(pair.title, pair.run, judged.scores, pair.truth, judged.predicted)
    report = build_report(
        [section], title=pair.title, target_precision=target_precision
    )
    files = write_report(report, out)
    console.print(f"report: {files.html}")


def export_labels(
    out: Annotated[Path, typer.Argument(help="The COCO file to write.")],
    *,
    dataset: Annotated[str, typer.Option(help="The FiftyOne dataset.")],
    field: Annotated[str, typer.Option(help="Its label field.")] = "gemini",
    like: Annotated[
        Path | None,
        typer.Option(
            help="A COCO file whose category ids to use, so that pycocotools can "
            "compare the two; image ids come from the field coco_id."
        ),
    ] = None,
) -> None:
    """Write the labels of a FiftyOne field as COCO with lossless RLE masks.

    The record of the run that wrote the field goes into the file's `info`.
    """
    from ..labels.read import read_labels
    from ..labels.runs import record_of_field

    opened = open_dataset(dataset)
    id_field = "coco_id" if like and opened.has_field("coco_id") else "id"
    labels = read_labels(opened, field, id_field=id_field)
    record = record_of_field(opened, field)
    categories = read_coco(like).categories if like else None
    write_coco(out, labels, categories, coco_info(record) if record else None)
    objects = sum(len(image.detections) for image in labels)
    console.print(f"{out}: {len(labels)} images, {objects} objects")


def only_for_objects(target: float, *, blank_is_empty: bool) -> None:
    """Refuse options that other kinds of labels make no use of."""
    if target != TARGET or blank_is_empty:
        raise UsageError(
            "--target-precision and --blank-is-empty are for objects; leave them out."
        )


def _ontology(path: Path | None, fuzzy: float | None, *, fold: bool) -> Ontology | None:
    """Read how names are to be matched; None: not at all."""
    if path is not None:
        return read_ontology(path, fuzzy=fuzzy)
    return Ontology(fuzzy=fuzzy) if fold or fuzzy is not None else None


def _open_pair(
    truth: Path | None,
    predicted: Path | None,
    dataset: str,
    fields: tuple[str, str],
    *,
    blank_is_empty: bool,
) -> Pair:
    """Read truth and labels from two COCO files, or from two fields of a dataset."""
    if truth is not None and predicted is not None and not dataset:
        true = read_label_file(truth)
        said = read_label_file(predicted).told_by(true, predicted.name)
        classes = [category.name for category in true.categories or ()]
        return Pair(predicted.name, *objects_of(true, said), classes, said.run)
    if not dataset or truth is not None:
        raise UsageError("Name two COCO files (truth, labels), or --dataset.")
    truth_field, field = fields
    opened = open_labels(dataset, truth_field, [field], blank_is_empty=blank_is_empty)
    (labels,) = opened.fields
    title = f"{dataset}: {field}"
    return Pair(title, opened.truth, labels.images, opened.classes, labels.run)
