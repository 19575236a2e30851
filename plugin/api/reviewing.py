"""Predictions are opened for a person's corrections, and corrections are counted."""

from __future__ import annotations

import fiftyone as fo

from ..labels.read import check_detections
from ..labels.review import Review, count_review, seal_labels, show_in_annotate_tab


def open_for_review(
    samples: fo.SampleCollection, field: str, classes: tuple[str, ...] = ()
) -> int:
    """Make a field editable in the App's Annotate tab, and note how its labels are now.

    `classes` may be chosen there, beside those that occur. Labels noted before keep
    their note. Gives how many were noted now. Raises `UsageError`.
    """
    check_detections(samples, field)
    noted = seal_labels(samples, field)
    show_in_annotate_tab(samples, field, classes)
    return noted


def review_of(samples: fo.SampleCollection, field: str) -> Review:
    """Tell corrected labels from untouched ones, and save a view of the corrected.

    Raises `UsageError` for a field that was not opened for review.
    """
    check_detections(samples, field)
    return count_review(samples, field)
