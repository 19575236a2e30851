"""Times in every form that models write become seconds, and no guess goes unsaid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fiftyone_gemini.parsing.sightings import read_sightings
from fiftyone_gemini.parsing.spans import read_spans
from fiftyone_gemini.parsing.times import find_clock, stretch_in_line, stretch_of
from fiftyone_gemini.values import Clip, Frame, Media, Reading, Sighting, Span
from fiftyone_gemini.values.asking import WHOLE
from hypothesis import given
from hypothesis import strategies as st

FRAME = Frame(200, 100)


def video(seconds: float | None = 100.0, clip: Clip = WHOLE) -> Media:
    """Give a video of some length, and what of it is meant."""
    return Media(b"v", "video/mp4", FRAME, FRAME, clip=clip, seconds=seconds)


def seconds_of(value: object, longest: float | None = None) -> tuple[float, ...] | None:
    """Read one value as times."""
    stretch = stretch_of(value)  # type: ignore[arg-type]
    if stretch is None:
        return None
    clock = find_clock([stretch], longest, [])
    stamps = [stretch.start, *([stretch.end] if stretch.end else [])]
    return tuple(round(clock.seconds(stamp), 6) for stamp in stamps)


def codes(reading: Reading) -> list[str]:
    """Name the issues of a reading."""
    return [issue.code for issue in reading.issues]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("00:12", (12,)),
        ("1:02", (62,)),
        ("75:30", (4530,)),
        ("1:02:03", (3723,)),
        ("00:12.345", (12.345,)),
        ("00:00:05,120", (5.12,)),
        ("12", (12,)),
        ("12.5s", (12.5,)),
        ("1m30s", (90,)),
        ("1 h 2 min", (3720,)),
        ("12 seconds", (12,)),
        (12, (12,)),
        (12.25, (12.25,)),
        ("0:29 - 0:32", (29, 32)),
        ("00:00\u201300:17", (0, 17)),
        ("[00:10 to 00:12]", (10, 12)),
        ("00:01:00 --> 00:01:02.5", (60, 62.5)),
        ("from 1:00 until 1:10", (60, 70)),
        ([3, 4.5], (3, 4.5)),
        (["00:03", "00:05"], (3, 5)),
        ([0, 0, 0, 766], (0, 0.766)),
        ([0, 17, 266, 0, 34, 366], (17.266, 34.366)),
        ([1, 5, 1, 20], (65, 80)),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("12:34 o'clock news", None),
        (True, None),
        (None, None),
        ({}, None),
        ([], None),
        ([1, "a", 2], None),
        ([1, 2, 3, 4, 5], None),
        ("1" * 500, None),
    ],
    ids=str,
)
def test_every_form_of_a_time_is_read(written: object, seconds: object) -> None:
    """Stamps, units, bare numbers, ranges and lists are seconds; all else is none."""
    assert seconds_of(written) == seconds


@given(st.integers(0, 35_999), st.integers(0, 999))
def test_a_time_that_is_written_is_read_again(whole: int, thousandths: int) -> None:
    """Any time, written in any of the usual ways, comes back."""
    minutes, seconds = divmod(whole, 60)
    hours, rest = divmod(minutes, 60)
    fraction = thousandths / 1000
    assert seconds_of(f"{hours}:{rest:02}:{seconds:02}") == (whole,)
    exact = f"{hours}:{rest:02}:{seconds:02}.{thousandths:03}"
    assert seconds_of(exact) == (pytest.approx(whole + fraction),)
    assert seconds_of(f"{minutes % 999:02}:{seconds:02}") == (
        minutes % 999 * 60 + seconds,
    )
    assert seconds_of(f"{whole + fraction}s") == (pytest.approx(whole + fraction),)
    assert seconds_of([whole, whole + 1]) == (whole, whole + 1)


@given(st.text(max_size=300))
def test_any_text_is_read_without_harm(text: str) -> None:
    """No text makes a reader fail, as a value, a line, or a whole reply."""
    stretch_of(text)
    stretch_in_line(text)
    for reading in (read_spans(text, video()), read_sightings(text, video())):
        assert all(s.start_seconds >= 0 for s in reading.values if isinstance(s, Span))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text("0123:-. a", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["start", "end", "time", "label", "00:03", "box_2d"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=5), st.floats(0, 50), st.floats(51, 90), st.booleans())
def test_whatever_is_read_lies_in_what_was_asked(
    answer: list[object], start: float, end: float, speech: bool
) -> None:
    """Times of any reply lie within the clip; each entry is read, or dropped with an issue."""
    media = video(80.0, Clip(start, end))
    reading = read_spans(json.dumps(answer), media, speech=speech)
    for span in reading.values:
        assert start - 1e-9 <= span.start_seconds <= span.end_seconds <= min(end, 80)
    assert reading.items_seen == len(reading.values) + sum(reading.dropped.values())
    for sighting in read_sightings(json.dumps(answer), media).values:
        assert start - 1e-9 <= sighting.seconds <= min(end, 80)


def spans(
    text: str, media: Media | None = None, **how: bool
) -> tuple[list[tuple[object, ...]], list[str]]:
    """Read spans as (label, start, end), and the codes of the issues."""
    reading = read_spans(text, media or video(), **how)
    read = [(s.label, s.start_seconds, s.end_seconds) for s in reading.values]
    return read, codes(reading)


def test_events_are_read_in_order() -> None:
    """What is asked for is read without an issue, sorted by time, with its score."""
    text = json.dumps(
        [
            {"start": "00:30", "end": "00:32", "label": "goal", "confidence": 0.5},
            {"start": "00:03", "end": "00:05", "label": "kick"},
        ]
    )
    assert spans(text) == ([("kick", 3, 5), ("goal", 30, 32)], [])
    assert read_spans(text, video()).values[1].confidence == 0.5
    assert spans('{"events": []}') == ([], [])
    assert read_spans("[]", video()).readable


def test_hours_minutes_seconds_or_fractions_is_told_by_the_whole_reply() -> None:
    """Three numbers that cannot be hours are fractions, all of them, with an issue."""
    odd = [
        {"time": [0, 17, 266, 0, 34, 366], "label": "a"},
        {"time": [1, 5, 6], "label": "b"},
    ]
    found, issues = spans(json.dumps(odd))
    assert found == [("a", 17.266, 34.366), ("b", 65.006, 66.006)]
    assert issues == ["time_fraction", "end_missing"]
    short = '[{"start": "00:05:12", "end": "00:07:50", "label": "a"}]'
    assert spans(short, video(20.0)) == ([("a", 5.12, 7.5)], ["time_fraction"])
    assert spans(short, video(1000.0)) == ([("a", 312, 470)], [])


def test_bare_numbers_are_seconds_and_say_so() -> None:
    """A number without colons is read as seconds: the reading has an issue."""
    assert spans('[{"start": 3.4, "end": 5, "label": "a"}]') == (
        [("a", 3.4, 5)],
        ["time_number"],
    )
    assert spans('[{"start": "00:75", "end": "00:80", "label": "a"}]')[1] == [
        "time_over"
    ]


def test_times_beyond_the_video_are_cut_or_dropped() -> None:
    """A second over is rounding; more is cut with an issue; what lies outside is dropped."""
    row = '[{"start": "00:08", "end": "00:%s", "label": "a"}]'
    assert spans(row % "10", video(9.6)) == ([("a", 8, 9.6)], [])
    assert spans(row % "20", video(9.6)) == ([("a", 8, 9.6)], ["time_range"])
    reading = read_spans(
        '[{"start": "00:30", "end": "00:40", "label": "a"}]', video(9.6)
    )
    assert (reading.values, reading.dropped) == ((), {"time_outside": 1})
    assert spans('[{"start": "00:08", "end": "00:03", "label": "a"}]') == (
        [("a", 3, 8)],
        ["time_order"],
    )


def test_times_without_an_end_last_to_the_next_or_a_second() -> None:
    """Marks of scenes last to the next; a lone time among others lasts a second."""
    marks = '[{"00:00": "fox"}, {"00:16": "lion"}, {"01:05": "bear"}]'
    assert spans(marks) == (
        [("fox", 0, 16), ("lion", 16, 65), ("bear", 65, 100)],
        ["end_missing"],
    )
    assert spans('{"00:00": "fox", "00:16": "lion"}')[0] == [
        ("fox", 0, 16),
        ("lion", 16, 100),
    ]
    mixed = '[{"time": "00:03", "label": "a"}, {"time": "00:10 - 00:12", "label": "b"}]'
    assert spans(mixed) == ([("a", 3, 4), ("b", 10, 12)], ["end_missing"])
    assert spans('[{"start": "00:05", "end": "00:05", "label": "a"}]') == (
        [("a", 5, 6)],
        [],
    )


def test_times_of_a_clip_may_count_from_the_clip() -> None:
    """Whether a clip's start is to be added is told by all times; doubt leaves an issue."""
    clip = video(200.0, Clip(60.0, 90.0))
    row = '[{"start": "%s", "end": "%s", "label": "a"}]'
    assert spans(row % ("01:05", "01:20"), clip) == ([("a", 65, 80)], [])
    assert spans(row % ("00:05", "00:20"), clip) == ([("a", 65, 80)], ["clip_times"])
    wide = video(200.0, Clip(10.0, 90.0))
    assert spans(row % ("00:20", "00:40"), wide) == (
        [("a", 20, 40)],
        ["clip_times_unclear"],
    )
    both = '[{"start": "00:01", "end": "00:02", "label": "a"}, {"start": "01:25", "end": "01:28", "label": "b"}]'
    found, issues = spans(both, wide)
    assert (found, issues[0]) == ([("b", 85, 88)], "clip_times_unclear")


def test_speech_has_text_and_a_speaker() -> None:
    """What is said is the text; its label is who says it, or `speech`."""
    text = json.dumps(
        [
            {"start": "00:01", "end": "00:02", "speaker": "Ann", "text": "Hello."},
            {"time": "00:03 - 00:04", "text": "Who?"},
            {"start": "00:05", "end": "00:06", "speaker": "Ann"},
        ]
    )
    reading = read_spans(text, video(), speech=True)
    assert [(s.label, s.text) for s in reading.values] == [
        ("Ann", "Hello."),
        ("speech", "Who?"),
    ]
    assert reading.dropped == {"text_missing": 1}


def test_damage_costs_no_more_than_an_item() -> None:
    """A cut reply keeps its whole items; items without time or label are dropped."""
    cut = '[{"start": "00:01", "end": "00:02", "label": "a"}, {"start": "00:03", "end": "00:'
    reading = read_spans(cut, video())
    assert (len(reading.values), reading.cut) == (1, True)
    bad = '[{"label": "a"}, {"start": "00:01", "end": "00:02"}, {"start": "soon", "label": "b"}, 7]'
    reading = read_spans(bad, video())
    assert (reading.values, reading.dropped) == (
        (),
        {"time_missing": 3, "label_missing": 1},
    )
    twice = '[{"start": "00:01", "end": "00:02", "label": "a"}, {"start": "00:01", "end": "00:02", "label": "a"}]'
    assert spans(twice)[1] == ["duplicate"]
    many = json.dumps([{"start": n, "end": n + 1, "label": "a"} for n in range(3000)])
    assert read_spans(many, video(9000.0)).dropped == {"runaway": 1000}


def test_objects_are_seen_at_times() -> None:
    """Each object has its time, in a flat list or in one list for each time."""
    flat = [
        {"time": "00:01", "box_2d": [0, 0, 500, 500], "label": "cup"},
        {"time": "00:02", "box_2d": [0, 0, 500, 500], "label": "cup"},
        {"box_2d": [0, 0, 500, 500], "label": "jar"},
    ]
    reading = read_sightings(json.dumps(flat), video())
    seen = [
        (s.seconds, s.detection.label, s.detection.box.xywh_px) for s in reading.values
    ]
    assert seen == [(1, "cup", (0, 0, 100, 50)), (2, "cup", (0, 0, 100, 50))]
    assert reading.dropped == {"time_missing": 1}
    boxes = [{"box_2d": [0, 0, 500, 500], "label": "cup"}]
    nested = [
        {"time": "00:01", "objects": boxes},
        {"timestamp": "00:02", "detections": boxes},
    ]
    for text in (
        json.dumps(nested),
        json.dumps({"frames": nested}),
        f"```json\n{json.dumps(nested)}\n```",
    ):
        assert read_sightings(text, video()).values == reading.values


def test_objects_of_a_frame_are_seen_at_its_moment() -> None:
    """A picture cut out of a video gives sightings at its time."""
    still = Media(b"p", "image/jpeg", FRAME, FRAME, moment_seconds=2.5)
    text = '[{"box_2d": [0, 0, 500, 500], "label": "cup"}]'
    (sighting,) = read_sightings(text, still).values
    assert isinstance(sighting, Sighting)
    assert sighting.seconds == 2.5


REAL = {
    "002": 14, "006": 16, "011": 23, "013": 23, "014": 25, "016": 25, "017": 22,
    "019": 26, "020": 13, "021": 7, "022": 8, "005": 0, "012": 0, "015": 0,
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_times_of_real_replies_are_read(shared: Path, name: str) -> None:
    """Every list of times in a real reply is read; prose with times in it is not guessed at."""
    text = json.loads((shared / "replies" / "video" / f"{name}.json").read_text())[
        "raw_text"
    ]
    reading = read_spans(text, video(None))
    assert len(reading.values) == REAL[name]
    assert reading.readable == bool(REAL[name])
    starts = [span.start_seconds for span in reading.values]
    assert starts == sorted(starts)
    assert not reading.dropped
