"""The emulator's own geometry agrees with pycocotools and Pillow."""

from __future__ import annotations

import base64
import io

import numpy as np
from fiftyone_gemini.emulator.asked import named_labels
from fiftyone_gemini.emulator.shapes import box_yxyx_1000, png_data_uri, ring_xy_1000
from fiftyone_gemini.emulator.sight import SoftMask
from fiftyone_gemini.emulator.tokens import text_tokens
from fiftyone_gemini.emulator.truth_file import decode_rle, soft_mask
from fiftyone_gemini.values import Box, Frame
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from pycocotools import mask as rle

SIDES = st.integers(1, 40)


@given(st.data())
def test_run_lengths_decode_as_pycocotools_does(data: st.DataObject) -> None:
    """Packed and listed counts give the very mask that was encoded."""
    shape = (data.draw(SIDES), data.draw(SIDES))
    mask = data.draw(arrays(np.uint8, shape, elements=st.integers(0, 1)))
    code = rle.encode(np.asfortranarray(mask))
    packed = {"size": [*shape], "counts": code["counts"].decode()}
    assert (decode_rle(packed) == mask.astype(bool)).all()
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat, prepend=0))
    runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    assert (decode_rle({"size": [*shape], "counts": runs}) == mask.astype(bool)).all()


@given(st.tuples(*[st.floats(-50, 1500)] * 2), st.tuples(*[st.floats(0, 1500)] * 2))
def test_a_box_is_whole_numbers_inside_the_picture(
    corner: tuple[float, float], size: tuple[float, float]
) -> None:
    """Any box becomes four ordered integers 0..1000 with area, right when inside."""
    frame = Frame(1200, 700)
    top, left, bottom, right = box_yxyx_1000(Box(*corner, *size), frame)
    assert 0 <= top < bottom <= 1000
    assert 0 <= left < right <= 1000
    if 0 <= corner[0] <= 1199:
        assert abs(left - corner[0] / 1.2) <= 1


@given(
    radii=st.tuples(st.integers(12, 60), st.integers(12, 60)),
    turn=st.floats(0, 3.1),
    centre=st.tuples(st.floats(80, 220), st.floats(80, 160)),
)
@settings(max_examples=40)
def test_rings_and_pngs_keep_an_ellipse(
    radii: tuple[int, int], turn: float, centre: tuple[float, float]
) -> None:
    """Both mask shapes, read by pycocotools and Pillow, cover over 95 % alike."""
    frame = Frame(300, 240)
    rows, columns = np.mgrid[0:240, 0:300] + 0.5
    across, down = columns - centre[0], rows - centre[1]
    u = across * np.cos(turn) + down * np.sin(turn)
    v = down * np.cos(turn) - across * np.sin(turn)
    mask = (u / radii[0]) ** 2 + (v / radii[1]) ** 2 <= 1
    soft = SoftMask(mask.astype(np.float32), Box(0, 0, 300, 240))
    ring = np.array(ring_xy_1000(soft, frame)) * (0.3, 0.24)
    drawn = rle.decode(rle.merge(rle.frPyObjects([ring.ravel().tolist()], 240, 300)))
    assert overlap(drawn > 0, mask) > 0.95
    x, y, width, height = map(float, rle.toBbox(rle.encode(np.asfortranarray(mask))))
    box = box_yxyx_1000(Box(x, y, width, height), frame)
    png = base64.b64decode(png_data_uri(soft, box, frame).partition(",")[2])
    y0, x0, y1, x1 = (
        round(b * s / 1000) for b, s in zip(box, (240, 300) * 2, strict=True)
    )
    full = np.zeros((240, 300), bool)
    small = Image.open(io.BytesIO(png)).resize((x1 - x0, y1 - y0))
    full[y0:y1, x0:x1] = np.asarray(small) > 127
    assert overlap(full, mask) > 0.95


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two masks."""
    return float((one & other).sum() / (one | other).sum())


TRIANGLES = st.lists(
    st.tuples(st.floats(1, 119), st.floats(1, 89)), min_size=3, max_size=3
)


@given(TRIANGLES)
@settings(max_examples=40)
def test_polygons_are_drawn_as_pycocotools_draws_them(
    points: list[tuple[float, float]],
) -> None:
    """A triangle covers the same pixels, but for a rim of single pixels."""
    frame, flat = Frame(120, 90), np.array(points).ravel().tolist()
    code = rle.merge(rle.frPyObjects([flat], 90, 120))
    soft = soft_mask([flat], Box(0, 0, 120, 90), frame)
    mine, theirs = soft.probability > 0.5, rle.decode(code) > 0
    rim = np.hypot(*np.subtract(points, np.roll(points, 1, axis=0)).T).sum()
    assert (mine ^ theirs).sum() <= 0.6 * rim + 6


def test_a_mask_without_pixels_has_no_ring() -> None:
    """Nothing to trace is an empty ring, not an error."""
    nothing = SoftMask(np.zeros((5, 5), np.float32), Box(0, 0, 5, 5))
    assert ring_xy_1000(nothing, Frame(10, 10)) == []


def test_longer_class_names_hide_the_shorter_inside() -> None:
    """A "teddy bear" names no bear; a bear beside it does."""
    known = ("bear", "teddy bear", "bus")
    assert named_labels("find Teddy Bears", known) == {"teddy bear"}
    assert named_labels("teddy bear, bear, buses", known) == {*known}
    assert named_labels("business bearing", known) == frozenset()


def test_a_png_counts_as_the_few_tokens_it_really_was() -> None:
    """Text counts four characters a token, a PNG mask twenty tokens."""
    assert text_tokens("x" * 40) == 10
    assert text_tokens('"data:image/png;base64,' + "A" * 9000 + '"') == 20
