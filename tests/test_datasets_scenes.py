"""The scene generator is reproducible, and the committed demo set is what it says."""

from __future__ import annotations

import contextlib
import io
import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from datasets.scenes import GENERATOR_VERSION, Scene, render_scene
from datasets.scenes.coco import bbox_xywh_px, write_coco
from datasets.scenes.shapes import COCO_CATEGORIES
from datasets.training_scenes import DEMO_SEEDS, TRAINING_SEEDS, UNSEEN_SEEDS


def opened(folder: Path) -> COCO:
    """Open a COCO folder with pycocotools, quietly."""
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(folder / "annotations.json"))


@pytest.fixture(scope="module")
def small() -> Scene:
    """Give one small scene."""
    return render_scene(11, 160, 120, supersample=1.0)


@pytest.fixture(scope="module")
def truth() -> COCO:
    """Give the committed demo set as pycocotools reads it."""
    return opened(Path(__file__).parents[1] / "datasets" / "demo")


def test_the_same_seed_gives_the_same_scene(small: Scene) -> None:
    """Rendering a seed twice gives equal pixels and byte-identical masks."""
    again = render_scene(11, 160, 120, supersample=1.0)
    assert np.array_equal(small.image, again.image)
    assert [o.label for o in small.objects] == [o.label for o in again.objects]
    assert [o.mask.tobytes() for o in small.objects] == [
        o.mask.tobytes() for o in again.objects
    ]


def test_another_seed_gives_another_scene(small: Scene) -> None:
    """Two seeds do not give the same picture."""
    other = render_scene(12, 160, 120, supersample=1.0)
    assert not np.array_equal(small.image, other.image)


def test_a_scene_has_the_shapes_it_promises(small: Scene) -> None:
    """Image and masks have the size asked for, labels are COCO's, fractions in 0..1."""
    assert small.image.shape == (120, 160, 3)
    assert small.image.dtype == np.uint8
    assert small.objects
    for thing in small.objects:
        assert thing.mask.shape == (120, 160)
        assert thing.mask.dtype == bool
        assert thing.label in COCO_CATEGORIES
        assert 0 < thing.visible_fraction <= 1
        assert thing.depth > 0


def test_a_written_scene_is_read_back_exactly(small: Scene, tmp_path: Path) -> None:
    """What pycocotools decodes from the written file is the scene's own masks."""
    write_coco([small], tmp_path)
    coco = opened(tmp_path)
    decoded = [coco.annToMask(a).astype(bool) for a in coco.dataset["annotations"]]
    assert len(decoded) == len(small.objects)
    for mask, thing in zip(decoded, small.objects, strict=True):
        assert np.array_equal(mask, thing.mask)


def test_seed_ranges_never_meet() -> None:
    """Demo, training and unseen seeds are at least 100 000 apart."""
    starts = sorted([DEMO_SEEDS, TRAINING_SEEDS, UNSEEN_SEEDS])
    assert all(high - low >= 100_000 for low, high in pairwise(starts))


def test_the_demo_set_has_the_generators_version(demo: Path) -> None:
    """The committed set was written by the generator as it is now."""
    stored = json.loads((demo / "annotations.json").read_text())
    assert stored["info"]["generator_version"] == GENERATOR_VERSION


def test_the_demo_set_is_small(demo: Path) -> None:
    """The set stays under 2 MiB and each file under 1 MiB."""
    sizes = [f.stat().st_size for f in demo.rglob("*") if f.is_file()]
    assert sum(sizes) < 2 << 20
    assert max(sizes) < 1 << 20


def test_demo_annotations_are_exact(truth: COCO) -> None:
    """Each mask decodes, its area and box are its own, and no two masks overlap."""
    assert len(truth.imgs) == 24
    for number, image in truth.imgs.items():
        seen = np.zeros((image["height"], image["width"]), int)
        for annotation in truth.imgToAnns[number]:
            mask = truth.annToMask(annotation).astype(bool)
            assert annotation["area"] == mask.sum()
            assert annotation["bbox"] == bbox_xywh_px(mask)
            assert annotation["iscrowd"] == 0
            seen += mask
        assert seen.max() == 1


def test_the_demo_set_has_what_its_readme_counts(truth: COCO) -> None:
    """All eight classes, and as many small, large and hidden objects as documented."""
    annotations = truth.dataset["annotations"]
    areas = np.array([a["area"] for a in annotations])
    hidden = np.array([a["occluded"] for a in annotations])
    assert {a["category_id"] for a in annotations} == set(COCO_CATEGORIES.values())
    assert len(areas) == 186
    assert (areas < 32**2).sum() == 23
    assert (areas >= 96**2).sum() == 36
    assert (hidden > 0.1).sum() == 28
    assert (hidden > 0.5).sum() == 5


def test_demo_pictures_have_the_recorded_sizes(truth: COCO, demo: Path) -> None:
    """Each JPEG opens at the width and height its entry says."""
    for image in truth.dataset["images"]:
        picture = cv2.imread(str(demo / "data" / image["file_name"]))
        assert picture.shape[:2] == (image["height"], image["width"])


def test_a_demo_scene_comes_out_of_its_seed(truth: COCO, demo: Path) -> None:
    """Rendered again, the scene with fewest objects has the masks of the file.

    Another processor may round the last bit of a float differently, which can move
    single pixels of an outline: one in a thousand is allowed.
    """
    number = min(truth.imgs, key=lambda key: len(truth.imgToAnns[key]))
    image = truth.imgs[number]
    scene = render_scene(image["seed"], image["width"], image["height"])
    stored = [truth.annToMask(a).astype(bool) for a in truth.imgToAnns[number]]
    assert len(scene.objects) == len(stored)
    for thing, mask in zip(scene.objects, stored, strict=True):
        assert (thing.mask ^ mask).sum() <= mask.sum() / 1000
    picture = cv2.imread(str(demo / "data" / image["file_name"]))[..., ::-1]
    assert np.abs(picture.astype(int) - scene.image).mean() < 6
