"""Labelling by the Batch API: the real SDK against the emulator's batches."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from urllib.request import urlopen

import pytest
from batch_runs import BY_FILE, bodies, by_batch, log_of, numbered, online, paid
from batch_runs import waiting as wait
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import EmulatorHandle, Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.gemini.batches.answers import Batching
from fiftyone_gemini.gemini.batches.ledger import Stage
from fiftyone_gemini.gemini.batches.packing import Sizes, folder_of
from fiftyone_gemini.gemini.budget import Budget
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.gemini.limits import Limits
from fiftyone_gemini.gemini.models import Price
from fiftyone_gemini.gemini.prices import Prices
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.values import Question, Run, Status
from gemini_server import KEY, build, picture

ONCE = Batching(sizes=BY_FILE)
PRICES = Prices(
    {name: (Price(1.0, 4.0),) for name in ("gemini-3.8-flash", "emulator-320")}
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorHandle]:
    """Run an emulator whose batches take no time."""
    with running_emulator(Settings()) as handle:
        yield handle


@pytest.fixture(scope="module")
def slow_emulator() -> Iterator[EmulatorHandle]:
    """Run an emulator whose batches never end in a test."""
    with running_emulator(Settings(batch_seconds=3600)) as handle:
        yield handle


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Name a journal."""
    return tmp_path / "journal.sqlite"


def short(number: int) -> str:
    """Name a picture as the emulator's log does."""
    return sha256(picture(number)).hexdigest()[:16]


def calls(url: str) -> int:
    """Count what was sent to the emulator, beside what its batches do by themselves."""
    return sum(entry["method"] == "POST" for entry in log_of(url))


@pytest.mark.parametrize("sizes", [BY_FILE, Sizes()], ids=["file", "inline"])
def test_a_batch_answers_what_an_online_run_would(
    emulator: EmulatorHandle, journal: Path, tmp_path: Path, sizes: Sizes
) -> None:
    """Each item has the reply of its own picture, though the results are shuffled."""
    asked = numbered(0, 6)
    answers, told = by_batch(emulator.url, journal, asked, wait(sizes=sizes))
    plain = online(emulator.url, tmp_path / "online", asked)
    assert {path: a.reply.text for path, a in answers.items()} == {
        path: a.reply.text for path, a in plain.items()
    }
    assert all(a.reply.batched and not a.reply.from_journal for a in answers.values())
    assert "6 of 6 requests answered" in told[-1]
    with Journal(journal) as book:
        assert list(folder_of(book.batches).iterdir()) == []


def test_replies_are_stored_byte_for_byte(
    emulator: EmulatorHandle, journal: Path
) -> None:
    """The journal holds the text of `response` as it stands in the results file."""
    by_batch(emulator.url, journal, numbered(20, 3), wait())
    with Journal(journal) as book:
        (batch,) = book.batches.every()
    job = batch.job.replace("batches/", "files/batch-")
    with urlopen(f"{emulator.url}/v1/{job}:download?alt=media&key=k") as reply:
        results = reply.read().decode()
    stored = bodies(journal)
    assert len(stored) == 3
    for key, body in stored.items():
        assert f'"key": "{key}", "response": {body}}}' in results


def test_batches_and_online_runs_share_the_journal(
    emulator: EmulatorHandle, journal: Path
) -> None:
    """What either has asked, the other takes from the journal."""
    online(emulator.url, journal, numbered(30, 2))
    answers, told = by_batch(emulator.url, journal, numbered(30, 4), wait())
    assert "2 requests to" in told[0]
    assert [answers[str(n)].reply.from_journal for n in range(30, 34)] == [
        *(True, True, False, False)
    ]
    again = online(emulator.url, journal, numbered(30, 4))
    assert all(a.reply.from_journal for a in again.values())
    counts = paid(emulator.url)
    assert [counts[short(n)] for n in range(30, 34)] == [1, 1, 1, 1]


def test_a_run_that_does_not_wait_is_gone_on_with(
    emulator: EmulatorHandle, journal: Path
) -> None:
    """The first run submits, the next one fetches; what is told once is not paid again."""
    asked = numbered(40, 3)
    nothing, told = by_batch(emulator.url, journal, asked, ONCE)
    assert nothing == {}
    assert "Submitted the batch" in told[0]
    fetched: dict = {}
    while not fetched:
        time.sleep(0.1)
        fetched, _ = by_batch(emulator.url, journal, asked, ONCE)
    assert [a.reply.from_journal for a in fetched.values()] == [False] * 3
    later, _ = by_batch(emulator.url, journal, asked, ONCE)
    assert [a.reply.from_journal for a in later.values()] == [True] * 3
    assert [paid(emulator.url)[short(n)] for n in range(40, 43)] == [1, 1, 1]


@pytest.mark.slow
def test_batches_are_split_by_count_and_by_size(
    emulator: EmulatorHandle, journal: Path, tmp_path: Path
) -> None:
    """No batch has more requests or bytes than is allowed; one request always fits."""
    by_count = wait(sizes=Sizes(requests=2, inline_requests=0))
    _, told = by_batch(emulator.url, journal, numbered(50, 5), by_count)
    assert sum("2 requests to" in sentence for sentence in told) == 2
    assert sum("1 requests to" in sentence for sentence in told) == 1
    tiny = wait(sizes=Sizes(file_bytes=10, inline_requests=0))
    answers, told = by_batch(emulator.url, tmp_path / "j2", numbered(50, 3), tiny)
    assert sum("1 requests to" in sentence for sentence in told) == 3
    assert len(answers) == 3


def test_the_same_picture_twice_is_asked_once(
    emulator: EmulatorHandle, journal: Path
) -> None:
    """Two items with one question share the request."""
    one = numbered(60, 1)[0]
    answers, told = by_batch(emulator.url, journal, [one, one], wait())
    assert "1 requests to" in told[0]
    assert paid(emulator.url)[short(60)] == 1
    assert answers["60"].reply.failure is None


def test_an_online_run_leaves_out_what_is_in_an_open_batch(
    slow_emulator: EmulatorHandle, journal: Path
) -> None:
    """It asks about the others, and pays for none of the batch."""
    by_batch(slow_emulator.url, journal, numbered(0, 2), ONCE)
    answers = online(slow_emulator.url, journal, numbered(0, 4))
    assert sorted(answers) == ["2", "3"]


def test_two_runs_at_once_submit_nothing_twice(
    slow_emulator: EmulatorHandle, journal: Path
) -> None:
    """Every request is in one batch, whichever run it came from."""

    def go(_: int) -> None:
        few = Batching(sizes=Sizes(requests=3, inline_requests=0))
        by_batch(slow_emulator.url, journal, numbered(100, 20), few)

    with ThreadPoolExecutor() as pool:
        list(pool.map(go, range(3)))
    with Journal(journal) as book:
        every = book.batches.every()
        assert sum(book.batches.counts(batch).all for batch in every) == 20
        assert {batch.stage for batch in every} == {Stage.OPEN}


def test_waiting_can_be_stopped(slow_emulator: EmulatorHandle, journal: Path) -> None:
    """A run that waits ends at once when it is told to, and its batch stays open."""
    stop = threading.Event()
    batching = wait(poll_seconds=600, tell=lambda _: stop.set())
    answers, told = by_batch(
        slow_emulator.url, journal, numbered(200, 2), batching, stop=stop
    )
    assert answers == {}
    assert "Submitted" in told[0]
    with Journal(journal) as book:
        assert [batch.stage for batch in book.batches.every()] == [Stage.OPEN]


def test_a_run_stopped_while_it_writes_submits_nothing(
    slow_emulator: EmulatorHandle, journal: Path
) -> None:
    """The batch that was begun is dropped, with its file."""
    stop = threading.Event()
    before = calls(slow_emulator.url)

    def stopping():
        yield from numbered(210, 5)
        stop.set()
        yield from numbered(215, 3)

    few = Limits(in_flight=1)
    by_batch(slow_emulator.url, journal, stopping(), ONCE, stop=stop, limits=few)
    with Journal(journal) as book:
        assert book.batches.every() == []
        assert list(folder_of(book.batches).iterdir()) == []
    assert calls(slow_emulator.url) == before


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [BY_FILE, Sizes()], ids=["file", "inline"])
def test_what_a_batch_refuses_is_asked_again(journal: Path, sizes: Sizes) -> None:
    """A refused line is an `api_error` with its reason; the next run asks once more."""
    with running_emulator(Settings(faults="503:0.5", fault_times=1)) as emulator:
        asked = numbered(0, 8)
        answers, _ = by_batch(emulator.url, journal, asked, wait(sizes=sizes))
        failed = {p for p, a in answers.items() if a.reply.failure}
        assert 0 < len(failed) < 8
        assert {answers[p].reply.failure for p in failed} == {Status.API_ERROR}
        assert all(
            "in the batch fiftyone-gemini-" in answers[p].reply.error for p in failed
        )
        assert len(bodies(journal)) == 8 - len(failed)
        answers, told = by_batch(emulator.url, journal, asked, wait(sizes=sizes))
        assert f"{len(failed)} requests to" in told[0]
        assert all(a.reply.failure is None for a in answers.values())
        assert set(paid(emulator.url).values()) == {1}


@pytest.mark.slow
def test_what_a_batch_refuses_can_be_asked_online_at_once(journal: Path) -> None:
    """With `then_online` no item is left, at the ordinary price for those."""
    with running_emulator(Settings(faults="503:0.5", fault_times=1)) as emulator:
        batching = wait(then_online=True)
        answers, _ = by_batch(emulator.url, journal, numbered(0, 8), batching)
        assert len(answers) == 8
        assert all(a.reply.failure is None for a in answers.values())
        assert {a.reply.batched for a in answers.values()} == {True, False}


@pytest.mark.slow
def test_calls_that_break_pay_for_nothing_twice(journal: Path) -> None:
    """Uploads, looks and downloads are tried again; a submission is looked up instead."""
    faults = "upload:503,create-batch:cut,get-batch:500"
    with running_emulator(Settings(call_faults=faults)) as emulator:
        answers, told = by_batch(emulator.url, journal, numbered(0, 3), wait())
        assert all(a.reply.failure is None for a in answers.values())
        assert any("was found at Gemini" in sentence for sentence in told)
        assert sorted(paid(emulator.url).values()) == [1, 1, 1]


@pytest.mark.slow
def test_batches_that_fail_or_expire_lose_nothing(journal: Path) -> None:
    """Their items say why there is no answer; the next run puts them into a new batch."""
    with running_emulator(Settings(batch_ends="failed,expired")) as emulator:
        for end in ("failed", "expired"):
            answers, told = by_batch(emulator.url, journal, numbered(0, 2), wait())
            assert any(f"ended: {end}" in sentence for sentence in told)
            assert all(end in a.reply.error for a in answers.values())
        answers, _ = by_batch(emulator.url, journal, numbered(0, 2), wait())
        assert all(a.reply.failure is None for a in answers.values())


def test_enterprise_says_what_to_do_instead(journal: Path) -> None:
    """Batches from bucket to bucket are not offered; the sentence says what is."""
    endpoint = Endpoint("enterprise", project="p", location="global")
    with Journal(journal) as book:
        answers = ONCE.answers(print)(
            numbered(0, 1), build, endpoint=endpoint, journal=book
        )
        with pytest.raises(UsageError, match="without --batch"):
            next(answers)


def labelled(demo: Path, emulator: EmulatorHandle, out: Path, **options: object) -> Run:
    """Label the demo set as if the emulator were Gemini, which costs."""
    return label(
        FolderSource(read_coco(demo / "annotations.json")),
        CocoSink(out),
        Question("detect"),
        model="gemini-3.8-flash",
        endpoint=Endpoint("gemini", KEY, emulator.url),
        prices=PRICES,
        **options,
    )


@pytest.mark.slow
def test_a_batch_costs_half_and_its_labels_are_the_same(
    demo: Path, emulator: EmulatorHandle, tmp_path: Path
) -> None:
    """Labels, usage and statuses are those of an online run; the record says half."""
    plain = labelled(
        demo, emulator, tmp_path / "a.json", journal=tmp_path / "a", run_name="x"
    )
    half = labelled(
        demo, emulator, tmp_path / "b.json", journal=tmp_path / "b", batching=wait()
    )
    assert half.usage == plain.usage
    assert half.statuses == plain.statuses
    assert half.cost_usd == pytest.approx(plain.cost_usd / 2)
    assert half.parameters["mode"] == "batch"
    assert any("batches/" in note for note in half.notes)
    first, second = (
        json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json")
    )
    assert first["annotations"] == second["annotations"]
    for one, other in zip(first["images"], second["images"], strict=True):
        paid_online, paid_in_batch = (
            i.pop("gemini_cost_usd", None) for i in (one, other)
        )
        assert paid_in_batch == pytest.approx(paid_online / 2, abs=1e-6)
        assert one == other


@pytest.mark.slow
def test_a_budget_bounds_what_is_submitted(
    demo: Path, emulator: EmulatorHandle, tmp_path: Path
) -> None:
    """No more is open than could be paid; as answers come, more is submitted."""
    limits = Limits(budget=Budget(0.16, PRICES))
    options = {"journal": tmp_path / "j", "limits": limits}
    run = labelled(demo, emulator, tmp_path / "a.json", batching=ONCE, **options)
    with closing(Journal(tmp_path / "j")) as book:
        (batch,) = book.batches.every()
        submitted = book.batches.counts(batch).all
    assert 0 < submitted < 24
    assert batch.most_usd <= 0.16
    assert run.statuses == {Status.SKIPPED: 24}
    assert any("budget of $0.16" in note for note in run.notes)
    run = labelled(demo, emulator, tmp_path / "a.json", batching=wait(), **options)
    assert run.statuses[Status.OK] > submitted
    assert run.cost_usd < 0.16
