"""Small rendered scenes for training and measuring: seeds, sizes, processes, a cache file."""

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from .scenes import render_scene
from .scenes.shapes import LABELS

U8 = npt.NDArray[np.uint8]

# Three ranges of seeds that never meet: what is trained on, what is measured, what is shown.
TRAINING_SEEDS = 1_000_000
UNSEEN_SEEDS = 2_000_000
DEMO_SEEDS = 5_700
_SIZES = ((320, 240), (320, 240), (320, 240), (240, 320), (320, 176))


@dataclass(frozen=True, slots=True)
class TrainingScene:
    """A picture `[H, W, 3]` and two maps `[H, W]`: instance number and class, 0 = background.

    Class k is `LABELS[k - 1]`.
    """

    image: U8
    instance: U8
    label: U8


def training_scene(seed: int) -> TrainingScene:
    """Render the small scene of that seed, its shape (wide, tall) chosen by the seed."""
    width, height = _SIZES[seed % len(_SIZES)]
    scene = render_scene(seed, width, height, supersample=1.25)
    instance, label = np.zeros((2, height, width), np.uint8)
    for number, thing in enumerate(scene.objects, 1):
        instance[thing.mask] = number
        label[thing.mask] = LABELS.index(thing.label) + 1
    return TrainingScene(scene.image, instance, label)


def render_training(count: int, processes: int) -> list[TrainingScene]:
    """Render the first `count` training scenes."""
    seeds = range(TRAINING_SEEDS, TRAINING_SEEDS + count)
    with multiprocessing.Pool(processes, ready_worker) as pool:
        return pool.map(training_scene, seeds, chunksize=8)


def cached_training(
    count: int, processes: int, cache: Path | None
) -> list[TrainingScene]:
    """Read the training scenes from the cache file, or render them and fill it."""
    if cache and cache.exists():
        with np.load(cache) as stored:
            return [
                TrainingScene(
                    *(stored[f"{part}{i}"] for part in ("image", "instance", "label"))
                )
                for i in range(count)
            ]
    scenes = render_training(count, processes)
    if cache:
        arrays = {}
        for i, scene in enumerate(scenes):
            arrays[f"image{i}"] = scene.image
            arrays[f"instance{i}"] = scene.instance
            arrays[f"label{i}"] = scene.label
        np.savez(cache, **arrays)  # type: ignore[arg-type]
    return scenes


def ready_worker() -> None:
    """Set up a rendering process: one thread, and polite to others."""
    os.nice(5)
    cv2.setNumThreads(1)
