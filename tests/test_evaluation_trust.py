"""Trust: what is offered keeps its promise, in simulations and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.evaluation import evaluate
from fiftyone_gemini.evaluation.curves import ClassVerdicts
from fiftyone_gemini.evaluation.trust import fewest, trust, trust_in
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels
from scipy.stats import binomtest

Images = list[ImageLabels]


def labelled(*groups: tuple[str, int, int, float | None]) -> tuple[Images, Images]:
    """Make an image per prediction: label, how many, how many right, confidence."""
    truth, said = [], []
    for label, count, right, confidence in groups:
        for number in range(count):
            name, place = str(len(truth)), 0 if number < right else 50
            true = Detection(label, Box(0, 0, 9, 9))
            found = Detection(label, Box(place, 0, 9, 9), None, confidence)
            truth.append(ImageLabels(name, "", Frame(100, 20), (true,)))
            said.append(ImageLabels(name, "", Frame(100, 20), (found,)))
    return truth, said


def test_without_confidence_a_class_is_accepted_whole_or_not() -> None:
    """59 right ones are just enough for 0.95 at 95 %, 58 are not, 59 of 60 neither."""
    groups = (("a", 59, 59, None), ("b", 58, 58, None), ("c", 60, 59, None))
    truth, said = labelled(*groups)
    found = {t.label: t for t in trust(evaluate(truth, said), said)}
    rule = found["a"].rule
    assert rule is not None
    assert rule.threshold is None
    assert rule.lower == pytest.approx(
        binomtest(59, 59, alternative="greater").proportion_ci(0.95).low
    )
    assert found["a"].saved == 1
    assert found["b"].rule is None
    assert "fewer than 59" in found["b"].reason
    assert found["c"].rule is None
    assert "only 59 of 60 right" in found["c"].reason


def test_a_threshold_lets_the_sure_ones_pass() -> None:
    """300 right at 0.9 and 100 poor ones at 0.3: the rule stops between them."""
    truth, said = labelled(("cat", 300, 300, 0.9), ("cat", 100, 50, 0.3))
    (found,) = trust(evaluate(truth, said), said)
    assert found.rule is not None
    assert found.rule.threshold == 0.9
    assert (found.accepted, found.saved, found.tried) == (300, 0.75, 2)
    kept = [found.accepts(d) for image in said for d in image.detections]
    assert kept == [True] * 300 + [False] * 100
    assert not found.accepts(Detection("dog", Box(0, 0, 1, 1), None, 1.0))


def test_mixed_confidence_is_not_ranked() -> None:
    """With one confidence missing only the rule `all` is tried."""
    truth, said = labelled(("cat", 99, 99, 0.9), ("cat", 1, 1, None))
    (found,) = trust(evaluate(truth, said), said)
    assert found.rule is not None
    assert (found.rule.threshold, found.tried) == (None, 1)


def test_a_class_never_predicted_needs_nothing() -> None:
    """There is no share of nothing."""
    truth, _ = labelled(("cat", 1, 1, None))
    (found,) = trust(evaluate(truth, []), [])
    assert (found.saved, found.accepted, found.rule) == (None, 0, None)


@pytest.mark.parametrize("target", [0.0, 1.0, 1.5])
def test_an_impossible_target_is_refused(target: float) -> None:
    """A target lies between 0 and 1."""
    with pytest.raises(UsageError, match="target"):
        trust(evaluate([], []), [], target=target)


def test_the_fewest_predictions_are_counted_exactly() -> None:
    """0.95 takes 59 right ones, 0.9 takes 29, 0.99 takes 299."""
    assert [fewest(target, 0.95) for target in (0.95, 0.9, 0.99)] == [59, 29, 299]


def worst_chances() -> list[np.ndarray]:
    """Give chances to be right by confidence, each hard in another way.

    At the target exactly; just under it everywhere; above it only at the top; with
    coarse confidences; confidence that says nothing.
    """
    grid = np.linspace(0, 1, 2001)
    return [
        np.full(2001, 0.9499),
        np.full(2001, 0.93),
        0.85 + 0.12 * grid,
        0.90 + 0.08 * grid**4,
        np.where(grid > 0.5, 0.949, 0.6),
    ]


@pytest.mark.parametrize("case", range(5))
@pytest.mark.parametrize("steps", [2000, 10])
def test_what_is_offered_is_below_target_in_at_most_a_twentieth(
    case: int, steps: int
) -> None:
    """Of 1,000 simulated sets at most 5 % (and 2 sigma) offer a rule that is too bad.

    The true precision of a rule is that of all confidences above its threshold.
    """
    chances = worst_chances()[case]
    rng = np.random.default_rng(case)
    values = np.round(np.linspace(0, 1, 2001) * steps) / steps
    wrong = offered = 0
    for _ in range(1000):
        place = np.sort(rng.integers(0, 2001, 250))[::-1]
        right = rng.random(250) < chances[place]
        judged = ClassVerdicts("cat", values[place], right, 250)
        rule = trust_in(judged, target=0.95, confidence=0.95).rule
        if rule is not None:
            above = values >= (-1 if rule.threshold is None else rule.threshold)
            offered += 1
            wrong += float(chances[above].mean()) < 0.95
    assert wrong <= 50 + 2 * np.sqrt(1000 * 0.05 * 0.95), (wrong, offered)
