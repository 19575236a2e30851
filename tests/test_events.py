"""The log for programs: a line an item and a line a run, and never a key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.errors import FormatError
from fiftyone_gemini.events import EventLog
from gemini_server import KEY, Say, good, picture, refusal, serving
from typer.testing import CliRunner

CUP = '[{"box_2d": [0, 0, 500, 500], "label": "cup"}]'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of two pictures and a broken one, and a key that is secret."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    (tmp_path / "pictures").mkdir()
    for number in range(2):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(picture(number))
    (tmp_path / "pictures" / "broken.png").write_bytes(b"no picture")
    return tmp_path


def log_of(*arguments: str) -> list[dict]:
    """Run the command line with a log; give its lines."""
    result = CliRunner().invoke(app, [*arguments, "--log", "log.jsonl"])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]


@pytest.mark.usefixtures("folder")
def test_a_line_for_each_item_and_one_for_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Status, time, tokens, cost and retries of each item; then those of the run."""
    script = [refusal(503, "busy"), *[Say(body=good(CUP))] * 2]
    with serving(script) as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        *items, run = log_of("label", "pictures", "--in-flight", "1")
    found = {line["id"]: line for line in items}
    assert {line["event"] for line in items} == {"item"}
    assert {name: line["status"] for name, line in found.items()} == {
        "0.png": "ok",
        "1.png": "ok",
        "broken.png": "media_error",
    }
    assert sum(line["retries"] for line in items) == 1
    assert found["0.png"]["tokens"]["prompt"] == 1100
    assert found["0.png"]["seconds"] > 0
    assert "not a picture" in found["broken.png"]["error"]
    assert run["event"] == "run"
    assert run["statuses"] == {"ok": 2, "media_error": 1}
    assert {line["run"] for line in items} == {run["run"]}


@pytest.mark.usefixtures("folder")
def test_no_key_gets_into_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when the server repeats the key in its refusal."""
    said = refusal(400, f"The key {KEY} is of no use here.")
    with serving(lambda _: said) as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        log_of("label", "pictures")
    text = Path("log.jsonl").read_text()
    assert "is of no use here" in text
    assert KEY not in text


@pytest.mark.usefixtures("folder")
def test_workers_add_to_one_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of two shards stand behind each other, each with its run."""
    CliRunner().invoke(app, ["plan", "pictures", "--shards", "3", "--out", "m.jsonl"])
    with serving(lambda _: Say(body=good(CUP))) as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        for shard in ("1", "2"):
            common = ("work", "m.jsonl", "--out", "r", "--journal", "j.sqlite")
            lines = log_of(*common, "--shard", shard)
    assert [line["event"] for line in lines] == ["item", "run", "item", "run"]
    assert [line["run"][-2:] for line in lines] == ["_1", "_1", "_2", "_2"]


def test_a_log_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    """It is said before anything is asked."""
    with pytest.raises(FormatError, match="cannot be written"):
        EventLog(tmp_path / "no" / "log.jsonl", str, "run")


def test_a_full_disk_ends_the_log_and_not_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The labels are written although the log cannot be."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with serving(lambda _: Say(body=good(CUP))) as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        done = CliRunner().invoke(app, ["label", "pictures", "--log", "/dev/full"])
    assert done.exit_code == 0
    assert (folder / "labels.json").exists()
