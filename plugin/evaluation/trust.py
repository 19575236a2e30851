"""Which labels can be accepted unseen: a rule for each class, with a guarantee.

A rule accepts the predictions of a class from a threshold of confidence up, or all. It
is offered only if its precision is above the target at the confidence asked for:

- The bound is exact (Clopper and Pearson), not Wilson's: at shares near 1 and few
  errors Wilson's one-sided bound is too high more often than it says.
- Up to ten rules are tried on the same labels (the best tenth, two tenths ... all), so
  some would pass by luck. Holm's step-down test (Scand. J. Statistics 6, 1979) holds the
  chance that *any* offered rule of the class fails below 1 - confidence. Which rules
  are tried depends on the confidences alone, never on which predictions are right.

Objects are taken as independent, and new pictures as like those judged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..values import Detection, ImageLabels
from .curves import ClassVerdicts, verdicts_by_class
from .intervals import LEVEL, chance_of_at_least, exact_lower
from .scores import Scores

TARGET = 0.95
TENTHS = 10


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to accept, and how it did; `threshold` None accepts all of the class.

    `lower` is the bound of its precision at the confidence it was tested at.
    """

    threshold: float | None
    accepted: int
    right: int
    lower: float


@dataclass(frozen=True, slots=True)
class ClassTrust:
    """The largest rule of a class that can be trusted; without one all is reviewed.

    `predictions` leaves out those inside crowds. `tried` counts the rules that had
    enough predictions to be tested; `reason` says in words why there is no rule.
    """

    label: str
    predictions: int
    right: int
    rule: Rule | None
    tried: int
    reason: str = ""

    @property
    def accepted(self) -> int:
        """How many predictions need no review."""
        return self.rule.accepted if self.rule else 0

    @property
    def saved(self) -> float | None:
        """The share of the predictions that need no review."""
        return self.accepted / self.predictions if self.predictions else None

    def accepts(self, detection: Detection) -> bool:
        """Tell whether the rule lets this label of its class pass unseen."""
        return detection.label == self.label and self.passes(detection.confidence)

    def passes(self, confidence: float | None) -> bool:
        """Tell whether a label of the class with such a confidence passes unseen."""
        if self.rule is None:
            return False
        if self.rule.threshold is None:
            return True
        return confidence is not None and confidence >= self.rule.threshold


def trust(
    scores: Scores,
    predicted: Sequence[ImageLabels],
    *,
    target: float = TARGET,
    confidence: float = LEVEL,
) -> tuple[ClassTrust, ...]:
    """Find for each class what can be accepted unseen, at the IoU of the scores.

    `predicted` are the labels that the scores judge. The guarantee holds for each class
    by itself. Raises UsageError for a target or a confidence outside of 0..1.
    """
    _check(target, confidence)
    return tuple(
        trust_in(one, target=target, confidence=confidence)
        for one in verdicts_by_class(scores, predicted)
    )


def _check(target: float, confidence: float) -> None:
    for name, value in (("target", target), ("confidence", confidence)):
        if not 0 < value < 1:
            raise UsageError(f"The {name} must be between 0 and 1, not {value}.")


def fewest(target: float, confidence: float) -> int:
    """Give the fewest predictions that can pass, when all of them are right."""
    return math.ceil(math.log(1 - confidence) / math.log(target) - 1e-9)


def trust_in(
    judged: ClassVerdicts, *, target: float = TARGET, confidence: float = LEVEL
) -> ClassTrust:
    """Find what of one class can be accepted unseen; raises what `trust` raises."""
    _check(target, confidence)
    total, right = len(judged.right), int(judged.right.sum())
    needed = fewest(target, confidence)
    rules = [r for r in _candidates(judged) if r.accepted >= needed]
    passed = _holm(rules, target, confidence)
    rule = max(passed, key=lambda r: r.accepted) if passed else None
    reason = ""
    if not total:
        reason = "never predicted"
    elif not rules:
        reason = f"fewer than {needed}"
    elif rule is None:
        reason = f"only {right} of {total} right"
    return ClassTrust(judged.label, total, right, rule, len(rules), reason)


def _candidates(judged: ClassVerdicts) -> list[Rule]:
    """List what may be accepted: all, and where confidences differ the best tenths."""
    total, confidence = len(judged.right), judged.confidence
    if not total:
        return []
    right = np.cumsum(judged.right)
    rules = [Rule(None, total, int(right[-1]), 0.0)]
    if np.isnan(confidence).any():
        return rules
    places = (math.ceil(total * tenth / TENTHS) - 1 for tenth in range(1, TENTHS))
    for threshold in sorted({float(confidence[place]) for place in places}):
        accepted = int(np.sum(confidence >= threshold))
        if accepted < total:
            rules.append(Rule(threshold, accepted, int(right[accepted - 1]), 0.0))
    return rules


def _holm(rules: Sequence[Rule], target: float, confidence: float) -> list[Rule]:
    """Keep the rules that pass Holm's test, the surest first, with their bounds."""
    chances = [(chance_of_at_least(r.right, r.accepted, target), r) for r in rules]
    passed: list[Rule] = []
    for chance, rule in sorted(chances, key=lambda entry: entry[0]):
        error = (1 - confidence) / (len(rules) - len(passed))
        if chance > error:
            break
        lower = exact_lower(rule.right, rule.accepted, 1 - error)
        passed.append(Rule(rule.threshold, rule.accepted, rule.right, lower))
    return passed
