"""Large pictures in tiles: every object once, wherever the seams are; costs are foreseen."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from fiftyone_gemini.asking import Asking, Manner
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.gemini.endpoint import endpoint_from_environment
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.media.image import load_image
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.planning import plan_run
from fiftyone_gemini.tiling import Joiner, in_tiles, joined, tiles_of
from fiftyone_gemini.values import (
    Box,
    Detection,
    Frame,
    Item,
    Mask,
    Parsed,
    Question,
    Status,
    Usage,
)
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

WHOLE = Frame(1000, 600)
MODEL = "gemini-3.8-flash"


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(64, 2000))
def test_tiles_cover_a_picture(width: int, height: int, side: int) -> None:
    """Tiles lie in the picture, leave no gap, and neighbours share a fifth of a side."""
    tiles = tiles_of(Frame(width, height), side)
    for start, size, length in (("x", "width", width), ("y", "height", height)):
        spans = sorted({(getattr(t, start), getattr(t, size)) for t in tiles})
        assert spans[0][0] == 0
        assert sum(spans[-1]) == length
        for (low, long), (high, _) in itertools.pairwise(spans):
            assert low + long - high >= math.floor(0.2 * side) - 1
    assert len(tiles) == len(set(tiles))


def cut(detection: Detection, tile: Box) -> Detection | None:
    """Give what a tile shows of an object, where it is in the whole picture."""
    x0, y0, x1, y1 = detection.box.xyxy_px
    left, top, right, bottom = tile.xyxy_px
    x0, y0, x1, y1 = max(x0, left), max(y0, top), min(x1, right), min(y1, bottom)
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    box = Box.from_xyxy_px(x0, y0, x1, y1)
    mask = detection.mask
    if mask is None:
        return Detection(detection.label, box)
    crop = mask.crop[
        int(y0) - mask.y : int(y1) - mask.y, int(x0) - mask.x : int(x1) - mask.x
    ]
    return Detection(detection.label, box, Mask(int(x0), int(y0), crop.copy()))


def seen(objects: list[Detection], side: int = 400) -> list[Parsed]:
    """Make what every tile of the whole picture says of true objects."""
    tiles = tiles_of(WHOLE, side)
    return [
        Parsed(
            Item("1", "a.png", region=tile, pieces=len(tiles)),
            Status.OK,
            WHOLE,
            tuple(found for o in objects if (found := cut(o, tile)) is not None),
            usage=Usage(1, 2),
        )
        for tile in tiles
    ]


def test_objects_at_seams_are_one() -> None:
    """Whole, cut in two or spread over many tiles, an object comes out as it is."""
    objects = [
        Detection("small", Box(10, 10, 30, 30)),
        Detection("at the seam", Box(290, 100, 60, 60)),
        Detection("long", Box(20, 500, 960, 40)),
        Detection("huge", Box(5, 5, 990, 590)),
    ]
    whole = joined(seen(objects))
    assert {d.label: d.box for d in whole.detections} == {
        o.label: o.box for o in objects
    }
    assert len(whole.detections) == len(objects)
    assert whole.usage == Usage(6, 12)
    assert whole.item.region is None


def test_masks_at_seams_are_united() -> None:
    """A mask that two tiles cut is put together to the pixel."""
    pixels = np.random.default_rng(0).random((80, 500)) > 0.3
    pixels[0, :] = pixels[:, 0] = pixels[-1, :] = pixels[:, -1] = True
    crate = Detection("crate", Box(200, 100, 500, 80), Mask(200, 100, pixels))
    (found,) = joined(seen([crate])).detections
    assert found.mask is not None
    assert (found.box, found.mask.x, found.mask.y) == (crate.box, 200, 100)
    assert np.array_equal(found.mask.crop, pixels)


def test_neighbours_stay_apart() -> None:
    """Objects of one class beside each other, and two classes at one place, stay two."""
    objects = [Detection("cup", Box(300 + 45 * n, 100, 40, 40)) for n in range(6)]
    objects.append(Detection("saucer", Box(300, 100, 40, 40)))
    assert len(joined(seen(objects)).detections) == len(objects)


def test_a_missing_tile_is_no_whole_answer() -> None:
    """With one tile blocked the rest is kept and the status says so; all: blocked."""
    pieces = seen([Detection("small", Box(10, 10, 30, 30))])
    blocked = [
        Parsed(p.item, Status.BLOCKED, WHOLE, error="Blocked: SAFETY.") for p in pieces
    ]
    one = joined([*pieces[:-1], blocked[-1]])
    assert (one.status, len(one.values)) == (Status.TRUNCATED, 1)
    assert one.error == "1 of 6 parts have no answer: Blocked: SAFETY."
    assert joined(blocked).status is Status.BLOCKED


def test_what_stays_in_pieces_is_skipped_and_counted() -> None:
    """A picture whose tiles were not all asked gives no labels, but its cost is told."""
    joiner = Joiner()
    for piece in seen([Detection("small", Box(10, 10, 30, 30))])[:-1]:
        assert joiner.add(piece) is None
    (left,) = joiner.rest()
    assert (left.status, left.values, left.usage) == (Status.SKIPPED, (), Usage(5, 10))


def test_a_region_is_cut_upright(tmp_path: Path) -> None:
    """The pixels of a region are those that FiftyOne shows there, also of a turned file."""
    upright = np.zeros((40, 60, 3), np.uint8)
    upright[10:20, 30:50] = (255, 0, 0)
    image = Image.fromarray(upright).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned right when shown
    path = tmp_path / "turned.png"
    image.save(path, exif=exif)
    media = load_image(path, region=Box(30.2, 10, 19.5, 9.7))
    assert (media.frame, media.whole) == (Frame(20, 10), Frame(60, 40))
    assert media.at_xy_px == (30, 10)
    pixels = cv2.imdecode(np.frombuffer(media.data, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(pixels.astype(int) - (0, 0, 255)).max() < 10
    small = load_image(path, max_side=4, region=Box(30, 10, 20, 10))
    assert (small.frame, small.sent) == (Frame(20, 10), Frame(4, 2))


def test_small_pictures_are_not_cut(tmp_path: Path) -> None:
    """A picture within a tile is asked about whole; a damaged one is left to the request."""
    Image.new("RGB", (300, 300)).save(tmp_path / "small.png")
    (tmp_path / "broken.png").write_bytes(b"?")
    items = list(FolderSource(tmp_path).items())
    assert list(in_tiles(items, 300)) == items
    assert [i.pieces for i in in_tiles(items, 200)] == [1, 4, 4, 4, 4]


def test_only_boxes_are_asked_in_tiles() -> None:
    """Other kinds of labels, and tiny tiles, are refused before anything is asked."""
    with pytest.raises(UsageError, match="cannot be asked in tiles"):
        Asking.about(Question("caption"), MODEL, Manner(tile=400))
    with pytest.raises(UsageError, match="too small"):
        Manner(tile=10)


def test_tiles_find_what_is_small(demo: Path, tmp_path: Path) -> None:
    """Four scenes in one picture are found in tiles, with as many requests as planned."""
    (tmp_path / "in").mkdir()
    scenes = [Image.open(p) for p in sorted((demo / "data").iterdir())[:4]]
    width, height = scenes[0].size
    sheet = Image.new("RGB", (2 * width, 2 * height))
    for number, scene in enumerate(scenes):
        sheet.paste(
            scene.resize((width, height)), (number % 2 * width, number // 2 * height)
        )
    sheet.save(tmp_path / "in" / "sheet.png")
    source, manner = FolderSource(tmp_path / "in"), Manner(tile=max(width, height))
    plan = plan_run(source, Question("segment"), model=MODEL, manner=manner)
    sink, journal = CocoSink(tmp_path / "out.json"), tmp_path / "journal.sqlite"
    with running_emulator(Settings()) as emulator:
        run = label(
            source,
            sink,
            Question("segment"),
            model=MODEL,
            endpoint=endpoint_from_environment({}, base_url=emulator.url),
            journal=journal,
            manner=manner,
        )
    # The emulator may refuse a tile in the middle of the sheet, where four scenes meet.
    assert sum(map(run.statuses.get, (Status.OK, Status.TRUNCATED), (0, 0))) == 1
    with Journal(journal) as book:
        assert len(book) == plan.requests == 6
    (image,) = read_coco(sink.path).images
    truth = read_coco(demo / "annotations.json").images[:4]
    assert image.frame == Frame(2 * width, 2 * height)
    hits = 0
    for number, scene in enumerate(truth):
        for true in scene.detections:
            box = true.box
            x = (box.x + box.width / 2) * width / scene.frame.width + number % 2 * width
            y = (box.y + box.height / 2) * height / scene.frame.height
            y += number // 2 * height
            hits += any(
                found.label == true.label
                and found.box.x <= x <= found.box.x + found.box.width
                and found.box.y <= y <= found.box.y + found.box.height
                for found in image.detections
            )
    assert hits >= 0.6 * sum(len(scene.detections) for scene in truth)
