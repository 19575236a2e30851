"""Running again: what failed is asked again, or nothing is asked at all.

The real google-genai SDK asks the emulator, whose own log says what it was asked.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.gemini.endpoint import Endpoint, endpoint_from_environment
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.gemini.stored import Reuse
from fiftyone_gemini.pipeline import USE_ALL, label
from fiftyone_gemini.rerun import FAILED, failing, read_statuses, status_of
from fiftyone_gemini.tasks import find_task
from fiftyone_gemini.values import Frame, Question, Run, Status
from gemini_server import good
from reply_checks import read_as
from typer.testing import CliRunner

MODEL = "gemini-3.8-flash"
OFFLINE = Reuse(nothing_else=True)
RETRY = Reuse(failing(Question("detect"), FAILED))
NOBODY = endpoint_from_environment({}, base_url="http://127.0.0.1:9")


@pytest.fixture
def pictures(demo: Path, tmp_path: Path) -> Path:
    """Give a folder of six demo scenes."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for path in sorted((demo / "data").glob("*.jpg"))[:6]:
        shutil.copy(path, folder)
    return folder


def names(pictures: Path) -> list[str]:
    """List the names of the pictures."""
    return sorted(path.name for path in pictures.iterdir())


@pytest.fixture(scope="module")
def spoiling(demo: Path) -> Iterator[Endpoint]:
    """Give an emulator that spoils its answers about the first three scenes."""
    blocked, truncated, malformed, *_ = names(demo / "data")
    faults = f"blocked@{blocked},truncated@{truncated},malformed@{malformed}"
    with running_emulator(Settings(images=str(demo / "data"), faults=faults)) as handle:
        yield endpoint_from_environment({}, base_url=handle.url)


@pytest.fixture(scope="module")
def clean() -> Iterator[Endpoint]:
    """Give an emulator that answers as well as it can."""
    with running_emulator(Settings()) as emulator:
        yield endpoint_from_environment({}, base_url=emulator.url)


class Log:
    """What an emulator is asked from now on."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.url = f"{endpoint.base_url}/emulator/log"
        self.before = len(httpx2.get(self.url).json())

    def asked(self, pictures: Path) -> Counter[str]:
        """Count the requests by the name of their picture."""
        by_digest = {
            sha256(path.read_bytes()).hexdigest(): path.name
            for path in sorted(pictures.iterdir(), reverse=True)
        }
        return Counter(
            next(n for d, n in by_digest.items() if d.startswith(entry["picture"]))
            for entry in httpx2.get(self.url).json()[self.before :]
        )


def run(
    pictures: Path, endpoint: Endpoint, reuse: Reuse = USE_ALL, task: str = "detect"
) -> Run:
    """Label the pictures by a journal beside them."""
    return label(
        FolderSource(pictures),
        CocoSink(pictures.parent / "labels.json"),
        Question(task),
        model=MODEL,
        endpoint=endpoint,
        journal=pictures.parent / "journal.sqlite",
        reuse=reuse,
    )


def statuses(pictures: Path) -> dict[str, Status]:
    """Read how each picture ended."""
    images = read_coco(pictures.parent / "labels.json", pictures).images
    return {Path(image.path).name: image.status for image in images}


def test_exactly_what_failed_is_asked_again(
    pictures: Path, spoiling: Endpoint, clean: Endpoint
) -> None:
    """Blocked, truncated and malformed replies are asked for once more, others not."""
    first = run(pictures, spoiling)
    assert {s: first.statuses.get(s) for s in FAILED} == dict.fromkeys(FAILED, 1)
    log = Log(clean)
    plain = run(pictures, clean)
    assert not log.asked(pictures)
    assert plain.statuses == first.statuses
    again = run(pictures, clean, RETRY)
    assert log.asked(pictures) == Counter(names(pictures)[:3])
    assert again.statuses == {Status.OK: 6}
    assert again.from_journal == 3
    assert set(statuses(pictures).values()) == {Status.OK}


def test_the_newer_reply_counts_from_then_on(
    pictures: Path, spoiling: Endpoint, clean: Endpoint
) -> None:
    """After a retry an ordinary run finds the new replies, and the old ones are kept."""
    run(pictures, spoiling)
    run(pictures, clean, RETRY)
    assert run(pictures, NOBODY, OFFLINE).statuses == {Status.OK: 6}
    with Journal(pictures.parent / "journal.sqlite") as journal:
        assert len(journal) == 9


def test_what_fails_again_is_asked_once_in_a_run(
    pictures: Path, spoiling: Endpoint
) -> None:
    """Two copies of a picture that stays blocked are paid for once in each run."""
    blocked = names(pictures)[0]
    shutil.copy(pictures / blocked, pictures / "zz-copy.jpg")
    run(pictures, spoiling)
    log = Log(spoiling)
    again = run(
        pictures, spoiling, Reuse(failing(Question("detect"), {Status.BLOCKED}))
    )
    assert again.statuses[Status.BLOCKED] == 2
    assert log.asked(pictures) == {blocked: 1}


def test_only_the_chosen_statuses_are_asked_again(
    pictures: Path, spoiling: Endpoint, clean: Endpoint
) -> None:
    """Asking for blocked replies again leaves truncated ones as they are."""
    run(pictures, spoiling)
    log = Log(clean)
    again = run(pictures, clean, Reuse(failing(Question("detect"), {Status.BLOCKED})))
    assert log.asked(pictures) == Counter(names(pictures)[:1])
    assert again.statuses[Status.TRUNCATED] == again.statuses[Status.MALFORMED] == 1


def test_offline_gives_the_same_labels_and_asks_nobody(
    pictures: Path, spoiling: Endpoint
) -> None:
    """With the emulator gone, the journal alone gives every label again."""
    run(pictures, spoiling)
    out = pictures.parent / "labels.json"
    before = json.loads(out.read_text())
    out.unlink()
    again = run(pictures, NOBODY, OFFLINE)
    after = json.loads(out.read_text())
    assert after["annotations"] == before["annotations"] != []
    assert after["images"] == before["images"]
    assert again.from_journal == 6
    assert again.cost_usd == 0


def test_offline_skips_what_has_no_reply(
    pictures: Path, demo: Path, clean: Endpoint
) -> None:
    """A picture never asked about is skipped, a corrupt one says so, the rest comes."""
    run(pictures, clean)
    first, second, *_ = names(pictures)
    (pictures / first).write_bytes(b"no picture")
    shutil.copy(demo / "data" / names(demo / "data")[10], pictures / second)
    again = run(pictures, NOBODY, OFFLINE)
    assert again.statuses == {Status.OK: 4, Status.MEDIA_ERROR: 1, Status.SKIPPED: 1}
    assert second not in statuses(pictures)


def test_offline_another_question_finds_nothing_and_leaves_the_labels(
    pictures: Path, clean: Endpoint
) -> None:
    """Where no reply fits the question the file of an earlier run stays as it was."""
    run(pictures, clean)
    before = (pictures.parent / "labels.json").read_text()
    assert run(pictures, NOBODY, OFFLINE, "segment").statuses == {Status.SKIPPED: 6}
    assert (pictures.parent / "labels.json").read_text() == before


TEXTS = {
    '[{"box_2d": [1, 2, 900, 800], "label": "cup"}]': Status.OK,
    '[{"box_2d": [0, 0, 1, 1], "label": "dot", "mask": "junk"}]': Status.OK,
    "[]": Status.EMPTY,
    "I cannot do that.": Status.MALFORMED,
    '[{"label": "no box"}]': Status.MALFORMED,
    '[{"box_2d": [1, 2, 900, 800], "label": "cup"}, {"box_2d": [1,': Status.TRUNCATED,
}


@pytest.mark.parametrize("task", ["detect", "segment"])
@pytest.mark.parametrize(("text", "status"), TEXTS.items())
@pytest.mark.parametrize("size", [Frame(1, 1), Frame(33, 7000)])
def test_a_status_does_not_depend_on_the_picture(
    task: str, text: str, status: Status, size: Frame
) -> None:
    """What a body comes to is decided without its picture, as for a real size."""
    reading = read_as(find_task(task), text, size)
    assert status_of(good(text), find_task(task), Question(task)) is status
    known = {Status.OK: True, Status.EMPTY: False, Status.MALFORMED: False}
    if status in known:
        assert bool(reading.detections) is known[status]


def test_a_reply_in_pixels_is_not_paid_for_again() -> None:
    """Boxes in pixels of a large picture are an answer, though its size is not stored."""
    text = '[{"box_2d": [1200, 1300, 1900, 2400], "label": "cup"}]'
    assert status_of(good(text), find_task("detect"), Question("detect")) is Status.OK


def test_statuses_are_read_from_words() -> None:
    """`failed` stands for three; what never had a reply cannot be asked for again."""
    assert read_statuses("failed") == FAILED
    assert read_statuses("blocked, empty") == {Status.BLOCKED, Status.EMPTY}
    for wrong in ("api_error", "typo"):
        with pytest.raises(UsageError, match="cannot be asked for again"):
            read_statuses(wrong)
    with pytest.raises(UsageError, match="no task"):
        failing(Question("guess"), FAILED)


def test_the_command_line_retries_and_reads_again(
    pictures: Path,
    spoiling: Endpoint,
    clean: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`--retry failed` asks again what failed, `--offline` needs neither net nor key."""
    run(pictures, spoiling)
    folder = pictures.parent
    out, journal = str(folder / "labels.json"), str(folder / "journal.sqlite")
    command = ["label", str(pictures), "--out", out, "--journal", journal]
    log = Log(clean)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", clean.base_url)
    result = CliRunner().invoke(app, [*command, "--retry", "failed"])
    assert result.exit_code == 0, result.exception
    assert "6 ok" in result.stdout
    result = CliRunner().invoke(app, [*command, "--offline"])
    assert result.exit_code == 0, result.exception
    assert "Estimate" not in result.stdout
    assert log.asked(pictures) == Counter(names(pictures)[:3])
    monkeypatch.delenv("GOOGLE_GEMINI_BASE_URL")
    result = CliRunner().invoke(app, [*command, "--offline"])
    assert result.exit_code == 1
    assert "6 have no reply in the journal" in result.stdout
    both = CliRunner().invoke(app, [*command, "--offline", "--retry", "failed"])
    assert "choose one" in str(both.exception)
