"""Files to `Media`: one picture, upright, in bytes that Gemini takes.

A file's own bytes are sent whenever they can be: no loss, no work. Gemini is not known to
honour EXIF orientation, so whatever is turned is turned here, in one scaled decode.
"""

from __future__ import annotations

import hashlib
import io
import math

from PIL import Image, ImageFile

from ..errors import UsageError
from ..storage import local_path
from ..values import Box, Frame, Media
from .opening import (
    BROKEN,
    Place,
    damaged,
    open_picture,
    read_picture,
    unreadable,
)

INLINE_LIMIT = 14_000_000
"""Bytes of a picture in a request: base64 makes 18.7 MB of them, of 20 MB allowed."""
JPEG_QUALITY = 90

_MIME_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a JPEG with further pictures behind it, as phones make them
    "PNG": "image/png",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
}
_PLAIN_MODES = {"1", "L", "P", "RGB"}
_TURN_ON_LOAD = {"HEIF", "TIFF"}
"""Formats whose Pillow plug-in turns the pixels itself."""
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def load_image(
    path: Place,
    max_side: int | None = None,
    region: Box | None = None,
    *,
    upload: bool = False,
    private: bool = False,
) -> Media:
    """Read a picture, here or at a URL of `storage`, and make it ready to be sent.

    The file's bytes pass through untouched when the picture is upright, one still of a
    type that Gemini takes, free of transparency, within `max_side` (None: any size) and
    under `INLINE_LIMIT`. Everything else becomes a JPEG over white, small enough for a
    request. With `upload` a file over the limit that could otherwise pass is named by its
    path instead, to be uploaded as it is.

    What a camera wrote beside the pixels (time, place) is sent with a file that passes
    through. With a `region` (upright pixels) that part is sent, as a JPEG. A URL is fetched;
    `private` allows addresses outside of the public internet.

    Raises `MediaError`: missing, damaged, not a picture, too large.
    """
    if max_side is not None and max_side < 1:
        raise UsageError(f"max_side is {max_side}; it must be at least 1 pixel.")
    data = read_picture(path, private=private)
    try:
        with open_picture(io.BytesIO(data), path) as image:
            frame = _upright_frame(image)
            if region is not None:
                return _part(image, frame, region, max_side)
            sent = fit(frame, max_side)
            if sent == frame and _passes(
                image, data, upload=upload and local_path(path) is not None
            ):
                _prove(image)
                return _untouched(path, data, _mime_type(image, data), frame)
            jpeg, sent = _encode_within_limit(_flatten(image, sent))
            return Media(jpeg, "image/jpeg", frame, sent, digest=_sha256(jpeg))
    except BROKEN as error:
        raise damaged(path) from error


def _untouched(path: Place, data: bytes, mime_type: str, frame: Frame) -> Media:
    """Pass a file on: its bytes, or its path where they are too many for a request."""
    digest = _sha256(data)
    if len(data) > INLINE_LIMIT:
        return Media(b"", mime_type, frame, frame, path=str(path), digest=digest)
    return Media(data, mime_type, frame, frame, digest=digest)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _part(
    image: ImageFile.ImageFile, whole: Frame, region: Box, max_side: int | None
) -> Media:
    """Cut a region out of a picture, on whole pixels, at least one each way."""
    x0, y0, x1, y1 = region.xyxy_px
    left = min(max(math.floor(x0), 0), whole.width - 1)
    top = min(max(math.floor(y0), 0), whole.height - 1)
    right = min(max(math.ceil(x1), left + 1), whole.width)
    bottom = min(max(math.ceil(y1), top + 1), whole.height)
    part = _flatten(image, whole).crop((left, top, right, bottom))
    frame = Frame(*part.size)
    sent = fit(frame, max_side)
    if sent != frame:
        size = (sent.width, sent.height)
        part = part.resize(size, Image.Resampling.BICUBIC)
    jpeg, sent = _encode_within_limit(part)
    return Media(
        jpeg,
        "image/jpeg",
        frame,
        sent,
        digest=_sha256(jpeg),
        whole=whole,
        at_xy_px=(left, top),
    )


def read_frame(path: Place, *, private: bool = False) -> Frame:
    """Read the size of the upright picture from the head of its file; fetch a URL.

    Raises `MediaError`: missing, not a picture, too large.
    """
    here = local_path(path)
    try:
        file = (
            here.open("rb") if here else io.BytesIO(read_picture(path, private=private))
        )
        with file, open_picture(file, path) as image:
            return _upright_frame(image)
    except OSError as error:
        raise unreadable(path, error) from error
    except BROKEN as error:
        raise damaged(path) from error


def _orientation(image: Image.Image) -> int:
    """Give the EXIF orientation that the pixels still wait for; 1 is upright."""
    if image.format in _TURN_ON_LOAD:
        return 1
    # The base class's way reads the head only; that of PNG decodes all pixels first.
    value = Image.Image.getexif(image).get(_ORIENTATION, 1)
    return value if value in _TURNS else 1


def _upright_frame(image: Image.Image) -> Frame:
    """Give the size of the picture once it is upright."""
    if _orientation(image) in {5, 6, 7, 8}:
        return Frame(image.height, image.width)
    return Frame(image.width, image.height)


def fit(frame: Frame, max_side: int | None) -> Frame:
    """Shrink a frame so that its longer side is at most `max_side`; never enlarge."""
    longest = max(frame.width, frame.height)
    if max_side is None or longest <= max_side:
        return frame
    return Frame(
        max(1, round(frame.width * max_side / longest)),
        max(1, round(frame.height * max_side / longest)),
    )


def _passes(image: Image.Image, data: bytes, *, upload: bool) -> bool:
    """Tell whether the file's own bytes can be sent."""
    return (
        image.format in _MIME_TYPES
        and (upload or len(data) <= INLINE_LIMIT)
        and image.mode in _PLAIN_MODES
        and "transparency" not in image.info
        and _orientation(image) == 1
        and (image.format == "MPO" or getattr(image, "n_frames", 1) == 1)
        and not (image.format == "HEIF" and _heif_is_turned(image, data))
    )


def _heif_is_turned(image: Image.Image, data: bytes) -> bool:
    """Tell whether a HEIF file asks its reader to rotate or mirror the pixels."""
    boxes = data.partition(b"mdat")[0]
    exif = image.info.get("original_orientation")
    return b"irot" in boxes or b"imir" in boxes or exif not in {None, 1}


def _mime_type(image: Image.Image, data: bytes) -> str:
    """Name the type of a file that passes through."""
    if image.format == "HEIF" and not data[8:12].startswith(b"hei"):
        return "image/heif"
    return _MIME_TYPES[image.format or ""]


def _prove(image: Image.Image) -> None:
    """Read all of a picture once, or raise: check sums for PNG, else a coarse decode.

    So a damaged file is never paid for. On 12 megapixels: 10 to 17 ms (JPEG, at 1/8
    scale), 2 ms (PNG), 130 ms (WEBP, in full); a shared 2-core machine, 2026-11-22.
    """
    if image.format == "PNG":
        image.verify()
        return
    image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
    image.load()


def _flatten(image: ImageFile.ImageFile, sent: Frame) -> Image.Image:
    """Decode the (first) picture at about the asked size; turn it; RGB over white."""
    turn = _TURNS.get(_orientation(image))
    turned = _orientation(image) in {5, 6, 7, 8}
    size = (sent.height, sent.width) if turned else (sent.width, sent.height)
    image.draft(None, size)
    image.load()
    flat = _to_rgb(image)
    if flat.size != size:
        flat = flat.resize(size, Image.Resampling.BICUBIC)
    return flat if turn is None else flat.transpose(turn)


def _to_rgb(image: Image.Image) -> Image.Image:
    """Bring any mode to 8-bit RGB; transparent pixels become white."""
    if image.mode.startswith("I"):
        # 16-bit grey, as browsers show it: the upper eight bits.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _encode_within_limit(image: Image.Image) -> tuple[bytes, Frame]:
    """Write a JPEG, smaller and smaller until it fits a request."""
    while True:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=JPEG_QUALITY)
        if buffer.tell() <= INLINE_LIMIT:
            return buffer.getvalue(), Frame(*image.size)
        shrink = 0.95 * (INLINE_LIMIT / buffer.tell()) ** 0.5
        size = (int(image.width * shrink), int(image.height * shrink))
        image = image.resize(size, Image.Resampling.BICUBIC)
