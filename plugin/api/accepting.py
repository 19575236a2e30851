"""Labels go into the ground truth: those of trusted classes, those a person has seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import fiftyone as fo

from ..errors import UsageError
from ..evaluation import evaluate
from ..evaluation.trust import TARGET, ClassTrust, trust
from ..labels.demote import Undone, undo_promotion
from ..labels.promote import Passes, Promotion
from ..labels.promote import promote as promote_labels
from ..labels.read import check_detections, read_labels
from ..labels.trusted import judging_samples
from ..report.trust import rule_text
from ..values import JsonValue

REJECTED = "rejected"
"""The tag of labels that a person does not want."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The precision that labels must surpass, and where classes have one of their own."""

    whole: float = TARGET
    by_class: Mapping[str, float] | None = None

    def of(self, label: str) -> float:
        """Give the target of a class."""
        return (self.by_class or {}).get(label, self.whole)


def accept(
    samples: fo.SampleCollection,
    field: str,
    truth: str = "ground_truth",
    *,
    target: float = TARGET,
    targets: Mapping[str, float] | None = None,
    classes: Collection[str] = (),
    into: str = "",
    key: str = "",
    iou: float = 0.5,
) -> Promotion:
    """Copy labels that need no review into the truth of samples that have none.

    Which ones need none is learned from the samples of the whole dataset with truth;
    `targets` are those of single classes, and `classes` (empty: all) the only ones that
    are accepted. The other labels are tagged `review`. `undo` takes it back by `key`
    (`<field>_accepted` when empty). Raises `UsageError`.
    """
    key, into = key or f"{field}_accepted", into or truth
    wanted = Targets(target, targets)
    rules = [
        rule
        for rule in find_rules(samples, field, truth, wanted, iou=iou)
        if not classes or rule.label in classes
    ]
    texts: list[JsonValue] = [[rule.label, rule_text(rule)] for rule in rules]
    record: dict[str, JsonValue] = {"target": target, "classes": texts}
    blank = samples if into == truth else samples.exists(truth, bool=False)
    passes = passes_by(rules, wanted)
    return promote_labels(blank, field, into, passes, key=key, rules=record)


def find_rules(
    samples: fo.SampleCollection,
    field: str,
    truth: str,
    targets: Targets,
    *,
    iou: float = 0.5,
) -> tuple[ClassTrust, ...]:
    """Find for each class what can be accepted unseen, by the samples with truth."""
    whole = samples._root_dataset  # noqa: SLF001 - no public twin
    if field == truth:
        raise UsageError("Labels cannot be accepted into their own field.")
    judging = judging_samples(whole, truth).view
    said = read_labels(judging, field)
    scores = evaluate(read_labels(judging, truth), said, iou=iou)
    found: dict[tuple[float, str], ClassTrust] = {}
    for aim in {targets.whole, *(targets.by_class or {}).values()}:
        found |= {(aim, r.label): r for r in trust(scores, said, target=aim)}
    return tuple(
        rule for (aim, label), rule in found.items() if aim == targets.of(label)
    )


def passes_by(rules: Sequence[ClassTrust], targets: Targets) -> Passes:
    """Give the rule by which a label passes, in words, or None."""
    by_class = {rule.label: rule for rule in rules}

    def passes(label: str, confidence: float | None) -> str | None:
        rule = by_class.get(label)
        if rule is None or not rule.passes(confidence):
            return None
        return f"{rule_text(rule)} (precision above {targets.of(label):g})"

    return passes


def promote(
    samples: fo.SampleCollection,
    field: str,
    truth: str = "ground_truth",
    *,
    key: str = "",
) -> Promotion:
    """Copy all labels of samples that a person has looked at into their truth.

    Labels tagged `rejected` are left out by deleting them first. As with `accept`, a
    sample that has truth of another origin is left alone. Raises `UsageError`.
    """
    check_detections(samples, field)
    delete_rejected(samples, field)
    key = key or f"{field}_accepted"
    rules: dict[str, JsonValue] = {"reviewed": True}
    return promote_labels(
        samples, field, truth, lambda *_: "seen by a person", key=key, rules=rules
    )


def reject(samples: fo.SampleCollection, field: str, labels: Collection[str]) -> int:
    """Tag labels as `rejected`, by their ids; gives how many were found.

    They stay until `promote` or `delete_rejected`, so that a slip can be undone by
    removing the tag. Raises `UsageError`.
    """
    check_detections(samples, field)
    if not labels:
        raise UsageError("Select the labels to reject first.")
    chosen = samples.select_labels(ids=list(labels), fields=field)
    found = int(chosen.count(f"{field}.detections"))
    chosen.tag_labels(REJECTED, label_fields=field)
    return found


def delete_rejected(samples: fo.SampleCollection, field: str) -> None:
    """Delete the labels of a field that are tagged `rejected`."""
    view = samples.select_labels(tags=REJECTED, fields=field)
    ids = view.values(f"{field}.detections.id", unwind=True)
    if ids:
        dataset = samples._root_dataset  # noqa: SLF001 - no public twin
        dataset.delete_labels(ids=ids, fields=field)


def undo(dataset: fo.Dataset, key: str) -> Undone:
    """Take back what was accepted or promoted under a key; what was edited stays."""
    return undo_promotion(dataset, key)
