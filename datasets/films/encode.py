"""Stories to files: H.264, with the tones of what is said, and the truth beside them."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .drawing import draw
from .story import Story

CLOCK = Fraction(1, 24000)
"""Times of frames are whole multiples of this."""
RATE = 16000
"""Samples of sound a second."""
_A_QUARTER = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
"""The matrix of a track that is shown a quarter turn clockwise (ISO 14496-12)."""


def write_film(story: Story, path: Path) -> None:
    """Draw and encode a story; the same story gives the same file, byte for byte."""
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as file:
        pictures = file.add_stream("libx264", rate=25)
        turned = story.turned
        pictures.width = story.height if turned else story.width
        pictures.height = story.width if turned else story.height
        pictures.pix_fmt = "yuv420p"
        pictures.time_base = CLOCK
        pictures.codec_context.time_base = CLOCK
        pictures.codec_context.thread_count = 1
        pictures.options = {"crf": "27", "preset": "veryslow", "g": "50"}
        sound = (
            file.add_stream("aac", rate=RATE, layout="mono") if story.lines else None
        )
        ends = (*story.times[1:], story.seconds)
        for seconds, end in zip(story.times, ends, strict=True):
            picture = np.asarray(_stored(story, seconds))
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = round(seconds / CLOCK)
            frame.time_base = CLOCK
            frame.duration = round(end / CLOCK) - frame.pts
            file.mux(pictures.encode(frame))
        file.mux(pictures.encode(None))
        if sound is not None:
            for start, piece in _pieces(_tones(story)):
                heard = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
                heard.sample_rate, heard.pts = RATE, start
                heard.time_base = Fraction(1, RATE)
                file.mux(sound.encode(heard))
            file.mux(sound.encode(None))
    if story.turned:
        _note_turn(path)


def _stored(story: Story, seconds: float) -> Image.Image:
    """Give a picture as it lies in the file."""
    image = draw(story, seconds)
    return image.transpose(Image.Transpose.ROTATE_90) if story.turned else image


def _tones(story: Story) -> NDArray[np.float32]:
    """Give a tone for each line that is said, higher for each further speaker."""
    at = np.arange(int(story.seconds * RATE)) / RATE
    wave = np.zeros(len(at))
    for line in story.lines:
        pitch = 220.0 * (1 + 0.5 * (line.speaker[-1] != "1"))
        said = (at >= line.start) & (at < line.end)
        wave += said * np.sin(2 * np.pi * pitch * at) * 0.2
    return wave.astype(np.float32)


def _pieces(wave: NDArray[np.float32]) -> list[tuple[int, NDArray[np.float32]]]:
    return [(i, wave[None, i : i + 1024]) for i in range(0, len(wave), 1024)]


def _note_turn(path: Path) -> None:
    """Write into the head of the track that players shall turn it."""
    data = bytearray(path.read_bytes())
    head = data.index(b"tkhd") + 4
    start = head + (52 if data[head] == 1 else 40)
    data[start : start + 36] = struct.pack(">9i", *_A_QUARTER)
    path.write_bytes(data)
