"""The pool over the real SDK and real HTTP: retries, journal, stop, concurrency."""

from __future__ import annotations

import json
import logging
import random
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fiftyone_gemini.errors import FatalApiError, MediaError, UsageError
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.gemini.journal import Journal, request_key
from fiftyone_gemini.gemini.pool import Answered, Limits, ask_all
from fiftyone_gemini.media.image import load_image
from fiftyone_gemini.values import Item, Request, Status
from gemini_server import (
    FAST,
    KEY,
    Say,
    Server,
    build,
    items,
    refusal,
    request_about,
    serving,
)

THREADS = ("gemini-loop", "gemini-worker")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Give an empty journal."""
    with Journal(tmp_path / "replies.journal") as book:
        yield book


@pytest.fixture(autouse=True)
def no_thread_is_left() -> None:
    """Hold that every test leaves no thread of the pool behind."""
    yield
    left = [t.name for t in threading.enumerate() if t.name.startswith(THREADS)]
    assert not left


def ask(server: Server, journal: Journal, count: int = 1, **more) -> list[Answered]:
    """Ask about some items with short waits."""
    timeout = more.pop("timeout_seconds", 10)
    limits = Limits(**{**FAST, **more.pop("limits", {})})
    return list(
        ask_all(
            items(count),
            more.pop("build", build),
            endpoint=server.endpoint(timeout),
            journal=journal,
            limits=limits,
            **more,
        )
    )


def test_a_reply_arrives_with_text_usage_and_its_bytes(journal: Journal) -> None:
    """One item gives the text, the usage and the very bytes that the server sent."""
    with serving([]) as server:
        (answered,) = ask(server, journal)
    assert answered.reply.text == "answer 0"
    assert answered.reply.usage.prompt == 1100
    assert answered.reply.model_version == "m-1"
    assert json.loads(answered.reply.body)["modelVersion"] == "m-1"
    assert not answered.reply.from_journal
    assert answered.reply.seconds > 0
    assert journal.find(request_key(answered.request), emulated=True) == (
        answered.reply.body
    )


def test_a_429_waits_as_long_as_gemini_asks(journal: Journal) -> None:
    """RetryInfo is honoured, in decimal seconds, whatever our own backoff is."""
    busy = refusal(429, "slow down", delay="0.7s", quota="PerMinutePerProject")
    with serving([busy]) as server:
        (answered,) = ask(server, journal)
    first, second = server.seen
    assert answered.reply.text == "answer 1"
    assert second.time - first.time >= 0.7


def test_a_429_holds_back_the_other_requests_too(journal: Journal) -> None:
    """While Gemini asks to wait, no request of the run is sent."""
    busy = refusal(429, "slow down", delay="0.5s")
    with serving([busy]) as server:
        assert len(ask(server, journal, 4, limits={"in_flight": 1})) == 4
    assert all(s.time - server.seen[0].time >= 0.5 for s in server.seen[1:])


def test_a_quota_far_below_the_places_loses_nothing(journal: Journal) -> None:
    """With places for 24 and a quota of 4 in 0.2 seconds all get their turn."""
    let_in: list[float] = []

    def script(_: int) -> Say:
        now = time.monotonic()
        recent = [moment for moment in let_in if now - moment < 0.2]
        if len(recent) >= 4:
            return refusal(429, "slow down", delay=f"{0.2 - (now - recent[0]):.3f}s")
        let_in.append(now)
        return Say()

    with serving(script) as server:
        limits = {"in_flight": 24, "attempts": 3}
        answered = ask(server, journal, 24, limits=limits)
    assert {a.reply.failure for a in answered} == {None}


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(refusal(503, "overloaded"), id="503"),
        pytest.param(refusal(500, "internal"), id="500"),
        pytest.param(refusal(429, "busy"), id="429 without RetryInfo"),
        pytest.param(
            Say(502, b"<html><h1>Bad gateway</h1></html>", content_type="text/html"),
            id="html 502",
        ),
        pytest.param(Say(cut=True), id="connection cut"),
        pytest.param(Say(half=True), id="connection cut in the body"),
        pytest.param(Say(body=b'{"a": "\xff\xfe"}'), id="not UTF-8"),
        pytest.param(Say(seconds=3), id="timeout"),
    ],
)
def test_passing_trouble_is_asked_again(journal: Journal, trouble: Say) -> None:
    """Busy servers, broken connections and timeouts cost a second attempt, no more."""
    with serving([trouble]) as server:
        (answered,) = ask(server, journal, timeout_seconds=0.5)
        assert answered.reply.failure is None
        assert len(server.seen) == 2


def test_a_bad_day_costs_no_reply(journal: Journal) -> None:
    """With a third of all answers going wrong in every way, each item is answered."""
    troubles = [
        refusal(429, "busy", delay="0.02s"),
        refusal(503, "overloaded"),
        Say(502, b"<html>no</html>", content_type="text/html"),
        Say(cut=True),
        Say(half=True),
    ]
    luck = random.Random(7)

    def script(_: int) -> Say:
        return luck.choice(troubles) if luck.random() < 1 / 3 else Say()

    with serving(script) as server:
        answered = ask(server, journal, 100, limits={"attempts": 12})
    assert {a.reply.failure for a in answered} == {None}
    assert len({a.reply.text for a in answered}) == len(journal) == 100
    assert len(server.seen) > 120


def test_lasting_trouble_is_that_items_failure(journal: Journal) -> None:
    """After the last attempt the item says what happened; the others are answered."""

    def script(number: int) -> Say:
        with_trouble = server.seen[number].picture == server.seen[0].picture
        return refusal(503, "overloaded") if with_trouble else Say()

    with serving(script) as server:
        answered = ask(server, journal, 3, limits={"attempts": 3})
    failed = [a for a in answered if a.reply.failure]
    assert len(failed) == 1
    assert failed[0].reply.failure is Status.API_ERROR
    assert "503" in failed[0].reply.error
    assert "(3 attempts)" in failed[0].reply.error
    assert "Run the same command again" in failed[0].reply.error
    assert len(server.seen) == 5
    assert len(journal) == 2


def test_a_server_that_is_not_there_is_said_so(journal: Journal) -> None:
    """A refused connection names the trouble, without the SDK's own long wait."""
    with serving([]) as server:
        gone = server
    started = time.monotonic()
    (answered,) = ask(gone, journal, limits={"attempts": 2})
    assert answered.reply.failure is Status.API_ERROR
    assert "could not be reached" in answered.reply.error
    assert time.monotonic() - started < 1


def test_a_bad_request_is_not_repeated(journal: Journal) -> None:
    """A plain 400 is the failure of its item at once."""
    with serving([refusal(400, "Unable to process input image")]) as server:
        answered = ask(server, journal, 2, limits={"in_flight": 1})
    assert sorted(str(a.reply.failure) for a in answered) == ["None", "api_error"]
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        pytest.param(
            refusal(429, "quota", quota="GenerateRequestsPerDayPerProject"),
            "quota of the day",
            id="daily quota",
        ),
        pytest.param(refusal(401, "no credentials"), "Check the key", id="401"),
        pytest.param(refusal(403, "PERMISSION_DENIED"), "Check the key", id="403"),
        pytest.param(
            refusal(400, f"API key not valid: {KEY}"), "Check the key", id="wrong key"
        ),
        pytest.param(refusal(404, "no such model"), "gemini-3.8-flash", id="404"),
        pytest.param(
            refusal(429, "later", delay="3600s"), "3600 seconds", id="an hour's wait"
        ),
    ],
)
def test_a_hopeless_error_stops_the_run(
    journal: Journal, trouble: Say, words: str
) -> None:
    """A wrong key or a used-up day ends the run after what was open is handed out."""
    with serving([Say(), Say(), trouble]) as server:
        got: list[Answered] = []
        with pytest.raises(FatalApiError, match=words) as caught:
            got.extend(
                ask_all(
                    items(50),
                    build,
                    endpoint=server.endpoint(),
                    journal=journal,
                    limits=Limits(in_flight=1, backoff_seconds=0.01),
                )
            )
    assert len(server.seen) == 3
    assert len(journal) == 2
    assert KEY not in str(caught.value)


def test_open_requests_are_handed_out_before_the_run_stops(journal: Journal) -> None:
    """A fatal error loses none of the replies that were on their way."""

    def script(number: int) -> Say:
        return Say(seconds=0.5) if number else replace(refusal(401, "no"), seconds=0.1)

    with serving(script) as server:
        got = []
        answers = ask_all(
            items(20),
            build,
            endpoint=server.endpoint(),
            journal=journal,
            limits=Limits(in_flight=4),
        )
        with pytest.raises(FatalApiError):
            got.extend(answers)
    assert len(got) == 3
    assert len(server.seen) == 4


def test_a_refused_thinking_level_is_stepped_up_once(journal: Journal) -> None:
    """A 400 about thinking costs one request of the run, not one of every item."""
    refused = refusal(400, "Thinking level LOW is not supported for this model.")
    with serving([refused]) as server:
        answered = ask(server, journal, 4, limits={"in_flight": 1})
    levels = [
        s.body["generationConfig"]["thinkingConfig"]["thinking_level"]
        for s in server.seen
    ]
    assert levels == ["LOW", "MEDIUM", "MEDIUM", "MEDIUM", "MEDIUM"]
    assert all(a.reply.failure is None for a in answered)


TOO_MANY = (
    "The specified schema produces a constraint that has too many states for serving"
)


def test_a_refused_schema_is_left_out_from_then_on(journal: Journal) -> None:
    """The prompt alone asks for the form; the run is told so once, and finds its key."""

    def with_schema(item: Item) -> Request:
        return request_about(int(item.path), schema={"type": "array"})

    def script(number: int) -> Say:
        config = server.seen[number].body["generationConfig"]
        return refusal(400, TOO_MANY) if "responseJsonSchema" in config else Say()

    with serving(script) as server:
        limits = {"in_flight": 1}
        answered = ask(server, journal, 3, build=with_schema, limits=limits)
        assert len(server.seen) == 4
        again = ask(server, journal, 3, build=with_schema)
        assert len(server.seen) == 4
    assert [a.reply.failure for a in (*answered, *again)] == [None] * 6
    notes = [note for a in answered for note in a.notes]
    assert len(notes) == 1
    assert "refused the response schema" in notes[0]


def test_a_schema_that_is_not_there_cannot_be_left_out(journal: Journal) -> None:
    """A complaint about a schema that was not sent is that item's failure."""
    with serving(lambda _: refusal(400, "bad schema")) as server:
        (answered,) = ask(server, journal)
        assert len(server.seen) == 1
    assert answered.reply.failure is Status.API_ERROR


def test_thinking_that_is_refused_twice_is_that_items_failure(
    journal: Journal,
) -> None:
    """There is one step, not a ladder."""
    refused = refusal(400, "thinking is not supported")
    with serving([refused, refused]) as server:
        (answered,) = ask(server, journal)
    assert answered.reply.failure is Status.API_ERROR
    assert len(server.seen) == 2


def test_resuming_asks_nothing_again(journal: Journal) -> None:
    """A second run over the same items reads the journal only."""
    with serving([]) as server:
        first = ask(server, journal, 10)
        second = ask(server, journal, 12)
    assert len(server.seen) == 12
    assert sum(a.reply.from_journal for a in second) == 10
    texts = {a.item.sample_id: a.reply.text for a in first}
    assert texts.items() <= {a.item.sample_id: a.reply.text for a in second}.items()


def test_paid_failures_are_journalled_and_unpaid_ones_are_not(
    journal: Journal,
) -> None:
    """Blocked, cut and odd replies are kept; a request that got no body is not."""
    bodies = [
        b'{"promptFeedback": {"blockReason": "SAFETY"}}',
        b'{"candidates": [{"finishReason": "MAX_TOKENS"}]}',
        b"not JSON at all",
    ]
    script = [*(Say(body=b) for b in bodies), refusal(400, "bad")]
    with serving(script) as server:
        ask(server, journal, 4, limits={"in_flight": 1})
        again = ask(server, journal, 4, limits={"in_flight": 1})
    failures = {a.reply.failure for a in again if a.reply.from_journal}
    assert failures == {Status.BLOCKED, Status.TRUNCATED, Status.MALFORMED}
    assert len(server.seen) == 5


def test_the_same_question_at_one_time_is_asked_once(journal: Journal) -> None:
    """Copies of a picture wait for the first; only one reply counts as paid."""
    with serving(lambda _: Say(seconds=0.2)) as server:
        answered = ask(server, journal, 30, build=lambda _: request_about(7), limits={})
    assert len(server.seen) == 1
    assert sum(not a.reply.from_journal for a in answered) == 1
    assert {a.reply.text for a in answered} == {"answer 0"}


def test_one_bad_picture_does_not_cost_the_rest(
    journal: Journal, tmp_path: Path
) -> None:
    """A damaged file is a media error with its name; the others are answered."""
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not a picture")

    def build_or_fail(item: Item) -> Request:
        if item.path == "3":
            load_image(bad)
        return build(item)

    with serving([]) as server:
        answered = ask(server, journal, 8, build=build_or_fail)
    (failed,) = [a for a in answered if a.reply.failure]
    assert failed.item.sample_id == "3"
    assert failed.reply.failure is Status.MEDIA_ERROR
    assert "bad.jpg" in failed.reply.error
    assert failed.request is None
    assert len(server.seen) == 7


def test_a_bug_in_one_build_is_one_items_failure(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    """An unforeseen exception is logged with its trace and costs one item."""

    def build_or_fail(item: Item) -> Request:
        if item.path == "1":
            raise ZeroDivisionError(f"oh {KEY}")
        return build(item)

    with serving([]) as server:
        answered = ask(server, journal, 3, build=build_or_fail)
    (failed,) = [a for a in answered if a.reply.failure]
    assert "ZeroDivisionError: oh [key]" in failed.reply.error
    assert "Traceback" in caplog.text
    assert KEY not in caplog.text


def test_a_mistake_of_the_caller_is_raised(journal: Journal) -> None:
    """A `UsageError` of `build` is nobody's reply: it ends the run."""

    def wrong(_: Item) -> Request:
        raise UsageError("no such task")

    with serving([]) as server, pytest.raises(UsageError, match="no such task"):
        ask(server, journal, 3, build=wrong)


def test_requests_run_side_by_side_within_the_limit(journal: Journal) -> None:
    """Forty slow requests fill all twenty places and never one more."""
    with serving(lambda _: Say(seconds=0.2)) as server:
        answered = ask(server, journal, 40, limits={"in_flight": 20})
    assert len(answered) == 40
    assert 18 <= server.peak <= 20


def test_pictures_are_loaded_just_in_time(journal: Journal) -> None:
    """However many items there are, few are drawn ahead of what was taken."""
    drawn = []

    def source():
        for item in items(200):
            drawn.append(item)
            yield item

    with serving([]) as server:
        limits = Limits(in_flight=3)
        answers = ask_all(
            source(), build, endpoint=server.endpoint(), journal=journal, limits=limits
        )
        for taken, _ in enumerate(answers, start=1):
            assert len(drawn) <= taken + limits.look_ahead
    assert len(drawn) == 200


def test_stop_finishes_what_is_open_and_starts_nothing(journal: Journal) -> None:
    """After `stop` the open requests are handed out and no other is sent."""
    stop = threading.Event()
    got = []
    with serving(lambda n: Say(seconds=0.05 if n == 0 else 0.6)) as server:
        for answered in ask_all(
            items(100),
            build,
            endpoint=server.endpoint(),
            journal=journal,
            limits=Limits(in_flight=4),
            stop=stop,
        ):
            got.append(answered)
            stop.set()
    assert len(server.seen) == len(got) == len(journal)
    assert 4 <= len(got) <= 5


def test_stop_does_not_sit_out_a_long_wait(journal: Journal) -> None:
    """A request that waits for its next attempt is given up when the run stops."""
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    started = time.monotonic()
    with serving([refusal(429, "slow down", delay="60s")]) as server:
        assert ask(server, journal, stop=stop) == []
    assert time.monotonic() - started < 10


def test_an_abandoned_run_cleans_up(journal: Journal) -> None:
    """A caller who leaves early leaves no thread, task or connection behind."""
    with serving(lambda n: Say(seconds=0 if n == 0 else 5)) as server:
        answers = ask_all(items(50), build, endpoint=server.endpoint(), journal=journal)
        assert next(answers).reply.text
        started = time.monotonic()
        answers.close()
        assert time.monotonic() - started < 3


def test_no_items_ask_nothing(journal: Journal) -> None:
    """An empty source is an empty run."""
    with serving([]) as server:
        assert ask(server, journal, 0) == []
    assert not server.seen


def test_the_emulator_is_reached_past_a_proxy(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the environment does not stand between us and this machine."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving([]) as server:
        (answered,) = ask(server, journal, limits={"attempts": 1})
    assert answered.reply.failure is None


def test_the_key_is_sent_and_shown_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The key reaches the server, and neither logs, replies, errors nor the journal."""
    caplog.set_level(logging.DEBUG)
    echo = refusal(400, f"I was given {KEY}")
    path = tmp_path / "replies.journal"
    with serving([echo, Say(cut=True), refusal(503, KEY)]) as server:
        with Journal(path) as journal:
            answered = ask(server, journal, 4, limits={"in_flight": 1})
        assert KEY not in repr(server.endpoint())
    assert all(s.headers["x-goog-api-key"] == KEY for s in server.seen)
    assert any(a.reply.failure for a in answered)
    assert KEY not in caplog.text
    assert KEY not in repr(answered)
    assert KEY.encode() not in b"".join(f.read_bytes() for f in tmp_path.iterdir())


def test_media_errors_need_no_connection(journal: Journal) -> None:
    """A run of nothing but bad pictures ends without a request."""

    def fail(item: Item) -> Request:
        raise MediaError(f"{item.path} does not exist.")

    with serving([]) as server:
        answered = ask(server, journal, 5, build=fail)
    assert [a.reply.failure for a in answered] == [Status.MEDIA_ERROR] * 5
    assert not server.seen


def test_an_endpoint_that_cannot_be_opened_is_an_error(journal: Journal) -> None:
    """What the SDK refuses at once reaches the caller, and no thread is left."""
    answers = ask_all(items(1), build, endpoint=Endpoint("gemini"), journal=journal)
    with pytest.raises(ValueError, match="API key"):
        next(answers)


def test_importing_loads_nothing_heavy() -> None:
    """The SDK and the HEIC reader are loaded where they are used, not before."""
    code = (
        "import sys; import fiftyone_gemini.gemini.pool, fiftyone_gemini.gemini.cost, "
        "fiftyone_gemini.media.image; "
        "heavy = {'google.genai', 'aiohttp', 'pillow_heif', 'fiftyone'}; "
        "sys.exit(f'{heavy & sys.modules.keys()}' if heavy & sys.modules.keys() else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()
