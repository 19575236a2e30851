"""Other forms of objects: one label for each pixel, and boxes that get masks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.labels.full_frame import flatten
from fiftyone_gemini.labels.refine import find_model, refine
from PIL import Image
from typer.testing import CliRunner


def masked(label: str, box: list[float], rows: int, columns: int) -> fo.Detection:
    """Make an object whose mask fills its box."""
    return fo.Detection(
        label=label, bounding_box=box, mask=np.ones((rows, columns), bool)
    )


@pytest.fixture
def objects(dataset: fo.Dataset) -> fo.Dataset:
    """Give a big table with a small cup on it, a bare box, and pictures with less."""
    first, second, third, _ = dataset
    cup = masked("cup", [0.25, 0.25, 0.25, 0.25], 12, 16)
    table = masked("table", [0, 0, 1, 0.5], 24, 64)
    bare = fo.Detection(label="jar", bounding_box=[0, 0.5, 0.5, 0.5])
    first["gemini"] = fo.Detections(detections=[cup, table, bare])
    second["gemini"] = fo.Detections()
    third["gemini"] = fo.Detections(
        detections=[fo.Detection(label="jar", bounding_box=[0, 0, 0.5, 0.5])]
    )
    for sample in (first, second, third):
        sample.save()
    return dataset


def test_masks_become_one_value_for_each_pixel(
    objects: fo.Dataset, tmp_path: Path
) -> None:
    """The smaller object is on top, nothing is 0, and objects without mask are counted."""
    done = flatten(objects, "gemini", "full", tmp_path / "masks")
    assert (done.samples, done.without_mask) == (3, 2)
    assert done.classes == {1: "cup", 2: "table"}
    first, second, _, fourth = objects
    pixels = np.array(Image.open(first.full.mask_path))
    assert (pixels.dtype, pixels.shape) == (np.uint8, (48, 64))
    expected = np.zeros((48, 64), np.uint8)
    expected[:24] = 2
    expected[12:24, 16:32] = 1
    assert np.array_equal(pixels, expected)
    assert np.array_equal(first.full.get_mask(), expected)
    assert not np.array(Image.open(second.full.mask_path)).any()
    assert fourth.full is None
    assert objects.mask_targets["full"] == {1: "cup", 2: "table"}
    assert objects.get_field("full").info["made_by"] == "fiftyone-gemini"


def test_classes_keep_their_values(objects: fo.Dataset, tmp_path: Path) -> None:
    """Painting again, with a class more, changes no value that is there."""
    flatten(objects, "gemini", "full", tmp_path / "masks")
    sample = objects.first()
    sample.gemini.detections.append(masked("ant", [0, 0.5, 0.5, 0.5], 24, 32))
    sample.save()
    done = flatten(objects, "gemini", "full", tmp_path / "masks")
    assert done.classes == {1: "cup", 2: "table", 3: "ant"}


def test_many_classes_take_two_bytes(objects: fo.Dataset, tmp_path: Path) -> None:
    """With more than 255 classes the PNG has 16 bits, and FiftyOne reads it."""
    sample = objects.first()
    sample.gemini.detections += [
        masked(f"c{n:03}", [0, 0.75, 0.25, 0.25], 12, 16) for n in range(300)
    ]
    sample.save()
    flatten(objects, "gemini", "full", tmp_path)
    assert objects.first().full.get_mask().max() > 255


def test_what_cannot_be_flattened_is_refused(
    objects: fo.Dataset, tmp_path: Path
) -> None:
    """Without any mask, or into labels from elsewhere, nothing is written."""
    with pytest.raises(UsageError, match="has a mask"):
        flatten(objects.skip(2), "gemini", "full", tmp_path)
    objects.add_sample_field(
        "truth", fo.EmbeddedDocumentField, embedded_doc_type=fo.Segmentation
    )
    with pytest.raises(UsageError, match="not written by Gemini"):
        flatten(objects, "gemini", "truth", tmp_path)


@pytest.fixture
def zoo(tmp_path: Path) -> Iterator[str]:
    """Put a model without weights into the zoo."""
    kind = {"type": "box_filler.BoxFiller", "config": {}}
    model = {
        "base_name": "box-filler",
        "base_filename": None,
        "version": None,
        "description": "fills boxes",
        "manager": None,
        "default_deployment_config_dict": kind,
        "requirements": None,
        "tags": ["test"],
        "date_added": "2026-01-01 00:00:00",
    }
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"models": [model]}))
    before = fo.config.model_zoo_manifest_paths
    fo.config.model_zoo_manifest_paths = [str(manifest)]
    yield "box-filler"
    fo.config.model_zoo_manifest_paths = before


def test_boxes_get_masks_by_a_model_of_the_zoo(objects: fo.Dataset, zoo: str) -> None:
    """The copies have masks, the boxes stay, and the record names the model."""
    done = refine(objects, "gemini", "sharp", zoo)
    assert (done.with_mask, done.without_mask) == (3, 1)
    first, second, third, fourth = objects
    cup = first.sharp.detections[0]
    assert (cup.label, cup.bounding_box) == ("cup", [0.25, 0.25, 0.25, 0.25])
    assert cup.mask.dtype == bool
    assert 0 < cup.mask.sum() < cup.mask.size
    assert cup["mask_source"] == zoo
    assert first.gemini.detections[2].mask is None
    assert second.sharp.detections == []
    assert third.sharp.detections[0].mask is None
    assert fourth.sharp is None
    info = objects.get_field("sharp").info
    assert (info["made_by"], info["masks_by"]) == ("fiftyone-gemini", zoo)
    (key,) = objects.list_runs()
    assert objects.get_run_info(key).config.masks_by == zoo
    assert "sharp_by_model" not in objects.get_field_schema()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("segment-anything-vitb-torch", "not on this machine"),
        ("no-such-model", "has no model"),
    ],
)
def test_a_model_that_is_not_here_is_refused(name: str, why: str) -> None:
    """Nothing is downloaded, and nothing is done without it."""
    with pytest.raises(UsageError, match=why):
        find_model(name)


def test_the_commands_say_what_they_did(
    objects: fo.Dataset, zoo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`refine`, then `flatten`: boxes alone become a full-frame label."""
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(app, ["refine", objects.name, "--model", zoo])
    assert "3 masks by box-filler" in made.output
    assert "1 objects got none" in made.output
    command = ["flatten", objects.name, "--field", "gemini_masks", "--masks", "png"]
    done = CliRunner().invoke(app, command)
    assert "3 samples, 3 classes" in done.output
    assert "1 objects have no mask" in done.output
    assert len(list(Path("png").iterdir())) == 3
