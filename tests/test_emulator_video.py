"""The emulator answers about videos as Gemini does, and refuses what Gemini refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fiftyone_gemini.emulator import (
    EmulatorError,
    EmulatorHandle,
    Settings,
    running_emulator,
)
from films import MATCH, PHONE, VIDEOS, write_video

HTTP = httpx2.Client(headers={"x-goog-api-key": "k"}, timeout=30)
TRUTH = str(VIDEOS / "truth.json")
EVENT = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {n: {"type": "string"} for n in ("start", "end", "label")},
    },
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorHandle]:
    """Run an emulator that knows the videos."""
    with running_emulator(Settings(truth=TRUTH)) as handle:
        yield handle


def body(
    path: str, mime_type: str = "video/mp4", words: str = "Events?", **how: Any
) -> dict[str, Any]:
    """Write a request about a video."""
    data = base64.b64encode(Path(path).read_bytes()).decode()
    part: dict[str, Any] = {"inlineData": {"data": data, "mimeType": mime_type}}
    if clip := how.pop("clip", None):
        part["videoMetadata"] = clip
    config = {
        "responseMimeType": "application/json",
        "responseJsonSchema": EVENT,
        **how,
    }
    return {
        "contents": [{"parts": [part, {"text": words}]}],
        "generationConfig": config,
    }


def post(
    emulator: EmulatorHandle,
    asked: dict[str, Any],
    model: str = "gemini-3.8-flash",
    method: str = "generateContent",
) -> httpx2.Response:
    """Ask."""
    return HTTP.post(f"{emulator.url}/v1beta/models/{model}:{method}", json=asked)


def text_of(response: httpx2.Response) -> str:
    """Read the answer."""
    assert response.status_code == 200, response.text
    said: str = response.json()["candidates"][0]["content"]["parts"][0]["text"]
    return said


def counts_of(response: httpx2.Response) -> dict[str, int]:
    """Read the tokens of a prompt by modality."""
    details = response.json()["usageMetadata"]["promptTokensDetails"]
    return {entry["modality"]: entry["tokenCount"] for entry in details}


@pytest.mark.parametrize(
    ("model", "level", "video", "audio"),
    [
        ("gemini-3.8-flash", "", 14 * 70, 14 * 25),
        ("gemini-3.8-flash", "HIGH", 14 * 280, 14 * 25),
        ("gemini-2.5-flash", "", 14 * 258, 14 * 32),
        ("gemini-2.5-flash", "LOW", 14 * 66, 14 * 32),
    ],
)
def test_frames_and_sound_are_counted(
    emulator: EmulatorHandle, *, model: str, level: str, video: int, audio: int
) -> None:
    """A frame a second and each second of sound, by model and media resolution."""
    how = {"mediaResolution": f"MEDIA_RESOLUTION_{level}"} if level else {}
    counts = counts_of(post(emulator, body(MATCH, **how), model))
    assert (counts["VIDEO"], counts["AUDIO"]) == (video, audio)


def test_a_clip_is_counted_by_its_rate(emulator: EmulatorHandle) -> None:
    """Start, end and frames a second decide the count, and so does the lack of sound."""
    clip = {"startOffset": "2s", "endOffset": "6.5s", "fps": 4}
    counts = counts_of(post(emulator, body(MATCH, clip=clip)))
    assert (counts["VIDEO"], counts["AUDIO"]) == (18 * 70, 5 * 25)
    assert "AUDIO" not in counts_of(post(emulator, body(PHONE, "video/mov")))


def test_it_tells_time_as_it_looks(emulator: EmulatorHandle) -> None:
    """Times are MM:SS of the whole video; what is over between two looks is not seen."""
    events = json.loads(text_of(post(emulator, body(MATCH))))
    assert events[0] == {"start": "00:01", "end": "00:02", "label": "kick"}
    assert len(events) == 5
    clip = {"startOffset": "10s", "endOffset": "11s", "fps": 10}
    (kick,) = json.loads(text_of(post(emulator, body(MATCH, clip=clip))))
    assert kick == {"start": "00:10.2", "end": "00:10.8", "label": "kick"}
    goals = json.loads(text_of(post(emulator, body(MATCH, words="Find every goal."))))
    assert {event["label"] for event in goals} == {"goal"}


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        ({"startOffset": "20s"}, "beyond the video's duration"),
        (
            {"startOffset": "5s", "endOffset": "5s"},
            "end_offset is not after start_offset",
        ),
        ({"fps": 0}, "not in (0, 24]"),
        ({"fps": 25}, "not in (0, 24]"),
        ({"startOffset": "soon"}, "Duration"),
    ],
)
def test_bad_clips_are_refused(
    emulator: EmulatorHandle, clip: dict[str, Any], message: str
) -> None:
    """What cannot be a part of the video is a 400 that says so."""
    response = post(emulator, body(MATCH, clip=clip))
    assert response.status_code == 400
    assert message in response.json()["error"]["message"]


def test_what_is_no_video_is_refused(emulator: EmulatorHandle, tmp_path: Path) -> None:
    """Foreign types and bytes that cannot be opened are a 400."""
    (tmp_path / "x").write_bytes(b"no video")
    for path, mime in ((str(tmp_path / "x"), "video/mp4"), (MATCH, "video/x-matroska")):
        assert post(emulator, body(path, mime)).status_code == 400


@pytest.mark.slow
def test_more_than_a_model_reads_is_refused(
    emulator: EmulatorHandle, tmp_path: Path
) -> None:
    """A video over the context of the model is a 400 that names both counts."""
    long = write_video(tmp_path / "long.mp4", seconds=700, fps=1)
    clip = {"fps": 24}
    response = post(emulator, body(str(long), clip=clip))
    assert response.status_code == 400
    assert "exceeds the maximum number of tokens allowed (1048576)" in response.text
    contents = {"contents": body(str(long), clip=clip)["contents"]}
    counted = post(emulator, contents, method="countTokens").json()["totalTokens"]
    assert counted > 1_048_576
    assert "emulator, not Gemini" in text_of(post(emulator, body(str(long))))


def test_a_video_is_known_again_without_its_sound_or_smaller(
    emulator: EmulatorHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy without sound has the same answer; one that is another video has none."""
    from fiftyone_gemini.media.video import load_video

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "silent.mp4").write_bytes(load_video(MATCH, sound=False).data)
    silent = text_of(post(emulator, body(str(tmp_path / "silent.mp4"))))
    assert silent == text_of(post(emulator, body(MATCH)))
    other = write_video(tmp_path / "other.mp4")
    assert "cannot judge" in text_of(post(emulator, body(str(other))))


@pytest.mark.slow
def test_noise_spoils_videos_too(tmp_path: Path) -> None:
    """With noise events are missing or off, always the same for a seed."""
    answers = []
    for seed in (1, 1, 2):
        with running_emulator(Settings(truth=TRUTH, noise=0.6, seed=seed)) as noisy:
            answers.append(text_of(post(noisy, body(MATCH))))
    assert answers[0] == answers[1] != answers[2]


def test_a_truth_without_its_videos_is_refused(tmp_path: Path) -> None:
    """A truth file whose videos are not there does not start an emulator."""
    (tmp_path / "truth.json").write_text((VIDEOS / "truth.json").read_text())
    with (
        pytest.raises(EmulatorError, match="no video"),
        running_emulator(Settings(truth=str(tmp_path / "truth.json"))),
    ):
        pass
    with pytest.raises(EmulatorError, match="clip_times"):
        Settings(clip_times="start")
