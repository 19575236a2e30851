"""What a whole region is judged by: classes of its pixels, colour, size and outline."""

from __future__ import annotations

import cv2
import numpy as np

from .merging import Pieces, solidity, window_of
from .network import Floats
from .pixel_stage import EDGE
from .regions import Scenery


def region_features(number: int, pieces: Pieces, scenery: Scenery) -> Floats:
    """Return the 37 features of piece `number`."""
    mask = pieces.numbers == number
    rows, columns = window = window_of(mask)
    inside = mask[window]
    peak = scenery.classes[window][..., 1:EDGE][inside].max(0)
    area = float(pieces.counts[number])
    height, width = mask.shape
    high, wide = inside.shape
    cut_off = [columns.start <= 1, rows.start <= 1]
    cut_off += [columns.stop >= width - 1, rows.stop >= height - 1]
    values = [
        *pieces.classes[number],
        *peak,
        *pieces.colours[number],
        *(np.log(area), wide / width, high / height, np.log(wide / high)),
        *(float(sum(cut_off)), rows.stop / height),
        *_outline(inside.astype(np.uint8), area),
    ]
    return np.array(values, np.float32)


def _outline(spots: np.ndarray, area: float) -> list[float]:
    outlines, _ = cv2.findContours(spots, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)
    around = cv2.arcLength(outline, closed=True)
    _, (side, other), _ = cv2.minAreaRect(outline)
    moments = cv2.moments(spots, binaryImage=True)
    spread = moments["nu20"] + moments["nu02"] + 1e-9
    skew = (moments["nu20"] - moments["nu02"]) ** 2 + 4 * moments["nu11"] ** 2
    hu = cv2.HuMoments(moments).ravel()[:4]
    return [
        min(side, other) / max(side, other, 1),
        area / max(side * other, 1),
        solidity(spots > 0),
        4 * np.pi * area / max(around * around, 1),
        float(np.sqrt(skew) / spread),
        cv2.contourArea(outline) / max(area, 1),
        *(np.sign(hu) * np.log10(np.abs(hu) + 1e-9)),
    ]
