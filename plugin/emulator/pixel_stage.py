"""Each pixel's class in three looks: alone, with its surroundings, and at full size.

Classes: 0 background, 1..8 the labels, 9 the edge between an object and anything else.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .features import FEATURES, U8Image, context, pixel_features
from .network import Floats, Network

CLASSES_AND_EDGE = 10
EDGE = 9
_SURELY_BACKGROUND = 0.9


@dataclass(frozen=True, slots=True)
class PixelStage:
    """The three networks; the first two work at half size."""

    alone: Network
    with_context: Network
    full_size: Network

    def probabilities(self, picture: U8Image) -> Floats:
        """Return `[H, W, 10]` for a working picture (sides multiples of 8)."""
        features = pixel_features(picture)
        rough = self.rough(features)
        where = candidates(rough)
        full = enlarged(rough)
        if where.any():
            full[where] = self.full_size(full_size_rows(features, rough, full, where))
        return full

    def rough(self, features: Floats) -> Floats:
        """Return `[H/2, W/2, 10]`: the first two looks."""
        return second_look(
            features, first_look(features, self.alone), self.with_context
        )


def first_look(features: Floats, network: Network) -> Floats:
    """Return `[H/2, W/2, 10]` from each second pixel's own features."""
    half = np.ascontiguousarray(features[::2, ::2])
    rows = half.reshape(-1, FEATURES)
    return network(rows).reshape(*half.shape[:2], CLASSES_AND_EDGE)


def second_look_rows(features: Floats, first: Floats) -> Floats:
    """Return the rows of the second network: own features and the first look around."""
    both = np.concatenate([features[::2, ::2], context(first)], 2)
    return both.reshape(-1, both.shape[2])


def second_look(features: Floats, first: Floats, network: Network) -> Floats:
    """Return `[H/2, W/2, 10]` with the surroundings taken into account."""
    return network(second_look_rows(features, first)).reshape(first.shape)


def enlarged(rough: Floats) -> Floats:
    """Return half-size maps at full size."""
    size = (rough.shape[1] * 2, rough.shape[0] * 2)
    return np.asarray(cv2.resize(rough, size), np.float32)


def candidates(rough: Floats) -> NDArray[np.bool_]:
    """Return `[H, W]` where the third look is worth it: all but sure background."""
    unsure = (rough[..., 0] < _SURELY_BACKGROUND).astype(np.uint8)
    grown = cv2.dilate(unsure, np.ones((3, 3), np.uint8))
    size = (rough.shape[1] * 2, rough.shape[0] * 2)
    return np.asarray(
        cv2.resize(grown, size, interpolation=cv2.INTER_NEAREST) > 0, np.bool_
    )


def full_size_rows(
    features: Floats, rough: Floats, full: Floats, where: NDArray[np.bool_]
) -> Floats:
    """Return the rows of the third network for the pixels set in `where`."""
    y, x = np.nonzero(where)
    around = context(rough)[y // 2, x // 2]
    return np.concatenate([features[y, x], around, full[y, x]], 1)
