"""What does not travel in a request: uploaded once, found again, waited for, given up."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar
from urllib.request import urlopen

import pytest
from fiftyone_gemini import tasks
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.coco.lines import LinesSink
from fiftyone_gemini.emulator import EmulatorHandle, Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.gemini import upload_rule
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.gemini.journal import Journal, request_key
from fiftyone_gemini.gemini.pool import Answered, Limits, ask_all
from fiftyone_gemini.gemini.upload_rule import Upload
from fiftyone_gemini.media import image as media_image
from fiftyone_gemini.media.reference import by_reference
from fiftyone_gemini.pipeline import Manner, label
from fiftyone_gemini.tasks.caption import Caption
from fiftyone_gemini.values import (
    Example,
    Frame,
    Item,
    Media,
    Medium,
    Question,
    Request,
    Status,
)
from gemini_server import KEY, Say, good, refusal, serving
from google import genai
from google.genai import types
from typer.testing import CliRunner

MODEL = "gemini-3.8-flash"
QUICK = Limits(backoff_seconds=0.01, attempts=2, processing_seconds=0.3)


@pytest.fixture(scope="module")
def truth(demo: Path) -> str:
    """Give the truth of the demo scenes."""
    return str(demo / "annotations.json")


@pytest.fixture(scope="module")
def emulator(truth: str) -> Iterator[EmulatorHandle]:
    """Run an emulator."""
    with running_emulator(Settings(truth=truth)) as handle:
        yield handle


@pytest.fixture
def scene(demo: Path, tmp_path: Path) -> Path:
    """Give a demo scene whose bytes no other test has uploaded."""
    path = tmp_path / "scene.jpg"
    path.write_bytes(
        min((demo / "data").glob("*.jpg")).read_bytes() + tmp_path.name.encode()
    )
    return path


@dataclass(frozen=True)
class Items:
    """A source of items that are no files."""

    given: list[Item]

    def __len__(self) -> int:
        """Count them."""
        return len(self.given)

    def items(self) -> Iterator[Item]:
        """Give them."""
        return iter(self.given)


def file_of(path: Path) -> Media:
    """Make a medium that is to be uploaded."""
    digest = sha256(path.read_bytes()).hexdigest()
    size = Frame(640, 480)
    return Media(b"", "image/jpeg", size, size, path=str(path), digest=digest)


def bytes_of(path: Path) -> Media:
    """Make a medium that can be sent along."""
    return Media(path.read_bytes(), "image/jpeg", Frame(640, 480), Frame(640, 480))


def about(media: Media, prompt: str) -> Request:
    """Ask about a medium."""
    return Request(MODEL, (media, f"{prompt}: detect all with box_2d and label."))


def answers(
    endpoint: Endpoint,
    journal: Path,
    requests: list[Request],
    *,
    upload: Upload = Upload.AUTO,
    limits: Limits = QUICK,
) -> list[Answered]:
    """Ask some requests; give what came, in their order."""
    items = [Item(str(number), str(number)) for number in range(len(requests))]
    with Journal(journal) as book:
        found = ask_all(
            items,
            lambda item: requests[int(item.path)],
            endpoint=endpoint,
            journal=book,
            limits=limits,
            upload=upload,
        )
        return sorted(found, key=lambda answered: answered.item.sample_id)


def at(emulator: EmulatorHandle, key: str = KEY) -> Endpoint:
    """Name the endpoint of an emulator."""
    return Endpoint("emulator", key, emulator.url)


def log_of(emulator: EmulatorHandle, path: Path) -> list[dict]:
    """Give what the emulator was sent about the content of a file."""
    digest = sha256(path.read_bytes()).hexdigest()[:16]
    with urlopen(f"{emulator.url}/emulator/log") as reply:
        return [entry for entry in json.load(reply) if entry["picture"] == digest]


def uploads_of(emulator: EmulatorHandle, path: Path) -> int:
    """Count the uploads of a file."""
    return sum("/upload/" in entry["path"] for entry in log_of(emulator, path))


def paid_for(emulator: EmulatorHandle, path: Path) -> int:
    """Count the answers about a file that Google would bill."""
    return sum(entry["paid"] for entry in log_of(emulator, path))


def run_command(*arguments: str) -> str:
    """Run the command line with the key of the tests; give what it printed."""
    result = CliRunner().invoke(app, arguments, env={"GEMINI_API_KEY": KEY})
    assert result.exit_code == 0, result.exception
    return result.output


def sdk(emulator: EmulatorHandle) -> genai.Client:
    """Give a client of the SDK."""
    return genai.Client(
        api_key="k", http_options=types.HttpOptions(base_url=emulator.url)
    )


def test_a_file_is_uploaded_once_for_all_questions_about_it(
    emulator: EmulatorHandle, scene: Path, tmp_path: Path
) -> None:
    """Four questions at a time wait for one upload; the answer is that to its bytes."""
    journal = tmp_path / "run.sqlite"
    questions = [about(file_of(scene), word) for word in "abcd"]
    found = answers(at(emulator), journal, questions)
    inline = answers(
        at(emulator), tmp_path / "other.sqlite", [about(bytes_of(scene), "a")]
    )
    assert {a.reply.text for a in found} == {inline[0].reply.text}
    assert "box_2d" in found[0].reply.text
    assert uploads_of(emulator, scene) == 1
    assert sum(a.traffic.uploaded for a in found) == 1
    assert sum(a.traffic.bytes for a in found) == scene.stat().st_size


def test_the_key_of_the_journal_does_not_tell_bytes_from_a_file(scene: Path) -> None:
    """Sent along or uploaded, the same content is the same question."""
    keys = {request_key(about(make(scene), "a")) for make in (file_of, bytes_of)}
    assert len(keys) == 1


def test_a_later_run_uses_an_upload_again(
    emulator: EmulatorHandle, scene: Path, tmp_path: Path
) -> None:
    """Another run on the journal uploads nothing; another key finds nothing."""
    journal = tmp_path / "run.sqlite"
    answers(at(emulator), journal, [about(file_of(scene), "a")])
    again = answers(at(emulator), journal, [about(file_of(scene), "b")])
    assert (again[0].traffic.uploaded, again[0].traffic.reused) == (0, 1)
    assert uploads_of(emulator, scene) == 1
    other = answers(at(emulator, "other"), journal, [about(file_of(scene), "c")])
    assert other[0].traffic.uploaded == 1


def test_two_runs_on_a_journal_upload_a_file_once(
    emulator: EmulatorHandle, scene: Path, tmp_path: Path
) -> None:
    """What another run is uploading is waited for, whoever asks what about it."""
    journal = tmp_path / "run.sqlite"
    with ThreadPoolExecutor(3) as threads:
        runs = [
            threads.submit(
                answers, at(emulator), journal, [about(file_of(scene), word)]
            )
            for word in "abc"
        ]
        found = [run.result()[0] for run in runs]
    assert {a.reply.failure for a in found} == {None}
    assert sum(a.traffic.uploaded for a in found) == 1
    assert uploads_of(emulator, scene) == 1


def test_the_record_of_uploads_tells_no_key(
    emulator: EmulatorHandle, scene: Path, tmp_path: Path
) -> None:
    """Neither the key nor its plain hash is in the file; the credentials differ by place."""
    journal = tmp_path / "run.sqlite"
    answers(at(emulator), journal, [about(file_of(scene), "a")])
    with sqlite3.connect(journal) as database:
        rows = database.execute("SELECT * FROM upload").fetchall()
    text = repr(rows)
    assert len(rows) == 1
    assert KEY not in text
    assert sha256(KEY.encode()).hexdigest()[:16] not in text
    assert sha256(scene.read_bytes()).hexdigest() in text


def test_a_file_that_is_gone_is_uploaded_anew_and_paid_once(
    emulator: EmulatorHandle, scene: Path, tmp_path: Path
) -> None:
    """A 403 about the file costs one upload more and no answer more."""
    journal = tmp_path / "run.sqlite"
    answers(at(emulator), journal, [about(file_of(scene), "a")])
    client = sdk(emulator)
    for file in client.files.list():
        client.files.delete(name=file.name)
    found = answers(at(emulator), journal, [about(file_of(scene), "b")])
    assert found[0].reply.failure is None
    assert uploads_of(emulator, scene) == 2
    assert paid_for(emulator, scene) == 2


def test_a_file_that_expired_is_uploaded_anew(
    truth: str, scene: Path, tmp_path: Path
) -> None:
    """What lives shorter than a request may wait is not trusted."""
    with running_emulator(Settings(truth=truth, file_seconds=600)) as short:
        journal = tmp_path / "run.sqlite"
        for word in "ab":
            found = answers(at(short), journal, [about(file_of(scene), word)])
            assert found[0].reply.failure is None
        assert uploads_of(short, scene) == 2


def test_a_file_that_cannot_be_processed_fails_its_item_alone(
    emulator: EmulatorHandle, scene: Path, tmp_path: Path
) -> None:
    """FAILED is a media_error; so is a file that is gone; others are answered."""
    noise = tmp_path / "noise.jpg"
    noise.write_bytes(b"no picture at all")
    gone = file_of(scene)
    bad = Media(b"", "image/jpeg", gone.frame, gone.sent, path="/no/file", digest="0")
    found = answers(
        at(emulator),
        tmp_path / "run.sqlite",
        [about(file_of(noise), "a"), about(bad, "a"), about(file_of(scene), "a")],
    )
    assert [a.reply.failure for a in found] == [Status.MEDIA_ERROR] * 2 + [None]
    assert "could not process" in found[0].reply.error
    assert "/no/file cannot be read" in found[1].reply.error


def test_a_file_that_takes_too_long_is_used_by_the_next_run(
    truth: str, scene: Path, tmp_path: Path
) -> None:
    """The deadline is an api_error; the upload is not lost, and is waited for again."""
    journal = tmp_path / "run.sqlite"
    with running_emulator(Settings(truth=truth, processing_seconds=1.2)) as slow:
        first = answers(at(slow), journal, [about(file_of(scene), "a")])
        assert first[0].reply.failure is Status.API_ERROR
        assert "still processing" in first[0].reply.error
        patient = Limits(processing_seconds=30)
        second = answers(
            at(slow), journal, [about(file_of(scene), "a")], limits=patient
        )
        assert second[0].reply.failure is None
        assert uploads_of(slow, scene) == 1


@pytest.mark.parametrize(
    ("upload", "uploads"),
    [
        pytest.param(Upload.AUTO, (1, 0), id="auto: the example"),
        pytest.param(Upload.ALWAYS, (1, 1), id="always: all"),
        pytest.param(Upload.NEVER, (0, 0), id="never"),
    ],
)
def test_examples_are_uploaded_once_and_small_pictures_are_sent_along(
    emulator: EmulatorHandle,
    scene: Path,
    demo: Path,
    tmp_path: Path,
    *,
    upload: Upload,
    uploads: tuple[int, int],
) -> None:
    """Each request has the same example; the option decides what is uploaded."""
    other = tmp_path / "asked.jpg"
    other.write_bytes(max((demo / "data").glob("*.jpg")).read_bytes() + upload.encode())
    example = Example((bytes_of(scene), "Detect all."), "[]")
    requests = [
        Request(MODEL, (bytes_of(other), f"{word}: detect all."), examples=(example,))
        for word in "abc"
    ]
    found = answers(at(emulator), tmp_path / "run.sqlite", requests, upload=upload)
    assert {a.reply.failure for a in found} == {None}
    assert (uploads_of(emulator, scene), uploads_of(emulator, other)) == uploads


def test_a_large_picture_is_uploaded_the_second_time_it_is_asked_about(
    emulator: EmulatorHandle,
    scene: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first question sends it along, the third uses the upload of the second."""
    monkeypatch.setattr(upload_rule, "AGAIN_BYTES", 10_000)
    requests = [about(bytes_of(scene), word) for word in "abc"]
    answers(at(emulator), tmp_path / "run.sqlite", requests, limits=Limits(in_flight=1))
    assert uploads_of(emulator, scene) == 1


def test_pictures_that_are_too_much_together_are_uploaded(
    emulator: EmulatorHandle,
    scene: Path,
    demo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The largest ones leave the request until the rest fits."""
    small = min((demo / "data").glob("*.jpg"), key=lambda path: path.stat().st_size)
    total = scene.stat().st_size + small.stat().st_size
    monkeypatch.setattr(upload_rule, "_ROOM", 0)
    monkeypatch.setattr(upload_rule, "REQUEST_LIMIT", total)
    request = Request(MODEL, (bytes_of(small), bytes_of(scene), "Detect all."))
    found = answers(at(emulator), tmp_path / "run.sqlite", [request])
    assert found[0].reply.failure is None
    assert uploads_of(emulator, scene) == 1


def test_uploads_are_listed_and_deleted_on_request(
    emulator: EmulatorHandle, scene: Path, demo: Path, tmp_path: Path
) -> None:
    """Ours go, what others uploaded stays, and one that is gone is no trouble."""
    journal = tmp_path / "run.sqlite"
    second = tmp_path / "second.jpg"
    second.write_bytes(max((demo / "data").glob("*.jpg")).read_bytes() + b"again")
    answers(at(emulator), journal, [about(file_of(f), "a") for f in (scene, second)])
    client = sdk(emulator)
    other = client.files.upload(file=scene, config={"mime_type": "image/jpeg"})
    ours = {f.name for f in client.files.list() if f.display_name is not None}
    command = ["journal", "files", str(journal), "--base-url", emulator.url]
    listed = run_command(*command)
    assert "2 files" in listed
    gone = next(name for name in ours if name in listed)
    client.files.delete(name=gone)
    assert "1 deleted, 1 were gone already" in run_command(*command, "--delete")
    left = {file.name for file in client.files.list()}
    assert other.name in left
    assert not [name for name in left if name in listed]
    assert "0 files" in run_command(*command)


def test_where_uploading_fails_pictures_are_sent_along(
    scene: Path, tmp_path: Path
) -> None:
    """A server without a Files API is asked inline; the run says so, once."""

    def script(number: int) -> Say:
        path = server.seen[number].path
        refused = refusal(404, "Not found.") if "upload" in path else None
        return refused or Say(body=good("[]"))

    with serving(script) as server:
        found = answers(
            server.endpoint(),
            tmp_path / "run.sqlite",
            [about(bytes_of(scene), word) for word in "ab"],
            upload=Upload.ALWAYS,
        )
        assert {a.reply.text for a in found} == {"[]"}
        notes = [note for a in found for note in a.notes]
        assert len(notes) == 1
        assert "sent in the requests instead" in notes[0]


def test_an_upload_is_tried_again(scene: Path, tmp_path: Path) -> None:
    """A 503 at the start of an upload is asked again; then it counts as failed."""

    def script(number: int) -> Say:
        return refusal(503, "later")

    with serving(script) as server:
        found = answers(
            server.endpoint(), tmp_path / "run.sqlite", [about(file_of(scene), "a")]
        )
        assert found[0].reply.failure is Status.API_ERROR
        assert "could not be uploaded" in found[0].reply.error
        assert KEY not in found[0].reply.error
        assert [seen.path for seen in server.seen] == ["/upload/v1/files"] * 2


def test_the_enterprise_platform_wants_a_bucket(
    emulator: EmulatorHandle, scene: Path, tmp_path: Path
) -> None:
    """A file that is too large says where to put it; `always` is refused at once."""
    endpoint = Endpoint("enterprise", "k", emulator.url)
    found = answers(endpoint, tmp_path / "run.sqlite", [about(file_of(scene), "a")])
    assert found[0].reply.failure is Status.MEDIA_ERROR
    assert "gs://" in found[0].reply.error
    with pytest.raises(UsageError, match="takes no uploads"):
        Manner(upload=Upload.ALWAYS).at(endpoint)


@dataclass(frozen=True)
class WatchTask(Caption):
    """A task about videos."""

    name: ClassVar[str] = "watch_test"
    about: ClassVar[frozenset[Medium]] = frozenset({Medium.VIDEO})


TUBE = "https://www.youtube.com/watch?v=9hE5-98ZeCg"


@pytest.mark.parametrize(
    ("address", "mime_type"),
    [
        (TUBE, "video/mp4"),
        ("https://youtu.be/9hE5-98ZeCg?t=3", "video/mp4"),
        ("gs://bucket/a film.MOV", "video/mov"),
        ("gs://bucket/picture.jpg", None),
        ("https://example.org/film.mp4", None),
        ("film.mp4", None),
    ],
)
def test_videos_elsewhere_are_passed_on_by_address(
    address: str, mime_type: str | None
) -> None:
    """YouTube and buckets are opened by Gemini; all else is opened here."""
    found = by_reference(address)
    assert (found.mime_type if found else None) == mime_type
    assert found is None or (found.uri, found.data) == (address, b"")


def test_a_task_about_videos_asks_about_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address goes out as it is; tasks about pictures, and a bucket, are refused."""
    monkeypatch.setitem(tasks._known, WatchTask.name, WatchTask())  # gone afterwards
    elsewhere = [Item("1", TUBE), Item("2", "gs://bucket/film.mp4")]
    with serving(lambda _: Say(body=good('{"caption": "Waves."}'))) as server:
        where = {"endpoint": server.endpoint(), "journal": tmp_path / "run.sqlite"}
        found = {}
        for task in ("watch_test", "detect"):
            sink = LinesSink(tmp_path / "lines.jsonl")
            asked = Question(task)
            label(Items(elsewhere), sink, asked, model=MODEL, **where)
            lines = (tmp_path / "lines.jsonl").read_text().splitlines()
            found[task] = [json.loads(line) for line in lines]
    (seen,) = server.seen
    assert seen.body["contents"][0]["parts"][0]["fileData"] == {
        "file_uri": TUBE,
        "mime_type": "video/mp4",
    }
    statuses = [line["status"] for line in found["watch_test"]]
    assert statuses == ["ok", "media_error"]
    assert "enterprise platform" in found["watch_test"][1]["error"]
    assert {line["status"] for line in found["detect"]} == {"media_error"}
    assert "is a video" in found["detect"][0]["error"]


def test_a_bucket_object_is_asked_about_by_its_address(
    truth: str, demo: Path, tmp_path: Path
) -> None:
    """A gs:// address is passed on; one that is missing fails its item alone."""
    name = min((demo / "data").glob("*.jpg")).name
    frame = Frame(640, 480)
    there, missing = (
        Media(b"", "image/jpeg", frame, frame, uri=f"gs://data/{file}")
        for file in (name, "missing.jpg")
    )
    settings = Settings(truth=truth, gcs_folder=str(demo))
    with running_emulator(settings) as handle:
        endpoint = Endpoint("enterprise", "k", handle.url)
        found = answers(
            endpoint,
            tmp_path / "run.sqlite",
            [about(there, "a"), about(missing, "a"), about(there, "b")],
        )
    assert "box_2d" in found[0].reply.text
    assert found[1].reply.failure is Status.API_ERROR
    assert "Check the address" in found[1].reply.error
    assert found[2].reply.failure is None


@pytest.mark.parametrize(
    ("upload", "uploaded"),
    [
        pytest.param(Upload.AUTO, 1, id="auto"),
        pytest.param(Upload.NEVER, 0, id="never"),
    ],
)
def test_a_picture_over_the_limit_is_uploaded_untouched_or_made_smaller(
    emulator: EmulatorHandle,
    scene: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    upload: Upload,
    uploaded: int,
) -> None:
    """`upload` decides, is in the record of the run, and its notes count what went."""
    monkeypatch.setattr(media_image, "INLINE_LIMIT", 10_000)
    run = label(
        FolderSource(scene.parent),
        CocoSink(tmp_path / "labels.json"),
        Question("detect"),
        model=MODEL,
        endpoint=at(emulator),
        journal=tmp_path / "run.sqlite",
        manner=Manner(upload=upload),
    )
    assert run.parameters["upload"] == upload.value
    assert uploads_of(emulator, scene) == uploaded
    megabytes = scene.stat().st_size / 1e6
    said = [f"Uploaded to the Files API: 1 files, {megabytes:.1f} MB."] * uploaded
    assert list(run.notes) == said
