"""The emulator's eyes: a small learned segmenter of rendered table-top scenes.

picture -> pixel classes (three looks) -> pieces -> joined pieces -> labels and scores.
Trained by `datasets/train_segmenter.py`, measured in `docs/emulator-accuracy.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .domain import domain_features
from .features import U8Image, working_picture
from .judging import region_features
from .merging import Pieces, merge, window_of
from .network import Floats, Network
from .pixel_stage import PixelStage
from .regions import SMALLEST, Bools, Scenery, cut

CLASSES = (
    "apple",
    "banana",
    "book",
    "bottle",
    "cup",
    "donut",
    "orange",
    "sports ball",
)
WEIGHTS = Path(__file__).with_name("weights.npz")
_LEAST_SCORE = 0.05
_LEAST_PIXELS = 20  # of the image
_PRESENT = 0.5
_MARGIN = 2  # pixels of the working picture around a region


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One object: `probability` `[h, w]` lies at column `x`, row `y` of the image.

    Its mask is where the probability is over 0.5; the crop is tight around that.
    """

    label: str
    score: float
    x: int
    y: int
    probability: Floats


@dataclass(frozen=True, slots=True)
class Segmenter:
    """Finds the eight kinds of objects in scenes like those of `datasets/`."""

    pixels: PixelStage
    joins: Network
    judge: Network
    domain: Network
    least_familiar: float

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> Segmenter:
        """Read the weights, by default those beside this file."""
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        nets = {name: Network.read(arrays, name) for name in "abcmrd"}
        stage = PixelStage(nets["a"], nets["b"], nets["c"])
        least = float(arrays["least_familiar"])
        return cls(stage, nets["m"], nets["r"], nets["d"], least)

    def familiarity(self, image: U8Image) -> float:
        """Return how surely, 0..1, the image is of the kind this was trained on."""
        row = domain_features(image, self.pixels)[None]
        return float(self.domain(row)[0, 1])

    def knows(self, image: U8Image) -> bool:
        """Say whether the image is of the kind this was trained on; photos are not."""
        return self.familiarity(image) >= self.least_familiar

    def see(self, image: U8Image, long_side: int = 320) -> list[Seen]:
        """Return the objects in an image, surest first; `long_side` is the working size."""
        picture = working_picture(image, long_side)
        scenery = Scenery.of(self.pixels.probabilities(picture), picture)
        pieces = merge(cut(scenery), scenery, self.joins)
        numbers = large_enough(pieces)
        if not numbers:
            return []
        rows = np.stack([region_features(i, pieces, scenery) for i in numbers])
        found = [
            self._seen(pieces.numbers == number, chances, scenery, image)
            for number, chances in zip(numbers, self.judge(rows), strict=True)
        ]
        return sorted(filter(None, found), key=lambda seen: -seen.score)

    def _seen(
        self, region: Bools, chances: Floats, scenery: Scenery, image: U8Image
    ) -> Seen | None:
        kind = int(chances[1:].argmax())
        score = float(chances[1 + kind])
        if score < _LEAST_SCORE:
            return None
        x, y, soft = enlarged(region, scenery.object_probability(), image)
        mask = soft > _PRESENT
        if mask.sum() < _LEAST_PIXELS:
            return None
        rows, columns = window_of(mask)
        crop = np.ascontiguousarray(soft[rows, columns])
        return Seen(CLASSES[kind], score, x + columns.start, y + rows.start, crop)


def large_enough(pieces: Pieces) -> list[int]:
    """Return the numbers of the pieces that are worth judging."""
    return [i for i in range(1, len(pieces.counts)) if pieces.counts[i] >= SMALLEST]


def enlarged(region: Bools, present: Floats, image: U8Image) -> tuple[int, int, Floats]:
    """Return left, top and the soft mask of a region at the image's own size."""
    rows, columns = window_of(region)
    height, width = region.shape
    top, bottom = max(0, rows.start - _MARGIN), min(height, rows.stop + _MARGIN)
    left, right = max(0, columns.start - _MARGIN), min(width, columns.stop + _MARGIN)
    inside = region[top:bottom, left:right]
    halo = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1)
    sure = np.clip(present[top:bottom, left:right], 0.51, 1)
    soft = np.where(inside, sure, np.minimum(halo, 0.49)).astype(np.float32)
    down, across = image.shape[0] / height, image.shape[1] / width
    x0, x1 = round(left * across), round(right * across)
    y0, y1 = round(top * down), round(bottom * down)
    smooth = cv2.GaussianBlur(soft, (0, 0), 0.7)
    return x0, y0, np.asarray(cv2.resize(smooth, (x1 - x0, y1 - y0)), np.float32)
