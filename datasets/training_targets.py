"""What the networks should answer for a training scene."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from plugin.emulator.pixel_stage import CLASSES_AND_EDGE, EDGE

from .training_scenes import TrainingScene

Array = npt.NDArray[Any]


def pixel_classes(scene: TrainingScene) -> Array:
    """Return `[H, W]`: 0 background, 1..8 labels, 9 where two objects touch."""
    block = np.ones((3, 3), np.uint8)
    highest = cv2.dilate(scene.instance, block)
    lowest = cv2.erode(np.where(scene.instance == 0, 255, scene.instance), block)
    touching = (scene.instance > 0) & (highest != lowest) & (lowest != 255)
    classes: Array = scene.label.astype(np.int64)
    classes[touching] = EDGE
    return classes


def pick(
    classes: Array, count: int, rng: np.random.Generator, allowed: Array | None = None
) -> Array:
    """Return indices of up to `count` random pixels of each class, background thrice."""
    chosen = []
    for kind in range(CLASSES_AND_EDGE):
        there = classes == kind if allowed is None else (classes == kind) & allowed
        indices = np.flatnonzero(there)
        size = min(len(indices), count * 3 if kind == 0 else count)
        chosen.append(rng.choice(indices, size, replace=False))
    return np.concatenate(chosen).astype(int)


def same_object(scene: TrainingScene, numbers: Array, a: int, b: int) -> bool:
    """Say whether two pieces lie mostly on one and the same object."""
    one, share_one = _instance_of(scene, numbers == a)
    two, share_two = _instance_of(scene, numbers == b)
    return one > 0 and one == two and min(share_one, share_two) > 0.3


def matching_instance(scene: TrainingScene, region: Array) -> int:
    """Return the label 1..8 of the object a region fits with IoU over 0.5, else 0."""
    number, _ = _instance_of(scene, region)
    if not number:
        return 0
    there = scene.instance == number
    overlap = (there & region).sum() / (there | region).sum()
    return int(scene.label[there][0]) if overlap > 0.5 else 0


def _instance_of(scene: TrainingScene, region: Array) -> tuple[int, float]:
    """Return the object with most pixels in a region, and its share of the region."""
    counts = np.bincount(scene.instance[region], minlength=2)
    number = int(counts[1:].argmax()) + 1
    if not counts[number]:
        return 0, 0.0
    return number, float(counts[number] / counts.sum())
