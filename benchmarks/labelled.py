"""Labels as a detector would give them, made up: true objects and guesses at them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels, Mask
from numpy.typing import NDArray

FRAME = Frame(640, 480)
CROWDS = 0.01
FOUND = 0.8
"""Share of the true objects that are guessed at."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is made: classes are drawn evenly, objects a picture by Poisson."""

    images: int
    truths: int
    predictions: int
    classes: int = 80


def make_labels(
    size: Size, *, with_masks: bool, seed: int = 0
) -> tuple[list[ImageLabels], list[ImageLabels]]:
    """Make truth and predictions of the same pictures, with 1 % crowds.

    Of the guesses, `FOUND` of the true objects are somewhat moved ones, with a score that
    grows with how little; the rest is invented.
    """
    rng = np.random.default_rng(seed)
    truth, predicted = [], []
    invented = (size.predictions - FOUND * size.truths) / size.images
    for number in range(1, size.images + 1):
        true = [
            _object(rng, size.classes, with_masks=with_masks)
            for _ in range(rng.poisson(size.truths / size.images))
        ]
        said = [_guess(rng, d) for d in true if rng.random() < FOUND]
        said += [
            _scored(_object(rng, size.classes, with_masks=with_masks), rng.beta(1, 3))
            for _ in range(rng.poisson(invented))
        ]
        true = [_crowd(d) if rng.random() < CROWDS else d for d in true]
        name = f"{number:06}.jpg"
        truth.append(ImageLabels(str(number), name, FRAME, tuple(true)))
        predicted.append(ImageLabels(str(number), name, FRAME, tuple(said)))
    return truth, predicted


def _object(rng: np.random.Generator, classes: int, *, with_masks: bool) -> Detection:
    width = int(np.exp(rng.uniform(np.log(8), np.log(300))))
    height = int(np.clip(width * np.exp(rng.normal(0, 0.4)), 6, 400))
    x = int(rng.integers(0, FRAME.width - width))
    y = int(rng.integers(0, FRAME.height - height))
    mask = Mask(x, y, _blob(rng, height, width)) if with_masks else None
    label = f"class {rng.integers(classes):02}"
    return Detection(label, Box(x, y, width, height), mask)


def _blob(rng: np.random.Generator, height: int, width: int) -> NDArray[np.bool_]:
    """Draw an ellipse with a wavy edge that touches its box."""
    down, right = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    waves, phase = rng.integers(3, 9), rng.uniform(0, 2 * np.pi)
    edge = 0.85 + 0.15 * np.cos(waves * np.arctan2(down, right) + phase)
    return np.asarray(np.hypot(down, right) <= edge)


def _guess(rng: np.random.Generator, true: Detection) -> Detection:
    """Move an object by up to some 20 % of its size; seldom name it wrongly."""
    blur = rng.exponential(0.06)
    box = true.box
    x = _inside(box.x + rng.normal(0, blur) * box.width, FRAME.width - box.width)
    y = _inside(box.y + rng.normal(0, blur) * box.height, FRAME.height - box.height)
    mask = None if true.mask is None else Mask(x, y, true.mask.crop)
    moved = Detection(true.label, Box(x, y, box.width, box.height), mask)
    return _scored(moved, float(np.clip(1 - 3 * blur + rng.normal(0, 0.1), 0.01, 1)))


def _inside(value: float, limit: float) -> int:
    return int(np.clip(round(value), 0, limit))


def _scored(detection: Detection, score: float) -> Detection:
    return Detection(
        detection.label, detection.box, detection.mask, round(float(score), 3)
    )


def _crowd(detection: Detection) -> Detection:
    return Detection(detection.label, detection.box, detection.mask, is_crowd=True)
