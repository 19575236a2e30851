"""`label` and `plan` on the command line: limits, prices, budget, what they print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fiftyone_gemini.cli import app, main
from gemini_server import Say, picture, refusal, serving
from typer.testing import CliRunner


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of six pictures, in a working folder of its own, without a key."""
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    for number in range(6):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(picture(number))
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    """Run the command line; give its exit code and what it printed."""
    result = CliRunner().invoke(app, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.usefixtures("folder")
def test_a_plan_needs_no_key_and_shows_its_price() -> None:
    """Requests, tokens, a range of prices with their days, and the time are printed."""
    code, text = run("plan", "pictures", "--rpm", "2")
    assert code == 0
    assert "6 requests to gemini-3.8-flash" in text
    assert "few objects" in text
    assert "per million tokens on 20" in text
    assert "read on 2026-11-22" in text
    assert "2:05 or more" in text
    assert "2 requests a minute" in text


@pytest.mark.usefixtures("folder")
def test_a_plan_says_that_a_price_is_unknown() -> None:
    """An unknown price is unknown, and the way out is named."""
    text = run("plan", "pictures", "--model", "gemini-4-carbon")[1]
    assert "price unknown" in text
    assert "--prices" in text


@pytest.mark.usefixtures("folder")
def test_own_prices_are_used_by_the_plan() -> None:
    """The price of the file is shown, with the file as its source."""
    Path("p.yaml").write_text("gemini-4-carbon: {input: 7, output: 9}")
    options = ("--model", "gemini-4-carbon", "--prices", "p.yaml")
    text = run("plan", "pictures", *options)[1]
    assert "$7 in, $9 out per million tokens" in text
    assert "(p.yaml)" in text


def test_a_plan_counts_what_is_in_the_journal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --look, replies that are there are no requests any more."""
    assert "0 are in the journal" in run("plan", "pictures", "--look")[1]
    assert not Path("fiftyone-gemini-journal.sqlite").exists()
    with serving(lambda _: Say()) as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        run("label", "pictures")
        (folder / "pictures" / "more.png").write_bytes(picture(40))
        text = run("plan", "pictures", "--look")[1]
        asked = len(server.seen)
    assert "1 requests to gemini-3.8-flash, 6 are in the journal already" in text
    assert asked == 6


def test_label_refuses_a_budget_without_a_price(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A budget that cannot be kept is one sentence, before anything is asked."""
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    command = ["x", "label", "pictures", "--model", "m", "--budget", "5"]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "error: The price of m is unknown" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_label_notes_what_it_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thinking level that was stepped up is said at the end of the run."""
    no = refusal(400, "Thinking level LOW is not supported for this model.")
    with serving([no]) as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        text = run("label", "pictures", "--in-flight", "1")[1]
    note = "refused the thinking setting low; medium was used from then on"
    assert text.count(note) == 1


@pytest.mark.usefixtures("folder")
def test_label_takes_limits_by_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """--rpm and --tpm are accepted and, being wide, change nothing."""
    with serving(lambda _: Say(body=_nothing())) as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        code, text = run("label", "pictures", "--rpm", "900", "--tpm", "9000000")
    assert (code, len(server.seen)) == (0, 6)
    assert "6 empty" in text


def _nothing() -> bytes:
    """Write the body of a reply that finds nothing."""
    part = {"content": {"parts": [{"text": "[]"}]}, "finishReason": "STOP"}
    return json.dumps({"candidates": [part]}).encode()
