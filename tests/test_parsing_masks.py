"""Masks: every form that models write, placed in the item's own box."""

from __future__ import annotations

import base64
import json
import re
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.parsing.fill import Drawing, Outline
from fiftyone_gemini.parsing.masks import MAX_MASK_PIXELS
from fiftyone_gemini.parsing.objects import read_objects
from fiftyone_gemini.parsing.rules import ReadRules
from fiftyone_gemini.values import Box, Detection, Frame, Reading
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask

FRAME = Frame(800, 400)
BOX = [250, 125, 750, 375]
PIXELS = Box(100, 100, 200, 200)


def png(array: np.ndarray) -> str:
    """Write an array as a bare base64 PNG."""
    return base64.b64encode(cv2.imencode(".png", array)[1].tobytes()).decode()


def fill(outline: Outline) -> np.ndarray:
    """Fill one outline."""
    crop = np.empty((outline.height, outline.width), np.bool_)
    Drawing.of([outline]).fill([crop])
    return crop


def half(side: int = 256) -> np.ndarray:
    """Give a mask that is on in its left half."""
    array = np.zeros((side, side), np.uint8)
    array[:, : side // 2] = 255
    return array


def read(mask: object) -> Reading:
    """Read one item with this mask."""
    item = {"box_2d": BOX, "label": "cup", "mask": mask}
    return read_objects(json.dumps([item]), FRAME, masks=True)


def codes(reading: Reading) -> list[str]:
    """List the codes of the issues."""
    return [issue.code for issue in reading.issues]


@pytest.mark.parametrize("key", ["polygon", "segmentation", "Segmentation_Mask"])
def test_a_mask_under_another_key_is_read_and_said(key: str) -> None:
    """The other names that models and their users give a mask leave an issue."""
    item = {"box_2d": [250, 125, 750, 375], "label": "cup", key: [XY]}
    found = read_objects(json.dumps([item]), FRAME, masks=True)
    assert found.detections[0].mask is not None
    assert codes(found) == ["mask_key"]
    assert found.issues[0].path == f"[0].{key.lower()}"


def left_half(detection: Detection) -> bool:
    """Say whether a mask is on in exactly the left half of its box."""
    mask = detection.mask
    assert mask is not None
    assert mask.crop.flags.c_contiguous
    place = detection.box == PIXELS and (mask.x, mask.y) == (100, 100)
    whole = mask.crop.shape == (200, 200) and mask.crop.dtype == np.bool_
    return place and whole and mask.crop[:, :100].all() and not mask.crop[:, 100:].any()


GOOD = png(half())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("data:image/png;base64," + GOOD, id="data uri"),
        pytest.param(GOOD, id="bare"),
        pytest.param(GOOD.rstrip("="), id="no padding"),
        pytest.param(GOOD.replace("+", "-").replace("/", "_"), id="url safe"),
        pytest.param(re.sub("(.{76})", r"\1\n", GOOD), id="line breaks"),
    ],
)
def test_png_masks_fill_the_box(text: str) -> None:
    """A PNG in any base64 is resized to the snapped box and cut at half."""
    found = read(text)
    assert left_half(found.detections[0])
    assert not found.issues


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(half(64), id="small"),
        pytest.param(half(512), id="large"),
        pytest.param(np.dstack([half()] * 3), id="colour"),
        pytest.param(half().astype(np.uint16) * 257, id="16 bit"),
    ],
)
def test_unusual_pngs_are_read_with_an_issue(array: np.ndarray) -> None:
    """A sound PNG of another kind than all real ones is read, and reported."""
    found = read(png(array))
    assert left_half(found.detections[0])
    assert codes(found) == ["mask_unusual"]


def bomb() -> str:
    """Give a tiny PNG whose header claims 60,000 x 60,000 pixels."""
    data = bytearray(base64.b64decode(GOOD))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    return base64.b64encode(bytes(data)).decode()


def test_the_threshold_can_be_chosen() -> None:
    """A pixel is the object's when it is over the threshold, 127 by default."""
    steps = np.repeat(np.array([[0, 60, 128, 200]], np.uint8), 64, axis=1)
    item = {"box_2d": BOX, "label": "cup", "mask": png(np.repeat(steps, 256, axis=0))}
    shares = []
    for threshold in (0, 100, 127, 150, 254):
        rules = ReadRules(threshold=threshold)
        found = read_objects(json.dumps([item]), FRAME, masks=True, rules=rules)
        mask = found.detections[0].mask
        shares.append(0 if mask is None else round(mask.crop.mean(), 1))
    assert shares == [0.8, 0.5, 0.5, 0.2, 0]


@pytest.mark.parametrize("threshold", [-1, 255])
def test_a_threshold_out_of_range_is_refused(threshold: int) -> None:
    """Nothing is over 255, so such a threshold is the caller's mistake."""
    with pytest.raises(UsageError, match=r"0\.\.254"):
        ReadRules(threshold=threshold)


@pytest.mark.parametrize("count", [16, 3])
def test_a_decoder_of_tokens_can_be_plugged_in(count: int) -> None:
    """A decoder gets the tokens' numbers; its picture is placed as any other."""
    asked = []

    def decoder(tokens: tuple[int, ...]) -> np.ndarray | None:
        asked.append(tokens)
        return half(64) if len(tokens) == 16 else None

    text = "<start_of_mask>" + "".join(f"<seg_{i * 7}>" for i in range(count))
    item = {"box_2d": BOX, "label": "cup", "mask": text}
    rules = ReadRules(decoder=decoder)
    found = read_objects(json.dumps([item]), FRAME, masks=True, rules=rules)
    assert asked == [tuple(range(0, count * 7, 7))]
    if count == 16:
        assert left_half(found.detections[0])
        assert not found.issues
    else:
        assert found.detections[0].mask is None
        assert codes(found) == ["mask_tokens"]


@pytest.mark.parametrize(
    "picture", [np.zeros(0, np.uint8), np.zeros((2, 2, 3), np.uint8), np.ones((9, 9))]
)
def test_a_decoder_that_gives_no_picture_costs_the_mask_alone(
    picture: np.ndarray,
) -> None:
    """What is not a grey picture of bytes is no mask."""
    item = {"box_2d": BOX, "label": "cup", "mask": "<start_of_mask><seg_1>"}
    rules = ReadRules(decoder=lambda _: picture)
    found = read_objects(json.dumps([item]), FRAME, masks=True, rules=rules)
    assert found.detections[0].mask is None
    assert codes(found) == ["mask_tokens"]


def test_the_masks_of_a_reply_are_bounded() -> None:
    """Masks far larger than the picture together are not filled; boxes stay."""
    item = {"box_2d": [0, 0, 1000, 1000], "mask": [[1, 1], [999, 1], [999, 999]]}
    many = [{**item, "label": str(number)} for number in range(20)]
    found = read_objects(json.dumps(many), Frame(4000, 3000), masks=True)
    assert len(found.detections) == 20
    masks = sum(d.mask is not None for d in found.detections)
    assert masks == MAX_MASK_PIXELS // 12_000_000
    assert codes(found) == ["mask_budget"] * (20 - masks)


TOKENS = "<start_of_mask>" + "".join(f"<seg_{i}>" for i in range(16))


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        pytest.param(TOKENS, "mask_tokens", id="tokens"),
        pytest.param(TOKENS + " (474, 31) to (961, 489)", "mask_tokens", id="tokens and text"),
        pytest.param("gimme_mask_for_this", "mask_kind", id="placeholder"),
        pytest.param("data:image/png;base64,", "mask_damaged", id="nothing"),
        pytest.param("data:image/png;base64," + "Pj4+" * 900, "mask_kind", id="loop"),
        pytest.param("data:image/png;base64,%%%", "mask_damaged", id="no base64"),
        pytest.param("data:image/png;base64,iVBOR", "mask_damaged", id="odd length"),
        pytest.param(GOOD[:400], "mask_damaged", id="cut"),
        pytest.param(bomb(), "mask_size", id="bomb"),
        pytest.param("iVBORw0KGgo" + "A" * 5_000_000, "mask_size", id="long"),
        pytest.param(png(np.zeros((256, 256), np.uint8)), "mask_empty", id="no pixel"),
        pytest.param(True, "mask_missing", id="boolean"),
        pytest.param(None, "mask_missing", id="null"),
        pytest.param([], "mask_missing", id="empty list"),
        pytest.param("", "mask_missing", id="empty text"),
        pytest.param([True, True, False] * 4, "mask_kind", id="booleans"),
        pytest.param([0, 1] * 30, "mask_kind", id="bits"),
        pytest.param([[1, 2], [3, 4]], "mask_kind", id="two points"),
        pytest.param([[1, 2], [3, 4], [5, None]], "mask_kind", id="null inside"),
        pytest.param({"size": [2, 2]}, "mask_kind", id="object"),
        pytest.param([[0.5, 0.5]] * 5000, "mask_kind", id="many points"),
    ],
)  # fmt: skip
def test_what_is_no_mask_keeps_its_box(mask: object, code: str) -> None:
    """A mask that cannot be read leaves the box, unsnapped, and says why."""
    found = read(mask)
    assert found.detections[0].mask is None
    assert found.detections[0].box == PIXELS
    assert code in codes(found)
    assert found.issues[-1].path == "[0].mask"


def test_outlines_that_zigzag_are_bounded() -> None:
    """Many edges across the whole picture take no seconds: the box is kept alone."""
    zigzag = [[999 * (number % 2), number % 999] for number in range(2000)]
    item = {"box_2d": [0, 0, 1000, 1000], "label": "cup", "mask": zigzag}
    begun = time.process_time()
    found = read_objects(json.dumps([item]), Frame(4000, 3000), masks=True)
    assert time.process_time() - begun < 0.5
    assert codes(found) == ["mask_budget"]


def test_a_fraction_without_its_zero_is_no_whole_number() -> None:
    """A text of numbers says `.25` for a quarter, never for 25."""
    text = "[.125, .25, .25, .25, .25, .75, .125, .75]"
    item = {"box_2d": [0.25, 0.125, 0.75, 0.375], "label": "cup", "mask": text}
    found = read_objects(json.dumps([item]), FRAME, masks=True)
    assert left_half(found.detections[0])
    assert codes(found) == ["box_scale"]


def test_masks_of_one_reply_share_no_pixel() -> None:
    """Each mask of a reply is its own: painting in one changes no other."""
    item = {"box_2d": [250, 125, 750, 375], "mask": XY}
    many = [{**item, "label": str(number)} for number in range(3)]
    many[1]["mask"] = GOOD
    first, png_mask, last = (
        d.mask for d in read_objects(json.dumps(many), FRAME, masks=True).detections
    )
    before = png_mask.crop.copy(), last.crop.copy()
    first.crop[:] = True
    assert np.array_equal(png_mask.crop, before[0])
    assert np.array_equal(last.crop, before[1])
    assert all(m.crop.flags.c_contiguous for m in (first, png_mask, last))


def test_a_png_with_damaged_pixels_keeps_its_box() -> None:
    """A PNG whose compressed pixels are damaged is no mask."""
    noise = np.random.default_rng(1).integers(0, 256, (256, 256), np.uint8)
    data = bytearray(base64.b64decode(png(noise)))
    data[3000:40000] = b"\0" * 37000
    found = read(base64.b64encode(bytes(data)).decode())
    assert found.detections[0].mask is None
    assert codes(found) == ["mask_damaged"]


# The left half of the box, in 0..1000 of the picture: x 125..250, y 250..750.
XY = [[125, 250], [250, 250], [250, 750], [125, 750]]
FLAT = [number for point in XY for number in point]


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(XY, id="pairs"),
        pytest.param(FLAT, id="flat"),
        pytest.param([XY], id="one ring"),
        pytest.param([FLAT], id="one flat ring"),
        pytest.param([[[125, 250], [250, 250], [250, 500], [125, 500]],
                      [[125, 500], [250, 500], [250, 750], [125, 750]]], id="two parts"),
        pytest.param(", ".join(map(str, FLAT)), id="text"),
        pytest.param(json.dumps(XY), id="json text"),
        pytest.param([[str(x), str(y)] for x, y in XY], id="number strings"),
        pytest.param([{"x": x, "y": y} for x, y in XY], id="named numbers"),
        pytest.param([[{"x": x, "y": y} for x, y in XY]], id="ring of named numbers"),
        pytest.param("125.,250.0 250,250. 250,750 125,750", id="bare points"),
    ],
)  # fmt: skip
def test_polygons_are_filled_in_the_box(mask: object) -> None:
    """Polygons in any list form go to the same pixels."""
    found = read(mask)
    assert left_half(found.detections[0])


@pytest.mark.parametrize(
    ("mask", "order"),
    [
        pytest.param([[y, x] for x, y in XY], "[y, x] of the picture", id="swapped"),
        pytest.param([[0, 0], [500, 0], [500, 1000], [0, 1000]], "[x, y] of the box", id="box"),
    ],
)  # fmt: skip
def test_the_reading_that_fits_the_box_is_taken(mask: object, order: str) -> None:
    """Swapped axes and points relative to the box are known by their fit."""
    found = read(mask)
    assert left_half(found.detections[0])
    assert codes(found) == ["mask_axes"]
    assert order in found.issues[0].message


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("scale", [(1, 1), (2400, 4000)])
def test_polygons_share_the_scale_of_the_boxes(
    scale: tuple[int, int], swapped: bool
) -> None:
    """In a reply of fractions or pixels, outlines are so too, in either order."""
    right, bottom = scale[1], scale[0]
    box = [0.5 * bottom, 0.5 * right, bottom, 0.75 * right]
    xy = [[0.5, 0.5], [0.625, 0.5], [0.625, 1], [0.5, 1]]
    mask = [[x * right, y * bottom] for x, y in xy]
    mask = [point[::-1] for point in mask] if swapped else mask
    item = {"box_2d": box, "label": "cup", "mask": mask}
    found = read_objects(json.dumps([item]), Frame(4000, 2400), masks=True)
    (cup,) = found.detections
    assert cup.box == Box(2000, 1200, 1000, 1200)
    assert cup.mask is not None
    assert cup.mask.crop[:, :500].all()
    assert not cup.mask.crop[:, 500:].any()
    assert codes(found) == ["box_scale", *["mask_axes"] * swapped]


@pytest.mark.parametrize("mask", [XY, [XY], FLAT, ", ".join(map(str, FLAT))])
def test_a_polygon_without_a_box_gets_one(mask: object) -> None:
    """The box of an object that has an outline alone is drawn around it."""
    found = read_objects(json.dumps([{"mask": mask, "label": "a"}]), FRAME, masks=True)
    (thing,) = found.detections
    assert thing.box == Box(100, 100, 100, 200)
    assert thing.mask is not None
    assert thing.mask.crop.all()
    assert [(i.path, i.code) for i in found.issues] == [
        ("[0].box_2d", "box_from_polygon")
    ]
    boxes = read_objects(json.dumps([{"mask": mask, "label": "a"}]), FRAME, masks=False)
    assert boxes.detections[0].box == thing.box


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        (GOOD, "box_missing"), ([[5, 5], [5, 9], [5, 20]], "box_empty"),
        ([[1, 2]], "box_missing"), (None, "box_missing"),
    ],
)  # fmt: skip
def test_what_has_neither_box_nor_outline_is_dropped(mask: object, code: str) -> None:
    """A PNG says nothing about its place, nor does a line about an area."""
    found = read_objects(json.dumps([{"mask": mask, "label": "a"}]), FRAME, masks=True)
    assert not found.detections
    assert found.dropped == {code: 1}


@pytest.mark.parametrize("scale", [(1, 1), (4000, 2400)])
def test_outlines_alone_tell_their_scale(scale: tuple[int, int]) -> None:
    """Without any box, outlines tell whether a reply is in fractions or pixels."""
    xy = [[0.5, 0.5], [0.75, 0.5], [0.75, 1]]
    mask = [[x * scale[0], y * scale[1]] for x, y in xy]
    item = {"mask": mask, "label": "a"}
    found = read_objects(json.dumps([item]), Frame(4000, 2400), masks=True)
    assert found.detections[0].box == Box(2000, 1200, 1000, 1200)
    assert codes(found) == ["box_scale", "box_from_polygon"]


def test_on_a_tie_the_documented_order_holds() -> None:
    """A polygon that fits both ways is [x, y] of the whole picture."""
    item = {"box_2d": [100, 100, 300, 300], "label": "a",
            "mask": [[100, 100], [300, 100], [300, 300]]}  # fmt: skip
    found = read_objects(json.dumps([item]), Frame(1000, 1000), masks=True)
    mask = found.detections[0].mask
    assert mask is not None
    assert mask.crop[10, 190]
    assert not mask.crop[190, 10]
    assert not found.issues


def test_a_ring_inside_is_a_hole() -> None:
    """Rings fill by the even-odd rule."""
    outer = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], float)
    filled = fill(Outline([outer, outer * 0.4 + 3], 10, 10))
    assert filled.sum() == 100 - 16
    assert not filled[3:7, 3:7].any()


def test_a_polygon_elsewhere_is_reported() -> None:
    """A polygon that misses its box leaves the box without a mask."""
    found = read([[800, 800], [900, 800], [900, 900]])
    assert found.detections[0].mask is None
    assert codes(found) == ["mask_fit", "mask_empty"]


def test_outlines_keep_their_area(shared: Path) -> None:
    """COCO's outlines, rounded to 0..1000, come back as well as by pycocotools."""
    truth = json.loads((shared / "photos/coco_open/instances.json").read_text())
    sizes = {i["id"]: (i["height"], i["width"]) for i in truth["images"]}
    scores, areas = [], []
    for note in truth["annotations"][:200]:
        if note["iscrowd"] or note["area"] < 1000:
            continue
        h, w = sizes[note["image_id"]]
        runs = coco_mask.frPyObjects(note["segmentation"], h, w)
        mask = coco_mask.decode(coco_mask.merge(runs)).astype(bool)
        rings = [np.reshape(p, (-1, 2)) for p in note["segmentation"]]
        rounded = [
            np.round(r * [1000 / w, 1000 / h]) * [w / 1000, h / 1000] for r in rings
        ]
        filled = fill(Outline(rounded, w, h))
        scores.append((filled & mask).sum() / (filled | mask).sum())
        areas.append(filled.sum() / mask.sum())
    assert len(scores) > 80
    assert np.mean(scores) > 0.98
    assert abs(np.mean(areas) - 1) < 0.01


@pytest.mark.parametrize(
    ("number", "picture"),
    [("015", "cell5"), ("016", "cell9"), ("019", "cell5"), ("020", "cell9")],
)
def test_real_masks_lie_on_the_truth(shared: Path, number: str, picture: str) -> None:
    """Stored replies whose picture has exact truth are placed at IoU 0.97 or more."""
    stored = json.loads((shared / f"replies/segment/{number}.json").read_text())
    truth = f"replies/images/vif_demo_{picture}_triangle_gt.png"
    with Image.open(shared / truth) as image:
        expected = np.asarray(image) > 0
    height, width = expected.shape
    found = read_objects(stored["raw_text"], Frame(width, height), masks=True)
    assert len(found.detections) == 1
    mask = found.detections[0].mask
    assert mask is not None
    placed = np.zeros_like(expected)
    h, w = mask.crop.shape
    placed[mask.y : mask.y + h, mask.x : mask.x + w] = mask.crop
    assert (placed & expected).sum() / (placed | expected).sum() >= 0.97


REPLY = json.dumps(
    [{"box_2d": BOX, "label": "cup", "mask": "data:image/png;base64," + GOOD},
     {"box_2d": BOX, "mask": XY, "label": "cup"}]
)  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(REPLY)),
            st.integers(0, 30),
            st.sampled_from(
                ["", *"{}[]\"',:-9", "\\", "```", "NaN", "<seg_3>", "9" * 40]
            ),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=300)
def test_damage_anywhere_never_raises(edits: list[tuple[int, int, str]]) -> None:
    """Cut out and put in anything anywhere: boxes and masks stay in the picture."""
    text = REPLY
    for start, length, put in edits:
        text = text[:start] + put + text[start + length :]
    for detection in read_objects(text, FRAME, masks=True).detections:
        x0, y0, x1, y1 = detection.box.xyxy_px
        assert 0 <= x0 < x1 <= FRAME.width
        assert 0 <= y0 < y1 <= FRAME.height
        if detection.mask is not None:
            assert detection.mask.crop.shape == (y1 - y0, x1 - x0)
