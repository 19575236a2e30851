"""The viewer that really looks: the segmenter's findings in the shared form."""

from __future__ import annotations

from dataclasses import dataclass

from ..values import Box, Frame
from .answer import REFUSAL
from .segmenter import CLASSES, Seen, Segmenter
from .sight import Pixels, Sight, SoftMask, Thing

LEAST_SCORE = 0.3
"""What it is less sure of is not named: below, wrong answers outgrow right ones."""


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
        things = tuple(_thing(s) for s in seen if s.score >= LEAST_SCORE)
        return Sight(Frame(width, height), things, CLASSES)


def _thing(seen: Seen) -> Thing:
    """Bring what the segmenter saw into the shared form; its crop is tight."""
    height, width = seen.probability.shape
    box = Box(seen.x, seen.y, width, height)
    return Thing(seen.label, box, SoftMask(seen.probability, box), seen.score)
