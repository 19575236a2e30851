"""Points and stretches of time judged: brute force and ActivityNet's code as oracles."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from fiftyone_gemini.evaluation import evaluate
from fiftyone_gemini.evaluation.kinds import judge_kind, split_moments
from fiftyone_gemini.evaluation.kinds.points import match_points
from fiftyone_gemini.evaluation.kinds.spans import IOUS, temporal_iou
from fiftyone_gemini.values import (
    Box,
    Detection,
    Frame,
    ImageLabels,
    Mask,
    Point,
    Sighting,
    Span,
    Status,
    Value,
)

FRAME = Frame(100, 100)
BLOCK = np.ones((10, 10), bool)


def item(number: int, *values: Value, status: Status = Status.OK) -> ImageLabels:
    """Make one item."""
    return ImageLabels(str(number), f"{number}.mp4", FRAME, values, status)


def block(label: str, x: int, *, crowd: bool = False) -> Detection:
    """Make an object: a block of 10 x 10 pixels whose left half is empty."""
    crop = BLOCK.copy()
    crop[:, :5] = False
    return Detection(label, Box(x, 0, 10, 10), Mask(x, 0, crop), is_crowd=crowd)


def test_points_are_right_inside_the_mask_of_their_label() -> None:
    """Beside the mask but in its box is a miss; a second point is invented."""
    truth = [item(1, block("cat", 0), block("dog", 20), block("cat", 40, crowd=True))]
    points = [
        Point("cat", 7, 5),
        Point("cat", 8, 5),
        Point("cat", 2, 5),
        Point("cat", 27, 5),
        Point("cat", 47, 5),
    ]
    scores = judge_kind(truth, [item(1, *points)])
    counts = {row[0]: row[1:5] for row in scores.sheets[0].rows}
    assert counts == {"cat": (1, 1, 3, 0), "dog": (1, 0, 0, 1)}
    assert scores.number("Inside rate").all == pytest.approx(3 / 5)
    assert scores.number("Inside anything").all == pytest.approx(4 / 5)


def test_points_are_right_near_true_points() -> None:
    """Distances are shares of the diagonal; beyond the radius is a miss."""
    truth = [item(1, Point("a", 10, 10), Point("a", 50, 50))]
    said = [item(1, Point("a", 13, 14), Point("a", 90, 50))]
    scores = judge_kind(truth, said)
    assert scores.number("F1").all == pytest.approx(0.5)
    distance = scores.number("Mean distance")
    assert distance.all == pytest.approx(5 / 20000**0.5)
    assert distance.better == "low"
    assert judge_kind(truth, said, radius=0.5).number("F1").all == 1


@pytest.mark.parametrize("seed", range(20))
def test_points_are_matched_as_well_as_can_be(seed: int) -> None:
    """No other assignment has more pairs, or the same number and less distance."""
    rng = np.random.default_rng(seed)
    said, true = (
        [Point("a", *rng.uniform(0, 100, 2)) for _ in range(int(rng.integers(1, 5)))]
        for _ in range(2)
    )
    hits = list(match_points(said, true, FRAME, 0.3))
    pairs = [h for h in hits if h.point is not None and h.target is not None]
    got = (-len(pairs), sum(h.distance for h in pairs))
    padded = [*range(len(true)), *[None] * len(said)]
    best = (0, 0.0)
    for order in set(permutations(padded, len(said))):
        lengths = [
            float(np.hypot(p.x - true[t].x, p.y - true[t].y)) / 20000**0.5
            for p, t in zip(said, order, strict=True)
            if t is not None
        ]
        near = [length for length in lengths if length <= 0.3]
        best = min(best, (-len(near), sum(near)))
    assert got == pytest.approx(best)


def activitynet(
    truth: list[ImageLabels], said: list[ImageLabels], label: str
) -> np.ndarray:
    """Average precision at each tIoU, step by step as `eval_detection.py` does it."""
    spans = [(i.image_id, s) for i in truth for s in i.values if s.label == label]
    ranked = [(i.image_id, s) for i in said for s in i.values if s.label == label]
    ranked.sort(key=lambda entry: -entry[1].confidence)
    right = np.zeros((10, len(ranked)))
    locked = np.zeros((10, len(spans)), bool)
    for row, (video, span) in enumerate(ranked):
        overlaps = [temporal_iou(span, s) if v == video else -1.0 for v, s in spans]
        for place, iou in enumerate(IOUS):
            for j in np.argsort(overlaps, kind="stable")[::-1]:
                if overlaps[j] < iou:
                    break
                if not locked[place, j]:
                    locked[place, j] = right[place, row] = True
                    break
    found = np.cumsum(right, axis=1)
    recall = np.hstack([np.zeros((10, 1)), found / len(spans), np.ones((10, 1))])
    precision = found / np.arange(1, len(ranked) + 1)
    precision = np.hstack([np.zeros((10, 1)), precision, np.zeros((10, 1))])
    areas = []
    for prec, rec in zip(precision, recall, strict=True):
        best = np.maximum.accumulate(prec[::-1])[::-1]
        steps = np.where(rec[1:] != rec[:-1])[0] + 1
        areas.append(np.sum((rec[steps] - rec[steps - 1]) * best[steps]))
    return np.array(areas)


def some_spans(rng: np.random.Generator, count: int) -> list[Span]:
    """Make spans of two labels with different confidences."""
    starts = rng.uniform(0, 20, count)
    return [
        Span(
            str(rng.choice(["run", "jump"])),
            start,
            start + rng.uniform(1, 8),
            confidence=float(rng.random()),
        )
        for start in starts
    ]


def some_videos(seed: int) -> tuple[list[ImageLabels], list[ImageLabels]]:
    """Make true spans of videos, and predictions: moved copies and inventions."""
    rng = np.random.default_rng(seed)
    truth = [item(n, *some_spans(rng, 4)) for n in range(6)]
    said = []
    for video in truth:
        moved = [
            Span(
                s.label,
                s.start_seconds + rng.normal(0, 0.5),
                s.end_seconds + rng.normal(0, 0.5),
                confidence=float(rng.random()),
            )
            for s in video.values
            if isinstance(s, Span) and rng.random() < 0.8
        ]
        said.append(item(int(video.image_id), *moved, *some_spans(rng, 2)))
    return truth, said


@pytest.mark.parametrize("seed", range(10))
def test_ap_of_spans_is_activitynets(seed: int) -> None:
    """AP at each temporal IoU and their mean."""
    truth, said = some_videos(seed)
    scores = judge_kind(truth, said)
    labels = sorted({s.label for video in truth for s in video.values})
    expected = np.mean([activitynet(truth, said, label) for label in labels], axis=0)
    assert scores.number("AP").all == pytest.approx(expected.mean())
    table = next(s for s in scores.sheets if s.title == "At each temporal IoU")
    assert [row[-1] for row in table.rows] == pytest.approx(expected)


def test_drawn_ap_is_that_of_videos_that_stand_twice() -> None:
    """Weights of a drawing give what copying the videos would give."""
    truth, said = some_videos(3)
    drawn = np.array([2, 0, 1, 0, 3, 0])
    rows = np.repeat(np.arange(6), drawn)
    twice = [
        [item(n, *side[i].values) for n, i in enumerate(rows)] for side in (truth, said)
    ]
    again = judge_kind(*twice)
    for measure in judge_kind(truth, said).measures:
        got = measure.of(drawn[None].astype(float))[0]
        assert got == pytest.approx(again.number(measure.name).all), measure.name


def test_spans_without_confidence_have_counts_first() -> None:
    """P, R, F1 need no confidence; the remark says what AP does without one."""
    truth = [
        item(1, Span("run", 0, 10), Span("run", 20, 30)),
        item(2, Span("run", 0, 4)),
    ]
    said = [
        item(1, Span("run", 0, 8), Span("run", 0, 10)),
        item(2, status=Status.BLOCKED),
    ]
    scores = judge_kind(truth, said)
    recall = scores.number("Recall")
    assert (recall.all, recall.answered) == (pytest.approx(1 / 3), 0.5)
    assert scores.number("Precision").all == 0.5
    assert scores.number("Mean tIoU").all == 0.8  # the first that is listed has it
    assert "read F1 first" in scores.remarks[0]


def test_objects_at_moments_are_judged_as_pictures() -> None:
    """What was said goes to the nearest true moment; far from all it is left out."""
    cat, dog = block("cat", 0), block("dog", 20)
    truth = [
        item(1, Sighting(1.0, cat), Sighting(2.0, cat)),
        item(2, Sighting(1.0, dog)),
    ]
    said = [
        item(1, Sighting(1.2, cat), Sighting(9.0, cat)),
        item(2, status=Status.BLOCKED),
    ]
    moments = split_moments(truth, said)
    assert [i.image_id for i in moments.truth] == ["1@1.000s", "1@2.000s", "2@1.000s"]
    assert moments.left_out == 1
    scores = evaluate(moments.truth, moments.predicted)
    assert (scores.all.main.counts.tp, scores.all.main.counts.fn) == (1, 2)
    assert scores.answered.main.counts.fn == 1
