"""What a run may cost: prices of the user, and a budget that is never exceeded."""

from __future__ import annotations

import json
import threading
from datetime import date
from pathlib import Path

import pytest
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.errors import FormatError, UsageError
from fiftyone_gemini.gemini.budget import Budget
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.gemini.pool import Limits
from fiftyone_gemini.gemini.prices import TABLE, Prices, read_prices
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.planning import plan_run
from fiftyone_gemini.progress import Progress
from fiftyone_gemini.values import Question, Run, Status, Usage
from gemini_server import FAST, KEY, Say, Server, good, picture, refusal, serving

MODEL = "gemini-3.8-flash"
DAY = date(2026, 11, 22)
ANSWER = Usage(prompt=1100, output=2000)
EACH = 1100 * 0.75e-6 + 2000 * 3.75e-6  # dollars for one answer of the tests' server
MOST = 0.0625
"""Dollars, roughly, for the dearest answer that the model may give."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of 60 small pictures that differ."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(60):
        (pictures / f"{number:02}.png").write_bytes(picture(number))
    return pictures


def answer(_: int) -> Say:
    """Answer with nothing, at a price, after a moment."""
    body = good("[]", promptTokenCount=1100, candidatesTokenCount=2000)
    return Say(body=body.replace(b"m-1", MODEL.encode()), seconds=0.01)


def run_on(
    server: Server, folder: Path, usd: float, *, prices: Prices = TABLE, **more: object
) -> Run:
    """Label the folder for this much money; the server is billed like Gemini."""
    return label(
        FolderSource(folder),
        CocoSink(folder.parent / "labels.json"),
        Question("detect"),
        model=str(more.pop("model", MODEL)),
        endpoint=Endpoint("gemini", KEY, server.url, timeout_seconds=10),
        journal=folder.parent / "journal.sqlite",
        limits=Limits(**FAST, in_flight=8, budget=Budget(usd, prices, DAY)),
        prices=prices,
        **more,
    )


@pytest.mark.parametrize("usd", [0.09, 0.2, 0.4])
def test_a_budget_is_used_and_never_exceeded(folder: Path, usd: float) -> None:
    """What was paid stays within the budget, and ends less than one answer below it."""
    with serving(answer) as server:
        run = run_on(server, folder, usd)
        paid = len(server.seen) * EACH
    assert paid <= usd
    assert paid > usd - MOST - EACH
    assert run.cost_usd == pytest.approx(paid)
    assert run.statuses[Status.SKIPPED] == 60 - len(server.seen)


def test_a_run_that_reached_its_budget_says_so_and_goes_on(folder: Path) -> None:
    """The record names the budget; the same call asks about the rest, nothing twice."""
    with serving(answer) as server:
        first = run_on(server, folder, 0.2)
        asked = len(server.seen)
        second = run_on(server, folder, 5.0)
        assert len(server.seen) == 60
    assert first.parameters["budget_usd"] == 0.2
    assert f"$0.20 was reached before {60 - asked} of 60 items" in first.notes[0]
    assert second.statuses == {Status.EMPTY: 60}
    assert second.from_journal == asked
    assert second.notes == ()


def test_failed_requests_give_their_money_back(folder: Path) -> None:
    """Requests that are refused cost nothing, so that all 60 are tried."""
    with serving(lambda _: refusal(400, "bad")) as server:
        run = run_on(server, folder, 0.1)
    assert run.statuses == {Status.API_ERROR: 60}


def test_stopping_is_not_reaching_the_budget(folder: Path) -> None:
    """A run that the user stopped does not blame the budget."""
    stop = threading.Event()
    with serving(answer) as server:
        run = run_on(server, folder, 5, stop=stop, on_progress=lambda _: stop.set())
    assert run.statuses[Status.SKIPPED]
    assert run.notes == ()


def test_progress_knows_the_budget(folder: Path) -> None:
    """Progress carries cost and budget, for the terminal to show."""
    seen: list[Progress] = []
    with serving(answer) as server:
        run_on(server, folder, 5, on_progress=seen.append)
    assert seen[-1].budget_usd == 5
    assert seen[-1].cost_usd == pytest.approx(60 * EACH)


def test_a_budget_costs_nothing_with_the_emulator(folder: Path) -> None:
    """Answers of the emulator are free: the smallest budget lasts for ever."""
    with serving(answer) as server:
        run = label(
            FolderSource(folder),
            CocoSink(folder.parent / "labels.json"),
            Question("detect"),
            model=MODEL,
            endpoint=server.endpoint(),
            journal=folder.parent / "journal.sqlite",
            limits=Limits(budget=Budget(0.08)),
        )
    assert run.statuses == {Status.EMPTY: 60}
    assert run.cost_usd == 0


@pytest.mark.parametrize(
    ("model", "usd", "words"),
    [
        ("gemini-4-carbon", 5.0, "price of gemini-4-carbon is unknown"),
        (MODEL, 0.01, "may cost up to"),
        (MODEL, 0.0, "more than 0"),
        (MODEL, float("nan"), "more than 0"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused(
    folder: Path, model: str, usd: float, words: str
) -> None:
    """Nothing is asked when a price is unknown or the budget pays for no answer."""
    with serving(answer) as server:
        with pytest.raises(UsageError, match=words):
            run_on(server, folder, usd, model=model)
        assert not server.seen


def test_own_prices_are_counted_and_recorded(folder: Path, tmp_path: Path) -> None:
    """A file gives a price to a model that has none; the record names the file."""
    file = tmp_path / "prices.yaml"
    file.write_text("gemini-4-carbon: {input: 1, output: 2}\n")
    with serving(answer) as server:
        run = run_on(
            server, folder, 9, prices=read_prices(file), model="gemini-4-carbon"
        )
    # The server says that gemini-3.8-flash answered: that is what is paid for.
    assert run.cost_usd == pytest.approx(60 * EACH)
    assert run.parameters["prices"] == str(file)


def test_prices_are_read_with_their_days(tmp_path: Path) -> None:
    """YAML and JSON, one price or several with days; the file wins over the table."""
    text = {
        "m-1": {"input": 1, "output": 2.5},
        MODEL: [
            {"input": 1, "output": 10, "cached": 0.5, "valid_to": "2026-12-31"},
            {"input": 2, "output": 20, "valid_from": "2027-01-01"},
        ],
    }
    as_json, as_yaml = tmp_path / "p.json", tmp_path / "p.yaml"
    as_json.write_text(json.dumps(text))
    as_yaml.write_text(json.dumps(text).replace('"2026-12-31"', "2026-12-31"))
    million = Usage(1_000_000, 1_000_000, 0, 500_000)
    for file in (as_json, as_yaml):
        prices = read_prices(file)
        assert prices.cost("models/m-1", Usage(1_000_000, 1_000_000), DAY) == 3.5
        assert prices.cost(MODEL, million, DAY) == 10.75
        assert prices.cost(MODEL, million, date(2027, 1, 1)) == 22
        row = prices.on("gemini-3.5-flash-lite", DAY)
        assert row == TABLE.on("gemini-3.5-flash-lite", DAY)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no model"),
        ("[1]", "names no model"),
        ("m: 3", "written like"),
        ("m: {input: 1}", "output missing"),
        ("m: {input: 1, output: -2}", "dollars per million"),
        ("m: {input: 1, output: .nan}", "dollars per million"),
        ("m: {input: 1, output: '2'}", "must be a number"),
        ("m: {input: 1, output: 2, until: 2026-01-01}", "'until' is none of"),
        ("m: {input: 1, output: 2, valid_to: soon}", "must be a day"),
        ("m: {input: 1", "cannot be read"),
    ],
)
def test_a_bad_price_file_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """A price that was misread would be a wrong bill: every mistake is named."""
    file = tmp_path / "prices.yaml"
    file.write_text(text)
    with pytest.raises(FormatError, match=words):
        read_prices(file)


def test_a_missing_price_file_is_refused(tmp_path: Path) -> None:
    """The sentence names the file."""
    with pytest.raises(FormatError, match=r"gone\.yaml"):
        read_prices(tmp_path / "gone.yaml")


def test_a_longer_name_of_the_model_asked_costs_the_same() -> None:
    """A dated version has the price of the model asked; another model has its own."""

    def cost(answered: str) -> float | None:
        return TABLE.cost_of_reply(MODEL, answered, ANSWER, DAY)

    assert cost(f"{MODEL}-09-2026") == pytest.approx(EACH)
    assert cost("") == pytest.approx(EACH)
    assert cost("gemini-3.8-flashy") is None
    lite = TABLE.cost("gemini-3.5-flash-lite", ANSWER, DAY)
    assert cost("gemini-3.5-flash-lite") == lite


def test_a_plan_gives_a_range_and_the_least_time(folder: Path) -> None:
    """Few, ordinary, many objects cost more and more; the tightest limit sets the time."""
    source, question = FolderSource(folder), Question("detect")
    plan = plan_run(source, question, model=MODEL)
    dollars = [e.usd for e in (plan.few, plan.likely, plan.many, plan.most)]
    assert dollars == sorted(dollars)
    assert plan.requests == plan.likely.requests == 60
    assert plan.in_journal is None
    assert plan.price == TABLE.on(MODEL, plan.day)
    by_requests = Limits(requests_per_minute=10)
    slow = plan_run(source, question, model=MODEL, limits=by_requests)
    assert 300 <= slow.seconds <= 360 > plan.seconds
    by_tokens = Limits(tokens_per_minute=plan.likely.prompt_tokens // 10)
    assert plan_run(source, question, model=MODEL, limits=by_tokens).seconds > 500


def test_a_price_stands_at_each_sample_even_when_it_was_paid_before(
    folder: Path,
) -> None:
    """The reply to a sample has its price in this run and in the next, which pays nothing."""
    with serving(answer) as server:
        runs = [run_on(server, folder, 40.0) for _ in range(2)]
    images = json.loads((folder.parent / "labels.json").read_text())["images"]
    assert [run.cost_usd for run in runs] == [pytest.approx(60 * EACH), 0.0]
    assert [image["gemini_cost_usd"] for image in images] == [pytest.approx(EACH)] * 60
    assert runs[0].usage_by_model == {MODEL: runs[0].usage}
    assert runs[1].usage_by_model == {}
