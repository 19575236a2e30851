"""The journal: exact bytes, kills, other processes, files that are no journal."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from fiftyone_gemini.errors import FormatError
from fiftyone_gemini.gemini import claims
from fiftyone_gemini.gemini.journal import Journal, request_key
from fiftyone_gemini.gemini.pool import Limits, ask_all
from fiftyone_gemini.values import Clip, Example, Frame
from gemini_server import Say, build, items, request_about, serving

HERE = Path(__file__).parent
RUN = """
import sys
sys.path.insert(0, {here!r})
from gemini_server import build, items
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.gemini.pool import Limits, ask_all
with Journal({path!r}) as journal:
    for answered in ask_all(items({count}), build, endpoint=Endpoint("emulator", "k", {url!r}),
                            journal=journal, limits=Limits(in_flight={in_flight})):
        pass
"""
ADD = """
import sys
from fiftyone_gemini.gemini.journal import Journal
with Journal({path!r}) as journal:
    print("open", flush=True)
    for n in range({count}):
        journal.add(f"{name}-{{n}}", b"x" * 2000, model="m")
        assert journal.find(f"{name}-{{n}}") == b"x" * 2000
"""


def python(code: str) -> subprocess.Popen:
    """Start a Python of its own."""
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)


def test_a_reply_comes_back_byte_for_byte(tmp_path: Path) -> None:
    """What was added is found again, in this and in the next opening."""
    body = bytes(range(256)) * 50
    with Journal(tmp_path / "j") as journal:
        assert journal.find("k") is None
        journal.add("k", body, model="m")
        assert journal.find("k") == body
    with Journal(tmp_path / "j") as journal:
        assert journal.find("k") == body
        assert len(journal) == 1


def test_the_newest_reply_to_a_request_is_found(tmp_path: Path) -> None:
    """Nothing is overwritten; a second reply stands before the first."""
    with Journal(tmp_path / "j") as journal:
        journal.add("k", b"old", model="m")
        journal.add("k", b"new", model="m")
        assert journal.find("k") == b"new"
        assert len(journal) == 2


def test_the_emulators_replies_are_kept_apart(tmp_path: Path) -> None:
    """A rehearsal with the emulator never answers a question to Gemini."""
    with Journal(tmp_path / "j") as journal:
        journal.add("k", b"pretended", model="m", emulated=True)
        assert journal.find("k") is None
        assert journal.find("k", emulated=True) == b"pretended"


def test_the_key_covers_all_that_decides_a_reply() -> None:
    """Another picture, prompt, schema, model or parameter is another request."""
    one = request_about(1, schema={"type": "array", "items": {}})
    others = [
        request_about(2, schema=one.schema),
        request_about(1, prompt="Detect cats.", schema=one.schema),
        replace(one, schema=None),
        replace(one, schema={"type": "object"}),
        replace(one, model="gemini-3.6-flash"),
        replace(one, system="Be brief."),
        replace(one, examples=(Example(one.content, "[]"),)),
        replace(one, content=one.content * 2),
        replace(one, content=(replace(one.media, clip=Clip(fps=2.0)), "Detect all.")),
        request_about(1, schema=one.schema, temperature=0.5),
        request_about(1, schema=one.schema, thinking="high"),
        request_about(1, schema=one.schema, max_output_tokens=10),
        request_about(1, schema=one.schema, media_resolution="low"),
    ]
    keys = [request_key(request) for request in [one, *others]]
    assert len(set(keys)) == len(keys)


def test_the_key_does_not_depend_on_order_or_frame() -> None:
    """The same schema in another order, or another original size, is the same key."""
    one = request_about(1, schema={"type": "array", "items": {}})
    same = replace(
        one,
        schema={"items": {}, "type": "array"},
        content=(replace(one.media, frame=Frame(99, 99)), "Detect all."),
    )
    assert request_key(one) == request_key(same)


def test_threads_share_a_journal(tmp_path: Path) -> None:
    """Many threads add and find at the same time."""
    with Journal(tmp_path / "j") as journal:

        def work(name: int) -> None:
            for n in range(50):
                journal.add(f"{name}-{n}", b"x" * n, model="m")
                assert journal.find(f"{name}-{n}") == b"x" * n

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(journal) == 400


def test_processes_share_a_journal_from_its_creation_on(tmp_path: Path) -> None:
    """Processes that create and fill one journal at once lose nothing."""
    path = tmp_path / "j"
    workers = [
        python(ADD.format(path=str(path), name=name, count=100)) for name in "abcd"
    ]
    for worker in workers:
        _, stderr = worker.communicate()
        assert worker.returncode == 0, stderr.decode()
    with Journal(path) as journal:
        assert len(journal) == 400


def test_opening_waits_for_another_process(tmp_path: Path) -> None:
    """A new file that somebody else holds at this moment is waited for."""
    path = tmp_path / "j"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    threading.Timer(0.2, other.rollback).start()
    with Journal(path) as journal:
        assert len(journal) == 0
    other.close()


@pytest.mark.slow
def test_a_killed_run_resumes_where_it_stopped(tmp_path: Path) -> None:
    """After `kill -9` only what was missing is asked, and nothing is lost."""
    path, count, in_flight = tmp_path / "j", 40, 4
    with serving(lambda _: Say(seconds=0.1)) as server:
        child = python(
            RUN.format(
                here=str(HERE),
                path=str(path),
                count=count,
                url=server.url,
                in_flight=in_flight,
            )
        )
        while len(server.seen) < 14 and child.poll() is None:
            time.sleep(0.005)
        os.kill(child.pid, signal.SIGKILL)
        _, stderr = child.communicate()
        assert child.returncode == -signal.SIGKILL, stderr.decode()
        before = len(server.seen)
        with Journal(path) as journal:
            kept = len(journal)
            answered = list(
                ask_all(
                    items(count),
                    build,
                    endpoint=server.endpoint(),
                    journal=journal,
                    limits=Limits(in_flight=in_flight),
                )
            )
    asked = Counter(seen.picture for seen in server.seen)
    assert before - in_flight <= kept <= before
    assert sum(a.reply.from_journal for a in answered) == kept
    assert len(server.seen) == before + count - kept
    assert len(asked) == count
    assert sum(n - 1 for n in asked.values()) <= in_flight
    assert {a.reply.failure for a in answered} == {None}


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    """A text file is named and left as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to look like one " * 100)
    with pytest.raises(FormatError, match=r"notes\.txt is not a journal"):
        Journal(path)
    assert path.read_text().startswith("not a database")


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """Somebody else's SQLite file is not written to."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(FormatError, match="another program"):
        Journal(path)


def test_a_journal_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """A newer layout asks for an update instead of being misread."""
    path = tmp_path / "j"
    Journal(path).close()
    with sqlite3.connect(path) as later:
        later.execute("PRAGMA user_version = 3")
    with pytest.raises(FormatError, match=r"version 3.*Update"):
        Journal(path)


def test_a_damaged_journal_is_refused_or_reported(tmp_path: Path) -> None:
    """Overwritten pages are a sentence, not a crash of SQLite."""
    path = tmp_path / "j"
    with Journal(path) as journal:
        for n in range(200):
            journal.add(str(n), b"x" * 500, model="m")
    data = bytearray(path.read_bytes())
    data[4096:] = b"\x7f" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(FormatError, match="damaged"), Journal(path) as journal:
        journal.find("1")


def test_a_missing_folder_is_said_so(tmp_path: Path) -> None:
    """A journal in a folder that is not there says what to check."""
    with pytest.raises(FormatError, match="folder exists"):
        Journal(tmp_path / "nowhere" / "j")


def test_a_full_disk_is_said_so_and_loses_nothing(tmp_path: Path) -> None:
    """When there is no space left, what was written before stays readable."""
    with Journal(tmp_path / "j") as journal:
        journal.add("kept", b"x" * 1000, model="m")
        journal._store.run("PRAGMA max_page_count = 8")
        with pytest.raises(FormatError, match="no space left"):
            journal.add("lost", b"x" * 100_000, model="m")
        assert journal.find("kept") == b"x" * 1000
        assert journal.find("lost") is None


def test_a_journal_of_version_1_is_read_and_brought_up(tmp_path: Path) -> None:
    """What an older program wrote is found; what is added later has its sum."""
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.add("old", b"body", model="m")
    with sqlite3.connect(path) as older:
        older.execute("ALTER TABLE reply DROP COLUMN sha256")
        older.execute("PRAGMA user_version = 1")
    older.close()
    with Journal(path) as journal:
        assert journal.find("old") == b"body"
        journal.add("new", b"body", model="m")
    with Journal(path) as journal:
        assert len(journal) == 2


def test_stale_replies_are_absent_until_a_newer_one_comes(tmp_path: Path) -> None:
    """What is stored and bad counts as absent, not what is good or comes later."""
    with Journal(tmp_path / "j") as journal:
        journal.add("good", b"good", model="m")
        journal.add("bad", b"bad", model="m")
    with Journal(tmp_path / "j", lambda body: body.startswith(b"bad")) as journal:
        assert journal.find("good") == b"good"
        assert journal.find("bad") is None
        journal.add("bad", b"bad again", model="m")
        assert journal.find("bad") == b"bad again"
        assert len(journal) == 3


def test_a_claim_holds_while_its_journal_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else gets it until it is released, or its holder is gone for a while."""
    monkeypatch.setattr(claims, "_HOLDS_SECONDS", 0.6)
    monkeypatch.setattr(claims, "_RENEW_SECONDS", 0.05)
    path = tmp_path / "j"
    with Journal(path) as other:
        with Journal(path) as journal:
            assert journal.claim("a")
            assert journal.claim("a")
            assert not other.claim("a")
            assert other.claim("a", emulated=True)
            time.sleep(0.9)
            assert not other.claim("a")
            journal.release("a")
            assert other.claim("a")
            assert journal.claim("b")
        assert not other.claim("b")
        time.sleep(0.9)
        assert other.claim("b")
