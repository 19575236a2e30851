"""What can go wrong at the Batch API, told by a scripted server; and reading results."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from batch_runs import BY_FILE, LIMITS, bodies, by_batch, numbered, place
from fiftyone_gemini.errors import FatalApiError
from fiftyone_gemini.gemini.batches.answers import Batching
from fiftyone_gemini.gemini.batches.keeper import Keeper, place_of
from fiftyone_gemini.gemini.batches.ledger import ANSWERED, Batch, Stage
from fiftyone_gemini.gemini.batches.packing import Sizes, folder_of, forget
from fiftyone_gemini.gemini.batches.results import read_inline, read_job, read_line
from fiftyone_gemini.gemini.batches.service import Service
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.gemini.pool import ask_all
from fiftyone_gemini.values import Example
from gemini_server import Say, Server, good, refusal, request_about, serving
from hypothesis import given, settings
from hypothesis import strategies as st

ONCE = Batching(sizes=Sizes())
JOB = "batches/b1"
KEYS = ("a" * 64, "b" * 64, "c" * 64)


def operation(state: str, **output: object) -> bytes:
    """Write an operation of the Batch API, shaped like the captured ones."""
    metadata = {"state": f"JOB_STATE_{state}", "name": JOB}
    if output:
        metadata["output"] = output
    return json.dumps({"name": JOB, "metadata": metadata}).encode()


def opened(book: Journal, url: str, keys: tuple[str, ...] = KEYS) -> Batch:
    """Put a batch into a journal that Gemini has had for a while."""
    made = book.batches.begin(
        "fiftyone-gemini-1", "m", place_of(place(url)), emulated=True
    )
    for key in keys:
        assert book.batches.hold(made, key)
    return book.batches.save(replace(made, stage=Stage.OPEN, job=JOB))


def look(book: Journal, url: str) -> list[str]:
    """Look after the batches of a journal once; give what was told."""
    told: list[str] = []
    with Service(place(url), LIMITS, book) as service:
        Keeper(service, book, place(url), told.append, sizes=BY_FILE).look()
    return told


def outcome(book: Journal, key: str) -> str | None:
    """Say how a request ended."""
    return book.batches.news(key, emulated=True)


def test_results_are_verified_and_matched_by_key(tmp_path: Path) -> None:
    """Strange, repeated, unreadable, refused and missing results are told apart."""
    reply = good("of b").decode()
    lines = (
        '{"key":"' + KEYS[1] + '",  "response": ' + reply + "}",
        json.dumps({"key": "stranger", "response": {}}),
        json.dumps({"key": KEYS[1], "error": {"code": 3, "message": "late"}}),
        json.dumps({"key": KEYS[0], "error": {"code": 3, "message": "bad image"}}),
        '{"key": "cut of',
    )
    script = [
        Say(body=operation("PARTIALLY_SUCCEEDED", responsesFile="files/r")),
        Say(body="\n".join(lines).encode()),
    ]
    with serving(script) as server, Journal(tmp_path / "j") as book:
        batch = opened(book, server.url)
        told = look(book, server.url)
        assert outcome(book, KEYS[1]) == ANSWERED
        assert "3 bad image" in str(outcome(book, KEYS[0]))
        assert "left out" in str(outcome(book, KEYS[2]))
        kept = folder_of(book.batches) / f"{batch.name}.results.jsonl"
        assert kept.exists()
    assert bodies(tmp_path / "j") == {KEYS[1]: reply}
    text = " ".join(told)
    assert "ended: partially succeeded, 1 of 3 requests answered" in text
    assert "1 results belong to no request of the batch; see" in text
    assert "1 results could not be read" in text
    assert "1 results came more than once" in text


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "EXPIRED"])
def test_what_an_ended_job_has_answered_is_kept(state: str, tmp_path: Path) -> None:
    """Results of a job that did not end well count; the rest says how it ended."""
    line = json.dumps({"key": KEYS[0], "response": {"candidates": []}}).encode()
    script = [Say(body=operation(state, responsesFile="files/r")), Say(body=line)]
    with serving(script) as server, Journal(tmp_path / "j") as book:
        opened(book, server.url)
        look(book, server.url)
        assert outcome(book, KEYS[0]) == ANSWERED
        assert "batch" in str(outcome(book, KEYS[1]))
        assert not book.batches.is_open(KEYS[1], emulated=True)


def test_results_that_are_gone_free_the_requests(tmp_path: Path) -> None:
    """After 48 hours there is nothing to fetch, which is said."""
    script = [
        Say(body=operation("SUCCEEDED", responsesFile="files/r")),
        refusal(404, "File not found"),
    ]
    with serving(script) as server, Journal(tmp_path / "j") as book:
        opened(book, server.url)
        look(book, server.url)
        assert "48 hours" in str(outcome(book, KEYS[0]))


def test_a_download_that_breaks_off_is_tried_again(tmp_path: Path) -> None:
    """Half a file of results is none."""
    line = json.dumps({"key": KEYS[0], "response": {"candidates": []}}).encode()
    script = [
        Say(body=operation("SUCCEEDED", responsesFile="files/r")),
        Say(half=True),
        Say(body=line),
    ]
    with serving(script) as server, Journal(tmp_path / "j") as book:
        opened(book, server.url)
        look(book, server.url)
        assert outcome(book, KEYS[0]) == ANSWERED


def test_a_job_that_gemini_does_not_know_stays_open(tmp_path: Path) -> None:
    """It may be another project's: only the user gives it up, and then it is free."""
    unknown = refusal(403, "You do not have permission, or it may not exist")
    with serving(lambda _: unknown) as server, Journal(tmp_path / "j") as book:
        batch = opened(book, server.url)
        (told,) = look(book, server.url)
        assert f"batches forget {batch.name}" in told
        assert book.batches.is_open(KEYS[0], emulated=True)
        forget(book.batches, batch)
        assert not book.batches.is_open(KEYS[0], emulated=True)
        assert "given up" in str(outcome(book, KEYS[0]))


def test_a_batch_elsewhere_is_left_alone(tmp_path: Path) -> None:
    """A batch of another endpoint is named, and not asked for here."""
    with serving([]) as server, Journal(tmp_path / "j") as book:
        opened(book, "http://127.0.0.1:1")
        (told,) = look(book, server.url)
        assert "another endpoint: emulator http://127.0.0.1:1" in told
        assert server.seen == []


def jobs_named(server: Server) -> bytes:
    """List a job under each display name that was submitted."""
    names = [s.body["batch"]["displayName"] for s in server.seen if "batch" in s.body]
    jobs = [{"name": JOB, "metadata": {"displayName": name}} for name in names]
    return json.dumps({"operations": jobs}).encode()


def scripted(answer: Callable[[Server, str], Say]) -> tuple[list[Server], Callable]:
    """Make a script that sees the server and the path that was asked for."""
    box: list[Server] = []

    def script(number: int) -> Say:
        return answer(box[0], box[0].seen[number].path)

    return box, script


def test_a_submission_without_an_answer_is_looked_up(tmp_path: Path) -> None:
    """The connection broke after Gemini had the batch: it is found by its name."""

    def answer(server: Server, path: str) -> Say:
        if path.endswith(":batchGenerateContent"):
            return Say(cut=True)
        return Say(body=jobs_named(server))

    box, script = scripted(answer)
    with serving(script) as server:
        box.append(server)
        _, told = by_batch(server.url, tmp_path / "j", numbered(0, 2), ONCE)
        submissions = [s for s in server.seen if "batch" in s.body]
    assert len(submissions) == 1
    assert any("was found at Gemini: batches/b1" in sentence for sentence in told)
    with Journal(tmp_path / "j") as book:
        assert [b.stage for b in book.batches.every()] == [Stage.OPEN]


def test_a_submission_that_never_arrived_is_made_again(tmp_path: Path) -> None:
    """Only after a while, when Gemini lists no batch of that name, it is submitted anew."""

    def answer(server: Server, path: str) -> Say:
        submitted = sum("batch" in s.body for s in server.seen)
        if path.endswith(":batchGenerateContent"):
            return (
                refusal(503, "busy")
                if submitted == 1
                else Say(body=operation("PENDING"))
            )
        return Say(body=b"{}")

    box, script = scripted(answer)
    with serving(script) as server:
        box.append(server)
        _, told = by_batch(server.url, tmp_path / "j", numbered(0, 2), ONCE)
        assert any("not known whether" in sentence for sentence in told)
        by_batch(server.url, tmp_path / "j", numbered(0, 2), ONCE)
        assert sum("batch" in s.body for s in server.seen) == 1
        soon = replace(ONCE, grace_seconds=0.0)
        _, told = by_batch(server.url, tmp_path / "j", numbered(0, 2), soon)
        assert any("never reached Gemini" in sentence for sentence in told)
        assert sum("batch" in s.body for s in server.seen) == 2


def test_a_full_quota_makes_a_batch_wait(tmp_path: Path) -> None:
    """Too many batches: it stays written, and the next run submits that very file."""
    script = [refusal(429, "too many batches"), Say(body=operation("PENDING"))]
    with serving(script) as server:
        _, told = by_batch(server.url, tmp_path / "j", numbered(0, 2), ONCE)
        assert any("waits to be submitted" in sentence for sentence in told)
        by_batch(server.url, tmp_path / "j", numbered(0, 2), ONCE)
        first, second = (s.body["batch"] for s in server.seen)
    assert first == second


def test_a_refused_batch_is_dropped_and_its_requests_are_free(tmp_path: Path) -> None:
    """What Gemini refuses for good ends the run, and holds nothing."""
    with serving([refusal(404, "models/x is not found")]) as server:
        with pytest.raises(FatalApiError, match="Check the model name"):
            by_batch(server.url, tmp_path / "j", numbered(0, 2), ONCE)
        with Journal(tmp_path / "j") as book:
            assert book.batches.every() == []


def test_requests_in_a_batch_are_worded_as_online(tmp_path: Path) -> None:
    """Pictures, schema, examples, system and settings: byte for byte the same JSON."""
    plain = request_about(1, schema={"type": "object"}, temperature=0.3)
    example = Example((plain.media, "Show."), "[]")
    whole = replace(plain, system="Be brief.", examples=(example,))
    with serving([]) as server, Journal(tmp_path / "j") as book:
        item = numbered(1, 1)
        options = {"endpoint": place(server.url), "journal": book}
        list(ask_all(item, lambda _: whole, **options))
        with Service(place(server.url), LIMITS, book) as service:
            worded = [service.word(whole), service.word(whole)]
        (sent,) = server.seen
    assert [json.loads(line) for line in worded] == [sent.body, sent.body]
    assert b"\n" not in worded[0]


def test_no_key_is_in_what_batches_leave_on_disk(tmp_path: Path) -> None:
    """Neither the journal nor the file of a waiting batch holds the key."""
    with serving(lambda _: refusal(429, "later")) as server:
        by_batch(server.url, tmp_path / "j", numbered(0, 2), ONCE)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"TopSecret" not in file.read_bytes()


blank = st.sampled_from(["", " ", "\n", "\t ", "  \r\n"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=50)
@given(
    st.dictionaries(st.text(), values, max_size=4),
    st.lists(blank, min_size=5, max_size=5),
    st.booleans(),
)
def test_a_reply_is_cut_out_as_it_stands(
    response: dict, gaps: list[str], last: bool
) -> None:
    """Whatever blanks and order a result has, the reply is its very text."""
    reply = json.dumps(response, indent=2, ensure_ascii=False)
    members = ['"key" : "k"', f'"response"{gaps[0]}:{gaps[1]}{reply}{gaps[2]}']
    joined = f"{gaps[3]},{gaps[4]}".join(members if last else members[::-1])
    line = "{" + joined + "}"
    result = read_line(line.encode())
    assert result is not None
    assert result.key == "k"
    assert result.body == reply.encode()
    entry = line.replace('"key" : "k"', '"metadata": {"key": "k"}')
    output = '{"inlinedResponses": {"inlinedResponses": [' + entry + "," + entry + "]}}"
    document = '{"name": "batches/b", "metadata": {"output": ' + output + "}}"
    job = read_job(document)
    assert [r and r.body for r in read_inline(job.inline)] == [reply.encode()] * 2


@given(
    st.binary()
    | st.text().map(str.encode)
    | values.map(lambda v: json.dumps(v).encode())
)
def test_reading_results_never_raises(line: bytes) -> None:
    """Whatever stands in a results file is a result or none."""
    read_line(line)
    read_job(line.decode(errors="replace"))
