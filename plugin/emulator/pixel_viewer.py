"""The viewer that really looks: the segmenter's findings in the shared form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..values import Box, Frame
from .answer import REFUSAL
from .segmenter import CLASSES, Seen, Segmenter
from .sight import Pixels, Sight, SoftMask, Thing


@dataclass(slots=True)
class PixelViewer:
    """Looks at pictures with the segmenter; refuses what is outside its domain."""

    segmenter: Segmenter
    refusal: str = REFUSAL

    @classmethod
    def load(cls) -> PixelViewer:
        """Load the weights that come with the package."""
        return cls(Segmenter.load())

    def view(self, pixels: Pixels, long_side: int) -> Sight | None:
        """Segment the picture at a working size of `long_side` pixels."""
        if not self.segmenter.knows(pixels):
            return None
        height, width = pixels.shape[:2]
        seen = self.segmenter.see(pixels, long_side=long_side)
        things = tuple(filter(None, map(_thing, seen)))
        return Sight(Frame(width, height), things, CLASSES)


def _thing(seen: Seen) -> Thing | None:
    """Bring what the segmenter saw into the shared form, with a tight box."""
    rows, columns = np.nonzero(seen.probability > 0.5)  # noqa: PLR2004
    if not len(rows):
        return None
    height, width = seen.probability.shape
    region = Box(seen.x, seen.y, width, height)
    box = Box(
        seen.x + float(columns.min()),
        seen.y + float(rows.min()),
        float(np.ptp(columns) + 1),
        float(np.ptp(rows) + 1),
    )
    return Thing(seen.label, box, SoftMask(seen.probability, region), seen.score)
