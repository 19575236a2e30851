"""The options for videos on the command line: each one changes what is asked."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.cli.films import read_time
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from films import MATCH, PHONE, VIDEOS
from gemini_server import Say, serving
from typer.testing import CliRunner

Ran = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Give a function that runs `label` on one video, and gives its requests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "videos").mkdir()
    shutil.copy(MATCH, tmp_path / "videos")

    def run(*options: str, task: str = "events") -> list[dict[str, Any]]:
        Path("fiftyone-gemini-journal.sqlite").unlink(missing_ok=True)
        with serving(lambda _: Say()) as server:
            monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
            more = ["label", "videos", "--task", task, *options]
            result = CliRunner().invoke(app, more)
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            return [seen.body for seen in server.seen]

    return run


def video_of(body: dict[str, Any]) -> dict[str, Any]:
    """Give the part of a request that is no text."""
    (part,) = (p for p in body["contents"][0]["parts"] if "text" not in p)
    return part


def test_clip_and_rate_reach_the_request(ran: Ran) -> None:
    """Start, end and frames a second are those of the video part; without them there are none."""
    (plain,) = ran()
    assert video_of(plain)["inlineData"]["mime_type"] == "video/mp4"
    assert "videoMetadata" not in video_of(plain)
    (told,) = ran("--clip-start", "0:02", "--clip-end", "7.5", "--fps", "4")
    clip = {"start_offset": "2s", "end_offset": "7.5s", "fps": 4}
    assert video_of(told)["videoMetadata"] == clip
    assert video_of(told)["inlineData"] == video_of(plain)["inlineData"]


def test_sound_and_resolution_reach_the_request(ran: Ran) -> None:
    """Without sound a smaller file is sent; the media resolution is in the settings."""
    (loud,), (silent,) = ran(), ran("--no-sound")
    sizes = [len(video_of(body)["inlineData"]["data"]) for body in (loud, silent)]
    assert sizes[1] < sizes[0]
    (low,) = ran("--media-resolution", "low")
    assert low["generationConfig"]["mediaResolution"] == "MEDIA_RESOLUTION_LOW"


def test_parts_and_frames_are_requests_of_their_own(ran: Ran) -> None:
    """--part cuts by clips of the same bytes, --by-frames asks about pictures."""
    parts = ran("--part", "6")
    assert len(parts) == 3
    clips = sorted(json.dumps(video_of(body)["videoMetadata"]) for body in parts)
    assert len(set(clips)) == 3
    assert len({video_of(body)["inlineData"]["data"] for body in parts}) == 1
    frames = ran("--by-frames", "--fps", "0.5", task="track")
    assert len(frames) == 7
    assert {video_of(body)["inlineData"]["mime_type"] for body in frames} == {
        "image/jpeg"
    }
    small = ran("--by-frames", "--fps", "0.5", "--max-side", "64", task="track")
    assert len(json.dumps(small)) < len(json.dumps(frames))
    (whole,) = ran(task="track")
    assert video_of(whole)["inlineData"]["mime_type"] == "video/mp4"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--clip-start", "soon"), "is no time"),
        (("--clip-start", "5", "--clip-end", "4"), "cannot end"),
        (("--fps", "30"), "24 frames"),
        (("--part", "1"), "too short"),
        (("--by-frames",), "by_frames"),
        (("--max-side", "100"), "media resolution"),
    ],
)
def test_what_cannot_be_is_refused(
    ran: Ran, options: tuple[str, ...], words: str
) -> None:
    """A wrong option ends with a sentence, and nothing is asked."""
    with pytest.raises(UsageError, match=words):
        ran(*options)


def test_times_are_read_as_users_write_them() -> None:
    """Seconds, minutes and hours are times; a range is none."""
    assert [read_time(t, "--x") for t in ("90", "1:30", "0:01:30", "1m30s", "")] == [
        90,
        90,
        90,
        90,
        None,
    ]
    with pytest.raises(UsageError):
        read_time("1:00-2:00", "--x")


TASKS = [
    ("events", (), {"kick", "goal", "miss"}),
    ("transcript", (), {"speaker 1", "speaker 2"}),
    ("track", ("--by-frames",), {"ball", "goal", "player"}),
    ("track", (), {"ball", "goal", "player"}),
    ("tag", ("--classes", "ball,lamp"), {"ball"}),
    ("caption", (), set()),
    ("vqa", ("--ask", "goals: How many times is there a goal?"), set()),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "options", "labels"), TASKS, ids=[f"{t[0]}{len(t[1])}" for t in TASKS]
)
def test_every_task_is_labelled_and_planned(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cinema: str,
    *,
    task: str,
    options: tuple[str, ...],
    labels: set[str],
) -> None:
    """From a folder of videos to JSON Lines, and the plan before it, by the command line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", cinema)
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    source = (str(VIDEOS / "data"), "--task", task, *options)
    planned = CliRunner().invoke(app, ["plan", *source])
    assert planned.exit_code == 0, planned.output
    assert "$" in planned.output
    done = CliRunner().invoke(app, ["label", *source, "--out", "out.jsonl"])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    (match,) = (line for line in lines if line["sample_id"] == "match.mp4")
    assert match["status"] == "ok"
    found = {(v.get("detection") or v).get("label") for v in match["values"]}
    assert found == (labels or {None})


@pytest.fixture(scope="module")
def cinema() -> Any:
    """Give the address of an emulator that knows the videos."""
    with running_emulator(Settings(truth=str(VIDEOS / "truth.json"))) as emulator:
        yield emulator.url


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "truth", "options", "words"),
    [
        ("events", "events", ("--fps", "5"), "F1 +1.000"),
        ("transcript", "transcript", (), "Recall +1.000"),
        ("track", "objects", (), "boxes .*1.000 *$"),
        ("track", "objects", ("--by-frames",), "boxes .*1.000 *$"),
    ],
)
def test_labels_of_videos_are_judged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cinema: str,
    *,
    task: str,
    truth: str,
    options: tuple[str, ...],
    words: str,
) -> None:
    """Each kind of label that lies in time is scored by the truth of the videos."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", cinema)
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    source = (str(VIDEOS / "data"), "--task", task, *options, "--out", "out.jsonl")
    assert CliRunner().invoke(app, ["label", *source]).exit_code == 0
    judged = CliRunner().invoke(
        app, ["evaluate", str(VIDEOS / f"{truth}.jsonl"), "out.jsonl"]
    )
    assert judged.exit_code == 0, judged.output
    assert re.search(words, judged.output, re.MULTILINE), judged.output


def test_pictures_take_no_options_for_videos(ran: Ran, tmp_path: Path) -> None:
    """A clip of a picture is refused; a folder of both is refused for either."""
    from PIL import Image

    shutil.rmtree(tmp_path / "videos")
    (tmp_path / "videos").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "videos" / "a.png")
    with pytest.raises(UsageError, match="videos alone"):
        ran("--fps", "2", task="caption")
    shutil.copy(PHONE, tmp_path / "videos")
    with pytest.raises(UsageError, match="pictures and videos"):
        ran(task="caption")
