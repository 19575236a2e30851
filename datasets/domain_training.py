"""Teaches the segmenter what it does not know: photos and patterns against scenes.

The photos are those that come with scikit-image and scikit-learn, read where they are
installed and cut into random crops; nothing of them is stored in the weights file.
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage import data as skimage_data
from sklearn.datasets import load_sample_image

from plugin.emulator.domain import domain_features
from plugin.emulator.network import Network
from plugin.emulator.pixel_stage import PixelStage

from .fitting import Arrays, fit

U8Image = npt.NDArray[np.uint8]
_PHOTOS = (
    *("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel"),
    *("hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket"),
    *("stereo_motorcycle", "text", "clock", "colorwheel", "logo", "cell"),
)
_CROPS = 22  # of each photo
_ACCEPTED = 0.98  # share of the held-out scenes that must be known


def fit_domain(scenes: list[U8Image], stage: PixelStage) -> Arrays:
    """Fit the network `d` and the least familiarity at which a picture is known."""
    rng = np.random.default_rng(1)
    known = [domain_features(vary(image, rng), stage) for image in scenes]
    foreign = [domain_features(image, stage) for image in foreign_pictures(rng)]
    held = known[: len(known) // 3]
    rows = np.array(known[len(held) :] + foreign)
    answers = np.array([1] * (len(known) - len(held)) + [0] * len(foreign))
    fitted = fit(rows, answers, (24,), epochs=150, decay=0.3)
    arrays = {f"d_{key}": value for key, value in fitted.items()}
    chances = Network.read(arrays, "d")(np.array(held))[:, 1]
    least = float(np.clip(np.quantile(chances, 1 - _ACCEPTED), 0.5, 0.95))
    print(
        f"  domain: {len(foreign)} foreign pictures, threshold {least:.3f}", flush=True
    )
    return arrays | {"least_familiar": np.array(least, np.float32)}


def vary(image: U8Image, rng: np.random.Generator) -> U8Image:
    """Return the picture as another writer of JPEGs might have stored it."""
    quality = int(rng.integers(70, 98))
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def foreign_pictures(rng: np.random.Generator) -> Iterator[U8Image]:
    """Yield crops of photos, and patterns: noise, plain colours, ramps, dead leaves."""
    for photo in _photos():
        for _ in range(_CROPS):
            yield vary(_crop(photo, rng), rng)
    for _ in range(120):
        yield vary(_leaves(rng), rng)
    for _ in range(30):
        yield rng.integers(0, 256, (240, 320, 3), dtype=np.uint8)
        yield np.full((240, 320, 3), rng.integers(0, 256, 3), np.uint8)
        yield _ramp(rng)


def _photos() -> Iterator[U8Image]:
    for name in ("china.jpg", "flower.jpg"):
        yield load_sample_image(name)
    for name in _PHOTOS:
        try:
            photo: Any = getattr(skimage_data, name)()
        except (AttributeError, OSError, ModuleNotFoundError):
            continue  # not in this wheel: scikit-image would download it
        photo = photo[0] if isinstance(photo, tuple) else photo
        if photo.dtype == np.uint8:
            yield np.dstack([photo] * 3) if photo.ndim == 2 else photo[..., :3]


def _crop(photo: U8Image, rng: np.random.Generator) -> U8Image:
    """Return a random part, mirrored, recoloured and resized."""
    height, width = photo.shape[:2]
    share = rng.uniform(0.35, 1)
    high, wide = int(height * share), int(width * share)
    top, left = rng.integers(0, height - high + 1), rng.integers(0, width - wide + 1)
    part = photo[top : top + high, left : left + wide]
    part = part[:, ::-1] if rng.random() < 0.5 else part
    size = ((320, 240), (240, 320), (320, 212))[rng.integers(3)]
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    tint = rng.uniform(0.7, 1.3, 3) if rng.random() < 0.6 else np.ones(3)
    power = rng.uniform(0.7, 1.4)
    toned = 255 * (small / 255) ** power * tint
    return np.clip(toned, 0, 255).astype(np.uint8)


def _leaves(rng: np.random.Generator) -> U8Image:
    """Return overlapping discs of all sizes: the statistics of cluttered photos."""
    picture = np.full((240, 320, 3), rng.integers(0, 256, 3), np.uint8)
    palette = rng.integers(0, 256, (int(rng.integers(4, 40)), 3))
    for _ in range(int(rng.integers(40, 400))):
        centre = (int(rng.integers(-20, 340)), int(rng.integers(-20, 260)))
        radius = int(min(90, 4 / rng.uniform(0.03, 1)))
        colour = [int(v) for v in palette[rng.integers(len(palette))]]
        if rng.random() < 0.5:
            cv2.circle(picture, centre, radius, colour, -1)
        else:
            corner = (centre[0] + radius, centre[1] + int(radius * rng.uniform(0.3, 3)))
            cv2.rectangle(picture, centre, corner, colour, -1)
    grain = rng.normal(0, rng.uniform(0, 12), picture.shape)
    soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.5))
    return np.clip(soft + grain, 0, 255).astype(np.uint8)


def _ramp(rng: np.random.Generator) -> U8Image:
    corners = rng.uniform(0, 255, (2, 2, 3)).astype(np.float32)
    return cv2.resize(corners, (320, 240)).astype(np.uint8)
