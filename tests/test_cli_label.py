"""`label` and `plan` on the command line: limits, prices, budget, what they print."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fiftyone_gemini.cli import app, main
from fiftyone_gemini.cli import job as job_module
from fiftyone_gemini.errors import UsageError
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


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("options", "where", "value"),
    [
        pytest.param("--thinking high", "thinkingConfig", {"thinking_level": "HIGH"}),
        pytest.param(
            "--media-resolution low", "mediaResolution", "MEDIA_RESOLUTION_LOW"
        ),
        pytest.param("--max-output-tokens 99", "maxOutputTokens", 99),
        pytest.param(
            "--temperature 0.25 --model gemini-2.5-flash", "temperature", 0.25
        ),
    ],
)
def test_how_is_asked_can_be_chosen(options: str, where: str, value: object) -> None:
    """Each option changes the request, and is in the record of the run."""
    with serving(lambda _: Say(body=_nothing())) as server:
        run("label", "pictures", "--base-url", server.url, *options.split())
        plain = "--model gemini-2.5-flash" if "2.5" in options else ""
        name = "other.sqlite"
        run(
            *("label", "pictures", "--base-url", server.url, "--journal", name),
            *plain.split(),
        )
    configs = [seen.body["generationConfig"] for seen in server.seen]
    assert [config.get(where) for config in configs[:6]] == [value] * 6
    assert value not in [config.get(where) for config in configs[6:]]


@pytest.mark.usefixtures("folder")
def test_the_record_of_a_run_says_how_was_asked() -> None:
    """What was chosen, and nothing else, is among the parameters."""
    chosen = "--thinking high --max-side 64 --upload never --media-resolution high"
    with serving(lambda _: Say(body=_nothing())) as server:
        run("label", "pictures", "--base-url", server.url, *chosen.split())
    record = json.loads(Path("labels.json").read_text())["info"]["gemini_run"]
    parameters = record["parameters"]
    how = {"thinking", "max_side", "upload", "media_resolution", "temperature"}
    assert {name: parameters[name] for name in how & parameters.keys()} == {
        "thinking": "high",
        "max_side": 64,
        "upload": "never",
        "media_resolution": "high",
    }


@pytest.mark.usefixtures("folder")
def test_the_version_and_the_timeout_can_be_chosen() -> None:
    """They reach the address and the header of each request."""
    with serving(lambda _: Say(body=_nothing())) as server:
        where = ("--base-url", server.url, "--api-version", "v1beta", "--timeout", "7")
        run("label", "pictures", *where)
    assert {seen.path.split("/")[1] for seen in server.seen} == {"v1beta"}
    assert {seen.headers["X-Server-Timeout"] for seen in server.seen} == {"7"}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--temperature 0.5", "takes no temperature"),
        ("--temperature 3 --model gemini-2.5-flash", "from 0 to 2"),
        ("--thinking hihg", "Unknown thinking setting"),
        ("--media-resolution best", "Unknown media resolution"),
        ("--timeout 0", "timeout"),
        ("--api-version two", "no API version"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(
    options: str, words: str
) -> None:
    """A setting that would be ignored or refused later is a sentence now."""
    with serving([]) as server:
        command = ("label", "pictures", "--base-url", server.url, *options.split())
        with pytest.raises(UsageError, match=words):
            run(*command)
    assert server.seen == []


@pytest.mark.usefixtures("folder")
def test_a_plan_knows_the_resolution_and_the_output_limit() -> None:
    """A lower resolution costs less, and so does a lower limit of the output."""
    prices = [
        re.findall(r"\$[\d.]+", run("plan", "pictures", *options.split())[1])[3]
        for options in ("", "--media-resolution low", "--max-output-tokens 100")
    ]
    assert prices[0] > prices[1] > prices[2]


@pytest.mark.usefixtures("folder")
def test_a_plan_may_have_tokens_counted() -> None:
    """--count sends so many pictures for counting; their mean stands for all."""
    counts = [1000, 2000]

    def script(number: int) -> Say:
        return Say(body=json.dumps({"totalTokens": counts[number]}).encode())

    with serving(script) as server:
        text = run(
            *("plan", "pictures", "--base-url", server.url, "--count", "2"),
            *("--media-resolution", "low"),
        )[1]
    assert [seen.path.split(":")[-1] for seen in server.seen] == ["countTokens"] * 2
    parts = [seen.body["contents"][0]["parts"] for seen in server.seen]
    levels = [part[0]["mediaResolution"]["level"] for part in parts]
    assert levels == ["MEDIA_RESOLUTION_LOW"] * 2
    assert "9,000" in text
    assert "mean of 2 requests counted by Gemini" in text
    assert "tokens out: assumed" in text
    assert "estimated by the documented rules" in run("plan", "pictures")[1]


@pytest.mark.usefixtures("folder")
def test_the_estimate_before_a_resume_counts_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the journal holds is left out, or said to be where looking would take long."""
    with serving(lambda _: Say(body=_nothing())) as server:
        command = ("label", "pictures", "--base-url", server.url)
        assert "Estimate: 6 requests" in run(*command)[1]
        (Path("pictures") / "more.png").write_bytes(picture(40))
        text = run(*command)[1]
        assert "Estimate: 1 requests" in text
        assert "6 replies are in the journal already" in text
        monkeypatch.setattr(job_module, "LOOKED_AT", 3)
        text = run(*command)[1]
    assert "Estimate: 7 requests" in text
    assert "at most" in text


def _nothing() -> bytes:
    """Write the body of a reply that finds nothing."""
    part = {"content": {"parts": [{"text": "[]"}]}, "finishReason": "STOP"}
    return json.dumps({"candidates": [part]}).encode()
