"""The worst images as small JPEGs: truth and prediction, coloured by their verdicts."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from ..evaluation import Match
from ..evaluation.kinds import Mark
from ..values import Box, Detection, Frame, ImageLabels, Mask
from .content import Drawing

Colour: TypeAlias = tuple[int, int, int]
Place: TypeAlias = tuple[int, int, int, int]
# Told apart by colour-blind eyes too: the palette of Okabe and Ito.
RIGHT: Colour = (0, 158, 115)
INVENTED: Colour = (213, 94, 0)
MISSED: Colour = (0, 114, 178)
IGNORED: Colour = (130, 130, 130)
MAX_SIDE = 480
DOT = 8
MARK_COLOURS = {"right": RIGHT, "invented": INVENTED, "missed": MISSED}
MAX_BYTES = 60_000
MAX_LABEL = 24
SMALL = 24
OPACITY = 0.4
QUALITIES = (85, 70, 55, 40, 20)
VERDICT_COLOURS: Mapping[str, Colour] = {
    "tp": RIGHT,
    "fp": INVENTED,
    "fn": MISSED,
    "ignored": IGNORED,
}


class UnreadablePictureError(Exception):
    """A picture cannot be shown; the text says why."""


@dataclass(frozen=True, slots=True)
class Marked:
    """An object and the colour of its verdict."""

    detection: Detection
    colour: Colour


def draw(
    truth: ImageLabels,
    predicted: ImageLabels | None,
    matches: Iterable[Match],
    *,
    with_masks: bool,
) -> Drawing:
    """Draw both sides of one image; raises UnreadablePictureError."""
    colours_true = [IGNORED if d.is_crowd else MISSED for d in truth.detections]
    said = predicted.detections if predicted else ()
    colours_said = [INVENTED] * len(said)
    for match in matches:
        colour = VERDICT_COLOURS[match.kind]
        if match.prediction_index is not None:
            colours_said[match.prediction_index] = colour
        if match.truth_index is not None:
            colours_true[match.truth_index] = colour
    picture = _small_picture(truth.path)
    if not (truth.frame.width and truth.frame.height):
        raise UnreadablePictureError("The truth does not know the picture's size.")
    sides = [
        [
            Marked(d if with_masks else replace(d, mask=None), colour)
            for d, colour in zip(detections, colours, strict=True)
        ]
        for detections, colours in (
            (truth.detections, colours_true),
            (said, colours_said),
        )
    ]
    jpegs = [_jpeg(_paint(picture, truth.frame, marked)) for marked in sides]
    return Drawing(picture.width, picture.height, *jpegs)


def thumbnail(path: str, marks: Sequence[Mark] = ()) -> bytes:
    """Give a picture as a small JPEG, with dots; raises UnreadablePictureError."""
    picture = _small_picture(path)
    pen = ImageDraw.Draw(picture)
    for mark in marks:
        x, y = mark.x_rel * picture.width, mark.y_rel * picture.height
        place = (x - DOT, y - DOT, x + DOT, y + DOT)
        colour = MARK_COLOURS[mark.verdict]
        pen.ellipse(place, fill=colour, outline="white", width=2)
    return _jpeg(picture)


def _small_picture(path: str) -> Image.Image:
    """Open a picture upright, at most 480 pixels a side."""
    try:
        with Image.open(path) as opened:
            scale = max(1.0, max(opened.size) / MAX_SIDE)
            size = (round(opened.width / scale), round(opened.height / scale))
            opened.draft("RGB", size)
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except FileNotFoundError:
        raise UnreadablePictureError("The picture file is not there.") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise UnreadablePictureError("The picture file cannot be shown.") from None
    upright.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return upright


def _paint(picture: Image.Image, frame: Frame, marked: list[Marked]) -> Image.Image:
    """Draw masks, then boxes, then labels; errors lie above what is right."""
    scale = (picture.width / frame.width, picture.height / frame.height)
    canvas = np.array(picture)
    in_order = sorted(marked, key=lambda mark: mark.colour in {INVENTED, MISSED})
    for mark in in_order:
        if mark.detection.mask is not None:
            _fill(canvas, mark.detection.mask, mark.colour, scale)
    places = [_place(mark.detection.box, scale) for mark in in_order]
    for mark, (x0, y0, x1, y1) in zip(in_order, places, strict=True):
        line = 1 if min(x1 - x0, y1 - y0) < SMALL else 2
        corners = (x0, y0), (x1 - 1, y1 - 1)
        cv2.rectangle(canvas, *corners, mark.colour, line, cv2.LINE_AA)
    painted = Image.fromarray(canvas)
    pen, font = ImageDraw.Draw(painted), ImageFont.load_default(size=11)
    for mark, place in zip(in_order, places, strict=True):
        _write(pen, font, mark, place, picture.size)
    return painted


def _place(box: Box, scale: tuple[float, float]) -> Place:
    """Find the edges of a box in the drawing: left, top, right, bottom."""
    edges = np.array(box.xyxy_px) * (scale * 2)
    # Far outside is as good as just outside, and fits into an integer.
    near = np.clip(np.nan_to_num(edges), -MAX_SIDE, 2 * MAX_SIDE)
    x0, y0, x1, y1 = np.rint(near).astype(int).tolist()
    return x0, y0, x1, y1


def _fill(
    canvas: NDArray[np.uint8], mask: Mask, colour: Colour, scale: tuple[float, float]
) -> None:
    """Lay a translucent mask over the canvas, cut at its edges."""
    height, width = mask.crop.shape
    x0, x1 = (round(x * scale[0]) for x in (mask.x, mask.x + width))
    y0, y1 = (round(y * scale[1]) for y in (mask.y, mask.y + height))
    size = (max(1, x1 - x0), max(1, y1 - y0))
    crop = cv2.resize(mask.crop.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    place = canvas[max(0, y0) : y0 + size[1], max(0, x0) : x0 + size[0]]
    inside = crop[max(0, -y0) :, max(0, -x0) :][: place.shape[0], : place.shape[1]] > 0
    mixed = place[inside] * (1 - OPACITY) + np.array(colour) * OPACITY
    place[inside] = mixed.astype(np.uint8)


def _write(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    mark: Marked,
    place: Place,
    size: tuple[int, int],
) -> None:
    """Write the label above its box, inside the picture; what is right and small has none."""
    text = " ".join(mark.detection.label.split())[:MAX_LABEL]
    text = text.encode("utf-8", "replace").decode("utf-8")
    if mark.detection.confidence is not None:
        text = f"{text} {mark.detection.confidence:.2f}"
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    width, height = right - left + 6, bottom - top + 5
    x0, y0, x1, y1 = place
    if mark.colour in {RIGHT, IGNORED} and (x1 - x0 < width or y1 - y0 < 2 * height):
        return
    x = max(0, min(x0, size[0] - int(width)))
    y = max(0, min(y0 - int(height), size[1] - int(height)))
    pen.rectangle((x, y, x + width, y + height), fill=mark.colour)
    pen.text((x + 3 - left, y + 2 - top), text, fill="white", font=font)


def _jpeg(picture: Image.Image) -> bytes:
    """Encode as JPEG, coarser until it is small enough."""
    data = b""
    for quality in QUALITIES:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True)
        data = file.getvalue()
        if len(data) <= MAX_BYTES:
            break
    return data
