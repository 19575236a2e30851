"""Run lengths: the same bytes as pycocotools, and back without loss."""

from __future__ import annotations

import sys
import tracemalloc
from unittest.mock import patch

import numpy as np
import pytest
from fiftyone_gemini.coco import strip
from fiftyone_gemini.coco.rle import (
    Rle,
    counts_to_mask,
    mask_to_rle,
    polygons_to_mask,
    rle_to_mask,
    unpack_counts,
)
from fiftyone_gemini.errors import FormatError, UsageError
from fiftyone_gemini.values import Frame, Mask
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask


def full_frame(mask: Mask, frame: Frame) -> np.ndarray:
    """Paint a crop into its frame, the slow and plain way."""
    whole = np.zeros((frame.height, frame.width), np.uint8)
    height, width = mask.crop.shape
    whole[mask.y : mask.y + height, mask.x : mask.x + width] = mask.crop
    return whole


def official(whole: np.ndarray) -> str:
    """Encode a frame with pycocotools."""
    return coco_mask.encode(np.asfortranarray(whole))["counts"].decode()


def as_official(rle: Rle) -> dict:
    """Give run lengths in the form of pycocotools."""
    return {"size": [rle.height, rle.width], "counts": rle.counts}


def a_mask(height: int, width: int, x: int, y: int, crop: np.ndarray) -> tuple:
    """Give a mask and its frame."""
    return Mask(x, y, crop), Frame(width, height)


@st.composite
def masks_in_frames(draw: st.DrawFn) -> tuple[Mask, Frame]:
    """Draw a crop anywhere in a frame, often at its edges, often empty or full."""
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    frame = Frame(
        width + draw(st.sampled_from([0, 0, 1, 7, 300])),
        height + draw(st.sampled_from([0, 0, 1, 7, 300])),
    )
    x = draw(st.sampled_from([0, frame.width - width]))
    y = draw(st.sampled_from([0, frame.height - height]))
    fill = draw(st.sampled_from(["random", "noise", "pixel", "empty", "full"]))
    if fill == "random":
        crop = draw(arrays(np.bool_, (height, width)))
    elif fill == "noise":
        rng = np.random.default_rng(draw(st.integers(0, 2**32)))
        crop = rng.random((height, width)) < rng.random()
    else:
        crop = np.full((height, width), fill == "full")
    if fill == "pixel":
        crop[draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))] = True
    return Mask(x, y, crop), frame


@given(masks_in_frames())
@example(a_mask(1, 1, 0, 0, np.ones((1, 1), bool)))
@example(a_mask(5, 7, 6, 4, np.ones((1, 1), bool)))
@example(a_mask(5, 7, 0, 0, np.zeros((0, 0), bool)))
@example(a_mask(5, 7, 2, 0, np.ones((5, 3), bool)))
@settings(max_examples=400)
def test_bytes_are_those_of_pycocotools(case: tuple[Mask, Frame]) -> None:
    """A crop is encoded byte for byte as pycocotools encodes the whole frame."""
    mask, frame = case
    expected = official(full_frame(mask, frame))
    assert mask_to_rle(mask, frame).counts == expected
    with patch.object(strip, "LIMIT", 0):  # as crops of large pictures
        assert mask_to_rle(mask, frame).counts == expected


@pytest.mark.slow
@given(masks_in_frames())
@settings(max_examples=10_000)
def test_ten_thousand_masks_have_the_bytes_of_pycocotools(
    case: tuple[Mask, Frame],
) -> None:
    """Bytes are those of pycocotools in 10,000 cases; area and decoding lose nothing."""
    mask, frame = case
    rle, whole = mask_to_rle(mask, frame), full_frame(mask, frame)
    assert rle.counts == official(whole)
    with patch.object(strip, "LIMIT", 0):
        assert mask_to_rle(mask, frame).counts == rle.counts
    back = rle_to_mask(rle)
    assert np.array_equal(full_frame(back, frame), whole)
    assert mask.area == back.area == coco_mask.area(as_official(rle))


def test_the_reference_encodes_where_the_fast_engine_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without hotcoco the bytes are the same."""
    monkeypatch.setitem(sys.modules, "hotcoco", None)
    strip._encoder.cache_clear()
    crop = np.random.default_rng(0).random((9, 9)) < 0.5
    mask, frame = Mask(3, 4, crop), Frame(40, 30)
    assert mask_to_rle(mask, frame).counts == official(full_frame(mask, frame))
    strip._encoder.cache_clear()


@given(st.lists(masks_in_frames(), min_size=2, max_size=3))
@settings(max_examples=100)
def test_union_and_holes_are_those_of_pycocotools(
    cases: list[tuple[Mask, Frame]],
) -> None:
    """Crops painted together, or cut out, encode as pycocotools' merged run lengths."""
    frame = Frame(*np.max([(f.width, f.height) for _, f in cases], axis=0).tolist())
    runs = [as_official(mask_to_rle(mask, frame)) for mask, _ in cases]
    painted = np.stack([full_frame(mask, frame) for mask, _ in cases]).astype(bool)
    for intersect, together in ((False, painted.any(0)), (True, painted.all(0))):
        expected = coco_mask.merge(runs, intersect=intersect)["counts"].decode()
        assert mask_to_rle(Mask(0, 0, together), frame).counts == expected
    ring = painted[0] & ~painted[1]
    rle = mask_to_rle(Mask(0, 0, ring), frame)
    assert coco_mask.area(as_official(rle)) == ring.sum()
    assert np.array_equal(coco_mask.decode(as_official(rle)), ring)


@given(masks_in_frames())
@settings(max_examples=300)
def test_decoding_gives_the_tight_crop(case: tuple[Mask, Frame]) -> None:
    """Decoding gives the same pixels, in the smallest crop that holds them."""
    mask, frame = case
    back = rle_to_mask(mask_to_rle(mask, frame))
    whole = full_frame(mask, frame)
    assert np.array_equal(full_frame(back, frame), whole)
    assert back.crop.flags.c_contiguous
    assert back.crop.dtype == np.bool_
    if whole.any():
        rows, columns = np.nonzero(whole)
        size = (int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1)
        place = (int(columns.min()), int(rows.min()))
        assert (back.crop.shape, (back.x, back.y)) == (size, place)
    else:
        assert back.crop.shape == (0, 0)


def test_large_masks_take_no_frame() -> None:
    """A small crop in a frame of 100 megapixels costs memory for the crop alone."""
    frame = Frame(10_000, 10_000)
    crop = np.ones((100, 100), bool)
    mask_to_rle(Mask(0, 0, crop), frame)
    tracemalloc.start()
    rle = mask_to_rle(Mask(9_000, 9_000, crop), frame)
    back = rle_to_mask(rle)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert back.area == 10_000
    assert peak < 500_000


@given(
    st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=300), max_size=30)
)
@settings(max_examples=300)
def test_damaged_counts_are_refused(text: str) -> None:
    """Text that is not run lengths of the frame raises FormatError and nothing else."""
    try:
        mask = rle_to_mask(Rle(13, 17, text))
    except FormatError:
        return
    assert int(unpack_counts(text).sum()) == 13 * 17
    assert mask.area <= 13 * 17


@pytest.mark.parametrize("counts", [[5], [-1, 7], [3, 4]])
def test_counts_must_add_up(counts: list[int]) -> None:
    """Run lengths that do not fill the frame, or are negative, are refused."""
    with pytest.raises(FormatError):
        counts_to_mask(np.array(counts), Frame(2, 3))


def test_a_mask_outside_of_its_frame_is_refused() -> None:
    """A crop that reaches out of the picture is the caller's mistake."""
    with pytest.raises(UsageError):
        mask_to_rle(Mask(3, 0, np.ones((2, 2), bool)), Frame(4, 4))


@given(
    st.lists(
        st.lists(
            st.tuples(st.floats(-3, 45), st.floats(-3, 35)), min_size=3, max_size=8
        ),
        min_size=1,
        max_size=3,
    )
)
@settings(max_examples=100)
def test_polygons_have_the_pixels_of_pycocotools(
    rings: list[list[tuple[float, float]]],
) -> None:
    """Polygons fill the pixels that pycocotools fills, parts united."""
    flat = [[value for point in ring for value in point] for ring in rings]
    frame = Frame(40, 30)
    expected = coco_mask.decode(
        coco_mask.merge(coco_mask.frPyObjects(flat, frame.height, frame.width))
    )
    found = polygons_to_mask(flat, frame)
    assert np.array_equal(full_frame(found, frame), expected)
