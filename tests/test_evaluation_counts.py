"""Precision, recall, F1 and verdicts: small cases that a person can check."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation_cases import random_case, reference
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.evaluation import evaluate
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels, Mask, Status

FRAME = Frame(100, 100)


def labels(
    *detections: Detection, image_id: str = "1", status: Status = Status.OK
) -> ImageLabels:
    """Make the labels of one 100 x 100 image."""
    return ImageLabels(image_id, f"{image_id}.jpg", FRAME, detections, status)


def cat(x: float, y: float = 0, size: float = 10, **more: object) -> Detection:
    """Make a square cat."""
    return Detection("cat", Box(x, y, size, size), **more)


def dog(x: float, **more: object) -> Detection:
    """Make a dog of 10 x 10 pixels at the top."""
    return Detection("dog", Box(x, 0, 10, 10), **more)


def test_right_invented_and_missed_are_counted() -> None:
    """Two of three cats found, one invented: P = 2/3, R = 2/3, F1 = 2/3."""
    truth = [labels(cat(0), cat(20), cat(40))]
    said = [labels(cat(0), cat(22), cat(80))]
    counts = evaluate(truth, said).all.boxes.counts
    assert (counts.tp, counts.fp, counts.fn) == (2, 1, 1)
    assert counts.precision == counts.recall == counts.f1 == 2 / 3
    # moved by 2 of 10: 80 shared pixels of 120
    assert counts.mean_iou == pytest.approx((1 + 80 / 120) / 2)


def test_the_iou_asked_for_decides() -> None:
    """An overlap of 2/3 is right at IoU 0.5 and wrong at 0.75."""
    truth, said = [labels(cat(0))], [labels(cat(2))]
    assert evaluate(truth, said, iou=0.5).all.boxes.counts.tp == 1
    assert evaluate(truth, said, iou=0.75).all.boxes.counts.fp == 1


def test_a_second_box_on_an_object_is_invented() -> None:
    """Of two boxes on one cat the first listed is right, the second is not."""
    said = [labels(cat(1), cat(0))]
    matches = evaluate([labels(cat(0))], said).matches
    assert [(m.kind, m.prediction_index) for m in matches] == [("tp", 0), ("fp", 1)]


def test_the_more_confident_box_chooses_first() -> None:
    """Confidence goes before the order of the list."""
    said = [labels(cat(1, confidence=0.2), cat(0, confidence=0.9))]
    scores = evaluate([labels(cat(0))], said)
    assert [m.kind for m in scores.matches] == ["fp", "tp"]
    assert scores.confidence == "self"


def test_a_wrong_name_is_invented_and_missed() -> None:
    """A dog called cat: one FP for cat, one FN for dog, and both classes are listed."""
    scores = evaluate([labels(dog(0))], [labels(cat(0))])
    rows = {row.label: row for row in scores.all.boxes.classes}
    assert (rows["cat"].counts.fp, rows["dog"].counts.fn) == (1, 1)
    assert rows["cat"].ap is None
    assert rows["dog"].ap == 0
    assert scores.classes == ("cat", "dog")


def test_a_prediction_inside_a_crowd_is_neither_right_nor_wrong() -> None:
    """Crowds swallow predictions; a crowd nobody saw is not missed."""
    crowd = cat(0, size=50, is_crowd=True)
    scores = evaluate([labels(crowd, cat(60))], [labels(cat(0), cat(20), cat(60))])
    assert [m.kind for m in scores.matches] == ["ignored", "ignored", "tp"]
    counts = scores.all.boxes.counts
    assert (counts.tp, counts.fp, counts.fn) == (1, 0, 0)
    assert scores.all.objects == 1
    assert evaluate([labels(crowd)], []).all.boxes.counts.fn == 0


def test_failures_count_as_missed_objects() -> None:
    """One image answered right, one blocked, one never asked: R = 1 and R = 1/3."""
    truth = [labels(cat(0), image_id=name) for name in ("1", "2", "3")]
    said = [labels(cat(0)), labels(image_id="2", status=Status.BLOCKED)]
    scores = evaluate(truth, said)
    assert scores.statuses == {Status.OK: 1, Status.BLOCKED: 1, Status.SKIPPED: 1}
    assert (scores.answered.images, scores.all.images) == (1, 3)
    assert scores.answered.boxes.counts.recall == 1
    assert scores.all.boxes.counts.recall == 1 / 3
    assert scores.answered.boxes.coco.ap == pytest.approx(1)
    assert scores.all.boxes.coco.ap == pytest.approx(34 / 101)


def test_an_answer_that_there_is_nothing_is_an_answer() -> None:
    """Status `empty` counts in both: the cat was missed, not failed."""
    scores = evaluate([labels(cat(0))], [labels(status=Status.EMPTY)])
    assert scores.answered == scores.all
    assert scores.answered.boxes.counts.fn == 1


def test_predictions_for_other_images_are_counted_and_left_out() -> None:
    """An image that the truth lacks cannot be judged."""
    scores = evaluate([labels(cat(0))], [labels(cat(0)), labels(image_id="9")])
    assert scores.unknown_images == 1
    assert scores.all.images == 1


def test_masks_decide_where_there_are_masks() -> None:
    """Two halves of the same box overlap as boxes, not as masks."""
    left, right = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    left[:, :5], right[:, 5:] = True, True
    truth = [labels(cat(0, mask=Mask(0, 0, left)))]
    said = [labels(cat(0, mask=Mask(0, 0, right)), cat(0))]
    scores = evaluate(truth, said)
    assert [m.kind for m in scores.matches] == ["tp", "fp"]
    # the second has no mask: its box is filled, and half of that is right
    assert [m.kind for m in scores.mask_matches] == ["fp", "tp"]
    assert scores.mask_matches[1].iou == 0.5
    assert scores.main_matches == scores.mask_matches
    assert scores.all.main is scores.all.masks


def test_where_only_one_side_has_masks_boxes_are_compared() -> None:
    """Masks are judged only against masks."""
    mask = Mask(0, 0, np.ones((10, 10), bool))
    scores = evaluate([labels(cat(0, mask=mask))], [labels(cat(0))])
    assert scores.all.masks is None
    assert scores.mask_matches is None
    assert scores.main_matches == scores.matches


@pytest.mark.parametrize("shape", ["bbox", "segm"])
def test_matching_is_that_of_coco(shape: str) -> None:
    """At IoU 0.5 each prediction gets the same true object as in pycocotools."""
    for seed in range(1, 120):
        if seed % 25 == 0:
            continue  # over 100 predictions: COCO drops some, we count all
        truth, predicted = random_case(seed)
        scores = evaluate(truth, predicted)
        ours = scores.matches if shape == "bbox" else scores.mask_matches
        if ours is not None:
            assert coco_kinds(truth, predicted, shape) == kinds(ours), seed


def kinds(matches: object) -> list[int]:
    """Count tp, fp, ignored."""
    found = [match.kind for match in matches]
    return [found.count(kind) for kind in ("tp", "fp", "ignored")]


def coco_kinds(
    truth: list[ImageLabels], predicted: list[ImageLabels], shape: str
) -> list[int]:
    """Count what pycocotools matched at IoU 0.5, all sizes."""
    counts = np.zeros(3, int)
    run = reference(truth, predicted, shape)
    for image in run.evalImgs:
        if image is None or image["aRng"] != run.params.areaRng[0]:
            continue
        matched, ignored = image["dtMatches"][0] > 0, image["dtIgnore"][0] > 0
        crowded = ignored & matched
        counts += [(matched & ~ignored).sum(), (~matched).sum(), crowded.sum()]
    return counts.tolist()


def test_what_cannot_be_judged_is_said() -> None:
    """An image that comes twice, has two sizes, or an odd IoU raises UsageError."""
    with pytest.raises(UsageError, match="twice in the truth"):
        evaluate([labels(), labels()], [])
    other = ImageLabels("1", "1.jpg", Frame(50, 100), (cat(0),))
    with pytest.raises(UsageError, match="100 x 100 pixels in the truth, but 50 x 100"):
        evaluate([labels()], [other])
    with pytest.raises(UsageError, match="not 0"):
        evaluate([labels()], [], iou=0)
