"""Labels -> `Scores` with what explains them: names, naming or seeing, kinds of errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..values import ImageLabels
from .anatomy import anatomy
from .ontology import Ontology, map_labels, survey_names
from .scores import Engine, Metrics, Scores
from .scoring import evaluate

ANY_CLASS = "object"


@dataclass(frozen=True, slots=True)
class Judged:
    """Scores, and the predictions they are about, under the names they were given."""

    scores: Scores
    predicted: tuple[ImageLabels, ...]


def judge(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    *,
    iou: float = 0.5,
    engine: Engine | None = None,
    ontology: Ontology | None = None,
    classes: Iterable[str] = (),
) -> Judged:
    """Evaluate, and say what is behind the numbers.

    With an `ontology`, labels are matched to `classes` first; without one, nothing is
    renamed and the scores only tell what folding would do. No `classes`: the labels of
    the truth. Takes about three times as long as `evaluate`, and raises what it raises.
    """
    known = tuple(classes) or {d.label for image in truth for d in image.detections}
    if ontology is None:
        images, names = tuple(predicted), survey_names(predicted, known)
    else:
        mapped = map_labels(predicted, known, ontology)
        images, names = mapped.images, mapped.names
    scores = evaluate(truth, images, iou=iou, engine=engine)
    full = replace(
        scores,
        any_class=_any_class(truth, images, iou, scores.engine),
        names=names,
        anatomy=anatomy(truth, images, scores),
    )
    return Judged(full, images)


def _any_class(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    iou: float,
    engine: Engine,
) -> Metrics:
    """Evaluate with one name for all: who is called what does not matter."""
    sides = ([_unnamed(image) for image in side] for side in (truth, predicted))
    return evaluate(*sides, iou=iou, engine=engine).all


def _unnamed(image: ImageLabels) -> ImageLabels:
    same = tuple(replace(d, label=ANY_CLASS) for d in image.detections)
    return replace(image, values=same)
