"""Truth and predictions -> `Scores`: join, match, run COCO, twice where images failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from ..errors import UsageError
from ..values import Detection, ImageLabels
from .coco_eval import default_engine, evaluate_pairs
from .matching import count, match_pairs
from .pairs import Pair, pair_up
from .scores import ClassScores, Engine, Match, Metrics, Scores, Shape, ShapeScores


def evaluate(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    *,
    iou: float = 0.5,
    engine: Engine | None = None,
) -> Scores:
    """Measure predicted labels against true ones, image by image, class by class.

    COCO's numbers equal those of `pycocotools.COCO(truth).loadRes(predictions)` on the
    files that `coco.write` makes; precision, recall, F1 and matches are at `iou`, and
    need no confidence. Images are joined by `image_id`. Masks are compared when truth
    and predictions have some; an object without one then stands as its filled box.
    `engine`: the fastest that is installed, unless named. Raises UsageError when an
    image comes twice or has two sizes.
    """
    if not 0 < iou <= 1:
        raise UsageError(f"The IoU must be above 0 and at most 1, not {iou}.")
    engine = engine or default_engine()
    with_masks = _has_masks(truth) and _has_masks(predicted)
    pairs = pair_up(truth, predicted, with_masks=with_masks)
    classes = _classes(pairs)
    matches = match_pairs(pairs, "bbox", iou)
    mask_matches = match_pairs(pairs, "segm", iou) if with_masks else None
    over_all = _metrics(pairs, classes, engine, matches, mask_matches)
    answered = [pair for pair in pairs if pair.status.answered]
    known = {image.image_id for image in truth}
    return Scores(
        all=over_all,
        answered=over_all
        if len(answered) == len(pairs)
        else _metrics(answered, classes, engine, matches, mask_matches),
        statuses=Counter(pair.status for pair in pairs),
        classes=classes,
        engine=engine,
        confidence=_confidence([d for image in predicted for d in image.detections]),
        iou=iou,
        matches=matches,
        mask_matches=mask_matches,
        unknown_images=sum(image.image_id not in known for image in predicted),
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
    )


def _classes(pairs: Sequence[Pair]) -> tuple[str, ...]:
    sides = (side for pair in pairs for side in (pair.truth, pair.predicted))
    return tuple(sorted({label for side in sides for label in side.labels}))


def _has_masks(images: Sequence[ImageLabels]) -> bool:
    return any(d.mask is not None for image in images for d in image.detections)


def _confidence(detections: Sequence[Detection]) -> Literal["none", "self", "mixed"]:
    given = sum(detection.confidence is not None for detection in detections)
    if not given:
        return "none"
    return "self" if given == len(detections) else "mixed"
