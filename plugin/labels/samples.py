"""A FiftyOne view as the source of a run: which pictures are asked about."""

from __future__ import annotations

from collections.abc import Iterator

import fiftyone as fo

from ..errors import UsageError
from ..values import Item


class ViewSource:
    """The samples of a view, as items; neither samples nor pictures are loaded.

    Raises `UsageError` for a view of anything but whole images.
    """

    def __init__(self, view: fo.SampleCollection) -> None:
        if view.media_type not in (fo.core.media.IMAGE, None):
            raise UsageError(
                f"Only images can be labelled; this view holds {view.media_type} "
                "samples. Of a grouped dataset, select one slice of images."
            )
        if view._is_generated:  # noqa: SLF001 - no public twin
            raise UsageError(
                "This view shows patches, clips or frames; only whole images can be "
                "labelled. Go back to the samples."
            )
        self._view = view

    def __len__(self) -> int:
        """Count the samples."""
        return self._view.count()

    def items(self) -> Iterator[Item]:
        """Give one item per sample, in the order of the view."""
        for sample_id, path in zip(*self._view.values(["id", "filepath"]), strict=True):
            yield Item(sample_id, path)
