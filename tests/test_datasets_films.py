"""The demo videos are what their truth says, to the pixel and to the frame."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from fiftyone_gemini.media.probe import probe
from fiftyone_gemini.media.stills import read_frames
from films import VIDEOS

from datasets.films import STORIES
from datasets.films.encode import write_film
from datasets.films.truth import write_truth

FILMS = json.loads((VIDEOS / "truth.json").read_text())["videos"]
COLOURS = {"red crate": (196, 58, 50), "blue crate": (56, 92, 190)}


@pytest.mark.parametrize("film", FILMS, ids=[f["file_name"] for f in FILMS])
def test_the_committed_files_fit_their_truth(film: dict) -> None:
    """Size, frames and their times are those of the file; everything lies in the picture."""
    path = VIDEOS / "data" / film["file_name"]
    footage = probe(path).footage
    assert path.stat().st_size < 300_000
    assert (footage.frame.width, footage.frame.height) == (
        film["width"],
        film["height"],
    )
    times = [frame["seconds"] for frame in film["frames"]]
    assert footage.times == pytest.approx(times, abs=1e-3)
    for event in (*film["events"], *film["transcript"]):
        assert 0 <= event["start"] < event["end"] <= film["seconds"]
    for frame in film["frames"]:
        for thing in frame["objects"]:
            x, y, w, h = thing["bbox"]
            assert 0 <= x < x + w <= film["width"]
            assert 0 <= y < y + h <= film["height"]


def test_boxes_are_where_the_pixels_are() -> None:
    """The coloured pixels of a crate fill its box, at uneven times as well."""
    film = next(f for f in FILMS if f["file_name"] == "belt.mp4")
    seen = film["frames"][10::17]
    pictures = read_frames(
        str(VIDEOS / "data" / "belt.mp4"), [f["seconds"] for f in seen]
    )
    checked = 0
    for frame, picture in zip(seen, pictures, strict=True):
        pixels = np.asarray(picture).astype(int)
        for thing in frame["objects"]:
            near = np.abs(pixels - COLOURS[thing["label"]]).sum(2) < 60
            rows, columns = near.any(1).nonzero()[0], near.any(0).nonzero()[0]
            found = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
            x, y, w, h = thing["bbox"]
            # The edge of a crate, 2 pixels wide, is darker.
            assert found == pytest.approx((x, y, x + w, y + h), abs=3)
            checked += 1
    assert checked >= 4


def test_a_story_gives_the_same_files_again(tmp_path: Path) -> None:
    """The truth is written again as committed; the video too, where PyAV is the same."""
    write_truth(STORIES, tmp_path)
    for path in VIDEOS.glob("*.json*"):
        assert (tmp_path / path.name).read_text() == path.read_text()
    story = next(s for s in STORIES if s.name == "phone.mov")
    write_film(story, tmp_path / story.name)
    again = probe(tmp_path / story.name).footage
    committed = probe(VIDEOS / "data" / story.name).footage
    assert again.times == pytest.approx(committed.times)
    if av.__version__ == "18.1.0":
        committed_bytes = (VIDEOS / "data" / story.name).read_bytes()
        assert (tmp_path / story.name).read_bytes() == committed_bytes
