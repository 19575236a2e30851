"""Every task from video to label: the real client asks the emulator, which knows the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from fiftyone_gemini.asking import Asking, Manner
from fiftyone_gemini.coco.folder import FolderSource
from fiftyone_gemini.coco.lines import LinesSink
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import MediaError, UsageError
from fiftyone_gemini.filming import Filming
from fiftyone_gemini.gemini.endpoint import Endpoint, endpoint_from_environment
from fiftyone_gemini.gemini.journal import request_key
from fiftyone_gemini.gemini.tokens import prompt_tokens
from fiftyone_gemini.gemini.upload_rule import Upload
from fiftyone_gemini.labels.samples import ViewSource
from fiftyone_gemini.labels.write import FieldSink
from fiftyone_gemini.media.probe import probe
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.planning import plan_run
from fiftyone_gemini.tasks import form_of
from fiftyone_gemini.values import (
    Ask,
    Clip,
    Item,
    Medium,
    Parameters,
    Question,
    Run,
    Status,
)
from films import BELT, MATCH, PHONE, VIDEOS

MODEL = "gemini-3.8-flash"
FILMS = {Medium.VIDEO}


@dataclass(frozen=True, slots=True)
class Cinema:
    """Labels the committed videos through an emulator that answers from their truth."""

    endpoint: Endpoint
    folder: Path

    def ask(
        self, question: Question, *, manner: Manner | None = None, **filming: Any
    ) -> dict[str, dict[str, Any]]:
        """Ask about all videos; give the lines that were written, by file name."""
        sink = LinesSink(self.folder / "lines.jsonl")
        how = replace(manner or Manner(), filming=Filming(**filming))
        source = FolderSource(VIDEOS / "data", FILMS)
        self.label(source, sink, question, how)
        lines = map(json.loads, sink.path.read_text().splitlines())
        return {line["sample_id"]: line for line in lines}

    def label(self, source: Any, sink: Any, question: Question, manner: Manner) -> Run:
        """Run the pipeline, with a journal that stays."""
        return label(
            source,
            sink,
            question,
            model=MODEL,
            endpoint=self.endpoint,
            journal=self.folder / "journal.sqlite",
            manner=manner,
        )


def open_cinema(folder: Path, **settings: Any) -> Iterator[Cinema]:
    """Start an emulator that knows the videos."""
    with running_emulator(
        Settings(truth=str(VIDEOS / "truth.json"), **settings)
    ) as one:
        environment = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": one.url}
        yield Cinema(endpoint_from_environment(environment), folder)


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinema]:
    """Give an emulator that tells the truth, for all tests of this file."""
    yield from open_cinema(tmp_path_factory.mktemp("cinema"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep copies without sound in the test's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def spans(line: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Give the stretches of a line."""
    keys = ("label", "start_seconds", "end_seconds")
    return [tuple(value[key] for key in keys) for value in line["values"]]


def truth(file: str, video: str) -> list[dict[str, Any]]:
    """Give the true labels of a video, out of one of the committed files."""
    lines = map(json.loads, (VIDEOS / file).read_text().splitlines())
    return next(line["values"] for line in lines if line["sample_id"] == video)


def test_events_are_found_to_the_second(cinema: Cinema) -> None:
    """At a frame a second all but a short event are found, none over a second off."""
    lines = cinema.ask(Question("events"))
    found = spans(lines["match.mp4"])
    true = [tuple(event.values()) for event in truth("events.jsonl", "match.mp4")]
    assert ("kick", 10.2, 10.8) in true
    assert found == [event for event in true if event != ("kick", 10.2, 10.8)]
    assert all(line["status"] == "ok" and not line["issues"] for line in lines.values())
    for name in ("belt.mp4", "phone.mov"):
        pairs = zip(
            spans(lines[name]),
            sorted(truth("events.jsonl", name), key=lambda e: e["start_seconds"]),
            strict=True,
        )
        for (label_, start, end), event in pairs:
            assert label_ == event["label"]
            assert abs(start - event["start_seconds"]) <= 1
            assert abs(end - event["end_seconds"]) <= 1


def test_more_frames_a_second_find_what_is_short(cinema: Cinema) -> None:
    """With --fps the missed kick is found, and times are as exact as the frames."""
    lines = cinema.ask(Question("events", ("kick",)), clip=Clip(fps=5.0))
    assert spans(lines["match.mp4"]) == [
        ("kick", 1, 2),
        ("kick", 6, 7),
        ("kick", 10.2, 10.8),
    ]
    assert lines["belt.mp4"]["status"] == "empty"


@pytest.mark.slow
def test_a_clip_tells_of_nothing_else(cinema: Cinema, tmp_path: Path) -> None:
    """Times of a clip are those of the whole video, whichever way the model counts."""
    clip = Clip(7.5, 14.0, 2.0)
    expected = [("miss", 8, 9), ("kick", 10.5, 11), ("goal", 11, 13)]
    lines = cinema.ask(Question("events"), clip=clip)
    assert spans(lines["match.mp4"]) == expected
    assert lines["phone.mov"]["status"] == "media_error"
    assert "lasts 6.0 seconds" in lines["phone.mov"]["error"]
    for other in open_cinema(tmp_path, clip_times="clip"):
        line = other.ask(Question("events"), clip=clip)["match.mp4"]
        assert spans(line) == expected
        assert [issue["code"] for issue in line["issues"]] == ["clip_times"]


def test_parts_of_a_video_are_put_together(cinema: Cinema) -> None:
    """An event across a seam is one; each part is a request of its own."""
    whole = cinema.ask(Question("events"), clip=Clip(fps=10.0))
    parts = cinema.ask(Question("events"), clip=Clip(fps=10.0), part_seconds=5.0)
    for name, line in parts.items():
        found, expected = spans(line), spans(whole[name])
        assert [one[0] for one in found] == [one[0] for one in expected]
        for one, other in zip(found, expected, strict=True):
            assert one[1:] == pytest.approx(other[1:], abs=0.11)
    manner = Manner(filming=Filming(part_seconds=5.0))
    asking = Asking.about(Question("events"), MODEL, manner)
    pieces = list(asking.pieces([Item("m", MATCH)]))
    assert len(pieces) == 3
    keys = {request_key(asking.request(piece)) for piece in pieces}
    contents = {asking.request(piece).media.content_sha256 for piece in pieces}
    assert (len(keys), len(contents)) == (3, 1)
    ends = [piece.clip.end_seconds or 14.0 for piece in pieces]
    starts = [piece.clip.start_seconds or 0.0 for piece in pieces]
    assert all(start < end for start, end in zip(starts[1:], ends, strict=False))


def test_what_is_said_is_heard_only_with_sound(cinema: Cinema) -> None:
    """A transcript has who, what and when; without sound there is none."""
    lines = cinema.ask(Question("transcript"))
    said = [(v["label"], v["text"]) for v in lines["match.mp4"]["values"]]
    assert said == [
        (t["label"], t["text"]) for t in truth("transcript.jsonl", "match.mp4")
    ]
    assert lines["belt.mp4"]["status"] == "empty"
    silent = cinema.ask(Question("transcript"), sound=False)
    assert {line["status"] for line in silent.values()} == {"empty"}


def test_captions_and_questions_are_asked_of_videos_too(cinema: Cinema) -> None:
    """The tasks for pictures that make sense for videos speak of a video."""
    lines = cinema.ask(Question("caption"))
    assert "score twice" in lines["match.mp4"]["values"][0]["text"]
    asks = (
        Ask("goals", "How many times is there a goal?"),
        Ask("first", "When is the first miss?"),
        Ask("lamp", "Is there a moment in which the lamp is on?", ("yes", "no")),
    )
    line = cinema.ask(Question("vqa", asks=asks))["match.mp4"]
    assert {v["name"]: v["text"] for v in line["values"]} == {
        "goals": "2",
        "first": "00:08",
    } | ({"lamp": "no"} if len(line["values"]) > 2 else {})
    tags = cinema.ask(Question("tag", ("ball", "lamp", "parcel")))
    assert {v["label"] for v in tags["phone.mov"]["values"]} == {"lamp", "parcel"}
    asking = Asking.about(Question("caption", medium=Medium.VIDEO), MODEL)
    assert "this video" in asking.prompt
    assert "image" not in asking.prompt


def boxes_at(video: str, seconds: float, name: str) -> list[Any]:
    """Give the true boxes of a name at a time."""
    footage = probe(video).footage
    told = json.loads((VIDEOS / "truth.json").read_text())["videos"]
    film = next(one for one in told if one["file_name"] == Path(video).name)
    shown = film["frames"][footage.frame_at(seconds) - 1]
    return [thing["bbox"] for thing in shown["objects"] if thing["label"] == name]


@pytest.mark.parametrize("by_frames", [False, True], ids=["video", "frames"])
def test_objects_are_found_in_frames(cinema: Cinema, by_frames: bool) -> None:
    """Boxes of the video, or of its frames as pictures, are where and when they are true."""
    question = Question("track", ("ball", "lamp", "red crate"), by_frames=by_frames)
    lines = cinema.ask(question, clip=Clip(fps=2.0))
    for video, name in ((MATCH, "ball"), (PHONE, "lamp"), (BELT, "red crate")):
        values = lines[Path(video).name]["values"]
        assert len(values) >= 12
        for value in values:
            (true,) = boxes_at(video, value["seconds"], name)
            assert list(value["detection"]["box"].values()) == pytest.approx(
                true, abs=0.5
            )


def dataset_of(*paths: str) -> fo.Dataset:
    """Make a dataset of videos, without any metadata."""
    made = fo.Dataset()
    made.add_samples([fo.Sample(path) for path in paths])
    return made


def keep(cinema: Cinema, dataset: fo.Dataset, field: str, question: Question) -> None:
    """Label a dataset of videos into a field."""
    sink = FieldSink(dataset, field, form_of(question))
    run = cinema.label(ViewSource(dataset), sink, question, Manner())
    assert set(run.statuses) <= {Status.OK, Status.EMPTY}
    dataset.reload()


def test_events_become_temporal_detections(cinema: Cinema) -> None:
    """Supports are frame numbers from 1, by the times of the file, also at an uneven rate."""
    dataset = dataset_of(MATCH, BELT)
    keep(cinema, dataset, "events", Question("events"))
    match, belt = dataset
    assert match.events.detections[1].label == "goal"
    assert match.events.detections[1].support == [38, 63]
    times = probe(BELT).footage.times
    off = 0
    for found, (start, end) in zip(
        belt.events.detections, ((1, 5), (3, 7), (7, 11)), strict=True
    ):
        first, last = found.support
        assert times[first - 1] <= start < times[first]
        assert times[last - 1] < end <= times[last]
        off += first != round(start * belt.metadata.frame_rate) + 1
    assert off, "a mean rate would do as well: the video is too even"
    assert (match.metadata.frame_width, match.metadata.frame_height) == (320, 240)
    assert (match.metadata.total_frame_count, match.metadata.frame_rate) == (175, 12.5)
    assert match.metadata.duration == 14.0
    assert dataset.to_clips("events").count() == 8
    dataset.delete()


def test_transcripts_have_a_text_beside_them(cinema: Cinema) -> None:
    """All that is said is one text field, and each piece of it a stretch with its text."""
    dataset = dataset_of(MATCH, BELT)
    keep(cinema, dataset, "said", Question("transcript"))
    match, belt = dataset
    assert match.said_text.splitlines()[1] == "Goal! What a shot."
    assert match.said.detections[1].text == "Goal! What a shot."
    assert match.said_status == "ok"
    assert (belt.said.detections, belt.said_text, belt.said_status) == ([], "", "empty")
    dataset.delete()


def test_objects_stand_in_the_frames(cinema: Cinema) -> None:
    """Frames have detections by number; a second run replaces those of the first."""
    dataset = dataset_of(MATCH)
    keep(cinema, dataset, "found", Question("track"))
    sample = dataset.first()
    assert sorted(sample.frames) == [int(n * 12.5) + 1 for n in range(14)]
    (ball,) = [d for d in sample.frames[26].found.detections if d.label == "ball"]
    (true,) = boxes_at(MATCH, 2.0, "ball")
    expected = [true[0] / 320, true[1] / 240, true[2] / 320, true[3] / 240]
    assert ball.bounding_box == pytest.approx(expected, abs=0.002)
    assert dataset.count("frames.found.detections") == 14 * 4
    keep(cinema, dataset, "found", Question("track", ("ball",)))
    assert dataset.count("frames.found.detections") == 14
    keep(cinema, dataset, "found", Question("track", ("goat",)))
    assert dataset.count("frames.found.detections") == 0
    kind = fo.EmbeddedDocumentField
    dataset.add_frame_field("mine", kind, embedded_doc_type=fo.Detections)
    with pytest.raises(UsageError, match="was not written by Gemini"):
        FieldSink(dataset, "mine", form_of(Question("track")))
    dataset.delete()


def test_what_does_not_fit_is_refused_before_asking(
    cinema: Cinema, dataset: fo.Dataset
) -> None:
    """Tasks for videos take no pictures, others no videos; options for videos say so."""
    films = FolderSource(VIDEOS / "data", FILMS)
    sink = LinesSink(cinema.folder / "none.jsonl")
    with pytest.raises(UsageError, match="For videos there are"):
        cinema.label(films, sink, Question("detect"), Manner())
    with pytest.raises(UsageError, match="is about videos"):
        cinema.label(ViewSource(dataset), sink, Question("events"), Manner())
    with pytest.raises(UsageError, match="dataset of videos"):
        FieldSink(dataset, "events", form_of(Question("events")))
    clip = Manner(filming=Filming(Clip(1.0)))
    with pytest.raises(UsageError, match="for videos alone"):
        cinema.label(ViewSource(dataset), sink, Question("caption"), clip)
    parts = Manner(filming=Filming(part_seconds=10.0))
    with pytest.raises(UsageError, match="cannot be put together"):
        cinema.label(films, sink, Question("caption"), parts)
    with pytest.raises(UsageError, match="media resolution"):
        cinema.label(films, sink, Question("events"), Manner(max_side=100))
    with pytest.raises(UsageError, match="neither parts nor sound"):
        cinema.label(films, sink, Question("track", by_frames=True), parts)
    with pytest.raises(UsageError, match="by_frames"):
        form_of(Question("events", by_frames=True))
    with pytest.raises(UsageError, match="too short"):
        Filming(part_seconds=1.0)


def test_what_is_too_long_is_cut_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over what a model reads, events are asked about in parts; a caption says what to do."""
    monkeypatch.setattr("fiftyone_gemini.filming.CONTEXT_TOKENS", 81_000)
    events = Asking.about(Question("events"), MODEL)
    pieces = list(events.pieces([Item("m", MATCH)]))
    assert len(pieces) == 2
    assert all(prompt_tokens(events.request(piece)) < 1500 for piece in pieces)
    caption = Asking.about(Question("caption", medium=Medium.VIDEO), MODEL)
    (piece,) = caption.pieces([Item("m", MATCH)])
    with pytest.raises(MediaError, match="--clip-start"):
        caption.request(piece)
    silent = replace(caption, manner=Manner(filming=Filming(sound=False)))
    silent.request(piece)


def test_the_plan_counts_as_the_emulator_does(cinema: Cinema, tmp_path: Path) -> None:
    """Tokens are foreseen by frames and sound; what was asked took about as many."""
    source = FolderSource(VIDEOS / "data", FILMS)
    manners = (
        Manner(),
        Manner(filming=Filming(Clip(1.0, 5.0, 3.0))),
        Manner(Parameters(media_resolution="high"), filming=Filming(sound=False)),
        Manner(filming=Filming(part_seconds=5.0)),
    )
    for number, manner in enumerate(manners):
        plan = plan_run(source, Question("events"), model=MODEL, manner=manner)
        fresh = replace(cinema, folder=tmp_path / str(number))
        fresh.folder.mkdir()
        sink = LinesSink(fresh.folder / "plan.jsonl")
        run = fresh.label(source, sink, Question("events"), manner)
        assert plan.likely.prompt_tokens == pytest.approx(run.usage.prompt, rel=0.05)
    frames = Question("track", by_frames=True)
    assert plan_run(source, frames, model=MODEL).requests == 14 + 13 + 7


def test_a_large_video_is_uploaded_once_for_all_its_parts(
    cinema: Cinema, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file too large for a request is uploaded, and each part refers to it."""
    monkeypatch.setattr("fiftyone_gemini.media.video.INLINE_LIMIT", 50_000)
    fresh = replace(cinema, folder=tmp_path)
    source = FolderSource(VIDEOS / "data", FILMS)
    sink = LinesSink(tmp_path / "up.jsonl")
    manner = Manner(filming=Filming(part_seconds=5.0))
    run = fresh.label(source, sink, Question("events", ("goal",)), manner)
    assert any("Uploaded to the Files API: 1 files" in note for note in run.notes)
    lines = {
        line["sample_id"]: line
        for line in map(json.loads, sink.path.read_text().splitlines())
    }
    assert [span[0] for span in spans(lines["match.mp4"])] == ["goal", "goal"]
    never = replace(manner, upload=Upload.NEVER)
    fresh.label(source, sink, Question("events", ("kick",)), never)
    lines = {
        line["sample_id"]: line
        for line in map(json.loads, sink.path.read_text().splitlines())
    }
    assert lines["match.mp4"]["status"] == "media_error"
    assert lines["belt.mp4"]["status"] == "empty"


def test_a_video_that_is_answered_as_an_image_is_noticed() -> None:
    """Words about "the image" leave an issue, unless they speak of a video as well."""
    from fiftyone_gemini.media.video import load_video
    from fiftyone_gemini.tasks import find_task, reading_of

    question, media = Question("caption", medium=Medium.VIDEO), load_video(PHONE)
    for text, codes in (
        ("Based on the image you sent, a lamp.", ["image_said"]),
        ("A lamp is lit.", []),
        ("In this video the picture of a lamp.", []),
    ):
        said = json.dumps({"caption": text})
        reading = reading_of(find_task("caption"), said, question, media)
        assert [issue.code for issue in reading.issues] == codes


def test_one_bad_video_costs_no_other(cinema: Cinema, tmp_path: Path) -> None:
    """Damaged and foreign files are media errors with a sentence; the rest is labelled."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(Path(PHONE).read_bytes())
    (folder / "b.mp4").write_bytes(Path(MATCH).read_bytes()[:3000])
    (folder / "c.webm").write_bytes(b"")
    for question in (Question("events"), Question("track", by_frames=True)):
        sink = LinesSink(tmp_path / "mixed.jsonl")
        cinema.label(FolderSource(folder, FILMS), sink, question, Manner())
        lines = [json.loads(line) for line in sink.path.read_text().splitlines()]
        assert [line["status"] for line in lines] == [
            "ok",
            "media_error",
            "media_error",
        ]
        assert all(
            "Copy" in line["error"] or "Use MP4" in line["error"] for line in lines[1:]
        )
    (folder / "d.jpg").write_bytes(b"x")
    with pytest.raises(UsageError, match="pictures and videos"):
        FolderSource(folder, {Medium.IMAGE, Medium.VIDEO})
