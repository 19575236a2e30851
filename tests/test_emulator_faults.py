"""What goes wrong on request, as the real SDK sees it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import httpx2
import pytest
from fiftyone_gemini.emulator import (
    EmulatorError,
    EmulatorHandle,
    Settings,
    create_app,
    running_emulator,
)
from google import genai
from google.genai import errors, types

MODEL = "gemini-3.8-flash"


@pytest.fixture(scope="module")
def truth(request: pytest.FixtureRequest) -> Path:
    """Name the truth file of the demo scenes."""
    return request.getfixturevalue("demo") / "annotations.json"


@pytest.fixture(scope="module")
def emulator(truth: Path) -> Iterator[EmulatorHandle]:
    """Run an emulator in which faults happen only when a request wishes them."""
    with running_emulator(settings_with(truth)) as handle:
        yield handle


@pytest.fixture
def client(emulator: EmulatorHandle) -> genai.Client:
    """Give an SDK client that never retries."""
    return client_of(emulator)


@pytest.fixture(scope="module")
def pictures(truth: Path) -> list[Path]:
    """Name the demo scenes."""
    return sorted((truth.parent / "data").glob("*.jpg"))


def settings_with(truth: Path, faults: str = "") -> Settings:
    """Set a truth file and faults."""
    return Settings(
        truth=str(truth),
        faults=faults,
        retry_delay=1.5,
        slow_seconds=0.3,
        seed=7,
    )


def client_of(emulator: EmulatorHandle) -> genai.Client:
    """Build an SDK client."""
    options = types.HttpOptions(base_url=emulator.url)
    return genai.Client(api_key="k", http_options=options)


def contents(picture: Path, words: str) -> list[types.Part | str]:
    """Ask about one picture; words that differ make a request of its own."""
    part = types.Part.from_bytes(data=picture.read_bytes(), mime_type="image/jpeg")
    return [part, f"Detect all objects. {words}"]


def ask(
    client: genai.Client, picture: Path, words: str
) -> types.GenerateContentResponse:
    """Ask once about a picture."""
    return client.models.generate_content(
        model=MODEL, contents=contents(picture, words)
    )


def wish(fault: str, why: str = "") -> str:
    """Write the marker by which a prompt wishes a fault."""
    return f"[emulator:fault={fault}] {why}"


def test_a_429_carries_quota_and_retry_delay_and_passes(
    client: genai.Client, pictures: list[Path]
) -> None:
    """A busy minute is RESOURCE_EXHAUSTED with RetryInfo; the second try succeeds."""
    with pytest.raises(errors.ClientError) as caught:
        ask(client, pictures[0], wish("429"))
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    details = {d["@type"]: d for d in caught.value.details["error"]["details"]}
    kind = "type.googleapis.com/google.rpc."
    assert details[kind + "RetryInfo"]["retryDelay"] == "1.5s"
    violation = details[kind + "QuotaFailure"]["violations"][0]
    assert "PerMinute" in violation["quotaId"]
    assert violation["quotaDimensions"]["model"] == MODEL
    assert ask(client, pictures[0], wish("429")).text


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [("429day", 429, "current quota"), ("badkey", 400, "API key not valid")],
)
def test_a_daily_quota_and_a_wrong_key_never_pass(
    client: genai.Client, pictures: list[Path], fault: str, code: int, words: str
) -> None:
    """Asking again does not help when the day is used up or the key is wrong."""
    for _ in range(3):
        with pytest.raises(errors.ClientError, match=words) as caught:
            ask(client, pictures[0], wish(fault))
        assert caught.value.code == code
    detail = json.dumps(caught.value.details)
    assert ("PerDay" if code == 429 else "API_KEY_INVALID") in detail


@pytest.mark.parametrize(
    ("fault", "code"), [("503", 503), ("html502", 502), ("500", 500)]
)
def test_a_server_error_passes(
    client: genai.Client, pictures: list[Path], fault: str, code: int
) -> None:
    """An overloaded model and an HTML gateway page are ServerErrors, once."""
    with pytest.raises(errors.ServerError) as caught:
        ask(client, pictures[0], wish(fault))
    assert caught.value.code == code
    assert ("<html>" in caught.value.message) == (code == 502)
    assert (caught.value.status == "UNAVAILABLE") == (code == 503)
    assert ask(client, pictures[0], wish(fault)).text


def test_a_bare_429_names_no_time_to_wait(
    client: genai.Client, pictures: list[Path]
) -> None:
    """Without RetryInfo the client must find its own pace; then the answer comes."""
    with pytest.raises(errors.ClientError) as caught:
        ask(client, pictures[0], wish("429bare"))
    assert caught.value.code == 429
    assert not caught.value.details["error"].get("details")
    assert ask(client, pictures[0], wish("429bare")).text


def test_an_answer_may_have_no_candidates(
    client: genai.Client, pictures: list[Path]
) -> None:
    """Neither a candidate nor a reason: what really happens now and then."""
    response = ask(client, pictures[0], wish("nocandidates"))
    assert not response.candidates
    assert response.prompt_feedback is None
    assert response.usage_metadata.prompt_token_count


def test_a_slow_answer_is_an_answer(client: genai.Client, pictures: list[Path]) -> None:
    """Slow takes its time, then answers; the second time it is quick."""
    started = time.monotonic()
    assert ask(client, pictures[0], wish("slow")).text
    between = time.monotonic()
    assert ask(client, pictures[0], wish("slow")).text
    assert between - started >= 0.3 > time.monotonic() - between


def test_a_cut_connection_ends_in_the_middle_of_the_body(
    emulator: EmulatorHandle, client: genai.Client, pictures: list[Path]
) -> None:
    """A cut connection is a transport error, sync, async and streamed; then passes."""
    with pytest.raises(httpx2.RemoteProtocolError):
        ask(client, pictures[0], wish("cut", "sync"))
    assert ask(client, pictures[0], wish("cut", "sync")).text
    with pytest.raises(httpx2.RemoteProtocolError):
        for _ in client.models.generate_content_stream(
            model=MODEL, contents=contents(pictures[0], wish("cut", "stream"))
        ):
            pass

    async def cut() -> None:
        async with client_of(emulator).aio as aio:
            await aio.models.generate_content(
                model=MODEL, contents=contents(pictures[0], wish("cut", "async"))
            )

    with pytest.raises(aiohttp.ClientError):
        asyncio.run(cut())


def test_a_blocked_prompt_has_no_candidates(
    client: genai.Client, pictures: list[Path]
) -> None:
    """Blocked gives a block reason and no text, whole and streamed, each time."""
    for _ in range(2):
        reply = ask(client, pictures[0], wish("blocked"))
        assert reply.text is None
        assert reply.candidates is None
        assert reply.prompt_feedback.block_reason is types.BlockedReason.SAFETY
        assert reply.usage_metadata.candidates_token_count == 0
    words = contents(pictures[0], wish("blocked"))
    (chunk,) = client.models.generate_content_stream(model=MODEL, contents=words)
    assert chunk.prompt_feedback.block_reason is types.BlockedReason.SAFETY


@pytest.mark.parametrize("model", [MODEL, "gemini-2.5-flash"])
@pytest.mark.parametrize("words", ["", "Give segmentation masks."])
def test_a_truncated_answer_ends_inside_an_item(
    client: genai.Client, pictures: list[Path], model: str, words: str
) -> None:
    """Truncated stops with MAX_TOKENS where a whole answer would have gone on."""

    def said(mark: str) -> types.GenerateContentResponse:
        asked = contents(pictures[0], f"{words} {mark}")
        return client.models.generate_content(model=model, contents=asked)

    whole, cut = said(""), said(wish("truncated"))
    assert cut.candidates[0].finish_reason is types.FinishReason.MAX_TOKENS
    assert whole.text.startswith(cut.text)
    assert cut.text[-1].isalnum()
    assert cut.text.count('"box_2d"') > cut.text.count('"label"') or (
        cut.text.rindex("{") > cut.text.rindex("}")
    )


def test_a_malformed_answer_is_prose_and_an_empty_one_an_empty_list(
    client: genai.Client, pictures: list[Path]
) -> None:
    """Malformed holds no JSON; empty is a valid answer with nothing in it."""
    prose = ask(client, pictures[0], wish("malformed")).text
    assert "[" not in prose
    assert "{" not in prose
    assert ask(client, pictures[0], wish("empty")).text == "```json\n[]\n```"


def test_a_header_wishes_as_well_and_the_log_remembers(
    emulator: EmulatorHandle, pictures: list[Path]
) -> None:
    """The header x-emulator-fault works too; an unknown fault is refused by name."""
    client = client_of(emulator)

    def with_header(fault: str) -> types.GenerateContentResponse:
        options = types.HttpOptions(headers={"x-emulator-fault": fault})
        return client.models.generate_content(
            model=MODEL,
            contents=contents(pictures[1], ""),
            config=types.GenerateContentConfig(http_options=options),
        )

    assert with_header("blocked").prompt_feedback.block_reason
    with pytest.raises(errors.ClientError, match="There is no fault 'nonsense'"):
        with_header("nonsense")
    log = httpx2.get(f"{emulator.url}/emulator/log").json()
    assert [(e["status"], e["fault"]) for e in log[-2:]] == [
        (200, "blocked"),
        (400, ""),
    ]


def test_faults_are_addressed_to_pictures_by_name(
    truth: Path, pictures: list[Path]
) -> None:
    """A fault given to a file name hits that picture alone, even recompressed."""
    plan = f"blocked@{pictures[1].name}, 503@{pictures[2].name}"
    with running_emulator(settings_with(truth, plan)) as handle:
        client = client_of(handle)
        assert ask(client, pictures[0], "").text
        assert ask(client, pictures[1], "").prompt_feedback.block_reason
        with pytest.raises(errors.ServerError):
            ask(client, pictures[2], "")
        assert ask(client, pictures[2], "").text


def test_rates_are_kept_and_the_same_for_a_seed(
    truth: Path, pictures: list[Path]
) -> None:
    """A rate hits about its share of requests, the same ones in every process."""
    rounds = [hit_by(truth, pictures[0], "empty:0.3,503:0.3") for _ in range(2)]
    assert rounds[0] == rounds[1]
    shares = [rounds[0].count(kind) / len(rounds[0]) for kind in ("empty", "503", "ok")]
    assert shares == pytest.approx([0.3, 0.3, 0.4], abs=0.2)


def hit_by(truth: Path, picture: Path, faults: str) -> list[str]:
    """Say for each of 60 different requests what it met at first."""
    outcome = []
    with running_emulator(settings_with(truth, faults)) as handle:
        client = client_of(handle)
        for i in range(60):
            try:
                text = ask(client, picture, str(i)).text
                outcome.append("empty" if "[]" in text else "ok")
            except errors.ServerError:
                outcome.append("503")
                assert ask(client, picture, str(i)).text
    return outcome


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"faults": "oops:0.1"},
            "There is no fault 'oops'; there are: 429, 429bare, 429day",
        ),
        ({"faults": "503"}, "needs a rate from 0 to 1"),
        ({"faults": "503:2"}, "needs a rate from 0 to 1"),
        ({"faults": "503:0.7,429:0.7"}, "add up to more than 1"),
        ({"noise": 0.5}, "noise needs a truth file"),
        ({"noise": 2}, "noise must be from 0 to 1"),
        ({"latency": -1}, "latency must not be negative"),
        ({"truth": "nowhere.json"}, "nowhere.json cannot be read as a COCO file"),
        ({"images": "nowhere", "faults": "503:0"}, "There is no folder nowhere"),
    ],
)
def test_settings_that_mean_nothing_are_refused_in_a_sentence(
    settings: dict, words: str
) -> None:
    """A wrong setting stops the emulator before it starts, and says which."""
    with pytest.raises(EmulatorError, match=words):
        create_app(Settings(**settings))


def test_a_parent_hears_why_its_emulator_did_not_start(tmp_path: Path) -> None:
    """The sentence of a child that cannot start reaches the one who started it."""
    broken = tmp_path / "truth.json"
    broken.write_text("{}")
    settings = Settings(truth=str(broken))
    with (
        pytest.raises(EmulatorError, match="cannot be read as a COCO file"),
        running_emulator(settings),
    ):
        pass
