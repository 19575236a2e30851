"""Measure COCO export and import against FiftyOne's own, in turns, on one dataset.

Both start at the same FiftyOne dataset, whose pictures lie on the disk, and end with one
file; ours reads the fields, writes RLE and loses nothing, FiftyOne's exporter writes
polygons. Import is from our file into labels with masks: ours to values and to a FiftyOne
dataset, FiftyOne's by `Dataset.from_dir`. CPU time of this process; the ratio is taken
within each round. `--write-docs` puts the table into `docs/speed.md`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.coco.write import write_coco
from fiftyone_gemini.values import ImageLabels
from labelled import FRAME, Size, make_labels
from measuring import Timing, heading, private_fiftyone, timed, write_docs
from PIL import Image

OBJECTS = 10
GOAL = 15
MARK = "coco"


@dataclass(frozen=True, slots=True)
class Way:
    """One thing to do, by us and by FiftyOne."""

    what: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    goal: float | None = None


def make_images(folder: Path, count: int) -> list[ImageLabels]:
    """Make labels with masks, and a plain picture for each."""
    size = Size(count, count * OBJECTS, count * OBJECTS, classes=20)
    truth, _ = make_labels(size, with_masks=True)
    (folder / "data").mkdir()
    blank = Image.new("RGB", (FRAME.width, FRAME.height))
    images = [replace(i, path=str(folder / "data" / i.path)) for i in truth]
    for image in images:
        blank.save(image.path)
    return images


def ways(folder: Path, count: int) -> Iterator[Way]:
    """Prepare the dataset, and name what is measured on it."""
    import fiftyone as fo
    from fiftyone_gemini.labels.create import create_dataset
    from fiftyone_gemini.labels.read import read_labels

    images = make_images(folder, count)
    dataset = create_dataset("benchmark", images)
    ours, theirs = folder / "ours.json", folder / "theirs.json"

    def export() -> None:
        write_coco(ours, read_labels(dataset, "ground_truth", id_field="coco_id"))

    def export_theirs() -> None:
        dataset.export(
            labels_path=str(theirs),
            dataset_type=fo.types.COCODetectionDataset,
            label_field="ground_truth",
            progress=False,
        )

    yield Way("export, masks", export, export_theirs, GOAL)

    def import_theirs() -> None:
        fo.Dataset.from_dir(
            dataset_type=fo.types.COCODetectionDataset,
            data_path=str(folder / "data"),
            labels_path=str(ours),
            label_types="segmentations",
            progress=False,
        ).delete()

    yield Way("import, masks, to values", lambda: read_coco(ours), import_theirs)

    def into_fiftyone() -> None:
        create_dataset("benchmark-import", read_coco(ours).images).delete()

    yield Way("import, masks, to a FiftyOne dataset", into_fiftyone, import_theirs)
    check(ours, theirs, images)
    dataset.delete()


def check(ours: Path, theirs: Path, images: list[ImageLabels]) -> None:
    """Compare every mask with the original; print FiftyOne's mean IoU."""
    import numpy as np

    def overlaps(path: Path) -> list[float]:
        found = []
        for image, back in zip(images, read_coco(path).images, strict=True):
            for one, other in zip(image.detections, back.detections, strict=True):
                frames = np.zeros((2, FRAME.height, FRAME.width), np.bool_)
                for frame, detection in zip(frames, (one, other), strict=True):
                    mask = detection.mask
                    if mask is not None and mask.crop.size:
                        height, width = mask.crop.shape
                        frame[mask.y :, mask.x :][:height, :width] = mask.crop
                found.append(float((frames[0] & frames[1]).sum() / frames.any(0).sum()))
        return found

    assert set(overlaps(ours)) == {1.0}
    lost = overlaps(theirs)
    NOTES.append(
        "Every mask of our file was equal to the original, pixel by pixel; of FiftyOne's "
        f"file the mean IoU was {statistics.mean(lost):.3f}, the worst {min(lost):.3f}."
    )


NOTES: list[str] = []


def lines(count: int, rounds: int) -> Iterator[str]:
    """Measure, and write it down line by line."""
    yield heading(
        ("fiftyone", "pycocotools", "orjson"),
        f"{count} pictures of 640 x 480 pixels, {OBJECTS} objects with mask each, "
        f"{rounds} rounds",
    )
    yield ""
    yield Timing.HEADER
    with tempfile.TemporaryDirectory() as folder, private_fiftyone():
        for way in ways(Path(folder), count):
            yield timed(way.what, way.ours, way.theirs, rounds).row(way.goal)
    yield ""
    yield from NOTES


def main() -> None:
    """Print the table, and keep it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    found = []
    for line in lines(options.images, options.rounds):
        print(line, flush=True)
        found.append(line)
    if options.write_docs:
        write_docs(MARK, found)


if __name__ == "__main__":
    main()
