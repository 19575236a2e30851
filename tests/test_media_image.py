"""Pictures of every kind: upright, small enough, whole, or a sentence."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from fiftyone_gemini.errors import MediaError, UsageError
from fiftyone_gemini.media import image as media_image
from fiftyone_gemini.media.image import load_image, read_frame
from fiftyone_gemini.values import Frame, Media
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

ORIENTATION = 0x0112
TURNED = range(1, 9)


def scene(width: int = 120, height: int = 80) -> Image.Image:
    """Draw a smooth picture that differs in every corner."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, (x * y) ** 0.5], -1).astype(np.uint8))


def save(image: Image.Image, path: Path, **options: object) -> Path:
    """Write a picture to a file."""
    image.save(path, **options)
    return path


def pixels(media: Media) -> np.ndarray:
    """Decode what would be sent, as a reader that knows no EXIF."""
    with Image.open(io.BytesIO(media.data)) as image:
        return np.asarray(image.convert("RGB"), np.int16)


def difference(media: Media, wanted: Image.Image) -> float:
    """Give the mean difference between what is sent and what is wanted."""
    return float(np.abs(pixels(media) - np.asarray(wanted, np.int16)).mean())


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.jpg", "image/jpeg"),
        ("a.png", "image/png"),
        ("a.webp", "image/webp"),
        ("grey.jpg", "image/jpeg"),
        ("palette.png", "image/png"),
    ],
)
def test_an_upright_picture_passes_through_untouched(
    tmp_path: Path, name: str, mime_type: str
) -> None:
    """The bytes of the file are sent as they are, under the type of their content."""
    modes = {"grey.jpg": "L", "palette.png": "P"}
    path = save(scene().convert(modes.get(name, "RGB")), tmp_path / name)
    media = load_image(path)
    assert media.data == path.read_bytes()
    assert media.mime_type == mime_type
    assert media.frame == media.sent == read_frame(path) == Frame(120, 80)


def test_content_decides_and_not_the_name(tmp_path: Path) -> None:
    """A PNG that is called .jpg is sent as PNG."""
    path = save(scene(), tmp_path / "a.jpg", format="PNG")
    assert load_image(str(path)).mime_type == "image/png"


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "avif"])
def test_turned_pictures_become_upright(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    """Whatever EXIF says, the pixels that are sent stand upright, and so the frame."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = save(scene(), tmp_path / f"a.{kind}", exif=exif)
    with Image.open(path) as image:
        wanted = ImageOps.exif_transpose(image).convert("RGB")
    media = load_image(path)
    assert media.frame == media.sent == read_frame(path) == Frame(*wanted.size)
    assert difference(media, wanted) < 3


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("shape", ["Landscape", "Portrait"])
def test_real_photos_are_the_same_in_every_orientation(
    shared: Path, shape: str, orientation: int
) -> None:
    """All eight turned copies of a photo send the same upright picture."""
    folder = shared / "photos" / "exif_orientation"
    path = folder / f"{shape}_{orientation}.jpg"
    upright = load_image(folder / f"{shape}_1.jpg", max_side=300)
    media = load_image(path, max_side=300)
    assert media.frame == upright.frame == read_frame(path)
    assert media.sent == upright.sent
    assert np.abs(pixels(media) - pixels(upright)).mean() < 6


@pytest.mark.parametrize(
    "orientation", [pytest.param(1, id="upright"), pytest.param(6, id="turned")]
)
def test_a_large_picture_is_shrunk_to_the_side(
    tmp_path: Path, orientation: int
) -> None:
    """The longer side becomes `max_side`; coordinates stay those of the original."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = save(scene(1200, 800), tmp_path / "a.jpg", exif=exif)
    media = load_image(path, max_side=300)
    turned = orientation == 6
    assert media.frame == (Frame(800, 1200) if turned else Frame(1200, 800))
    assert media.sent == (Frame(200, 300) if turned else Frame(300, 200))
    with Image.open(path) as image:
        wanted = ImageOps.exif_transpose(image)
    small = wanted.resize((media.sent.width, media.sent.height), Image.Resampling.BOX)
    assert difference(media, small) < 3


def test_a_small_picture_is_never_enlarged(tmp_path: Path) -> None:
    """A picture within `max_side` passes through."""
    path = save(scene(), tmp_path / "a.jpg")
    assert load_image(path, max_side=120).data == path.read_bytes()


def test_a_side_of_nothing_is_refused(tmp_path: Path) -> None:
    """A size of 0 is the caller's mistake."""
    with pytest.raises(UsageError, match="at least 1"):
        load_image(save(scene(), tmp_path / "a.jpg"), max_side=0)


def test_a_strip_keeps_a_pixel(tmp_path: Path) -> None:
    """Shrinking never loses a side altogether."""
    path = save(scene(3000, 2), tmp_path / "a.png")
    assert load_image(path, max_side=100).sent == Frame(100, 1)


def test_sixteen_bits_keep_their_upper_half(tmp_path: Path) -> None:
    """A 16-bit grey picture looks as in a browser, not clipped to white."""
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    path = save(Image.fromarray(ramp), tmp_path / "a.png")
    sent = pixels(load_image(path))
    assert np.abs(sent[..., 0] - (ramp >> 8)).mean() < 3


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    """A print-shop JPEG is sent in RGB."""
    path = save(scene().convert("CMYK"), tmp_path / "a.jpg")
    media = load_image(path)
    assert media.mime_type == "image/jpeg"
    assert difference(media, scene()) < 5


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_becomes_white(tmp_path: Path, mode: str) -> None:
    """Pixels that nobody sees are sent white."""
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 32, 64))
    path = save(image.convert(mode), tmp_path / "a.png")
    sent = pixels(load_image(path))
    assert sent[:, :24].max() < 20
    assert sent[:, 40:].min() > 235


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_of_an_animation_the_first_picture_is_sent(tmp_path: Path, kind: str) -> None:
    """An animation is sent as the still it starts with."""
    frames = [Image.new("RGB", (32, 32), c) for c in ("red", "lime", "blue")]
    path = tmp_path / f"a.{kind}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50)
    media = load_image(path)
    assert media.mime_type == "image/jpeg"
    assert pixels(media)[16, 16] == pytest.approx([255, 0, 0], abs=12)


def test_a_phones_jpeg_with_a_second_picture_passes_through(tmp_path: Path) -> None:
    """Multi-picture JPEGs are ordinary JPEGs with something behind them."""
    path = tmp_path / "a.jpg"
    scene().save(path, format="MPO", save_all=True, append_images=[scene()])
    media = load_image(path)
    assert media.mime_type == "image/jpeg"
    assert media.data == path.read_bytes()


def test_a_file_over_the_inline_limit_is_made_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would not fit a request is encoded anew, and shrunk until it fits."""
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    path = save(Image.fromarray(noise), tmp_path / "a.png")
    monkeypatch.setattr(media_image, "INLINE_LIMIT", 40_000)
    media = load_image(path)
    assert len(media.data) <= 40_000
    assert media.frame == Frame(400, 300)
    assert 100 < media.sent.width < 400


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("RGB_8__128x128.heif", True),
        ("RGB_10__128x128.heif", True),
        ("L_8__29x100.heif", True),
        ("RGBA_8__128x128.heif", False),
        ("arrow.heic", False),
        ("zPug_3.heic", False),
        ("xmp.webp", True),
    ],
)
def test_heic_is_read_and_sent(shared: Path, name: str, passes: bool) -> None:
    """Plain HEIC passes through; transparent, turned or multiple ones become JPEG."""
    path = shared / "photos" / "heif_small" / name
    media = load_image(path)
    assert (media.data == path.read_bytes()) is passes
    assert media.mime_type in {"image/heic", "image/heif", "image/jpeg", "image/webp"}
    assert media.frame == read_frame(path)
    if not passes:
        assert pixels(media).shape[:2] == (media.frame.height, media.frame.width)


def test_heif_of_another_brand_is_called_heif(tmp_path: Path, shared: Path) -> None:
    """A HEIF file that is not HEIC by its brand goes out as image/heif."""
    data = (shared / "photos" / "heif_small" / "RGB_8__128x128.heif").read_bytes()
    path = tmp_path / "a.heif"
    path.write_bytes(data.replace(b"heic", b"mif1", 1))
    assert load_image(path).mime_type == "image/heif"


@pytest.mark.parametrize("name", ["corrupted.heic", "empty.heic", "LICENSE.txt"])
def test_broken_heic_is_a_sentence(shared: Path, name: str) -> None:
    """Files that are no pictures are named."""
    path = shared / "photos" / "heif_small" / name
    with pytest.raises(MediaError, match=name):
        load_image(path)
    with pytest.raises(MediaError, match=name):
        read_frame(path)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "gif", "heic"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_cut_file_is_never_sent(
    tmp_path: Path, shared: Path, kind: str, part: float
) -> None:
    """A file that was copied in part is found out before it is paid for."""
    path = tmp_path / f"a.{kind}"
    if kind == "heic":
        whole = (shared / "photos" / "heif_small" / "RGB_8__128x128.heif").read_bytes()
    else:
        whole = save(scene(400, 300), path).read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(MediaError, match=rf"a\.{kind}"):
        load_image(path)


def test_a_flipped_bit_in_a_png_is_found(tmp_path: Path) -> None:
    """The check sums of a PNG are verified."""
    path = save(scene(), tmp_path / "a.png")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(MediaError, match="damaged"):
        load_image(path)


def test_a_bomb_is_refused_by_its_head(tmp_path: Path) -> None:
    """A tiny file that claims billions of pixels is not decoded."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    png += struct.pack(">I", zlib.crc32(chunk))
    path = tmp_path / "bomb.png"
    path.write_bytes(png + struct.pack(">I", 4) + b"IDATxxxx0000")
    for read in (load_image, read_frame):
        with pytest.raises(MediaError, match="million pixels"):
            read(path)


def test_the_cap_on_pixels_holds_without_pillows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another library may have lifted Pillow's own limit."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    path = save(Image.new("1", (20_000, 10_000)), tmp_path / "a.png")
    with pytest.raises(MediaError, match="million pixels"):
        read_frame(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda _: None, "does not exist", id="missing"),
        pytest.param(lambda p: p.mkdir(), "is a folder", id="folder"),
        pytest.param(lambda p: p.write_bytes(b""), "0 bytes|not a picture", id="empty"),
        pytest.param(lambda p: p.write_text("hi"), "not a picture", id="text"),
    ],
)
def test_what_is_no_picture_is_a_sentence(tmp_path: Path, make, words: str) -> None:
    """The sentence names the file and what is the matter."""
    path = tmp_path / "photo.jpg"
    make(path)
    for read in (load_image, read_frame):
        with pytest.raises(MediaError, match=words) as caught:
            read(path)
        assert "photo.jpg" in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_rights_is_a_sentence(tmp_path: Path) -> None:
    """A file that may not be read says so."""
    path = save(scene(), tmp_path / "a.jpg")
    path.chmod(0)
    with pytest.raises(MediaError, match="cannot be read"):
        load_image(path)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's own, about the damage
@settings(max_examples=150)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"]),
    place=st.floats(0, 1, exclude_max=True),
    junk=st.binary(min_size=1, max_size=8),
)
def test_damage_gives_a_picture_or_a_media_error(
    tmp_path_factory: pytest.TempPathFactory, kind: str, place: float, junk: bytes
) -> None:
    """Whatever bytes a file holds, nothing but `MediaError` is raised."""
    buffer = io.BytesIO()
    scene(40, 30).save(buffer, kind)
    data = bytearray(buffer.getvalue())
    start = int(place * len(data))
    data[start : start + len(junk)] = junk
    path = tmp_path_factory.getbasetemp() / "photo"
    path.write_bytes(data)
    for read in (load_image, read_frame):
        try:
            read(path)
        except MediaError as error:
            assert "photo" in str(error)  # noqa: PT017 - either end is right
