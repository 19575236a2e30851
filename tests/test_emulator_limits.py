"""The emulator's quotas, its log, its counts, and what it refuses, as clients see them."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import httpx2
import pytest
from fiftyone_gemini.emulator import (
    EmulatorError,
    EmulatorHandle,
    Settings,
    running_emulator,
)
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials
from PIL import Image

MODEL = "gemini-3.8-flash"
HTTP = httpx2.Client(headers={"x-goog-api-key": "k"}, timeout=30)
WORDS = {"contents": [{"parts": [{"text": "12345678"}]}]}
PAID = ("paid", "status", "prompt_tokens", "output_tokens")


@pytest.fixture(scope="module")
def truth(demo: Path) -> str:
    """Give the truth of the demo scenes."""
    return str(demo / "annotations.json")


@pytest.fixture(scope="module")
def emulator(truth: str) -> Iterator[EmulatorHandle]:
    """Run an emulator without limits."""
    with running_emulator(Settings(truth=truth)) as handle:
        yield handle


def client_of(emulator: EmulatorHandle) -> genai.Client:
    """Build an SDK client."""
    options = types.HttpOptions(base_url=emulator.url)
    return genai.Client(api_key="k", http_options=options)


def post(
    emulator: EmulatorHandle,
    body: object,
    method: str = "generateContent",
    models: str = "v1/models",
) -> httpx2.Response:
    """Call a method of a model."""
    return HTTP.post(f"{emulator.url}/{models}/{MODEL}:{method}", json=body)


def log_of(emulator: EmulatorHandle, after: int = 0) -> list[dict]:
    """Read the log from a number on."""
    return HTTP.get(f"{emulator.url}/emulator/log?after={after}").json()


def quota_of(response: httpx2.Response) -> tuple[str, str, float]:
    """Read the quota, its value and the seconds to wait from a 429."""
    error = response.json()["error"]
    assert (response.status_code, error["status"]) == (429, "RESOURCE_EXHAUSTED")
    failure, retry = error["details"]
    (violation,) = failure["violations"]
    assert violation["quotaDimensions"]["model"] == MODEL
    delay = retry["retryDelay"]
    assert f"Please retry in {delay}." in error["message"]
    return violation["quotaId"], violation["quotaValue"], float(delay[:-1])


def message_of(response: httpx2.Response) -> str:
    """Give the message of a 400."""
    error = response.json()["error"]
    assert (response.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    return error["message"]


def picture(width: int = 8, height: int = 8, **more: object) -> dict:
    """Write a part with a picture."""
    data = io.BytesIO()
    Image.new("RGB", (width, height)).save(data, "PNG")
    blob = {"mimeType": "image/png", "data": base64.b64encode(data.getvalue()).decode()}
    return {"inlineData": blob, **more}


def test_requests_of_a_minute_are_a_sliding_window(truth: str) -> None:
    """Whoever floods gets no more than the limit in any window; the delay told is right."""
    settings = Settings(truth=truth, rpm=5, rate_window=0.6)
    with running_emulator(settings) as emulator:

        def flood(_: int) -> None:
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                post(emulator, WORDS)
                time.sleep(0.02)

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(flood, range(3)))
        log = log_of(emulator)
        came = sorted(
            datetime.fromisoformat(entry["came"]).timestamp()
            for entry in log
            if entry["paid"]
        )
        assert len(came) in range(11, 16)
        gaps = [late - early for early, late in zip(came, came[5:], strict=False)]
        assert min(gaps) > 0.6 - 0.01
        refused = [entry for entry in log if not entry["paid"]]
        assert {entry["status"] for entry in refused} == {429}
        while (reply := post(emulator, WORDS)).status_code == 200:
            pass
        name, value, wait = quota_of(reply)
        assert (name, value) == ("GenerateRequestsPerMinutePerProjectPerModel", "5")
        time.sleep(wait)
        assert post(emulator, WORDS).status_code == 200


def test_tokens_of_a_minute_and_requests_of_a_day_are_held(truth: str) -> None:
    """Tokens free with the window, the day's quota stays; other models have their own."""
    settings = Settings(truth=truth, tpm=5, rpd=4, rate_window=0.3)
    with running_emulator(settings) as emulator:
        assert [post(emulator, WORDS).status_code for _ in range(3)] == [200, 200, 429]
        name, value, wait = quota_of(post(emulator, WORDS))
        assert "InputTokens" in name
        assert (value, wait <= 0.3) == ("5", True)
        long = {"contents": [{"parts": [{"text": "x" * 24}]}]}
        assert quota_of(post(emulator, long))[0] == name
        time.sleep(wait + 0.1)
        assert [post(emulator, WORDS).status_code for _ in range(2)] == [200, 200]
        time.sleep(0.35)
        name, value, _ = quota_of(post(emulator, WORDS))
        assert (name, value) == ("GenerateRequestsPerDayPerProjectPerModel", "4")
        assert post(emulator, WORDS, "countTokens").status_code == 200
        other = client_of(emulator)
        assert other.models.generate_content(
            model="gemini-3.6-flash", contents="x"
        ).text


def test_the_log_tells_what_was_paid(emulator: EmulatorHandle) -> None:
    """Numbers go up by one; answers are paid with their tokens, refusals are not."""
    last = max((entry["number"] for entry in log_of(emulator)), default=0)
    reply = post(emulator, WORDS).json()["usageMetadata"]
    post(emulator, {"contents": [{"parts": [{"text": "[emulator:fault=503] x"}]}]})
    post(emulator, {})
    post(emulator, WORDS, "countTokens")
    log = log_of(emulator, last)
    assert [entry["number"] for entry in log] == [last + i for i in (1, 2, 3, 4)]
    seen = [tuple(entry[name] for name in PAID) for entry in log]
    assert seen == [
        (True, 200, reply["promptTokenCount"], reply["candidatesTokenCount"]),
        (False, 503, 6, 0),
        (False, 400, 0, 0),
        (False, 200, 2, 0),
    ]
    assert all(entry["came"] <= entry["time"] for entry in log)


def test_everything_that_is_sent_is_counted(emulator: EmulatorHandle) -> None:
    """System instruction, earlier turns and each picture by its own level are counted."""
    inner = {
        "model": f"models/{MODEL}",
        "systemInstruction": {"parts": [{"text": "1234"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "12345678"}, picture()]},
            {"role": "model", "parts": [{"text": "1234"}]},
            {
                "role": "user",
                "parts": [
                    picture(mediaResolution={"level": "MEDIA_RESOLUTION_LOW"}),
                    picture(media_resolution={"level": "MEDIA_RESOLUTION_HIGH"}),
                    {"text": "1234"},
                ],
            },
        ],
        "generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_MEDIUM"},
    }
    both = {"contents": inner["contents"], "generateContentRequest": inner}
    for body in ({"generateContentRequest": inner}, both):
        counts = post(emulator, body, "countTokens").json()["promptTokensDetails"]
        by_kind = {entry["modality"]: entry["tokenCount"] for entry in counts}
        assert by_kind == {"TEXT": 3 + 4, "IMAGE": 560 + 280 + 1120}
    usage = post(emulator, inner).json()["usageMetadata"]
    assert usage["promptTokenCount"] == 7 + 1960


def test_the_enterprise_counts_with_a_config(emulator: EmulatorHandle) -> None:
    """An enterprise client may send system instruction and config; the other may not."""
    client = genai.Client(
        enterprise=True,
        project="p",
        location="us-central1",
        credentials=Credentials(token="t"),
        http_options=types.HttpOptions(base_url=emulator.url),
    )
    part = types.Part.from_bytes(
        data=base64.b64decode(picture()["inlineData"]["data"]), mime_type="image/png"
    )
    count = client.models.count_tokens(
        model=MODEL,
        contents=[part],
        config=types.CountTokensConfig(
            system_instruction="12345678",
            generation_config=types.GenerationConfig(
                media_resolution=types.MediaResolution.MEDIA_RESOLUTION_LOW
            ),
        ),
    )
    assert count.total_tokens == 282
    body = {**WORDS, "systemInstruction": {"parts": [{"text": "x"}]}}
    message = message_of(post(emulator, body, "countTokens"))
    assert 'Unknown name "systemInstruction": Cannot find field.' in message


@pytest.mark.parametrize(
    ("body", "field", "name"),
    [
        ({**WORDS, "temprature": 1}, "", "temprature"),
        (
            {**WORDS, "generationConfig": {"maxToken": 1}},
            "generation_config",
            "maxToken",
        ),
        (
            {**WORDS, "generationConfig": {"thinkingConfig": {"level": "LOW"}}},
            "generation_config.thinking_config",
            "level",
        ),
        ({"contents": {"parts": {"txt": "x"}}}, "contents.parts", "txt"),
        (
            {"contents": [{"parts": [{"text": "x"}, {"fileData": {"uri": "x"}}]}]},
            "contents[0].parts[1].file_data",
            "uri",
        ),
        (
            {"contents": [{"parts": [{"videoMetadata": {"framerate": 1}}]}]},
            "contents[0].parts[0].video_metadata",
            "framerate",
        ),
    ],
)
def test_an_unknown_field_is_named_with_its_path(
    emulator: EmulatorHandle, body: dict, field: str, name: str
) -> None:
    """A field that a message does not have is refused in the words of protobuf's reader."""
    response = post(emulator, body)
    where = f" at '{field}'" if field else ""
    assert message_of(response) == (
        f'Invalid JSON payload received. Unknown name "{name}"{where}: '
        "Cannot find field."
    )
    if field:
        (detail,) = response.json()["error"]["details"]
        assert detail["fieldViolations"][0]["field"] == field


def test_a_schema_may_name_its_properties_as_it_likes(emulator: EmulatorHandle) -> None:
    """Names inside a response schema are the caller's own."""
    schema = {"type": "OBJECT", "properties": {"anyThing": {"type": "STRING"}}}
    config = {"responseSchema": schema, "responseMimeType": "application/json"}
    assert post(emulator, {**WORDS, "generationConfig": config}).status_code == 200


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"fps": 25}, "fps"),
        ({"fps": 0}, "fps"),
        ({"startOffset": "5"}, "Duration"),
        ({"start_offset": "1:05"}, "Duration"),
        ({"startOffset": "9s", "endOffset": "3.5s"}, "not after"),
    ],
)
def test_a_clip_that_cannot_be_is_refused(
    emulator: EmulatorHandle, told: dict, words: str
) -> None:
    """Frame rates outside of (0, 24], odd times and empty spans are 400."""
    uri = {"fileData": {"fileUri": "https://youtu.be/9hE5-98ZeCg"}}
    part = {**uri, "videoMetadata": told}
    assert words in message_of(post(emulator, {"contents": [{"parts": [part]}]}))


def test_more_pictures_than_a_request_may_hold_are_refused(
    emulator: EmulatorHandle,
) -> None:
    """3,601 pictures are one too many."""
    body = {"contents": [{"parts": [picture(1, 1)] * 3601}]}
    assert "fewer than 3600 images" in message_of(post(emulator, body))


def test_an_inline_limit_is_settable(truth: str) -> None:
    """A body over the limit is refused, and the connection goes on."""
    with running_emulator(Settings(truth=truth, inline_limit=2_000_000)) as emulator:
        large = {"contents": [{"parts": [{"text": "x" * 3_000_000}]}]}
        for _ in range(3):
            assert message_of(post(emulator, large)) == (
                "Request payload size exceeds the limit: 2000000 bytes."
            )
            assert post(emulator, WORDS).status_code == 200
        client = client_of(emulator)
        with pytest.raises(errors.ClientError, match="payload size"):
            client.models.generate_content(model=MODEL, contents="x" * 2_000_001)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rpm": -1}, "rpm must not be negative"),
        ({"batch_ends": "failed,lost"}, "cannot end as 'lost'"),
        ({"call_faults": "upload:blocked"}, "not 'upload:blocked'"),
        ({"call_faults": "download:503"}, "not 'download:503'"),
        ({"gcs_folder": "/no/such/folder"}, "There is no folder"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict, words: str) -> None:
    """The emulator says what is wrong instead of starting."""
    with (
        pytest.raises(EmulatorError, match=words),
        running_emulator(Settings(**settings)),
    ):
        pass


def test_the_page_number_of_the_log_is_checked(emulator: EmulatorHandle) -> None:
    """A log cut at no number is a 400, as JSON."""
    reply = HTTP.get(f"{emulator.url}/emulator/log?after=soon")
    assert reply.status_code == 400
    assert "after" in json.loads(reply.text)["error"]["message"]
