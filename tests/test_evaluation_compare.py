"""Comparison of runs: differences, their noise, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from evaluation_cases import random_case
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.evaluation import evaluate
from fiftyone_gemini.evaluation.compare import Contender, Difference, compare
from fiftyone_gemini.evaluation.intervals import Interval
from fiftyone_gemini.values import (
    Box,
    Detection,
    Frame,
    ImageLabels,
    Question,
    Run,
    Status,
    Usage,
)

FRAME = Frame(200, 20)
Images = list[ImageLabels]


def scene(number: int, *places: int) -> ImageLabels:
    """Make an image with a cat at each place."""
    cats = tuple(Detection("cat", Box(place, 0, 9, 9)) for place in places)
    return ImageLabels(str(number), f"{number}.jpg", FRAME, cats)


def labelled(rng: np.random.Generator, images: int, *skills: float) -> list[Images]:
    """Make a truth of four cats an image, and runs that find each with their skill.

    Some images are hard for all of them.
    """
    sets: list[Images] = [[] for _ in (0, *skills)]
    for number in range(images):
        sets[0].append(scene(number, 0, 40, 80, 120))
        hard = 0.3 if rng.random() < 0.3 else 0.0
        for skill, said in zip(skills, sets[1:], strict=True):
            found = rng.random(4) < skill - hard
            said.append(scene(number, *np.array([0, 40, 80, 120])[found].tolist()))
    return sets


def test_the_numbers_are_those_of_each_evaluation() -> None:
    """Standings repeat `evaluate`; differences are theirs, from the first."""
    truth, one, two = labelled(np.random.default_rng(0), 40, 0.9, 0.6)
    found = compare(truth, [Contender("one", one), Contender("two", two)])
    first, second = (evaluate(truth, said).all.boxes for said in (one, two))
    values = {d.number: d.value for d in found.against[0].differences}
    assert found.first == "one"
    assert found.compared_by == "boxes"
    assert values["Recall"] == second.counts.recall - first.counts.recall
    assert values["F1"] == second.counts.f1 - first.counts.f1
    assert values["COCO AP"] == second.coco.ap - first.coco.ap
    verdicts = {d.number: d.verdict for d in found.against[0].differences}
    assert verdicts["Recall"] == verdicts["F1"] == verdicts["COCO AP"] == "worse"
    assert verdicts["Precision"] == "within noise"


def test_equal_runs_differ_by_nothing() -> None:
    """A run against itself: 0, and exactly 0 in every drawing."""
    truth, one = labelled(np.random.default_rng(1), 20, 0.8)
    found = compare(truth, [Contender("a", one), Contender("b", one)])
    for difference in found.against[0].differences:
        assert (difference.value, difference.interval) == (0, Interval(0, 0))
        assert difference.verdict == "within noise"


def test_noise_is_called_noise_19_times_in_20() -> None:
    """Two runs of one skill, 60 times: few differences of F1 are called real."""
    rng = np.random.default_rng(2)
    real = 0
    for _ in range(60):
        truth, one, two = labelled(rng, 40, 0.8, 0.8)
        found = compare(truth, [Contender("a", one), Contender("b", two)])
        real += found.against[0].differences[0].verdict != "within noise"
    assert real <= 8


def test_pairing_makes_the_range_of_a_difference_narrower() -> None:
    """Drawing the same images for both beats the two ranges side by side."""
    rng = np.random.default_rng(3)
    truth, one = labelled(rng, 60, 0.9)
    # two misses the first cat of some images that one found; all else is shared
    two = [
        replace(i, values=i.detections[1:]) if rng.random() < 0.2 else i for i in one
    ]
    found = compare(truth, [Contender("a", one), Contender("b", two)])
    recall = found.against[0].differences[2]
    assert recall.interval is not None
    share = found.standings[0].shape.counts.recall
    alone = 2 * 1.96 * np.sqrt(share * (1 - share) / 240)
    assert recall.interval.high - recall.interval.low < alone
    assert recall.verdict == "worse"


@pytest.mark.parametrize("seed", range(12))
def test_anything_can_be_compared(seed: int) -> None:
    """Masks, crowds, failures: every number has a range, but for a single image."""
    truth, one = random_case(seed)
    two = one[::2]
    found = compare(truth, [Contender("a", one), Contender("b", two)])
    for difference in found.against[0].differences:
        has_range = difference.value is not None and len(truth) > 1
        assert (difference.interval is not None) == has_range


def test_failed_images_count_and_are_counted() -> None:
    """A blocked image costs recall and stands among the failures."""
    truth = [scene(1, 0), scene(2, 0)]
    blocked = [scene(1, 0), ImageLabels("2", "", FRAME, (), Status.BLOCKED)]
    found = compare(truth, [Contender("a", truth), Contender("b", blocked)])
    assert [s.failures for s in found.standings] == [0, 1]
    assert found.standings[1].value("Recall") == 0.5
    assert found.few_images


def record(cost: float | None, from_journal: int = 0) -> Run:
    """Make the record of a run of ten seconds."""
    start = datetime(2026, 11, 22, tzinfo=UTC)
    return Run(
        name="r",
        question=Question("detect"),
        model="m",
        endpoint="gemini",
        prompt="",
        parameters={},
        started=start,
        finished=start + timedelta(seconds=10),
        usage=Usage(10, 5),
        from_journal=from_journal,
        cost_usd=cost,
    )


@pytest.mark.parametrize(
    ("run", "each"),
    [(record(0.5), 0.25), (record(None), None), (record(0.5, 1), None), (None, None)],
)
def test_the_cost_of_a_right_object(run: Run | None, each: float | None) -> None:
    """Cost over right objects; unknown without a price, or with replies paid before."""
    truth = [scene(1, 0, 40)]
    runs = [Contender("a", truth, run), Contender("b", truth)]
    standing = compare(truth, runs).standings[0]
    assert standing.cost_per_right == each
    assert standing.seconds == (10 if run else None)


def test_the_verdict_is_read_from_the_range() -> None:
    """Above 0 is better, below is worse, around it is noise."""
    ranges = [(0.1, 0.2), (-0.2, -0.1), (-0.1, 0.1)]
    verdicts = [Difference("F1", 0.1, Interval(*r)).verdict for r in ranges]
    assert verdicts == ["better", "worse", "within noise"]
    assert Difference("F1", None, None).verdict == "undefined"


@pytest.mark.parametrize("names", [["a"], ["a", "a"], []])
def test_one_run_is_no_comparison(names: list[str]) -> None:
    """Two runs with names of their own are needed."""
    with pytest.raises(UsageError, match="two runs"):
        compare([scene(1, 0)], [Contender(name, [scene(1, 0)]) for name in names])
