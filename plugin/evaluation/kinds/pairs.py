"""Truth and prediction of each item, side by side; the same for every kind of label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...values import ImageLabels, Status, Value
from ..pairs import by_id


@dataclass(frozen=True, slots=True)
class ItemPair:
    """One item: what is true, and what was said; nothing when there was no answer."""

    truth: ImageLabels
    status: Status
    said: tuple[Value, ...]

    @property
    def true(self) -> tuple[Value, ...]:
        """What is true."""
        return self.truth.values

    @property
    def answered(self) -> bool:
        """Whether Gemini answered, be it with nothing."""
        return self.status.answers(len(self.said))


@dataclass(frozen=True, slots=True)
class Joined:
    """All pairs, in the order of the truth, and how many items were left out."""

    pairs: tuple[ItemPair, ...]
    unknown_items: int
    unlabelled: int


def join(
    truth: Sequence[ImageLabels],
    predicted: Sequence[ImageLabels],
    *,
    needs_label: bool,
) -> Joined:
    """Join by image id; raises UsageError when one comes twice.

    A truth that says nothing is left out when its status is `skipped` (nobody looked),
    or when the kind of label cannot be absent (`needs_label`).
    """
    true, said = by_id(truth, "truth"), by_id(predicted, "predictions")
    labelled = [i for i in true.values() if _is_labelled(i, needs_label)]
    return Joined(
        tuple(_pair(image, said.get(image.image_id)) for image in labelled),
        len(said.keys() - true.keys()),
        len(true) - len(labelled),
    )


def _is_labelled(image: ImageLabels, needs_label: bool) -> bool:
    if image.values:
        return True
    return not needs_label and image.status is not Status.SKIPPED


def _pair(truth: ImageLabels, said: ImageLabels | None) -> ItemPair:
    if said is None:
        return ItemPair(truth, Status.SKIPPED, ())
    answered = said.status.answers(len(said.values))
    return ItemPair(truth, said.status, said.values if answered else ())
