"""`label --batch` and `batches` on the command line: what a person does and sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.emulator import EmulatorHandle, Settings, running_emulator
from gemini_server import picture
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorHandle]:
    """Run an emulator whose batches go on until they are cancelled."""
    with running_emulator(Settings(batch_seconds=3600)) as handle:
        yield handle


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a working folder with three pictures."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for number in range(3):
        (tmp_path / "photos" / f"{number}.png").write_bytes(picture(number))
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    """Run the command line; give its exit code and what it printed."""
    result = CliRunner().invoke(app, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.usefixtures("desk")
def test_a_plan_says_half_the_price() -> None:
    """Prices are those of a batch, and the time is no promise."""
    text = run("plan", "photos", "--batch")[1]
    online = run("plan", "photos")[1]
    assert "in a batch: half the standard price" in text
    assert "24 hours" in text
    assert (
        text.split("about ten")[1].split("$")[1]
        < online.split("about ten")[1].split("$")[1]
    )


@pytest.mark.slow
def test_batches_are_submitted_listed_cancelled_and_gone_on_with(
    desk: Path, emulator: EmulatorHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command says what it did and how to go on; labels appear when there are any."""
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", emulator.url)
    code, text = run("label", "photos", "--batch")
    assert code == 1
    assert "3 requests to gemini-3.8-flash" in text
    assert "3 are not answered yet. The same command" in text
    assert text.count("Submitted the batch") == 1
    assert not (desk / "labels.json").exists()
    assert "open; gemini-3.8-flash, batches/" in run("batches", "list")[1]
    code, text = run("label", "photos")
    assert code == 1
    assert "was not asked online; label with --batch" in text
    assert "Gemini was asked to cancel" in run("batches", "cancel", "all")[1]
    text = run("batches", "fetch")[1]
    assert "ended: cancelled" in text
    assert "0 of 3 requests answered" in text
    assert "No batch is open." in text
    code, text = run("label", "photos", "--batch", "--then", "online")
    assert code == 0, text
    labels = json.loads((desk / "labels.json").read_text())
    assert len(labels["images"]) == 3
    assert labels["info"]["gemini_run"]["parameters"]["mode"] == "batch, then online"


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("label", "photos", "--wait"), "go with --batch"),
        (("label", "photos", "--batch", "--then", "x"), "--then online"),
        (("label", "photos", "--batch", "--offline"), "choose one"),
        (("batches", "list"), "There is no journal"),
    ],
)
def test_mistakes_are_said(
    arguments: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What does not go together is refused in a sentence, before anything is asked."""
    from fiftyone_gemini.cli import main

    monkeypatch.setattr("sys.argv", ["fiftyone-gemini", *arguments])
    with pytest.raises(SystemExit):
        main()
    assert words in capsys.readouterr().err
