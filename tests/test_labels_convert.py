"""Detections survive the way to FiftyOne's form and back."""

from __future__ import annotations

import numpy as np
from fiftyone_gemini.labels.convert import (
    LABEL_LIMIT,
    box_from_rel,
    mask_in_box,
    over_box,
    to_fiftyone,
)
from fiftyone_gemini.values import Box, Detection, Frame, Mask
from hypothesis import given
from hypothesis import strategies as st

FRAMES = st.builds(Frame, st.integers(1, 5000), st.integers(1, 5000))


@st.composite
def snapped(draw: st.DrawFn) -> tuple[Frame, Box]:
    """Draw a frame and a box of whole pixels inside of it."""
    frame = draw(FRAMES)
    x = draw(st.integers(0, frame.width - 1))
    y = draw(st.integers(0, frame.height - 1))
    width = draw(st.integers(1, min(40, frame.width - x)))
    height = draw(st.integers(1, min(40, frame.height - y)))
    return frame, Box(x, y, width, height)


@given(snapped(), st.integers(0, 2**32 - 1))
def test_a_snapped_box_with_its_mask_comes_back_the_same(
    drawn: tuple[Frame, Box], seed: int
) -> None:
    """Whole-pixel boxes and their masks are the same, bit for bit, after both ways."""
    frame, box = drawn
    shape = (int(box.height), int(box.width))
    crop = np.random.default_rng(seed).random(shape) > 0.5
    mask = Mask(int(box.x), int(box.y), crop)
    (stored,) = to_fiftyone((Detection("cup", box, mask),), frame).detections
    back = box_from_rel(stored.bounding_box, frame)
    assert back == box
    again = mask_in_box(stored.mask, back, frame)
    assert (again.x, again.y) == (mask.x, mask.y)
    assert np.array_equal(again.crop, crop)
    assert stored.mask.dtype == bool
    assert stored.mask.flags.c_contiguous


@given(FRAMES, st.tuples(*[st.floats(0, 1)] * 4), st.integers(1, 50))
def test_a_mask_of_any_size_lands_inside_the_frame(
    frame: Frame, box_xywh_rel: tuple[float, float, float, float], side: int
) -> None:
    """A foreign mask is fitted to its box, at least a pixel and never outside."""
    x, y, w, h = box_xywh_rel
    box = box_from_rel([x, y, w * (1 - x), h * (1 - y)], frame)
    mask = mask_in_box(np.ones((side, side), bool), box, frame)
    height, width = mask.crop.shape
    assert 0 <= mask.x < mask.x + width <= frame.width
    assert 0 <= mask.y < mask.y + height <= frame.height
    assert mask.crop.all()


@given(snapped(), snapped(), st.integers(0, 2**32 - 1))
def test_a_mask_of_other_extent_than_its_box_stays_in_place(
    drawn: tuple[Frame, Box], other: tuple[Frame, Box], seed: int
) -> None:
    """The masks of COCO files are smaller or larger than their boxes: none moves."""
    frame, box = drawn
    place = other[1]
    x, y = int(place.x) % frame.width, int(place.y) % frame.height
    shape = (
        min(int(place.height), frame.height - y),
        min(int(place.width), frame.width - x),
    )
    mask = Mask(x, y, np.random.default_rng(seed).random(shape) > 0.5)
    again = mask_in_box(over_box(mask, box, frame), box, frame)
    rows, columns = again.crop.shape
    for row, column in zip(*np.nonzero(np.ones_like(again.crop)), strict=True):
        down, right = again.y + row - mask.y, again.x + column - mask.x
        inside = 0 <= down < shape[0] and 0 <= right < shape[1]
        assert again.crop[row, column] == (inside and mask.crop[down, right])
    assert (rows, columns) == (box.height, box.width)


def test_a_mask_is_enlarged_by_whole_pixels() -> None:
    """A mask of half the size becomes blocks of two by two pixels."""
    half = np.array([[True, False], [False, True]])
    mask = mask_in_box(half, Box(0, 0, 4, 4), Frame(10, 10))
    assert np.array_equal(mask.crop, np.kron(half, np.ones((2, 2), bool)))


def test_attributes_are_written_only_when_known() -> None:
    """Confidence, crowd and area stand on the label only where they were given."""
    bare = Detection("cup", Box(0, 0, 1, 1))
    full = Detection("cup", Box(0, 0, 1, 1), None, 0.25, is_crowd=True, area=7.5)
    first, second = to_fiftyone((bare, full), Frame(4, 4)).detections
    assert first.confidence is None
    assert not first.has_field("iscrowd")
    assert (second.confidence, second.iscrowd, second.area) == (0.25, True, 7.5)


def test_a_label_is_bounded() -> None:
    """A reply cannot blow up the database with a label of any length."""
    endless = Detection("x" * 10_000, Box(0, 0, 1, 1))
    (stored,) = to_fiftyone((endless,), Frame(4, 4)).detections
    assert len(stored.label) == LABEL_LIMIT
