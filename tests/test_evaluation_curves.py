"""Curves and calibration: against scikit-learn, and on cases a person can check."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation_cases import random_case
from fiftyone_gemini.evaluation import evaluate
from fiftyone_gemini.evaluation.curves import (
    ClassVerdicts,
    calibrate,
    curve,
    study_confidence,
    verdicts_by_class,
)
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve


def judged(seed: int, *, digits: int = 2) -> ClassVerdicts:
    """Make 200 predictions of one class; all true objects were found."""
    rng = np.random.default_rng(seed)
    confidence = np.sort(np.round(rng.random(200), digits))[::-1]
    right = rng.random(200) < confidence
    return ClassVerdicts("cat", confidence, right, int(right.sum()))


def images(*objects: tuple[str, int, float | None], gap: int = 0) -> list[ImageLabels]:
    """Make one image of squares: label, place, confidence."""
    found = tuple(Detection(n, Box(x + gap, 0, 9, 9), None, c) for n, x, c in objects)
    return [ImageLabels("1", "", Frame(200, 20), found)]


@pytest.mark.parametrize("digits", [1, 2, 9])
def test_the_curve_is_scikit_learns(digits: int) -> None:
    """Precision and recall at every threshold, with and without ties."""
    one = judged(digits, digits=digits)
    found = curve(one)
    assert found is not None
    precision, recall, thresholds = precision_recall_curve(one.right, one.confidence)
    assert [p.threshold for p in found.points] == thresholds[::-1].tolist()
    assert [p.precision for p in found.points] == pytest.approx(precision[-2::-1])
    assert [p.recall for p in found.points] == pytest.approx(recall[-2::-1])


def test_the_best_threshold_is_the_best_of_all() -> None:
    """No threshold gives a higher F1, tried one by one."""
    one = judged(5)
    found = curve(one)
    assert found is not None
    tried = []
    for threshold in np.unique(one.confidence):
        kept = one.confidence >= threshold
        right = int(one.right[kept].sum())
        tried.append(2 * right / (int(kept.sum()) + one.objects))
    assert found.best.f1 == max(tried)


def test_calibration_is_scikit_learns() -> None:
    """Shares and mean confidences of the bins, and the error they sum up to."""
    one = judged(7, digits=9)
    found = calibrate([one])
    assert found is not None
    share, mean = calibration_curve(one.right, one.confidence, n_bins=10)
    assert [b.accuracy for b in found.bins] == pytest.approx(share)
    assert [b.confidence for b in found.bins] == pytest.approx(mean)
    sizes = np.array([b.predictions for b in found.bins])
    assert sizes.sum() == 200
    assert found.error == pytest.approx(np.sum(sizes * abs(share - mean)) / 200)


def test_a_model_that_always_says_one_is_off_by_its_errors() -> None:
    """Certain of everything, right in half: the calibration error is 0.5."""
    one = ClassVerdicts("cat", np.ones(10), np.arange(10) < 5, 5)
    found = calibrate([one])
    assert found is not None
    assert (found.error, len(found.bins)) == (0.5, 1)
    assert (found.bins[0].low, found.bins[0].high) == (0.9, 1.0)


@pytest.mark.parametrize("seed", [23, 27, 31, 35, 39])
def test_a_threshold_changes_no_verdict_above_it(seed: int) -> None:
    """The point of a curve is what `evaluate` says of the predictions kept."""
    truth, predicted = random_case(seed)
    scores = evaluate(truth, predicted)
    assert scores.confidence == "self"
    for found in study_confidence(scores, predicted).curves:
        point = found.points[len(found.points) // 2]
        kept = [
            ImageLabels(
                i.image_id,
                i.path,
                i.frame,
                tuple(
                    d
                    for d in i.detections
                    if d.label == found.label and d.confidence >= point.threshold
                ),
                i.status,
            )
            for i in predicted
        ]
        again = evaluate(truth, kept)
        shape = again.all.masks if scores.all.masks else again.all.boxes
        if shape is None:
            continue
        counts = next(c.counts for c in shape.classes if c.label == found.label)
        assert (counts.tp, counts.tp + counts.fp) == (point.right, point.kept)
        assert counts.recall == point.recall


def test_crowds_and_failures_are_seen() -> None:
    """A prediction inside a crowd is no evidence; a missed object lowers recall."""
    truth = images(("cat", 0, None), ("cat", 50, None))
    crowd = Detection("cat", Box(100, 0, 30, 20), is_crowd=True)
    truth = [
        ImageLabels("1", "", Frame(200, 20), (*truth[0].detections, crowd)),
        ImageLabels("2", "", Frame(200, 20), truth[0].detections),
    ]
    said = images(("cat", 0, 0.9), ("cat", 105, 0.8))
    (cats,) = verdicts_by_class(evaluate(truth, said), said)
    assert (len(cats.right), cats.objects) == (1, 4)
    found = curve(cats)
    assert found is not None
    assert (found.best.precision, found.best.recall) == (1.0, 0.25)


@pytest.mark.parametrize(
    ("confidences", "reason"),
    [((None, None), "No prediction"), ((0.5, None), "Some"), ((0.5, 90.0), "outside")],
)
def test_without_usable_confidence_there_is_a_reason(
    confidences: tuple[float | None, float | None], reason: str
) -> None:
    """Nothing is drawn from missing, mixed or impossible confidences."""
    truth = images(("cat", 0, None), ("cat", 50, None))
    said = images(("cat", 0, confidences[0]), ("cat", 50, confidences[1]))
    found = study_confidence(evaluate(truth, said), said)
    assert found.curves == ()
    assert found.overall is None
    assert reason in found.reason
