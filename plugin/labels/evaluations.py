"""Verdicts on objects into FiftyOne's own fields and run format.

The fields are those of `evaluate_detections` (`<key>`, `<key>_id`, `<key>_iou` on the
objects, `<key>_tp`, `<key>_fp`, `<key>_fn` on the samples), and so is the registered
run: FiftyOne's Model Evaluation panel opens it, and `dataset.delete_evaluation(key)`
removes all of it. Its mAP is that of the curves it is given: FiftyOne's own computation
puts right predictions first within a tie, and refuses missing confidences.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import fiftyone as fo
import numpy as np
from fiftyone.utils.eval.coco import (
    COCODetectionResults,
    COCOEvaluation,
    COCOEvaluationConfig,
)
from fiftyone.utils.eval.detection import DetectionResults
from numpy.typing import NDArray

from ..errors import UsageError
from ..values import Detection, ImageLabels
from .bulk import ObjectValues, declare, save_results, write_values
from .read import check_detections

RECALLS = 101
"""Recalls from 0 to 1 at which COCO reads a curve."""
_Row = tuple[Any, ...]
"""FiftyOne's `(true label, predicted label, iou, confidence, true id, predicted id)`."""


class Verdict(Protocol):
    """One object judged: see `evaluation.Match`, whose indices count detections."""

    @property
    def image_id(self) -> str:
        """Id of the sample."""
        ...

    @property
    def prediction_index(self) -> int | None:
        """Place of the prediction in its image; None for a missed object."""
        ...

    @property
    def truth_index(self) -> int | None:
        """Place of the true object in its image; None for an invented one."""
        ...

    @property
    def iou(self) -> float:
        """Overlap of the two."""
        ...

    @property
    def kind(self) -> str:
        """`tp`, `fp`, `fn` or `ignored` (inside a crowd)."""
        ...


class Curves(Protocol):
    """The arrays behind AP and AR: see `evaluation.CocoCurves`."""

    @property
    def precision(self) -> NDArray[np.float64]:
        """Precision, [IoU, class, recall]."""
        ...

    @property
    def recall(self) -> NDArray[np.float64]:
        """Largest recall, [IoU, class]."""
        ...

    @property
    def scores(self) -> NDArray[np.float64]:
        """Confidence at which each precision is reached, [IoU, class, recall]."""
        ...


def check_eval_key(view: fo.SampleCollection, eval_key: str) -> None:
    """Raise `UsageError` unless an evaluation may be stored under a key."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,99}", eval_key):
        raise UsageError(
            f"{eval_key!r} cannot be the key of an evaluation: use letters, digits "
            "and _, with a letter at the front."
        )
    if eval_key in view.list_evaluations():
        return
    taken = [f"{eval_key}_{kind}" for kind in ("tp", "fp", "fn")]
    for name in (eval_key, *taken):
        if view.has_field(name):
            raise UsageError(f"The evaluation key would overwrite the field {name!r}.")


def write_evaluation(
    view: fo.SampleCollection,
    predicted: Sequence[ImageLabels],
    truth: Sequence[ImageLabels],
    verdicts: Iterable[Verdict],
    *,
    predicted_field: str,
    truth_field: str,
    eval_key: str,
    iou: float,
    use_masks: bool,
    classes: Sequence[str],
    curves: Curves,
) -> None:
    """Store verdicts as a FiftyOne evaluation of a view, with the mAP of `curves`.

    `predicted` and `truth` are what `read_labels` gave for the same view and fields;
    `curves` are in the order of `classes`. An evaluation of the same key is replaced.
    Raises what `check_eval_key` raises.
    """
    sides = {predicted_field: predicted, truth_field: truth}
    _make_room(view, eval_key, sides)
    sheets = _fill_sheets(predicted, truth, verdicts)
    method = COCOEvaluationConfig(
        predicted_field,
        truth_field,
        iou=iou,
        classwise=True,
        use_masks=use_masks,
        compute_mAP=bool(classes),  # FiftyOne cannot read curves of none
    ).build()
    method.register_run(view, eval_key)
    declare(view._dataset, _declared(sides, eval_key))  # noqa: SLF001 - no public twin
    method.register_samples(view, eval_key)
    _set_fields(view, sheets, sides, eval_key)
    kind = COCODetectionResults if classes else DetectionResults
    found = _results(method, sheets, classes, curves)
    results = kind(view, method.config, eval_key, **found)
    save_results(view, method, eval_key, results)
    method.add_fields_to_sidebar_group(view, eval_key, omit_fields=tuple(sides))


def _make_room(view: fo.SampleCollection, eval_key: str, fields: Iterable[str]) -> None:
    """Check key and fields; remove an evaluation of the same key."""
    check_eval_key(view, eval_key)
    for name in fields:
        check_detections(view, name)
    if eval_key in view.list_evaluations():
        view._root_dataset.delete_evaluation(eval_key)  # noqa: SLF001 - no public twin


def _declared(fields: Iterable[str], key: str) -> dict[str, fo.Field]:
    """Name the fields of an evaluation: FiftyOne declares one by one what is missing."""
    kinds = {"": fo.StringField, "_id": fo.StringField, "_iou": fo.FloatField}
    found = {
        f"{name}.detections.{key}{suffix}": kind()
        for name in fields
        for suffix, kind in kinds.items()
    }
    return found | {f"{key}_{kind}": fo.IntField() for kind in ("tp", "fp", "fn")}


def _results(
    method: COCOEvaluation,
    sheets: Iterable[_Sheet],
    classes: Sequence[str],
    curves: Curves,
) -> dict[str, Any]:
    """Name what FiftyOne keeps of an evaluation; where there are classes, with mAP."""
    rows = [row for sheet in sheets for row in sheet.rows]
    found = {"matches": rows, "classes": list(classes), "backend": method}
    if not classes:
        return found
    return found | {
        "precision": curves.precision,
        "recall": np.linspace(0, 1, RECALLS),
        "iou_threshs": method.config.iou_threshs,
        "recall_sweep": curves.recall,
        "thresholds": curves.scores,
    }


@dataclass(slots=True)
class _Column:
    """What is written on the objects of one field of one sample."""

    kinds: list[str | None]
    ids: list[str]
    ious: list[float | None]

    @classmethod
    def blank(cls, size: int) -> _Column:
        return cls([None] * size, [""] * size, [None] * size)

    def note(self, index: int, kind: str, other: str, iou: float | None) -> None:
        self.kinds[index], self.ids[index], self.ious[index] = kind, other, iou


@dataclass(slots=True)
class _Sheet:
    """All verdicts on one sample."""

    predicted: _Column
    truth: _Column
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rows: list[_Row] = field(default_factory=list)

    def add(
        self,
        verdict: Verdict,
        said: Detection | None,
        true: Detection | None,
    ) -> None:
        """Note a verdict on both objects."""
        kind = verdict.kind
        self.counts[kind] += 1
        iou = verdict.iou if said and true else None
        said_id, true_id = said.id if said else "", true.id if true else ""
        if verdict.prediction_index is not None:
            self.predicted.note(verdict.prediction_index, kind, true_id, iou)
        if verdict.truth_index is not None and kind != "ignored":
            self.truth.note(verdict.truth_index, kind, said_id, iou)
        if kind != "ignored":
            self.rows.append(_row(said, true, iou))


def _row(said: Detection | None, true: Detection | None, iou: float | None) -> _Row:
    return (
        true.label if true else None,
        said.label if said else None,
        iou,
        said.confidence if said else None,
        true.id if true else None,
        said.id if said else None,
    )


def _fill_sheets(
    predicted: Sequence[ImageLabels],
    truth: Sequence[ImageLabels],
    verdicts: Iterable[Verdict],
) -> list[_Sheet]:
    """Sort verdicts by sample, in the order of the view."""
    by_image: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_image[verdict.image_id].append(verdict)
    sheets = []
    for said, true in zip(predicted, truth, strict=True):
        sheet = _Sheet(
            _Column.blank(len(said.detections)), _Column.blank(len(true.detections))
        )
        for verdict in by_image[said.image_id]:
            sheet.add(
                verdict,
                _at(said.detections, verdict.prediction_index),
                _at(true.detections, verdict.truth_index),
            )
        sheets.append(sheet)
    return sheets


def _at(detections: tuple[Detection, ...], index: int | None) -> Detection | None:
    return None if index is None else detections[index]


def _set_fields(
    view: fo.SampleCollection,
    sheets: Sequence[_Sheet],
    sides: Mapping[str, Sequence[ImageLabels]],
    key: str,
) -> None:
    """Write what stands on the sheets; `sides` are the predictions, then the truth."""
    columns = (
        [sheet.predicted for sheet in sheets],
        [sheet.truth for sheet in sheets],
    )
    objects = [
        ObjectValues(
            name,
            [[d.id for d in image.detections] for image in images],
            {
                key: [column.kinds for column in side],
                f"{key}_id": [column.ids for column in side],
                f"{key}_iou": [column.ious for column in side],
            },
        )
        for (name, images), side in zip(sides.items(), columns, strict=True)
    ]
    counts = {
        f"{key}_{kind}": [sheet.counts[kind] for sheet in sheets]
        for kind in ("tp", "fp", "fn")
    }
    write_values(view, objects, counts)
