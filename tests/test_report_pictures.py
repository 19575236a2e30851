"""The drawn examples: which images, in what colours, and what cannot be shown."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from fiftyone_gemini.evaluation import evaluate
from fiftyone_gemini.report import Section, build_report
from fiftyone_gemini.report.content import Example
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels, Mask
from PIL import Image

RIGHT, INVENTED, MISSED = (0, 158, 115), (213, 94, 0), (0, 114, 178)


def examples(truth: list[ImageLabels], said: list[ImageLabels]) -> tuple[Example, ...]:
    """Build a report on one section and give its examples."""
    shown = Section("x", None, evaluate(truth, said), truth, said)
    return build_report([shown]).chapters[0].examples


def cat(x: float, y: float, side: float, **more: object) -> Detection:
    """Make a square cat."""
    return Detection("cat", Box(x, y, side, side), **more)


def flat(path: Path, width: int, height: int, *, exif: bytes = b"") -> str:
    """Make a white picture file."""
    Image.new("RGB", (width, height), "white").save(path, exif=exif)
    return str(path)


def pixel(jpeg: bytes, x: int, y: int) -> np.ndarray:
    """Read one pixel of a drawing."""
    return np.array(Image.open(io.BytesIO(jpeg)).getpixel((x, y)))


def near(colour: np.ndarray, wanted: tuple[int, int, int]) -> bool:
    """Tell whether a colour is the wanted one, but for JPEG."""
    return bool(np.abs(colour - wanted).max() < 40)


def test_colours_tell_the_verdicts(tmp_path: Path) -> None:
    """A found cat is green on both sides, a missed one blue, an invented one red."""
    path, frame = flat(tmp_path / "a.png", 400, 200), Frame(400, 200)
    truth = [ImageLabels("1", path, frame, (cat(20, 50, 100), cat(150, 50, 100)))]
    said = [ImageLabels("1", path, frame, (cat(20, 50, 100), cat(280, 50, 100)))]
    drawing = examples(truth, said)[0].drawing
    assert (drawing.width, drawing.height) == (400, 200)
    assert near(pixel(drawing.truth_jpeg, 20, 120), RIGHT)
    assert near(pixel(drawing.truth_jpeg, 150, 120), MISSED)
    assert near(pixel(drawing.truth_jpeg, 280, 120), (255, 255, 255))
    assert near(pixel(drawing.predicted_jpeg, 20, 120), RIGHT)
    assert near(pixel(drawing.predicted_jpeg, 150, 120), (255, 255, 255))
    assert near(pixel(drawing.predicted_jpeg, 280, 120), INVENTED)


def test_masks_are_translucent_and_keep_their_shape(tmp_path: Path) -> None:
    """The left half of the box is coloured, the right half is not."""
    path, frame = flat(tmp_path / "a.png", 960, 960), Frame(960, 960)
    crop = np.zeros((600, 600), bool)
    crop[:, :300] = True
    truth = [
        ImageLabels("1", path, frame, (cat(200, 200, 600, mask=Mask(200, 200, crop)),))
    ]
    drawing = examples(truth, truth)[0].drawing
    assert (drawing.width, drawing.height) == (480, 480)
    mixed = tuple(round(255 * 0.6 + c * 0.4) for c in RIGHT)
    assert near(pixel(drawing.truth_jpeg, 160, 250), mixed)
    assert near(pixel(drawing.truth_jpeg, 340, 250), (255, 255, 255))


def test_the_worst_images_come_first_and_at_most_twelve(tmp_path: Path) -> None:
    """Images are ordered by invented plus missed objects."""
    path, frame = flat(tmp_path / "a.png", 100, 100), Frame(100, 100)
    truth = [
        ImageLabels(str(n), path, frame, (cat(10, 10, 20),) * (n % 5))
        for n in range(20)
    ]
    shown = examples(truth, [])
    missed = [example.missed for example in shown]
    assert missed == [4] * 4 + [3] * 4 + [2] * 4


def test_large_noisy_pictures_become_small_files(tmp_path: Path) -> None:
    """A drawing is at most 480 pixels a side and a page stays light."""
    noise = np.random.default_rng(0).integers(0, 255, (900, 1600, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.jpg")
    labels = [ImageLabels("1", str(tmp_path / "noise.jpg"), Frame(1600, 900))]
    drawing = examples(labels, labels)[0].drawing
    assert (drawing.width, drawing.height) == (480, 270)
    assert len(drawing.truth_jpeg) < 60_000


def test_pictures_are_drawn_upright(tmp_path: Path) -> None:
    """EXIF orientation 6: the picture stands, and boxes are where the App shows them."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = flat(tmp_path / "turned.jpg", 200, 100, exif=exif.tobytes())
    truth = [ImageLabels("1", path, Frame(100, 200), (cat(20, 120, 60),))]
    drawing = examples(truth, [])[0].drawing
    assert (drawing.width, drawing.height) == (100, 200)
    assert near(pixel(drawing.truth_jpeg, 20, 160), MISSED)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("gone.jpg", None, "not there"),
        ("text.jpg", b"no picture", "cannot be shown"),
        ("cut.png", b"\x89PNG\r\n\x1a\n" + bytes(20), "cannot be shown"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_said_to_be_so(
    tmp_path: Path, name: str, data: bytes | None, says: str
) -> None:
    """The example stays in the list with its counts; nothing fails."""
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    truth = [ImageLabels("1", str(path), Frame(10, 10), (cat(0, 0, 5),))]
    shown = examples(truth, [])[0]
    assert shown.drawing is None
    assert says in shown.problem
    assert (shown.name, shown.missed) == (name, 1)


def test_a_truth_without_picture_size_is_said_to_be_so(tmp_path: Path) -> None:
    """A frame of 0 x 0 gives no place to draw at."""
    path = flat(tmp_path / "a.png", 50, 50)
    truth = [ImageLabels("1", path, Frame(0, 0), (cat(0, 0, 5),))]
    assert "size" in examples(truth, [])[0].problem


def test_objects_outside_of_the_picture_do_no_harm(tmp_path: Path) -> None:
    """Boxes beyond the edges and labels in any script are drawn, or cut."""
    path, frame = flat(tmp_path / "a.png", 50, 50), Frame(50, 50)
    said = tuple(
        Detection(label, Box(x, y, 30, 0), confidence=0.5)
        for label, x, y in (
            ("猫" * 50, -20, -20),
            ("", 49, 49),
            ("a\nb\0", 1e300, 200),
            ("half \ud800 a character", -1e9, 7),
        )
    )
    truth = [ImageLabels("1", path, frame, (cat(40, 40, 90),))]
    predicted = [ImageLabels("1", path, frame, said)]
    assert examples(truth, predicted)[0].drawing is not None
