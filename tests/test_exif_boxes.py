"""One photo saved in all eight EXIF orientations gets the same boxes."""

from __future__ import annotations

from pathlib import Path

from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.gemini.endpoint import endpoint_from_environment
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.values import Box, Question, Status
from PIL import Image

# How a camera would have stored the upright picture, for each way to turn it back.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def iou(one: Box, other: Box) -> float:
    """Give the intersection over the union of two boxes."""
    ax0, ay0, ax1, ay1 = one.xyxy_px
    bx0, by0, bx1, by1 = other.xyxy_px
    wide, high = min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0)
    shared = max(wide, 0) * max(high, 0)
    return shared / (one.width * one.height + other.width * other.height - shared)


def test_boxes_return_in_the_frame_that_is_shown(demo: Path, tmp_path: Path) -> None:
    """However a file stores its pixels, boxes come back where FiftyOne shows them."""
    (tmp_path / "in").mkdir()
    upright = Image.open(next(iter(sorted((demo / "data").iterdir()))))
    upright.load()
    for orientation, turn in STORED.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = upright if turn is None else upright.transpose(turn)
        path = tmp_path / "in" / f"{orientation}.jpg"
        image.save(path, quality=95, exif=exif)
    sink = CocoSink(tmp_path / "out.json")
    with running_emulator(Settings()) as emulator:
        run = label(
            FolderSource(tmp_path / "in"),
            sink,
            Question("segment"),
            model="gemini-3.8-flash",
            endpoint=endpoint_from_environment({}, base_url=emulator.url),
            journal=tmp_path / "journal.sqlite",
        )
    assert run.statuses == {Status.OK: 8}
    first, *others = read_coco(sink.path).images
    assert len(first.detections) > 3
    for image in others:
        assert image.frame == first.frame
        assert len(image.detections) == len(first.detections)
        for found in first.detections:
            twins = [d for d in image.detections if d.label == found.label]
            assert max(iou(found.box, twin.box) for twin in twins) > 0.75
