"""A video of any type is looked through, sent as it is or without sound, or refused."""

from __future__ import annotations

import hashlib
import shutil
from itertools import accumulate
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from fiftyone_gemini.errors import MediaError, UsageError
from fiftyone_gemini.media.probe import probe
from fiftyone_gemini.media.stills import load_still, read_frames
from fiftyone_gemini.media.video import load_video, sketch_video
from fiftyone_gemini.values import Clip, Footage, Frame
from films import BELT, MATCH, PHONE, write_video
from hypothesis import given
from hypothesis import strategies as st

TYPES = [
    ("a.mp4", "mp4", "libx264", "aac", "video/mp4"),
    ("a.mov", "mov", "libx264", "aac", "video/mov"),
    ("a.mpg", "mpeg", "mpeg2video", "mp2", "video/mpeg"),
    ("a.m1v", "mpeg1video", "mpeg1video", "", "video/mpeg"),
    ("a.avi", "avi", "mpeg4", "libmp3lame", "video/avi"),
    ("a.flv", "flv", "flv", "", "video/x-flv"),
    ("a.webm", "webm", "libvpx", "", "video/webm"),
    ("a.wmv", "asf", "wmv2", "", "video/wmv"),
    ("a.3gp", "3gp", "libx264", "", "video/3gpp"),
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep copies without sound in the test's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("kind", TYPES, ids=[t[0] for t in TYPES])
def test_every_type_of_googles_page_is_told_by_its_content(
    tmp_path: Path, kind: tuple[str, ...]
) -> None:
    """The type is what the file is, whatever its name; length and size are known."""
    name, form, codec, sound, mime = kind
    fps = 25 if codec in {"mpeg2video", "mpeg1video"} else 10
    path = write_video(tmp_path / name, form=form, codec=codec, fps=fps, sound=sound)
    other = path.rename(tmp_path / "video.bin")
    media = load_video(str(other))
    assert media.mime_type == mime
    assert media.frame == Frame(64, 48)
    assert media.seconds == pytest.approx(2.0, abs=0.2)
    assert media.data == other.read_bytes()
    assert media.digest == hashlib.sha256(media.data).hexdigest()
    assert len(media.footage.times) == pytest.approx(2 * fps, abs=1)


def test_a_turned_video_is_upright() -> None:
    """Size and frames of a video that players turn are those that a player shows."""
    footage = probe(PHONE).footage
    assert footage.frame == Frame(180, 320)
    ours = np.asarray(read_frames(PHONE, [0.0])[0])
    video = cv2.VideoCapture(PHONE)
    shown = video.read()[1][..., ::-1]
    video.release()
    assert np.abs(ours.astype(int) - shown).mean() < 4


def test_frames_at_uneven_times_are_numbered_as_they_are_shown() -> None:
    """Frame numbers of a video of uneven rate come from its times, not from a mean rate."""
    footage = probe(BELT).footage
    assert not footage.is_steady
    assert probe(MATCH).footage.is_steady
    with av.open(BELT) as file:
        true = [frame.time for frame in file.decode(video=0)]
    assert footage.times == pytest.approx(true)
    for number, seconds in enumerate(true, start=1):
        assert footage.frame_at(seconds) == number
    by_rate = [int(t * footage.fps) + 1 for t in true]
    assert by_rate != list(range(1, len(true) + 1))


def test_a_stretch_of_time_is_the_frames_shown_in_it() -> None:
    """First and last frame are counted from 1; the end is outside; none is ever beyond."""
    footage = Footage(Frame(4, 4), 1.0, tuple(n / 10 for n in range(10)))
    assert footage.support(0.0, 1.0) == (1, 10)
    assert footage.support(0.2, 0.5) == (3, 5)
    assert footage.support(0.25, 0.26) == (3, 3)
    assert footage.support(5.0, 9.0) == (10, 10)


@given(
    steps=st.lists(st.floats(0.001, 2), min_size=1, max_size=40),
    start=st.floats(0, 50),
    length=st.floats(0, 50),
    fps=st.floats(0.1, 24),
)
def test_frames_of_any_timing_lie_in_the_video(
    steps: list[float], start: float, length: float, fps: float
) -> None:
    """Whatever is asked, the frames exist, are in order and are the ones shown then."""
    times = tuple(accumulate([0.0, *steps]))
    footage = Footage(Frame(4, 4), times[-1] + 0.1, times)
    first, last = footage.support(start, start + length)
    assert 1 <= first <= last <= len(times)
    assert times[first - 1] <= start + 1e-3
    moments = footage.moments(fps, start, start + length)
    assert list(moments) == sorted(set(moments))
    assert set(moments) <= set(times)


def test_a_moment_is_cut_out_as_a_picture() -> None:
    """A still is the frame shown at a time, in the size of the video, and says when."""
    still = load_still(BELT, 0.3)
    assert still.moment_seconds == pytest.approx(0.16)
    assert (still.mime_type, still.frame) == ("image/jpeg", Frame(256, 192))
    small = load_still(BELT, 0.3, max_side=64)
    assert (small.sent, small.frame) == (Frame(64, 48), Frame(256, 192))


def test_without_sound_the_pictures_are_the_same(cache: Path) -> None:
    """A copy without sound has the same frames, a name of its own, and is made once."""
    loud, silent = load_video(MATCH), load_video(MATCH, sound=False)
    assert loud.digest != silent.digest
    assert len(silent.data) < len(loud.data)
    (copy,) = cache.rglob("*.mp4")
    with av.open(str(copy)) as file:
        assert not file.streams.audio
        frames = sum(1 for _ in file.decode(video=0))
    assert frames == len(loud.footage.times) == 175
    before = copy.stat().st_mtime_ns
    assert load_video(MATCH, sound=False).data == silent.data
    assert copy.stat().st_mtime_ns == before
    assert load_video(BELT, sound=False) == load_video(BELT)


@pytest.mark.parametrize(
    ("name", "form", "codec", "sound"),
    [("a.avi", "avi", "mpeg4", "libmp3lame"), ("a.mpg", "mpeg", "mpeg2video", "mp2")],
)
def test_sound_can_be_left_out_of_other_types(
    tmp_path: Path, name: str, form: str, codec: str, sound: str
) -> None:
    """The copy has the type of the original."""
    path = write_video(tmp_path / name, form=form, codec=codec, fps=25, sound=sound)
    assert probe(path).footage.has_sound
    silent = load_video(str(path), sound=False)
    (tmp_path / "copy").write_bytes(silent.data)
    assert not probe(tmp_path / "copy").footage.has_sound
    assert silent.mime_type == load_video(str(path)).mime_type


def test_a_large_file_is_named_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit into a request is to be uploaded; its content names it."""
    monkeypatch.setattr("fiftyone_gemini.media.video.INLINE_LIMIT", 50_000)
    media = load_video(MATCH)
    assert (media.data, media.path) == (b"", MATCH)
    assert media.digest == hashlib.sha256(Path(MATCH).read_bytes()).hexdigest()
    assert sketch_video(MATCH).digest == media.digest


def test_addresses_are_passed_on() -> None:
    """Buckets and YouTube are Gemini's to fetch; their length and size are not known."""
    for address in (
        "https://youtu.be/abcdefghijk",
        "https://www.youtube.com/watch?v=abcdefghijk",
    ):
        assert load_video(address).uri == address
    media = load_video("gs://b/a.mov", Clip(1.0, 2.0))
    assert (media.uri, media.mime_type) == ("gs://b/a.mov", "video/mov")
    assert (media.seconds, media.clip) == (None, Clip(1.0, 2.0))
    for bad in ("gs://b/a.bin", "https://example.com/a.mp4"):
        with pytest.raises(MediaError):
            load_video(bad)
    with pytest.raises(MediaError, match="sound"):
        load_video("https://youtu.be/abcdefghijk", sound=False)


def test_a_clip_stays_within_the_video() -> None:
    """An end beyond the video is its end; a start beyond it is refused, per video."""
    assert load_video(BELT, Clip(0.0, 99.0)).clip == Clip()
    assert load_video(BELT, Clip(2.0, 5.0, 4.0)).clip == Clip(2.0, 5.0, 4.0)
    with pytest.raises(MediaError, match=r"lasts 12\.1 seconds"):
        load_video(BELT, Clip(13.0))
    for clip in (Clip(-1.0), Clip(3.0, 3.0), Clip(fps=0.0), Clip(fps=25.0)):
        with pytest.raises(UsageError):
            load_video(BELT, clip)


def damaged_files(folder: Path) -> dict[str, Path]:
    """Make files that are no whole videos."""
    whole = Path(MATCH).read_bytes()
    made = {
        "empty": b"",
        "text": b"no video at all" * 100,
        "head": whole[:2000],
        "noise": whole[:48] + bytes(len(whole) - 48),
    }
    for name, data in made.items():
        (folder / f"{name}.mp4").write_bytes(data)
    paths = {name: folder / f"{name}.mp4" for name in made}
    paths["missing"] = folder / "missing.mp4"
    paths["folder"] = folder
    early = write_video(folder / "early.webm", form="webm", codec="libvpx", seconds=8)
    paths["sound"] = folder / "sound.mp4"
    with av.open(MATCH) as source, av.open(str(paths["sound"]), "w") as file:
        heard = file.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = heard
                file.mux(packet)
    paths["matroska"] = folder / "a.mkv"
    write_video(paths["matroska"], form="matroska")
    shutil.copy(early, folder / "fine.webm")
    return paths


def test_what_is_no_whole_video_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """Missing, empty, damaged, cut, sound alone, foreign types: each is a `MediaError`."""
    for name, path in damaged_files(tmp_path).items():
        with pytest.raises(MediaError) as caught:
            load_video(str(path))
        assert str(path) in str(caught.value), name
    load_video(str(tmp_path / "fine.webm"))


def test_a_video_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    """A file whose head promises more than follows is never paid for."""
    fast = tmp_path / "fast.mp4"
    with av.open(MATCH) as source:
        options = {"movflags": "faststart"}
        with av.open(str(fast), "w", options=options) as file:
            stream = source.streams.video[0]
            copy = file.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.dts is not None:
                    packet.stream = copy
                    file.mux(packet)
    load_video(str(fast))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(fast.read_bytes()[: fast.stat().st_size // 2])
    with pytest.raises(MediaError, match="cut short"):
        load_video(str(cut))
