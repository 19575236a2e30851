"""Truth and predictions -> `Scores`: join, match, run COCO, twice where images failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from ..errors import UsageError
from ..values import ImageLabels
from .coco_eval import default_engine, evaluate_pairs
from .matching import count, match_pairs
from .pairs import Pair, pair_up
from .scores import ClassScores, Engine, Match, Metrics, Scores, Shape, ShapeScores

OWN_WORD = "the model's own word"


def evaluate(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    *,
    iou: float = 0.5,
    engine: Engine | None = None,
) -> Scores:
    """Measure predicted labels against true ones, image by image, class by class.

    COCO's numbers equal those of `pycocotools.COCO(truth).loadRes(predictions)` on the
    files that `coco.write` makes; precision, recall, F1 and matches are at `iou`.
    Masks are compared when truth and predictions have some; an object without one then
    stands as its filled box. `engine`: the fastest installed, unless named. Raises
    UsageError when an image comes twice or has two sizes.
    """
    if not 0 < iou <= 1:
        raise UsageError(f"The IoU must be above 0 and at most 1, not {iou}.")
    engine = engine or default_engine()
    with_masks = _has_masks(truth) and _has_masks(predicted)
    pairs = pair_up(truth, predicted, with_masks=with_masks)
    classes = _classes(pairs)
    matches = match_pairs(pairs, "bbox", iou)
    mask_matches = match_pairs(pairs, "segm", iou) if with_masks else None
    rest = (classes, engine, matches, mask_matches)
    over_all = _metrics(pairs, *rest)
    answered = [pair for pair in pairs if pair.is_answered]
    return Scores(
        all=over_all,
        answered=over_all if answered == pairs else _metrics(answered, *rest),
        statuses=Counter(pair.status for pair in pairs),
        classes=classes,
        engine=engine,
        confidence=_confidence(predicted),
        iou=iou,
        matches=matches,
        mask_matches=mask_matches,
        unknown_images=len(_ids(predicted) - _ids(truth)),
        confidence_sources=_sources(predicted),
    )


def _metrics(
    pairs: Sequence[Pair],
    classes: Sequence[str],
    engine: Engine,
    matches: Sequence[Match],
    mask_matches: Sequence[Match] | None,
) -> Metrics:
    def scores(shape: Shape, of_all: Sequence[Match]) -> ShapeScores:
        return _shape_scores(pairs, classes, shape, engine, of_all)

    return Metrics(
        images=len(pairs),
        objects=sum(pair.truth.crowds.count(False) for pair in pairs),
        boxes=scores("bbox", matches),
        masks=None if mask_matches is None else scores("segm", mask_matches),
    )


def _shape_scores(
    pairs: Sequence[Pair],
    classes: Sequence[str],
    shape: Shape,
    engine: Engine,
    matches: Sequence[Match],
) -> ShapeScores:
    arrays = evaluate_pairs(pairs, classes, shape, engine)
    images = {pair.image_id for pair in pairs}
    kept = [match for match in matches if match.image_id in images]
    by_class: dict[str, list[Match]] = {label: [] for label in classes}
    for match in kept:
        by_class[match.label].append(match)
    return ShapeScores(
        arrays.numbers(),
        count(kept),
        tuple(
            ClassScores(label, count(by_class[label]), *arrays.class_ap(index))
            for index, label in enumerate(classes)
        ),
        arrays.curves(),
    )


def _classes(pairs: Sequence[Pair]) -> tuple[str, ...]:
    sides = (side for pair in pairs for side in (pair.truth, pair.predicted))
    return tuple(sorted({label for side in sides for label in side.labels}))


def _ids(images: Sequence[ImageLabels]) -> set[str]:
    return {image.image_id for image in images}


def _has_masks(images: Sequence[ImageLabels]) -> bool:
    return any(d.mask is not None for image in images for d in image.detections)


def _confidence(images: Sequence[ImageLabels]) -> Literal["none", "self", "mixed"]:
    detections = [d for image in images for d in image.detections]
    given = sum(detection.confidence is not None for detection in detections)
    if not given:
        return "none"
    return "self" if given == len(detections) else "mixed"


def _sources(images: Sequence[ImageLabels]) -> tuple[str, ...]:
    """Name where the confidences come from."""
    found = {
        detection.confidence_source or OWN_WORD
        for image in images
        for detection in image.detections
        if detection.confidence is not None
    }
    return tuple(sorted(found))
