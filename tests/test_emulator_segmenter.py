"""The segmenter finds what is in the demo scenes and knows what it does not know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fiftyone_gemini.emulator.segmenter import CLASSES, WEIGHTS, Segmenter

from datasets.scenes.shapes import LABELS
from datasets.scoring import measure, read_rgb


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    """Give the segmenter with its packaged weights."""
    return Segmenter.load()


def test_weights_are_small() -> None:
    """The packaged weights stay far under 1 MiB."""
    assert WEIGHTS.stat().st_size < 300_000


def test_it_knows_the_generators_labels() -> None:
    """The classes it was trained on are the generator's, in the same order."""
    assert CLASSES == LABELS


def test_it_is_good_on_the_demo_set(segmenter: Segmenter, demo: Path) -> None:
    """Mask AP on the demo set, by pycocotools, is at least 0.5."""
    assert measure(segmenter, demo, 320).mask_ap >= 0.5


def test_what_it_sees_is_well_formed(segmenter: Segmenter, demo: Path) -> None:
    """Crops lie inside the image and are tight around their masks; surest comes first."""
    image = read_rgb(demo / "data" / "scene_0005.jpg")
    seen = segmenter.see(image)
    assert seen
    assert [s.score for s in seen] == sorted((s.score for s in seen), reverse=True)
    for thing in seen:
        height, width = thing.probability.shape
        mask = thing.probability > 0.5
        assert thing.label in CLASSES
        assert 0 < thing.score <= 1
        assert thing.probability.dtype == np.float32
        assert 0 <= thing.probability.min() <= thing.probability.max() <= 1
        assert 0 <= thing.x <= image.shape[1] - width
        assert 0 <= thing.y <= image.shape[0] - height
        sides = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
        assert all(side.any() for side in sides)


def test_the_same_picture_gives_the_same_answer(
    segmenter: Segmenter, demo: Path
) -> None:
    """Two looks at one picture agree in every number."""
    image = read_rgb(demo / "data" / "scene_0003.jpg")
    first, second = segmenter.see(image, 224), segmenter.see(image, 224)
    assert [(s.label, s.score, s.x, s.y) for s in first] == [
        (s.label, s.score, s.x, s.y) for s in second
    ]


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (3, 900), (700, 5), (33, 31)], ids=str
)
def test_odd_sizes_are_no_error(segmenter: Segmenter, height: int, width: int) -> None:
    """Pictures of any size can be asked about and looked at."""
    image = np.full((height, width, 3), 90, np.uint8)
    assert not segmenter.knows(image)
    assert isinstance(segmenter.see(image), list)


def test_it_knows_the_demo_scenes(segmenter: Segmenter, demo: Path) -> None:
    """At least 23 of the 24 demo scenes are taken for its own kind."""
    files = sorted((demo / "data").glob("*.jpg"))
    assert sum(segmenter.knows(read_rgb(f)) for f in files) >= 23


def test_it_refuses_noise_and_plain_colours(segmenter: Segmenter) -> None:
    """Noise and pictures of one colour are not of its kind."""
    rng = np.random.default_rng(3)
    assert not segmenter.knows(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8))
    for colour in (0, 128, 255):
        assert not segmenter.knows(np.full((480, 640, 3), colour, np.uint8))


def test_it_refuses_real_photos(segmenter: Segmenter, shared: Path) -> None:
    """At least nine of ten real photos are refused."""
    files = sorted((shared / "photos/coco_open/images").glob("*.jpg"))[:10]
    assert len(files) == 10
    assert sum(segmenter.knows(read_rgb(f)) for f in files) <= 1
