"""Intervals: Wilson and exact bounds against scipy, the bootstrap against the engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evaluation_cases import random_case
from fiftyone_gemini.evaluation import evaluate
from fiftyone_gemini.evaluation.bootstrap import (
    AP_RESAMPLES,
    Ranking,
    drawn_ap,
    f1_resamples,
    find_intervals,
    gather_evidence,
)
from fiftyone_gemini.evaluation.intervals import (
    Interval,
    chance_of_at_least,
    corrected,
    draw_images,
    drawn_ratios,
    exact_lower,
    percentiles,
    student,
    wilson,
)
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, t

Images = list[ImageLabels]


@given(st.integers(1, 400), st.floats(0, 1))
def test_wilson_is_scipys(trials: int, share: float) -> None:
    """Every interval of a share is that of scipy.stats.binomtest."""
    right = round(share * trials)
    mine = wilson(right, trials)
    assert mine is not None
    theirs = binomtest(right, trials).proportion_ci(0.95, method="wilson")
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_no_trials_have_no_interval() -> None:
    """A share of nothing is undefined, and so is its interval."""
    assert wilson(0, 0) is None
    assert percentiles(np.array([np.nan, np.nan])) is None


@given(st.integers(1, 300), st.floats(0, 1), st.floats(0.8, 0.999))
def test_the_exact_bound_is_scipys(trials: int, share: float, level: float) -> None:
    """The lower bound is Clopper and Pearson's, the chance that of the binomial."""
    right = round(share * trials)
    theirs = binomtest(right, trials, alternative="greater").proportion_ci(level)
    assert exact_lower(right, trials, level) == pytest.approx(theirs.low, abs=1e-9)
    chance = chance_of_at_least(right, trials, 0.95)
    assert chance == pytest.approx(binom.sf(right - 1, trials, 0.95), rel=1e-8)


def drawn_again(images: Images, weights: np.ndarray) -> Images:
    """Repeat images as often as they were drawn, copies side by side."""
    copies = [
        replace(image, image_id=f"{image.image_id}-{copy}")
        for image, weight in zip(images, weights, strict=True)
        for copy in range(int(weight))
    ]
    return [replace(i, image_id=str(n)) for n, i in enumerate(copies)]


def complete(truth: Images, predicted: Images) -> Images:
    """Give every image of the truth a prediction, if an empty one."""
    said = {image.image_id: image for image in predicted}
    return [said.get(i.image_id, replace(i, values=())) for i in truth]


def without_ties(images: Images, rng: np.random.Generator) -> Images:
    """Give every object a confidence of its own."""
    return [
        replace(
            image,
            values=tuple(
                replace(d, confidence=float(rng.random())) for d in image.detections
            ),
        )
        for image in images
    ]


@pytest.mark.parametrize("seed", range(30))
def test_a_drawing_is_what_the_engine_says_of_it(seed: int) -> None:
    """AP, precision, recall and F1 of drawn images are those of an evaluation of them."""
    rng = np.random.default_rng(seed)
    truth, predicted = random_case(seed)
    predicted = without_ties(complete(truth, predicted), rng)
    evidence = gather_evidence(truth, predicted, evaluate(truth, predicted))
    weights = draw_images(len(truth), 4, seed)
    weights[0] = 1
    ap = drawn_ap(weights, evidence.rankings)
    ratios = drawn_ratios(weights, evidence.counts)
    shape_is_masks = evaluate(truth, predicted).all.masks is not None
    for row, drawing in enumerate(weights):
        again = evaluate(drawn_again(truth, drawing), drawn_again(predicted, drawing))
        shape = again.all.masks if shape_is_masks else again.all.boxes
        if shape is None:  # no mask was drawn, so that boxes are compared
            continue
        for found, number in (
            (ap, shape.coco.ap),
            (ratios.precision, shape.counts.precision),
            (ratios.recall, shape.counts.recall),
            (ratios.f1, shape.counts.f1),
        ):
            expected = np.nan if number is None else number
            assert found[row] == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("seed", range(40))
def test_every_image_once_gives_the_official_ap(seed: int) -> None:
    """With ties, crowds and over 100 predictions, each image once is COCO's AP."""
    truth, predicted = random_case(seed)
    scores = evaluate(truth, predicted)
    evidence = gather_evidence(truth, predicted, scores)
    ap = drawn_ap(np.ones((1, len(truth))), evidence.rankings)[0]
    official = scores.all.main.coco.ap
    expected = np.nan if official is None else official
    assert ap == pytest.approx(expected, abs=1e-9, nan_ok=True)


def simulated(rng: np.random.Generator, images: int) -> tuple[Images, Images]:
    """Make images of four objects; each is found with a chance of 0.8."""
    frame, truth, said = Frame(100, 100), [], []
    for number in range(images):
        things = tuple(
            Detection("cat", Box(20 * n, 0, 10, 10), confidence=None) for n in range(4)
        )
        found = tuple(
            replace(d, box=d.box if rng.random() < 0.8 else Box(50, 50, 10, 10))
            for d in things
        )
        truth.append(ImageLabels(str(number), "", frame, things))
        said.append(ImageLabels(str(number), "", frame, found))
    return truth, said


def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Over 400 simulated sets the true 0.8 is inside about 95 times in 100."""
    rng = np.random.default_rng(1)
    hits = {"wilson": 0, "f1": 0}
    for seed in range(400):
        right = rng.binomial(4, 0.8, size=60)
        counts = np.stack([right, 4 - right, 4 - right], axis=1).astype(float)
        drawn = drawn_ratios(draw_images(60, 500, seed), counts)
        for name, interval in (
            ("wilson", wilson(int(right.sum()), 240)),
            ("f1", percentiles(drawn.f1)),
        ):
            assert interval is not None
            hits[name] += interval.low <= 0.8 <= interval.high
    assert all(368 <= count <= 392 for count in hits.values()), hits


@given(st.sampled_from([0.9, 0.95, 0.975, 0.995]), st.integers(1, 500))
def test_students_t_is_scipys(share: float, freedom: int) -> None:
    """The quantile is scipy's to a hundredth."""
    assert student(share, freedom) == pytest.approx(t.ppf(share, freedom), rel=0.012)


def graded(rng: np.random.Generator, images: int) -> tuple[Ranking, ...]:
    """Make three classes over images of differing difficulty; better fits rank higher."""
    hardness = rng.normal(0, 0.15, images)
    found = []
    for skill in (0.65, 0.82, 1.0):
        objects = rng.poisson(rng.gamma(1.5, 1 / 1.5, images))
        image = np.repeat(np.arange(images), objects)
        image = image[rng.random(len(image)) < np.clip(skill + hardness[image], 0, 1)]
        fit = np.clip(rng.beta(8, 2, len(image)) + 0.3 * hardness[image], 0, 1)
        invented = rng.integers(0, images, rng.poisson(0.4 * images))
        fit = np.append(fit, np.zeros(len(invented)))
        said = np.where(fit > 0, fit, 0.5) + rng.normal(0, 0.2, len(fit))
        order = np.argsort(-said, kind="stable")
        right = fit[order] >= np.linspace(0.5, 0.95, 10)[:, None]
        image = np.append(image, invented)[order]
        none = np.zeros_like(right)
        found.append(Ranking(image, right, none, objects.astype(float)))
    return tuple(found)


@pytest.mark.slow
@pytest.mark.parametrize(("images", "least"), [(20, 0.9), (40, 0.91)])
def test_the_interval_of_ap_holds_with_few_images(images: int, least: float) -> None:
    """On simulated sets AP of very many images is inside about as often as it says."""
    rng = np.random.default_rng(2)
    many = [drawn_ap(np.ones((1, 4000)), graded(rng, 4000))[0] for _ in range(6)]
    sets, inside = 250, 0
    for _ in range(sets):
        rankings = graded(rng, images)
        measured = float(drawn_ap(np.ones((1, images)), rankings)[0])
        drawn = drawn_ap(draw_images(images, AP_RESAMPLES), rankings)
        found = corrected(drawn, measured, images)
        assert found is not None
        inside += found.low <= np.mean(many) <= found.high
    assert least <= inside / sets <= 0.99


def test_one_image_says_nothing_of_others() -> None:
    """Numbers of a single image have no interval, and no interval leaves 0 to 1."""
    truth, said = simulated(np.random.default_rng(3), 1)
    found = find_intervals(truth, said, evaluate(truth, said))
    assert (found.f1, found.ap) == (None, None)
    assert corrected(np.full(9, 0.5), 0.5, 1) is None
    assert Interval(-0.2, 1.3).within(0, 1) == Interval(0, 1)


def test_the_same_seed_gives_the_same_intervals() -> None:
    """Intervals can be reproduced, and hold the numbers they belong to."""
    truth, said = simulated(np.random.default_rng(3), 30)
    scores = evaluate(truth, said)
    once, twice = (find_intervals(truth, said, scores) for _ in range(2))
    assert once == twice
    coco, f1 = scores.all.main.coco, scores.all.main.counts.f1
    assert once.f1 is not None
    assert once.ap is not None
    assert once.f1.low < f1 < once.f1.high
    assert once.ap.low < coco.ap < once.ap.high


def test_an_evaluation_without_images_has_no_intervals() -> None:
    """Nothing is not a failure."""
    intervals = find_intervals([], [], evaluate([], []))
    assert (intervals.f1, intervals.ap, intervals.recall) == (None, None, None)


def test_many_images_are_drawn_less_often() -> None:
    """1,000 drawings of a few thousand images, 200 of fifty thousand: memory is bounded."""
    assert [f1_resamples(n) for n in (0, 500, 20_000, 50_000)] == [1000, 1000, 500, 200]
