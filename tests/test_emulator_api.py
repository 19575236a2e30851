"""The emulator speaks the Gemini REST API, as the real SDK and raw HTTP see it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from fiftyone_gemini.emulator import EmulatorHandle, Settings, running_emulator
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

MODEL = "gemini-3.8-flash"
KEY = "a-secret-that-must-not-be-kept"
HTTP = httpx2.Client()
NAMES = [MODEL, "gemini-3.6-flash", "gemini-3.5-flash-lite", "gemini-2.5-flash"]
ITEM = {
    "type": "OBJECT",
    "properties": {
        "box_2d": {"type": "ARRAY", "items": {"type": "INTEGER"}},
        "label": {"type": "STRING"},
    },
}


@pytest.fixture(scope="module")
def emulator(request: pytest.FixtureRequest) -> Iterator[EmulatorHandle]:
    """Run an emulator that answers from the truth of the demo scenes."""
    folder = request.getfixturevalue("demo")
    with running_emulator(Settings(truth=str(folder / "annotations.json"))) as handle:
        yield handle


@pytest.fixture(scope="module")
def client(emulator: EmulatorHandle) -> genai.Client:
    """Give an SDK client with the default API version."""
    return client_of(emulator)


def client_of(emulator: EmulatorHandle, version: str | None = None) -> genai.Client:
    """Build an SDK client of one API version."""
    options = types.HttpOptions(base_url=emulator.url, api_version=version)
    return genai.Client(api_key=KEY, http_options=options)


@pytest.fixture(scope="module")
def picture(demo: Path) -> bytes:
    """Give one demo scene."""
    return min((demo / "data").glob("*.jpg")).read_bytes()


@pytest.fixture(scope="module")
def question(picture: bytes) -> list[types.Part | str]:
    """Ask for boxes in that scene."""
    part = types.Part.from_bytes(data=picture, mime_type="image/jpeg")
    return [part, "Detect all objects with box_2d and label."]


def boxes_of(text: str | None) -> list[list[int]]:
    """Read the boxes of a fenced answer, strictly."""
    fenced = re.fullmatch(r"```json\n(.*)\n```", text or "", re.DOTALL)
    assert fenced
    boxes = [item["box_2d"] for item in json.loads(fenced[1])]
    for box in boxes:
        assert all(type(value) is int for value in box)
        top, left, bottom, right = box
        assert 0 <= top < bottom <= 1000
        assert 0 <= left < right <= 1000
    return boxes


def body_of(picture: bytes, *, camel: bool, urlsafe: bool) -> dict:
    """Write a request in one of the key styles and base64 alphabets."""
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    blob = {"mimeType" if camel else "mime_type": "image/jpeg"}
    blob["data"] = encode(picture).decode()
    parts = [{"inlineData" if camel else "inline_data": blob}, {"text": "Detect."}]
    config = {"responseMimeType" if camel else "response_mime_type": "application/json"}
    name = "generationConfig" if camel else "generation_config"
    return {"contents": [{"role": "user", "parts": parts}], name: config}


def post(
    emulator: EmulatorHandle, body: object, model: str = MODEL, **options: object
) -> httpx2.Response:
    """Send a body as raw HTTP."""
    url = f"{emulator.url}/v1/models/{model}:generateContent"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = options.pop("headers", {"x-goog-api-key": KEY})
    return HTTP.post(url, content=content, headers=headers, **options)


def error_of(response: httpx2.Response, code: int, status: str) -> str:
    """Check the shape of a Google error; give its message."""
    error = response.json()["error"]
    assert response.status_code == error["code"] == code
    assert error["status"] == status
    return error["message"]


@pytest.mark.parametrize("version", [None, "v1", "v1beta", "v1alpha", "v1beta1"])
def test_the_sdk_gets_boxes_on_every_version(
    emulator: EmulatorHandle, question: list, version: str | None
) -> None:
    """GenerateContent answers under any version prefix, with usage and a version."""
    client = client_of(emulator, version)
    reply = client.models.generate_content(model=MODEL, contents=question)
    assert boxes_of(reply.text)
    assert reply.candidates[0].finish_reason is types.FinishReason.STOP
    assert reply.model_version == "emulator-truth"
    assert reply.response_id
    usage = reply.usage_metadata
    counts = {d.modality.value: d.token_count for d in usage.prompt_tokens_details}
    assert counts["IMAGE"] == 1120
    assert usage.prompt_token_count == sum(counts.values())
    assert usage.total_token_count == (
        usage.prompt_token_count + usage.candidates_token_count
    )


def test_async_and_streams_say_the_same_as_sync(
    emulator: EmulatorHandle, question: list
) -> None:
    """The four ways of the SDK to generate give one text; streams come in pieces."""
    client = client_of(emulator)
    ask = {"model": MODEL, "contents": question}
    whole = client.models.generate_content(**ask).text

    async def others() -> tuple[str, list[str]]:
        async with client_of(emulator).aio as aio:
            reply = await aio.models.generate_content(**ask)
            stream = await aio.models.generate_content_stream(**ask)
            return reply.text, [chunk.text async for chunk in stream]

    plain, pieces = asyncio.run(others())
    stream = list(client.models.generate_content_stream(**ask))
    assert plain == "".join(pieces) == "".join(c.text for c in stream) == whole
    assert len(pieces) > 1
    assert [bool(c.candidates[0].finish_reason) for c in stream[:-1]].count(True) == 0
    assert stream[-1].candidates[0].finish_reason is types.FinishReason.STOP


def test_a_stream_without_sse_is_a_list(
    emulator: EmulatorHandle, picture: bytes
) -> None:
    """StreamGenerateContent without alt=sse gives a JSON list of messages."""
    url = f"{emulator.url}/v1beta/models/{MODEL}:streamGenerateContent?key={KEY}"
    messages = httpx2.post(url, json=body_of(picture, camel=True, urlsafe=False)).json()
    texts = [m["candidates"][0]["content"]["parts"][0]["text"] for m in messages]
    assert json.loads("".join(texts))


def test_key_styles_and_base64_alphabets_are_all_understood(
    emulator: EmulatorHandle, picture: bytes
) -> None:
    """CamelCase and snake_case, standard and URL-safe base64 give the same answer."""
    answers = {
        post(emulator, body_of(picture, camel=camel, urlsafe=urlsafe)).json()[
            "candidates"
        ][0]["content"]["parts"][0]["text"]
        for camel in (True, False)
        for urlsafe in (True, False)
    }
    assert len(answers) == 1
    assert json.loads(answers.pop())


def test_count_tokens_follows_the_documented_rules(
    emulator: EmulatorHandle, client: genai.Client
) -> None:
    """A picture costs 1120 on 3.x; on 2.5 the 960 x 540 example costs six tiles."""
    data = io.BytesIO()
    Image.new("RGB", (960, 540)).save(data, "PNG")
    part = types.Part.from_bytes(data=data.getvalue(), mime_type="image/png")
    count = client.models.count_tokens
    assert count(model=MODEL, contents=[part, "12345678"]).total_tokens == 1122
    assert count(model="gemini-2.5-flash", contents=[part]).total_tokens == 6 * 258
    low = types.Part.from_bytes(
        data=data.getvalue(),
        mime_type="image/png",
        media_resolution=types.PartMediaResolutionLevel.MEDIA_RESOLUTION_LOW,
    )
    assert count(model=MODEL, contents=[low]).total_tokens == 280

    async def counted() -> int:
        async with client_of(emulator).aio as aio:
            reply = await aio.models.count_tokens(model=MODEL, contents="12345678")
            return reply.total_tokens

    assert asyncio.run(counted()) == 2


def test_models_are_listed_in_pages_and_say_what_they_are(
    client: genai.Client,
) -> None:
    """The models have real names, and display names that say "not Gemini"."""
    models = list(client.models.list(config={"page_size": 3}))
    assert [m.name for m in models] == [f"models/{name}" for name in NAMES]
    assert all("not Gemini" in m.display_name for m in models)
    one = client.models.get(model="gemini-2.5-flash")
    assert "generateContent" in one.supported_actions
    assert one.input_token_limit == 1_048_576


def test_the_enterprise_paths_answer_too(
    emulator: EmulatorHandle, question: list
) -> None:
    """An enterprise client with a project gets boxes, counts and models."""
    client = genai.Client(
        enterprise=True,
        project="p",
        location="us-central1",
        credentials=Credentials(token="t"),
        http_options=types.HttpOptions(base_url=emulator.url),
    )
    reply = client.models.generate_content(model=MODEL, contents=question)
    assert boxes_of(reply.text)
    assert client.models.count_tokens(model=MODEL, contents="abcd").total_tokens == 1
    assert client.models.get(model=MODEL).name == f"publishers/google/models/{MODEL}"


def test_an_unknown_model_is_a_404_in_googles_words(client: genai.Client) -> None:
    """Asking a model that is not there gives NOT_FOUND with the real wording."""
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model="gemini-9", contents="x")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    assert caught.value.message.startswith(
        "models/gemini-9 is not found for API version v1, or is not supported for"
    )
    with pytest.raises(errors.ClientError, match="is not found for API version v1"):
        client.models.get(model="gemini-9")


@pytest.mark.parametrize(
    "headers", [{}, {"x-goog-api-key": ""}, {"authorization": "Bearer"}]
)
def test_without_a_key_nobody_is_served(
    emulator: EmulatorHandle, headers: dict[str, str]
) -> None:
    """A missing or empty key is 403 PERMISSION_DENIED."""
    response = post(emulator, {"contents": []}, headers=headers)
    message = error_of(response, 403, "PERMISSION_DENIED")
    assert message.startswith("Method doesn't allow unregistered callers")


def test_a_refusal_leaves_the_connection_usable(emulator: EmulatorHandle) -> None:
    """After an early refusal of a large body the same connection serves the next."""
    for _ in range(5):
        big = {"contents": [{"parts": [{"text": "x" * 300_000}]}]}
        error_of(post(emulator, big, headers={}), 403, "PERMISSION_DENIED")
        error_of(post(emulator, big, "nope"), 404, "NOT_FOUND")


GOOD = {"contents": [{"parts": [{"text": "x"}]}]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "Invalid JSON payload received."),
        (b"[]", "Invalid JSON payload received."),
        (b"\xff\xfe\x00", "Invalid JSON payload received."),
        ({}, "contents is not specified"),
        ({"contents": []}, "contents is not specified"),
        ({**GOOD, "temperature": 1}, 'Unknown name "temperature"'),
        ({"contents": ["x"]}, "Invalid value at 'contents[0]'"),
        ({"contents": [{"parts": [7]}]}, "Invalid value at 'contents[0].parts[0]'"),
        ({**GOOD, "generationConfig": 7}, "Invalid value at 'generation_config'"),
    ],
)
def test_a_malformed_body_is_a_400(
    emulator: EmulatorHandle, body: object, message: str
) -> None:
    """What is not a request gets INVALID_ARGUMENT that says why."""
    response = post(emulator, body)
    assert message in error_of(response, 400, "INVALID_ARGUMENT")


NAMES_IN_BODIES = st.sampled_from(
    [
        *("contents", "parts", "text", "inlineData", "inline_data", "mimeType"),
        *("data", "generationConfig", "responseSchema", "properties", "mask", "enum"),
        *("label", "type", "items", "thinkingConfig", "thinkingLevel", "fileData"),
        *("maxOutputTokens", "mediaResolution", "systemInstruction", "level"),
    ]
)
JSON_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.sampled_from(["image/png", "LOW", "x", "\ud800", "é", "[emulator:fault=x]"]),
)
BODIES = st.recursive(
    JSON_LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES_IN_BODIES, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(contents=BODIES, config=BODIES, system=BODIES)
@settings(max_examples=100)
def test_no_body_breaks_the_server(
    emulator: EmulatorHandle, contents: object, config: object, system: object
) -> None:
    """Whatever JSON comes in, the answer is an answer or an error of the API."""
    body = {"contents": contents, "generationConfig": config}
    response = post(emulator, {**body, "systemInstruction": system})
    assert response.status_code in {200, 400, 403}
    assert {"candidates", "error"} & set(response.json())


@pytest.mark.parametrize("body", [b"[" * 90_000, b'{"a":' * 990 + b"1" + b"}" * 990])
def test_a_deep_body_is_a_400(emulator: EmulatorHandle, body: bytes) -> None:
    """Nesting without end is refused like other broken JSON."""
    error_of(post(emulator, body), 400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("model", "thinking", "message"),
    [
        (MODEL, {"thinkingBudget": 0, "thinkingLevel": "LOW"}, "only one of thinking"),
        (MODEL, {"thinking_level": "MINIMAL"}, "MINIMAL is not supported"),
        (MODEL, {"thinking_level": "DEEP"}, "thinking_level"),
        ("gemini-2.5-flash", {"thinking_level": "LOW"}, "not supported for this model"),
    ],
)
def test_thinking_that_a_model_refuses_is_a_400(
    emulator: EmulatorHandle, model: str, thinking: dict, message: str
) -> None:
    """Budget with level, an unknown or unsupported level, a level on 2.5: refused."""
    body = {**GOOD, "generationConfig": {"thinkingConfig": thinking}}
    response = post(emulator, body, model)
    assert message in error_of(response, 400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("mime", "data", "message"),
    [
        ("image/jpeg", b"not a picture", "Unable to process input image"),
        ("image/jpeg", b"", "Unable to process input image"),
        ("image/bmp", b"BM", "Unsupported MIME type: image/bmp"),
        ("video/mp4", b"x", "Unable to process input video"),
        ("video/x-matroska", b"x", "Unsupported MIME type: video/x-matroska"),
    ],
)
def test_a_picture_that_cannot_be_read_is_a_400(
    client: genai.Client, mime: str, data: bytes, message: str
) -> None:
    """Undecodable bytes and other media are refused as Gemini refuses them."""
    part = types.Part(inline_data=types.Blob(data=data, mime_type=mime))
    for call in (client.models.generate_content, client.models.count_tokens):
        with pytest.raises(errors.ClientError, match=message) as caught:
            call(model=MODEL, contents=[part, "Detect."])
        assert caught.value.code == 400


def test_a_truncated_jpeg_is_a_400(client: genai.Client, picture: bytes) -> None:
    """A picture that breaks off is not half answered."""
    half = picture[: len(picture) // 2]
    part = types.Part.from_bytes(data=half, mime_type="image/jpeg")
    with pytest.raises(errors.ClientError, match="Unable to process input image"):
        client.models.generate_content(model=MODEL, contents=[part, "Detect."])


def test_bad_base64_and_files_are_refused(emulator: EmulatorHandle) -> None:
    """Broken base64 is a 400 that names the field; a file the emulator never got, 403."""
    blob = {"mimeType": "image/png", "data": "data:image/png;base64,xx"}
    response = post(emulator, {"contents": [{"parts": [{"inlineData": blob}]}]})
    message = error_of(response, 400, "INVALID_ARGUMENT")
    assert "contents[0].parts[0].inline_data.data" in message
    part = {"fileData": {"fileUri": "files/x", "mimeType": "image/png"}}
    response = post(emulator, {"contents": [{"parts": [part]}]})
    assert "File x or it may" in error_of(response, 403, "PERMISSION_DENIED")


def test_a_schema_decides_fence_wrapper_and_keys(
    client: genai.Client, question: list
) -> None:
    """JSON mode drops the fence; the schema decides list or object, and confidence."""

    def ask(schema: dict) -> object:
        config = {"response_mime_type": "application/json", "response_schema": schema}
        reply = client.models.generate_content(
            model=MODEL, contents=question, config=config
        )
        return json.loads(reply.text)

    items = {"type": "ARRAY", "items": ITEM}
    bare = ask(items)
    assert [set(item) for item in bare] == [{"box_2d", "label"}] * len(bare)
    wrapped = ask({"type": "OBJECT", "properties": {"boxes": items}})
    assert wrapped == {"boxes": bare}
    properties = {**ITEM["properties"], "confidence": {"type": "NUMBER"}}
    scored = ask({"type": "ARRAY", "items": {**ITEM, "properties": properties}})
    assert {item["confidence"] for item in scored} == {1.0}


def test_an_output_limit_cuts_the_answer(client: genai.Client, question: list) -> None:
    """MaxOutputTokens ends the text early, with finish reason MAX_TOKENS."""
    reply = client.models.generate_content(
        model=MODEL, contents=question, config={"max_output_tokens": 20}
    )
    assert reply.candidates[0].finish_reason is types.FinishReason.MAX_TOKENS
    assert reply.usage_metadata.candidates_token_count <= 20


def test_more_or_less_than_one_picture_is_declined_in_words(
    client: genai.Client, question: list
) -> None:
    """Without a picture, or with two, the emulator says what it is instead."""
    for contents in (["Detect."], [question[0], question[0], "Detect."]):
        reply = client.models.generate_content(model=MODEL, contents=contents)
        assert "emulator, not Gemini" in reply.text
        assert "{" not in reply.text


def test_the_page_says_it_is_not_gemini(emulator: EmulatorHandle) -> None:
    """A person who opens the server reads before all else that it is not Gemini."""
    for path in ("/", "/emulator"):
        page = httpx2.get(emulator.url + path)
        assert page.headers["content-type"].startswith("text/html")
        assert "This is not Gemini" in page.text


def test_the_log_tells_all_but_the_key(
    emulator: EmulatorHandle, client: genai.Client, question: list, picture: bytes
) -> None:
    """The request log holds path, model, picture and status of each call, no key."""
    client.models.generate_content(model=MODEL, contents=question)
    httpx2.post(f"{emulator.url}/v1/models/nope:generateContent?key={KEY}", json={})
    text = httpx2.get(f"{emulator.url}/emulator/log").text
    assert KEY not in text
    last, missed = json.loads(text)[-2:]
    digest = sha256(picture).hexdigest()[:16]
    assert last["picture"] == digest
    assert (last["model"], last["status"], last["fault"]) == (MODEL, 200, "")
    assert last["path"] == f"/v1/models/{MODEL}:generateContent"
    assert last["time"] < missed["time"]
    assert (missed["model"], missed["status"]) == ("nope", 404)
