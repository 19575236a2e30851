"""Does the segmenter know this kind of picture? What it is told by: colours, grain, doubts."""

from __future__ import annotations

import cv2
import numpy as np

from .features import U8Image, lab_colours, pixel_features, working_picture
from .network import Floats
from .pixel_stage import EDGE, PixelStage

_SIDE = 224
_BINS = 8
_PRESENT = 0.5


def domain_features(image: U8Image, stage: PixelStage) -> Floats:
    """Return one row of global features of a picture."""
    picture = working_picture(image, _SIDE)
    rough = stage.rough(pixel_features(picture))
    lab = lab_colours(picture)
    return np.concatenate(
        [_doubts(rough), _colours(lab), _grain(lab), _upright(lab)]
    ).astype(np.float32)


def _doubts(rough: Floats) -> Floats:
    """Return how sure the networks are: shares of classes and of sureness, entropy."""
    best = rough.max(2)
    entropy = -(rough * np.log(rough + 1e-6)).sum(2)
    present = 1 - rough[..., 0]
    inner = present > _PRESENT
    sure = rough[..., 1:EDGE].max(2)[inner].mean() if inner.any() else 0.0
    shares = rough.mean((0, 1))
    spread = np.histogram(best, 6, (0, 1))[0] / best.size
    border = np.concatenate([present[0], present[-1], present[:, 0], present[:, -1]])
    middle = [entropy.mean(), entropy.std(), sure, inner.mean(), border.mean()]
    return np.concatenate([shares, spread, middle])


def _colours(lab: Floats) -> Floats:
    """Return averages and spreads of colour, and how even the background is."""
    flat = lab.reshape(-1, 3)
    parts = np.percentile(flat, (2, 25, 50, 75, 98), axis=0).ravel()
    chroma = np.hypot(flat[:, 1], flat[:, 2])
    centre = np.median(flat, 0)
    near = np.abs(flat - centre).sum(1)
    return np.concatenate(
        [
            parts,
            [chroma.mean(), chroma.std()],
            np.histogram(near, _BINS, (0, 1))[0] / len(near),
        ]
    )


def _grain(lab: Floats) -> Floats:
    """Return edge strengths at four scales: their averages, tails and their ratios."""
    light = np.ascontiguousarray(lab[..., 0])
    values: list[float] = []
    for _ in range(4):
        detail = np.abs(light - cv2.GaussianBlur(light, (0, 0), 1))
        mean = float(detail.mean()) + 1e-5
        tails = np.percentile(detail, (10, 50, 90, 99)) / mean
        values += [np.log(mean), *tails]
        light = np.asarray(cv2.pyrDown(light), np.float32)
    return np.array(values)


def _upright(lab: Floats) -> Floats:
    """Return how colour changes from the top to the bottom and from side to side."""
    grid = cv2.resize(lab, (4, 4), interpolation=cv2.INTER_AREA)
    rows, columns = np.asarray(grid.mean(1)), np.asarray(grid.mean(0))
    spread = np.asarray(grid).reshape(-1, 3).std(0)
    return np.concatenate([np.diff(rows, axis=0).ravel(), columns.std(0), spread])
