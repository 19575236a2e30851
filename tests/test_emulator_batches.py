"""The emulator's batches on both APIs, as the real SDK and raw HTTP see them."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Callable, Iterator
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
ASK = "Detect all objects with box_2d and label."
SLOW_SECONDS = 2.0
"""Longer than a busy machine takes to cancel a batch that it has just made."""
DONE = {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_EXPIRED"}


@pytest.fixture(scope="module")
def buckets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the buckets."""
    folder = tmp_path_factory.mktemp("buckets")
    (folder / "in").mkdir()
    return folder


@pytest.fixture(scope="module")
def emulator(demo: Path, buckets: Path) -> Iterator[EmulatorHandle]:
    """Run an emulator whose batches take a moment."""
    settings = Settings(
        truth=str(demo / "annotations.json"),
        gcs_folder=str(buckets),
        batch_pending_seconds=0.4,
        batch_seconds=0.15,
    )
    with running_emulator(settings) as handle:
        yield handle


@pytest.fixture(scope="module")
def client(emulator: EmulatorHandle) -> genai.Client:
    """Give an SDK client."""
    return client_of(emulator)


@pytest.fixture(scope="module")
def scenes(demo: Path) -> list[Path]:
    """Give four demo scenes."""
    return sorted((demo / "data").glob("*.jpg"))[:4]


def client_of(emulator: EmulatorHandle) -> genai.Client:
    """Build an SDK client."""
    options = types.HttpOptions(base_url=emulator.url)
    return genai.Client(api_key="k", http_options=options)


def enterprise_of(emulator: EmulatorHandle) -> genai.Client:
    """Build an SDK client of the enterprise API."""
    return genai.Client(
        enterprise=True,
        project="p",
        location="us-central1",
        credentials=Credentials(token="t"),
        http_options=types.HttpOptions(base_url=emulator.url),
    )


def wait(get: Callable[[], types.BatchJob]) -> tuple[types.BatchJob, list[str]]:
    """Poll a job to its end; give it and the states it was seen in."""
    states: list[str] = []
    for _ in range(400):
        job = get()
        if job.state.value not in states:
            states.append(job.state.value)
        if job.state.value in DONE:
            return job, states
        time.sleep(0.03)
    raise AssertionError(states)


def inline(scene: Path, **metadata: str) -> types.InlinedRequest:
    """Ask about a scene inside an inline batch."""
    part = types.Part.from_bytes(data=scene.read_bytes(), mime_type="image/jpeg")
    content = types.Content(role="user", parts=[part, types.Part(text=ASK)])
    return types.InlinedRequest(contents=[content], metadata=metadata)


def line(key: str, uri: str, text: str = ASK) -> dict:
    """Write a line of a JSONL batch that asks about a file."""
    part = {"fileData": {"fileUri": uri, "mimeType": "image/jpeg"}}
    contents = [{"role": "user", "parts": [part, {"text": text}]}]
    return {"key": key, "request": {"contents": contents}}


def submit(client: genai.Client, lines: list[object]) -> types.BatchJob:
    """Upload lines (objects, or text as it is) and begin a batch with them."""
    rows = [row if isinstance(row, str) else json.dumps(row) for row in lines]
    data = io.BytesIO("\n".join(rows).encode())
    file = client.files.upload(file=data, config={"mime_type": "application/jsonl"})
    return client.batches.create(model=MODEL, src=file.name)


def results(client: genai.Client, job: types.BatchJob) -> list[dict]:
    """Download the results of a batch."""
    data = client.files.download(file=job.dest.file_name)
    return [json.loads(row) for row in data.splitlines()]


def text_of(response: dict) -> str:
    """Give the text of a response."""
    return response["candidates"][0]["content"]["parts"][0]["text"]


def online(client: genai.Client, scene: Path) -> str:
    """Ask about a scene online."""
    part = types.Part.from_bytes(data=scene.read_bytes(), mime_type="image/jpeg")
    return client.models.generate_content(model=MODEL, contents=[part, ASK]).text


def log_of(emulator: EmulatorHandle, batch: str) -> list[dict]:
    """Give the log's entries of one batch."""
    log = HTTP.get(f"{emulator.url}/emulator/log").json()
    return [entry for entry in log if entry["batch"] == batch]


def test_an_inline_batch_keeps_order_and_metadata(
    client: genai.Client, emulator: EmulatorHandle, scenes: list[Path]
) -> None:
    """The states pass in order; results are those of online requests, and are logged."""
    requests = [inline(scene, sample_id=scene.name) for scene in scenes]
    job = client.batches.create(
        model=MODEL, src=requests, config={"display_name": "four"}
    )
    assert job.state.value == "JOB_STATE_PENDING"
    job, states = wait(lambda: client.batches.get(name=job.name))
    assert states[-2:] == ["JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
    assert (job.display_name, job.model) == ("four", f"models/{MODEL}")
    answers = job.dest.inlined_responses
    assert [a.metadata["sample_id"] for a in answers] == [s.name for s in scenes]
    assert answers[0].response.text == online(client, scenes[0])
    assert answers[0].response.usage_metadata.prompt_token_count > 1120
    entries = log_of(emulator, job.name)
    digests = [sha256(s.read_bytes()).hexdigest()[:16] for s in scenes]
    assert [entry["picture"] for entry in entries] == digests
    assert all(entry["paid"] and entry["output_tokens"] for entry in entries)


def test_a_file_batch_answers_by_key_in_another_order(
    client: genai.Client, scenes: list[Path]
) -> None:
    """Uploaded pictures and an uploaded JSONL give keyed results, not in input order."""
    uris = [client.files.upload(file=scene).uri for scene in scenes]
    keys = [scene.name for scene in scenes]
    job = submit(client, [line(k, u) for k, u in zip(keys, uris, strict=True)])
    job, _ = wait(lambda: client.batches.get(name=job.name))
    rows = results(client, job)
    assert sorted(row["key"] for row in rows) == keys
    assert [row["key"] for row in rows] != keys
    by_key = {row["key"]: text_of(row["response"]) for row in rows}
    assert by_key[keys[1]] == online(client, scenes[1])
    assert job.dest.file_name.startswith("files/")


def test_bad_lines_are_errors_of_their_own(
    client: genai.Client, scenes: list[Path]
) -> None:
    """Broken, keyless, doubled, faulty and fileless lines fail alone, with codes."""
    uri = client.files.upload(file=scenes[0]).uri
    wish = "[emulator:fault=503] " + ASK
    lines = [
        line("good", uri),
        "{broken",
        "[]",
        {"request": {}},
        {"key": "empty", "request": {}},
        {"key": "field", "request": {"contents": [], "nonsense": 1}},
        line("gone", "https://x/v1beta/files/none"),
        line("busy", uri, wish),
        line("twice", uri),
        line("twice", uri),
    ]
    job = submit(client, lines)
    job, _ = wait(lambda: client.batches.get(name=job.name))
    rows = results(client, job)
    assert len(rows) == len(lines)
    codes = sorted(
        (row.get("key", ""), row.get("error", {}).get("code", 0)) for row in rows
    )
    assert codes == [
        *(("", 3), ("", 3), ("", 3), ("busy", 14), ("empty", 3), ("field", 3)),
        *(("gone", 7), ("good", 0), ("twice", 0), ("twice", 3)),
    ]
    stats = HTTP.get(f"{client._api_client._http_options.base_url}/v1/{job.name}")
    counts = stats.json()["metadata"]["batchStats"]
    assert counts == {
        "requestCount": "10",
        "successfulRequestCount": "2",
        "failedRequestCount": "8",
    }


def test_batches_are_listed_cancelled_and_deleted(
    demo: Path, scenes: list[Path]
) -> None:
    """Another client sees them, newest first in pages; a cancelled one has no results."""
    settings = Settings(
        truth=str(demo / "annotations.json"), batch_pending_seconds=SLOW_SECONDS
    )
    with running_emulator(settings) as emulator:
        client, other = client_of(emulator), client_of(emulator)
        names = [
            client.batches.create(model=MODEL, src=[inline(scenes[0])]).name
            for _ in range(3)
        ]
        other.batches.cancel(name=names[2])
        listed = [job.name for job in other.batches.list(config={"page_size": 2})]
        assert listed == names[::-1]
        assert client.batches.get(name=names[2]).state.value == "JOB_STATE_CANCELLED"
        wait(lambda: client.batches.get(name=names[1]))
        cancelled = client.batches.get(name=names[2])
        assert (cancelled.dest, cancelled.state.value) == (None, "JOB_STATE_CANCELLED")
        assert not log_of(emulator, names[2])
        client.batches.delete(name=names[0])
        with pytest.raises(errors.ClientError) as caught:
            other.batches.get(name=names[0])
        assert caught.value.code == 404


def test_the_async_client_gets_a_batch_through(
    emulator: EmulatorHandle, scenes: list[Path]
) -> None:
    """Create, poll, list and download by the asyncio client."""

    async def story() -> list[dict]:
        async with client_of(emulator).aio as aio:
            picture = await aio.files.upload(file=scenes[0])
            data = io.BytesIO(json.dumps(line("k", picture.uri)).encode())
            config = {"mime_type": "application/jsonl"}
            file = await aio.files.upload(file=data, config=config)
            job = await aio.batches.create(model=MODEL, src=file.name)
            while not job.done:
                await asyncio.sleep(0.05)
                job = await aio.batches.get(name=job.name)
            rows = await aio.files.download(file=job.dest.file_name)
            return [json.loads(row) for row in rows.splitlines()]

    (row,) = asyncio.run(story())
    assert row["key"] == "k"
    assert "box_2d" in text_of(row["response"])


def test_batches_that_cannot_be_are_refused(
    client: genai.Client, emulator: EmulatorHandle, scenes: list[Path]
) -> None:
    """Unknown or wrong input files, nothing to do, unknown fields: no batch is made."""
    picture = client.files.upload(file=scenes[0])
    url = f"{emulator.url}/v1/models/{MODEL}:batchGenerateContent"
    listed = f"{emulator.url}/v1/batches?pageSize=500"
    before = HTTP.get(listed).json().get("operations")
    for config, status, words in (
        ({"fileName": "files/none"}, 403, "File none"),
        ({"fileName": picture.name}, 400, "Unsupported MIME type"),
        ({"requests": {"requests": []}}, 400, "is empty"),
        ({"requests": {"requests": [{"query": {}}]}}, 400, 'Unknown name "query" at '),
    ):
        reply = HTTP.post(url, json={"batch": {"inputConfig": config}})
        assert reply.status_code == status
        assert words in reply.json()["error"]["message"]
    after = HTTP.get(listed).json().get("operations")
    assert len(before or ()) == len(after or ())


def test_batches_end_as_the_settings_say(demo: Path, scenes: list[Path]) -> None:
    """The first fails, the second expires, without results and unpaid; the third is well."""
    settings = Settings(
        truth=str(demo / "annotations.json"),
        batch_ends="failed,expired",
        batch_inline_limit=400_000,
    )
    with running_emulator(settings) as emulator:
        client = client_of(emulator)
        ends = []
        for _ in range(3):
            made = client.batches.create(model=MODEL, src=[inline(scenes[0])])
            job, _ = wait(lambda name=made.name: client.batches.get(name=name))
            ends.append((job.state.value, job.dest is not None))
            assert len(log_of(emulator, job.name)) == int(job.dest is not None)
        assert ends == [
            ("JOB_STATE_FAILED", False),
            ("JOB_STATE_EXPIRED", False),
            ("JOB_STATE_SUCCEEDED", True),
        ]
        large = [inline(scene) for scene in scenes * 4]
        with pytest.raises(errors.ClientError, match="payload size exceeds"):
            client.batches.create(model=MODEL, src=large)


def test_calls_go_wrong_once_each_and_a_cut_one_was_made(
    demo: Path, scenes: list[Path]
) -> None:
    """Faults of calls hit in order, then pass; a batch whose answer is lost is there."""
    settings = Settings(
        truth=str(demo / "annotations.json"),
        call_faults="upload:503,get-file:429,create-batch:500,create-batch:cut,"
        "get-batch:html502",
    )
    with running_emulator(settings) as emulator:
        client = client_of(emulator)
        with pytest.raises(errors.ServerError) as caught:
            client.files.upload(file=scenes[0])
        assert caught.value.code == 503
        file = client.files.upload(file=scenes[0])
        with pytest.raises(errors.ClientError) as refused:
            client.files.get(name=file.name)
        assert refused.value.code == 429
        assert client.files.get(name=file.name).state.value == "ACTIVE"
        requests = [inline(scenes[0])]
        with pytest.raises(errors.ServerError):
            client.batches.create(model=MODEL, src=requests)
        assert not list(client.batches.list())
        with pytest.raises(httpx2.RemoteProtocolError):
            client.batches.create(model=MODEL, src=requests)
        (lost,) = client.batches.list()
        with pytest.raises(errors.ServerError) as page:
            client.batches.get(name=lost.name)
        assert page.value.code == 502
        assert wait(lambda: client.batches.get(name=lost.name))[0].dest
        faults = [e["fault"] for e in HTTP.get(f"{emulator.url}/emulator/log").json()]
        assert [f for f in faults if f] == ["503", "429", "500", "cut", "html502"]


def test_the_enterprise_batch_goes_from_bucket_to_bucket(
    emulator: EmulatorHandle, buckets: Path, scenes: list[Path]
) -> None:
    """Lines of `gs://` are answered into predictions under the prefix, with errors."""
    client = enterprise_of(emulator)
    for scene in scenes:
        (buckets / "in" / scene.name).write_bytes(scene.read_bytes())
    names = [*(scene.name for scene in scenes), "none.jpg"]
    rows = [line(name, f"gs://in/{name}") for name in names]
    (buckets / "in" / "a.jsonl").write_text("\n".join(map(json.dumps, rows[:3])))
    (buckets / "in" / "b.jsonl").write_text("\n".join(map(json.dumps, rows[3:])))
    src = types.BatchJobSource(
        format="jsonl", gcs_uri=["gs://in/a.jsonl", "gs://in/b.jsonl"]
    )
    job = client.batches.create(model=MODEL, src=src, config={"dest": "gs://out/run"})
    job, states = wait(lambda: client.batches.get(name=job.name))
    assert states[-2:] == ["JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
    counts = job.completion_stats
    assert (counts.successful_count, counts.failed_count) == (4, 1)
    folder = job.output_info.gcs_output_directory
    assert folder.startswith("gs://out/run/prediction-model-")
    path = buckets / folder.removeprefix("gs://") / "predictions.jsonl"
    found = {r["key"]: r for r in map(json.loads, path.read_text().splitlines())}
    assert sorted(found) == sorted(names)
    for row in rows[:4]:
        assert found[row["key"]]["request"] == row["request"]
        assert found[row["key"]]["status"] == ""
        assert "box_2d" in text_of(found[row["key"]]["response"])
    assert "No such object: in/none.jpg" in found["none.jpg"]["status"]
    assert found["none.jpg"]["response"] == {}
    assert job.name in [listed.name for listed in client.batches.list()]
    with pytest.raises(errors.ClientError, match="No such object"):
        client.batches.create(
            model=MODEL, src="gs://in/no.jsonl", config={"dest": "gs://out/x"}
        )
