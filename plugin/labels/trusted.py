"""Which samples can judge: those with truth that people made."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo
from fiftyone import ViewField

from ..errors import UsageError
from .accepted import BY
from .read import check_detections


@dataclass(frozen=True, slots=True)
class Judging:
    """The samples that can judge, and how many cannot.

    `blank` have no truth at all, not even an empty one; the truth of `accepted` holds
    labels that were accepted unseen, and would judge themselves.
    """

    view: fo.SampleCollection
    blank: int
    accepted: int

    def remarks(self, truth: str) -> tuple[str, ...]:
        """Say in words which samples were left out."""
        found = []
        if self.blank:
            found.append(
                f"{self.blank:,} samples without anything in {truth!r} were left out: "
                "nobody knows what is in them. A sample in which nothing is to be seen "
                "needs an empty label there."
            )
        if self.accepted:
            found.append(
                f"{self.accepted:,} samples with accepted labels in {truth!r} were "
                "left out: labels do not judge themselves."
            )
        return tuple(found)


def judging_samples(
    view: fo.SampleCollection, truth: str, *, blank_is_empty: bool = False
) -> Judging:
    """Leave out samples without truth, and with truth that was accepted unseen.

    `blank_is_empty`: where the field holds nothing, nothing is to be seen. Raises
    `UsageError` when no sample is left, or the field holds no boxes.
    """
    check_detections(view, truth)
    known = view if blank_is_empty else view.exists(truth)
    blank = len(view) - len(known)
    path, accepted = f"{truth}.detections.{BY}", 0
    if view.has_field(path) and view.count(path):
        whole = len(known)
        put_there = ViewField(f"{truth}.detections").filter(ViewField(BY) != None)  # noqa: E711
        known = known.match(put_there.length() == 0)
        accepted = whole - len(known)
    if not len(known):
        raise UsageError(f"No sample has anything in {truth!r} to judge by.")
    return Judging(known if blank or accepted else view, blank, accepted)
