"""Videos for tests: the committed ones, and small ones of every type, made on the spot."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

VIDEOS = Path(__file__).resolve().parents[1] / "datasets" / "videos"
MATCH, BELT, PHONE = (
    str(VIDEOS / "data" / name) for name in ("match.mp4", "belt.mp4", "phone.mov")
)


def write_video(
    path: Path,
    *,
    form: str | None = None,
    codec: str = "libx264",
    seconds: float = 2.0,
    fps: int = 10,
    size: tuple[int, int] = (64, 48),
    sound: str = "",
    pixels: str = "yuv420p",
) -> Path:
    """Write a video whose pictures get lighter frame by frame."""
    with av.open(str(path), "w", format=form) as file:
        pictures = file.add_stream(codec, rate=fps)
        pictures.width, pictures.height = size
        pictures.pix_fmt = pixels
        heard = file.add_stream(sound, rate=44100) if sound else None
        for number in range(round(seconds * fps)):
            grey = np.full((size[1], size[0], 3), 10 + number * 5 % 240, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            file.mux(pictures.encode(frame))
        file.mux(pictures.encode(None))
        if heard is not None:
            for start in range(0, int(seconds * 44100), 1024):
                wave = np.zeros((1, 1024), np.float32)
                piece = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                piece.sample_rate, piece.pts = 44100, start
                piece.time_base = Fraction(1, 44100)
                file.mux(heard.encode(piece))
            file.mux(heard.encode(None))
    return path
