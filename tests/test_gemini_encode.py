"""What is really sent, seen by a server, and how failures are judged."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.gemini.client import Client
from fiftyone_gemini.gemini.encode import MAX_OUTPUT_TOKENS, config
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.gemini.envelope import read_body
from fiftyone_gemini.gemini.failures import (
    CallError,
    Cause,
    Next,
    advise,
    decide,
    read_cause,
)
from fiftyone_gemini.values import Request
from gemini_server import KEY, Seen, Server, picture, request_about, serving

SCHEMA = {"type": "array", "items": {"type": "object", "maxProperties": 3}}


def sent(request: Request) -> Seen:
    """Send a request and give what the server saw."""

    async def send(server) -> None:
        async with Client(server.endpoint()) as client:
            await client.ask(request)

    with serving([]) as server:
        asyncio.run(send(server))
    return server.seen[0]


def settings(request: Request) -> dict:
    """Give the generation config that the server saw."""
    return sent(request).body["generationConfig"]


def test_the_picture_comes_first_and_untouched() -> None:
    """The very bytes of the picture are sent, then the prompt."""
    seen = sent(request_about(3))
    first, second = seen.body["contents"][0]["parts"]
    data = base64.urlsafe_b64decode(first["inlineData"]["data"])
    assert data == picture(3)
    assert first["inlineData"]["mime_type"] == "image/png"
    assert second == {"text": "Detect all."}
    assert seen.body["contents"][0]["role"] == "user"
    assert seen.path == "/v1/models/gemini-3.8-flash:generateContent"


def test_google_is_asked_to_keep_nothing_and_to_answer_in_time() -> None:
    """`store` is false and the finite timeout is told to the server."""
    seen = sent(request_about())
    assert seen.body["store"] is False
    assert seen.headers["X-Server-Timeout"] == "10"


def test_a_schema_asks_for_json_of_that_shape() -> None:
    """The schema goes out as it is, with the JSON type; without one neither does."""
    asked = settings(request_about(schema=SCHEMA))
    assert asked["responseJsonSchema"] == SCHEMA
    assert asked["responseMimeType"] == "application/json"
    plain = settings(request_about())
    assert not {"responseJsonSchema", "responseMimeType"} & plain.keys()


@pytest.mark.parametrize(
    ("model", "thinking", "expected"),
    [
        ("gemini-3.8-flash", None, {"thinking_level": "LOW"}),
        ("gemini-3.6-flash", None, {"thinking_level": "MINIMAL"}),
        ("gemini-3.8-flash", "high", {"thinking_level": "HIGH"}),
        ("gemini-2.5-flash", None, {"thinking_budget": 0}),
        ("gemini-2.5-pro", None, {"thinking_budget": 128}),
        ("gemini-2.5-flash", "-1", {"thinking_budget": -1}),
        ("gemini-3.8-flash", "default", None),
        ("gemini-2.0-flash", None, None),
        ("gemini-9-neon", None, None),
    ],
)
def test_thinking_is_the_cheapest_accepted_or_as_asked(
    model: str, thinking: str | None, expected: dict | None
) -> None:
    """Levels from Gemini 3 on, budgets for 2.5, nothing where nothing is known."""
    asked = settings(request_about(model=model, thinking=thinking))
    assert asked.get("thinkingConfig") == expected


def test_an_unknown_thinking_setting_is_refused() -> None:
    """A misspelt level is the caller's mistake, not a request."""
    with pytest.raises(UsageError, match=r"'hihg'.*minimal"):
        config(request_about(thinking="hihg"), store=False)


def test_temperature_is_sent_only_where_it_is_accepted() -> None:
    """Gemini 2 gets 0.5 against loops, or what was asked; Gemini 3 gets none."""
    assert settings(request_about(model="gemini-2.5-flash"))["temperature"] == 0.5
    warm = request_about(model="gemini-2.5-flash", temperature=1.0)
    assert settings(warm)["temperature"] == 1.0
    assert "temperature" not in settings(request_about(temperature=1.0))


def test_output_is_always_bounded() -> None:
    """There is a finite limit of output tokens, ours or the caller's."""
    assert settings(request_about())["maxOutputTokens"] == MAX_OUTPUT_TOKENS
    assert settings(request_about(max_output_tokens=99))["maxOutputTokens"] == 99


def test_the_enterprise_platform_gets_no_store_field() -> None:
    """`store` is left out where the SDK would refuse it."""
    assert config(request_about(), store=None).store is None


def test_the_enterprise_platform_is_asked_by_key() -> None:
    """Express mode reaches the enterprise paths with the key."""

    async def send(server: Server) -> bytes:
        endpoint = Endpoint("enterprise", KEY, server.url)
        async with Client(endpoint) as client:
            return await client.ask(request_about())

    with serving([]) as server:
        assert read_body(asyncio.run(send(server))).text == "answer 0"
    (seen,) = server.seen
    assert seen.path.startswith("/v1beta1/publishers/google/models/")
    assert seen.headers["x-goog-api-key"] == KEY
    assert "store" not in seen.body


def test_missing_enterprise_credentials_stop_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a sign-in the sentence names the command."""
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)

    async def send() -> None:
        endpoint = Endpoint("enterprise", project="p", location="global")
        async with Client(endpoint) as client:
            await client.ask(request_about())

    with pytest.raises(CallError) as caught:
        asyncio.run(send())
    assert decide(caught.value.cause) is Next.STOP
    assert "gcloud auth" in advise(caught.value.cause, "m")


def test_other_settings_of_the_environment_do_not_interfere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The endpoint decides, not variables that were set for something else."""
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    monkeypatch.setenv("GOOGLE_API_KEY", "another")
    seen = sent(request_about())
    assert seen.path.startswith("/v1/models/")
    assert seen.headers["x-goog-api-key"] == KEY


def test_a_captured_429_is_read(shared: Path) -> None:
    """RetryInfo and the quota's name are found in a captured error."""
    capture = json.loads((shared / "wire" / "06_429_no_retry_default.json").read_text())
    body = capture["exchanges"][0]["response"]["body"]
    cause = read_cause(429, "RESOURCE_EXHAUSTED", "quota", body)
    assert cause.retry_seconds == 2.5
    assert cause.quota_ids == ("GenerateRequestsPerMinutePerProjectPerModel-FreeTier",)
    assert decide(cause) is Next.RETRY


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="nothing"),
        pytest.param({"error": "text"}, id="text"),
        pytest.param({"error": {"details": [1, {"violations": 3}]}}, id="numbers"),
        pytest.param({"error": {"details": [{"retryDelay": "soon"}]}}, id="no number"),
    ],
)
def test_odd_error_bodies_are_survived(body: object) -> None:
    """An error body of another shape gives no wait and no quota."""
    cause = read_cause(429, "", "", body)
    assert cause.retry_seconds is None
    assert cause.quota_ids == ()


def test_html_is_not_shown_to_the_user() -> None:
    """An error page becomes one short line."""
    cause = Cause(502, "Bad Gateway", "<html>\n<h1>Bad gateway</h1>" + "x" * 9999)
    assert str(cause).startswith("502 Bad Gateway Bad gateway x")
    assert len(str(cause)) < 400
