"""The emulator's Files API, as the real SDK and raw HTTP see it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from fiftyone_gemini.emulator import EmulatorHandle, Settings, running_emulator
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

MODEL = "gemini-3.8-flash"
HTTP = httpx2.Client(headers={"x-goog-api-key": "k"}, timeout=30)
CHUNK = 8 * 2**20
ASK = "Detect all objects with box_2d and label."


@pytest.fixture(scope="module")
def truth(demo: Path) -> str:
    """Give the truth of the demo scenes."""
    return str(demo / "annotations.json")


@pytest.fixture(scope="module")
def scene(demo: Path) -> Path:
    """Give one demo scene."""
    return min((demo / "data").glob("*.jpg"))


@pytest.fixture(scope="module")
def emulator(truth: str, demo: Path) -> Iterator[EmulatorHandle]:
    """Run an emulator with buckets: the demo's folder holds the bucket `data`."""
    with running_emulator(Settings(truth=truth, gcs_folder=str(demo))) as handle:
        yield handle


@pytest.fixture(scope="module")
def client(emulator: EmulatorHandle) -> genai.Client:
    """Give an SDK client."""
    return client_of(emulator)


def client_of(emulator: EmulatorHandle) -> genai.Client:
    """Build an SDK client."""
    options = types.HttpOptions(base_url=emulator.url)
    return genai.Client(api_key="k", http_options=options)


def ask(client: genai.Client, uri: str, mime: str | None = "image/jpeg") -> str:
    """Ask about a file by its URI; give the text."""
    part = types.Part(file_data=types.FileData(file_uri=uri, mime_type=mime))
    return client.models.generate_content(model=MODEL, contents=[part, ASK]).text


def refused(client: genai.Client, uri: str, mime: str | None = "image/jpeg") -> tuple:
    """Ask about a file that is refused; give code, status and message."""
    with pytest.raises(errors.ClientError) as caught:
        ask(client, uri, mime)
    return caught.value.code, caught.value.status, caught.value.message


def begin(
    url: str, size: int, mime: str = "image/jpeg", **file: object
) -> httpx2.Response:
    """Start a resumable upload by hand."""
    headers = {
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
        "x-goog-upload-header-content-length": str(size),
        "x-goog-upload-header-content-type": mime,
    }
    return HTTP.post(f"{url}/upload/v1/files", headers=headers, json={"file": file})


def send(url: str, command: str, offset: int = 0, data: bytes = b"") -> httpx2.Response:
    """Send one command of an upload, without a key."""
    headers = {"x-goog-upload-command": command, "x-goog-upload-offset": str(offset)}
    return httpx2.post(url, headers=headers, content=data, timeout=30)


def put(url: str, data: bytes, mime: str = "image/jpeg", **file: object) -> dict:
    """Upload bytes by hand; give the file."""
    place = begin(url, len(data), mime, **file).headers["x-goog-upload-url"]
    return send(place, "upload, finalize", 0, data).json()["file"]


def test_an_uploaded_picture_is_answered_like_an_inline_one(
    client: genai.Client, scene: Path
) -> None:
    """Upload, get, list, ask and delete work by the SDK; then the file is a 403."""
    config = {"name": "files/my-scene", "display_name": "A scene"}
    file = client.files.upload(file=scene, config=config)
    assert (file.name, file.display_name) == ("files/my-scene", "A scene")
    assert (file.state.value, file.mime_type) == ("ACTIVE", "image/jpeg")
    digest = sha256(scene.read_bytes()).hexdigest()
    assert base64.b64decode(file.sha256_hash).decode() == digest
    assert (file.expiration_time - file.create_time).total_seconds() == 48 * 3600
    assert client.files.get(name=file.name).size_bytes == scene.stat().st_size
    assert file.name in [f.name for f in client.files.list()]
    inline = types.Part.from_bytes(data=scene.read_bytes(), mime_type="image/jpeg")
    reply = client.models.generate_content(model=MODEL, contents=[inline, ASK])
    assert ask(client, file.uri) == ask(client, file.uri, None) == reply.text
    assert "box_2d" in reply.text
    client.files.delete(name=file.name)
    gone = (403, "PERMISSION_DENIED")
    why = "You do not have permission to access the File my-scene or it may not exist."
    assert refused(client, file.uri) == (*gone, why)
    with pytest.raises(errors.ClientError, match="my-scene") as caught:
        client.files.get(name=file.name)
    assert (caught.value.code, caught.value.status) == gone


def test_twelve_megabytes_come_in_two_chunks(
    emulator: EmulatorHandle, tmp_path: Path
) -> None:
    """The SDK's chunks of 8 MiB arrive whole, sync and async, and are hashed."""
    path = tmp_path / "requests.jsonl"
    path.write_bytes(bytes(range(256)) * (12 * 2**20 // 256))
    config = {"mime_type": "application/jsonl"}
    digest = sha256(path.read_bytes()).hexdigest()

    async def both() -> list[types.File]:
        client = client_of(emulator)
        first = client.files.upload(file=path, config=dict(config))
        async with client.aio as aio:
            return [first, await aio.files.upload(file=path, config=dict(config))]

    for file in asyncio.run(both()):
        assert file.size_bytes == 12 * 2**20
        assert base64.b64decode(file.sha256_hash).decode() == digest
    log = HTTP.get(f"{emulator.url}/emulator/log").json()
    uploads = [entry for entry in log if entry["picture"] == digest[:16]]
    assert [entry["path"] for entry in uploads] == ["/upload/v1/files"] * 2


def test_an_upload_is_resumed_where_it_stopped(emulator: EmulatorHandle) -> None:
    """The query command tells what came; a wrong offset is refused and costs nothing."""
    data = bytes(CHUNK + 5)
    place = begin(emulator.url, len(data), "application/jsonl").headers[
        "x-goog-upload-url"
    ]
    assert place.startswith(emulator.url)
    assert send(place, "upload", 0, data[:CHUNK]).status_code == 200
    assert send(place, "query").headers["x-goog-upload-size-received"] == str(CHUNK)
    wrong = send(place, "upload, finalize", 7, data[CHUNK:])
    assert wrong.status_code == 400
    assert "x-goog-upload-status" not in wrong.headers
    assert "offset 7 does not match" in wrong.json()["error"]["message"]
    last = send(place, "upload, finalize", CHUNK, data[CHUNK:])
    assert last.headers["x-goog-upload-status"] == "final"
    assert last.json()["file"]["sizeBytes"] == str(len(data))
    assert send(place, "query").headers["x-goog-upload-status"] == "final"


def test_uploads_that_cannot_be_are_refused(emulator: EmulatorHandle) -> None:
    """Odd chunks, too much or too little, unknown uploads, taken or bad names: refused."""
    place = begin(emulator.url, 10).headers["x-goog-upload-url"]
    assert "multiple of" in send(place, "upload", 0, b"12345").text
    assert "larger than" in send(place, "upload, finalize", 0, bytes(11)).text
    assert "were announced" in send(place, "upload, finalize", 0, b"12345").text
    assert send(place, "cancel").headers["x-goog-upload-status"] == "cancelled"
    assert send(place, "query").status_code == 404
    assert begin(emulator.url, 3, name="files/Bad_Name").status_code == 400
    put(emulator.url, b"{}", "application/jsonl", name="files/taken")
    assert begin(emulator.url, 3, name="files/taken").status_code == 409
    bare = httpx2.post(f"{emulator.url}/upload/v1/files", content=b"{}")
    assert bare.status_code == 403


def test_files_are_listed_in_pages_newest_first(emulator: EmulatorHandle) -> None:
    """Page size and page token walk through all files once."""
    names = [put(emulator.url, b"x", "text/plain")["name"] for _ in range(3)]
    url = f"{emulator.url}/v1beta/files?pageSize=2"
    first = HTTP.get(url).json()
    second = HTTP.get(f"{url}&pageToken={first['nextPageToken']}").json()
    listed = [file["name"] for file in first["files"] + second["files"]]
    assert listed[:3] == names[::-1]
    assert len(set(listed)) == len(listed)


def test_wrong_types_and_foreign_addresses_are_refused(
    client: genai.Client, emulator: EmulatorHandle, scene: Path
) -> None:
    """Another MIME type, a text, an outside address, a bucket: 400 with a reason."""
    uri = put(emulator.url, scene.read_bytes())["uri"]
    assert "image/png of the request" in refused(client, uri, "image/png")[2]
    text = put(emulator.url, b"x", "text/plain")["uri"]
    assert refused(client, text, "text/plain")[2] == "Unsupported MIME type: text/plain"
    outside = refused(client, "https://example.com/a.jpg")
    assert outside[:2] == (400, "INVALID_ARGUMENT")
    assert "Cannot fetch content" in outside[2]
    bucket = refused(client, "gs://data/a.jpg")[2]
    assert bucket == "Invalid or unsupported file uri: gs://data/a.jpg"


def test_videos_by_link_are_declined_in_words(client: genai.Client) -> None:
    """A YouTube address is accepted as one, and not looked at."""
    for uri in (
        "https://www.youtube.com/watch?v=9hE5-98ZeCg",
        "https://youtu.be/9hE5-98ZeCg?t=3",
        "https://www.youtube.com/shorts/9hE5-98ZeCg",
    ):
        assert "emulator, not Gemini" in ask(client, uri, None)
    assert refused(client, "https://www.youtube.com/@someone")[0] == 400


def test_a_file_is_used_only_when_it_is_active(truth: str, scene: Path) -> None:
    """PROCESSING is refused as Google refuses it; ACTIVE comes by itself; then it expires."""
    settings = Settings(truth=truth, processing_seconds=0.4, file_seconds=1.2)
    with running_emulator(settings) as emulator:
        client = client_of(emulator)
        file = client.files.upload(file=scene)
        broken = client.files.upload(
            file=io.BytesIO(b"no picture"), config={"mime_type": "image/png"}
        )
        assert file.state.value == broken.state.value == "PROCESSING"
        code, status, why = refused(client, file.uri)
        assert (code, status) == (400, "FAILED_PRECONDITION")
        assert why.endswith("is not in an ACTIVE state and usage is not allowed.")
        time.sleep(0.5)
        assert client.files.get(name=file.name).state.value == "ACTIVE"
        assert "box_2d" in ask(client, file.uri)
        broken = client.files.get(name=broken.name)
        assert (broken.state.value, broken.error.code) == ("FAILED", 3)
        assert refused(client, broken.uri, "image/png")[1] == "FAILED_PRECONDITION"
        time.sleep(0.8)
        assert refused(client, file.uri)[0] == 403
        assert not list(client.files.list())


def test_sizes_are_limited(truth: str, scene: Path) -> None:
    """A file, all files together, and an inline request that are too large: refused."""
    limits = {"file_limit": 1000, "project_limit": 1500, "inline_limit": 20_000}
    with running_emulator(Settings(truth=truth, **limits)) as emulator:
        assert "exceeds the limit" in begin(emulator.url, 1001).text
        put(emulator.url, bytes(900), "text/plain")
        full = begin(emulator.url, 700)
        error = full.json()["error"]
        assert (full.status_code, error["status"]) == (429, "RESOURCE_EXHAUSTED")
        violation = error["details"][0]["violations"][0]
        assert violation["quotaId"] == "FileStorageBytesPerProject"
        part = types.Part.from_bytes(data=bytes(100_000), mime_type="image/jpeg")
        client = client_of(emulator)
        with pytest.raises(errors.ClientError, match="payload size exceeds the limit"):
            client.models.generate_content(model=MODEL, contents=[part])


def test_a_video_is_opened_and_measured(
    emulator: EmulatorHandle, tmp_path: Path
) -> None:
    """A real video is ACTIVE and has a duration; bytes that are none are FAILED."""
    import cv2
    import numpy as np

    path = str(tmp_path / "film.avi")
    film = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for value in range(20):
        film.write(np.full((48, 64, 3), value * 12, np.uint8))
    film.release()
    client = client_of(emulator)
    file = client.files.upload(file=path, config={"mime_type": "video/avi"})
    assert (file.state.value, file.video_metadata["videoDuration"]) == ("ACTIVE", "2s")
    assert "emulator, not Gemini" in ask(client, file.uri, "video/avi")
    assert put(emulator.url, b"\0" * 99, "video/mp4")["state"] == "FAILED"


def test_the_enterprise_reads_buckets_from_a_folder(
    emulator: EmulatorHandle, client: genai.Client, scene: Path
) -> None:
    """`gs://` is the folder given; nothing outside of it, and no files, are reached."""
    enterprise = genai.Client(
        enterprise=True,
        project="p",
        location="us-central1",
        credentials=Credentials(token="t"),
        http_options=types.HttpOptions(base_url=emulator.url),
    )
    assert "box_2d" in ask(enterprise, f"gs://data/{scene.name}")
    assert refused(enterprise, "gs://data/none.jpg")[:2] == (404, "NOT_FOUND")
    outside = refused(enterprise, "gs://data/../annotations.json")
    assert outside[:2] == (400, "INVALID_ARGUMENT")
    uploaded = client.files.upload(file=scene)
    assert "Unsupported file uri" in refused(enterprise, uploaded.uri)[2]


def test_nothing_is_left_on_disk(truth: str, scene: Path, tmp_path: Path) -> None:
    """The folder of the uploads goes with the emulator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path))
        with running_emulator(Settings(truth=truth)) as emulator:
            put(emulator.url, scene.read_bytes())
            kept = [f for f in tmp_path.rglob("*") if f.is_file()]
            assert [f.read_bytes() for f in kept] == [scene.read_bytes()]
    assert not list(tmp_path.iterdir())


def test_uploaded_files_are_not_given_back(emulator: EmulatorHandle) -> None:
    """Download is for generated files; other methods and odd commands are refused."""
    file = put(emulator.url, b"{}", "application/jsonl")
    url = f"{emulator.url}/v1/{file['name']}"
    for method in (":download?alt=media", ":download", ":view"):
        assert HTTP.get(url + method).status_code == 400
    place = begin(emulator.url, 3).headers["x-goog-upload-url"]
    assert send(place, "dance").status_code == 400
    assert json.dumps(file).count(file["name"]) == 2
    assert re.fullmatch(r"files/[a-z0-9]{12}", file["name"])
