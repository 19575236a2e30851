"""Train the emulator's segmenter: `python -m datasets.train_segmenter --scenes 1400`.

Renders scenes (seeds of its own, see `training_scenes.py`), fits the networks one after
the other and writes `plugin/emulator/weights.npz`. Two thirds of the scenes teach the pixel
networks; the rest, which those have not seen, teach joining, judging and the domain.
Everything is seeded: the same scenes and the same rows each time. Matrix products may still
round the last bit differently from run to run, so that two trainings come out equally good
but not equal byte for byte.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from plugin.emulator.features import pixel_features
from plugin.emulator.judging import region_features
from plugin.emulator.merging import Pieces, borders, merge, pair_features
from plugin.emulator.network import Network
from plugin.emulator.pixel_stage import (
    PixelStage,
    candidates,
    enlarged,
    first_look,
    full_size_rows,
    second_look,
    second_look_rows,
)
from plugin.emulator.regions import Scenery, cut
from plugin.emulator.segmenter import WEIGHTS, large_enough

from .domain_training import fit_domain
from .fitting import Arrays, fit
from .training_scenes import TrainingScene, cached_training
from .training_targets import matching_instance, pick, pixel_classes, same_object

Rows = tuple[npt.NDArray[Any], npt.NDArray[Any]]
_PIXEL_SHARE = 0.66
_PER_CLASS = 50  # pixels of each class from each scene


def train(scenes: list[TrainingScene]) -> Arrays:
    """Fit every network and return all arrays of the weights file."""
    rng = np.random.default_rng(0)
    cut_at = int(len(scenes) * _PIXEL_SHARE)
    pixel_scenes, region_scenes = scenes[:cut_at], scenes[cut_at:]
    arrays: Arrays = {}
    stage = _fit_pixels(pixel_scenes, rng, arrays)
    views = [_view(scene, stage) for scene in region_scenes]
    pairs = _stacked(
        [_pair_rows(s, v, rng) for s, v in zip(region_scenes, views, strict=True)]
    )
    joins = _keep(arrays, "m", fit(*pairs, (24,), epochs=60, decay=1e-3))
    judged = _stacked(
        [_region_rows(s, v, joins) for s, v in zip(region_scenes, views, strict=True)]
    )
    _keep(arrays, "r", fit(*judged, (48,), epochs=60, decay=1e-2))
    arrays |= fit_domain([scene.image for scene in region_scenes], stage)
    return arrays


def _keep(arrays: Arrays, name: str, fitted: Arrays) -> Network:
    arrays |= {f"{name}_{key}": value for key, value in fitted.items()}
    return Network.read(arrays, name)


def _stacked(parts: list[Rows]) -> Rows:
    rows, classes = zip(*[part for part in parts if len(part[0])], strict=True)
    return np.concatenate(rows), np.concatenate(classes)


def _fit_pixels(
    scenes: list[TrainingScene], rng: np.random.Generator, arrays: Arrays
) -> PixelStage:
    """Fit the three looks; each is taught with what the looks before it say."""
    rows = _stacked([_alone_rows(scene, rng) for scene in scenes])
    one = _keep(arrays, "a", fit(*rows, (48, 40), epochs=14))
    rows = _stacked([_context_rows(scene, rng, one) for scene in scenes])
    two = _keep(arrays, "b", fit(*rows, (80, 56), epochs=14))
    rows = _stacked([_full_size_rows(scene, rng, one, two) for scene in scenes])
    three = _keep(arrays, "c", fit(*rows, (80, 56), epochs=14))
    return PixelStage(one, two, three)


def _alone_rows(scene: TrainingScene, rng: np.random.Generator) -> Rows:
    classes = pixel_classes(scene)[::2, ::2].ravel()
    chosen = pick(classes, _PER_CLASS, rng)
    features = pixel_features(scene.image)[::2, ::2]
    return features.reshape(-1, features.shape[2])[chosen], classes[chosen]


def _context_rows(scene: TrainingScene, rng: np.random.Generator, one: Network) -> Rows:
    classes = pixel_classes(scene)[::2, ::2].ravel()
    chosen = pick(classes, _PER_CLASS, rng)
    features = pixel_features(scene.image)
    rows = second_look_rows(features, first_look(features, one))
    return rows[chosen], classes[chosen]


def _full_size_rows(
    scene: TrainingScene, rng: np.random.Generator, one: Network, two: Network
) -> Rows:
    classes = pixel_classes(scene)
    features = pixel_features(scene.image)
    rough = second_look(features, first_look(features, one), two)
    chosen = pick(classes.ravel(), _PER_CLASS, rng, candidates(rough).ravel())
    where = np.isin(np.arange(classes.size), chosen).reshape(classes.shape)
    return full_size_rows(features, rough, enlarged(rough), where), classes[where]


View = tuple[Scenery, npt.NDArray[np.int32]]


def _view(scene: TrainingScene, stage: PixelStage) -> View:
    scenery = Scenery.of(stage.probabilities(scene.image), scene.image)
    return scenery, cut(scenery)


def _pair_rows(scene: TrainingScene, view: View, rng: np.random.Generator) -> Rows:
    """Return the pairs of pieces, also those that appear after some right joins."""
    scenery, numbers = view
    rows, answers = [], []
    for _ in range(3):
        pieces = Pieces.of(numbers, scenery)
        joined, used = numbers.copy(), set[int]()
        for border in borders(numbers, scenery):
            together = same_object(scene, numbers, border.a, border.b)
            rows.append(pair_features(border, pieces))
            answers.append(int(together))
            free = border.a not in used and border.b not in used
            if together and free and rng.random() < 0.8:
                used |= {border.a, border.b}
                joined[joined == border.b] = border.a
        if not used:
            break
        numbers = joined
    return np.array(rows), np.array(answers, int)


def _region_rows(scene: TrainingScene, view: View, joins: Network) -> Rows:
    """Return the joined regions with the label of the object each fits, 0 for none."""
    scenery, numbers = view
    if not numbers.any():
        return np.empty((0, 0)), np.empty(0, int)
    pieces = merge(numbers, scenery, joins)
    chosen = large_enough(pieces)
    rows = [region_features(i, pieces, scenery) for i in chosen]
    return np.array(rows), np.array(
        [matching_instance(scene, pieces.numbers == i) for i in chosen], int
    )


def main() -> None:
    """Render, train and write the weights."""
    parser = argparse.ArgumentParser(description="Train the emulator's segmenter.")
    parser.add_argument("--scenes", type=int, default=1400)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument(
        "--cache", type=Path, help="file that keeps the rendered scenes"
    )
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    started = time.monotonic()
    scenes = cached_training(options.scenes, options.processes, options.cache)
    np.savez_compressed(options.output, **train(scenes))  # type: ignore[arg-type]
    print(f"{options.output} in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
