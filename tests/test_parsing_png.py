"""PNG masks: Gemini's own packing and all others give the pixels OpenCV gives."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from fiftyone_gemini.parsing.png import SIGNATURE, grey_pixels, read_chunks
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays


def packed(height: int, width: int, rows: bytes, *, interlaced: int = 0) -> bytes:
    """Pack rows, each after the number of its filter, as Gemini does."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, interlaced)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )  # fmt: skip


def read(data: bytes) -> np.ndarray | None:
    """Read a PNG that is whole."""
    chunks = read_chunks(data)
    assert chunks is not None
    return grey_pixels(data, chunks)


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)), st.data())
@settings(max_examples=200)
def test_rows_with_and_without_filters(grey: np.ndarray, data: st.DataObject) -> None:
    """Whatever filters the rows have, the pixels are those of OpenCV."""
    height, width = grey.shape
    some = st.lists(st.integers(0, 4), min_size=height, max_size=height)
    filters = data.draw(st.one_of(st.just([0] * height), some))
    rows = np.column_stack([np.array(filters, np.uint8), grey])
    file = packed(height, width, rows.tobytes())
    expected = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_GRAYSCALE)
    found = read(file)
    assert found is not None
    assert found.flags.c_contiguous
    assert np.array_equal(found, expected)
    if not any(filters):
        assert np.array_equal(found, grey)


def test_other_packings_are_read_too() -> None:
    """Several blocks, 16 bits and colour go to OpenCV."""
    grey = np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8)
    for array in (grey, grey.astype(np.uint16) * 257, np.dstack([grey] * 3)):
        found = read(cv2.imencode(".png", array)[1].tobytes())
        assert found is not None
        assert np.array_equal(found, grey)


@pytest.mark.parametrize("rows", [b"", b"\0abc", b"\0abc" * 3 + b"\0ab"])
def test_too_few_rows_are_read_as_opencv_reads_them(rows: bytes) -> None:
    """A block that ends early is nothing, or what OpenCV makes of it."""
    file = packed(4, 3, rows)
    expected = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_GRAYSCALE)
    found = read(file)
    assert (found is None) == (expected is None)
    assert found is None or np.array_equal(found, expected)


def test_a_block_that_swells_takes_no_memory() -> None:
    """A block of 200 MB behind a header of 4 x 3 is not unpacked further than that."""
    file = packed(4, 3, bytes(200_000_000))
    tracemalloc.start()
    read(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_cut_and_changed_files_are_known() -> None:
    """A file that misses its end, or of which one byte was changed, is not whole."""
    file = packed(2, 2, b"\0ab\0cd")
    assert read_chunks(file) is not None
    for end in range(len(file)):
        assert read_chunks(file[:end]) is None
    for place in range(8, len(file)):
        changed = bytearray(file)
        changed[place] ^= 1
        assert read_chunks(bytes(changed)) is None
