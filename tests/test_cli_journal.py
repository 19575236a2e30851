"""`journal verify`, `journal export`, `journal prune`: what a person sees and gets."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.gemini.journal import Journal
from gemini_server import good
from typer.testing import CliRunner, Result

BLOCKED = b'{"promptFeedback": {"blockReason": "SAFETY"}}'
OLD = "2026-01-01T00:00:00+00:00"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Give a journal with four replies: two of text, one blocked, one emulated."""
    path = tmp_path / "journal.sqlite"
    with Journal(path) as book:
        book.add("a", good("[]"), model="gemini-3.8-flash")
        book.add("b", BLOCKED, model="gemini-3.8-flash")
        book.add("b", good("[1]"), model="gemini-3.8-flash")
        book.add("c", b"\xff\x00", model="gemini-2.5-flash", emulated=True)
    return path


def run(*arguments: str | Path) -> Result:
    """Run the command line; errors come out as exceptions of the result."""
    return CliRunner().invoke(app, ["journal", *map(str, arguments)])


def change(path: Path, statement: str, *values: object) -> None:
    """Change a journal behind its back."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement, values)


def test_verify_counts_by_model_origin_and_status(journal: Path) -> None:
    """A sound journal gives exit code 0, and one row for each kind of reply."""
    result = run("verify", journal)
    assert result.exit_code == 0
    assert "4 replies to 3 requests" in result.stdout
    rows = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "gemini-3.8-flash Gemini text 2" in rows
    assert "gemini-3.8-flash Gemini blocked 1" in rows
    assert "gemini-2.5-flash emulator malformed 1" in rows
    assert "2,200 tokens in, 40 out" in result.stdout
    assert "sound" in result.stdout


def test_verify_finds_a_reply_that_was_changed(journal: Path) -> None:
    """One byte that is not as it came gives exit code 1 and names the reply."""
    change(journal, "UPDATE reply SET body = ? WHERE key = 'a'", good("[ ]"))
    result = run("verify", journal)
    assert result.exit_code == 1
    assert "The reply a is not as it was received" in result.stdout
    assert "sound" not in result.stdout


def test_verify_finds_pages_that_belong_to_nothing(journal: Path) -> None:
    """What SQLite itself finds wrong is shown, with exit code 1."""
    with closing(sqlite3.connect(journal)) as database, database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("DELETE FROM sqlite_master WHERE name = 'reply_key'")
    result = run("verify", journal)
    assert result.exit_code == 1
    assert "never used" in result.stdout


def test_verify_says_that_bytes_without_a_sum_were_not_checked(journal: Path) -> None:
    """Replies of a program that kept no sums are sound as far as one can see."""
    change(journal, "UPDATE reply SET sha256 = NULL")
    result = run("verify", journal)
    assert result.exit_code == 0
    assert "4 replies of an older program have no sum" in result.stdout


def test_verify_makes_no_journal(tmp_path: Path) -> None:
    """A mistyped name is said so, and no empty file appears."""
    result = run("verify", tmp_path / "typo")
    assert result.exit_code == 1
    assert "There is no journal" in str(result.exception)
    assert not (tmp_path / "typo").exists()


def test_an_empty_journal_is_sound(tmp_path: Path) -> None:
    """Nothing in it is nothing wrong with it."""
    Journal(tmp_path / "j").close()
    result = run("verify", tmp_path / "j")
    assert result.exit_code == 0
    assert "0 replies" in result.stdout


def test_export_writes_every_reply_as_it_came(journal: Path, tmp_path: Path) -> None:
    """One line of JSON a reply, oldest first; what is no text comes as base64."""
    out = tmp_path / "out.jsonl"
    assert run("export", journal, out).exit_code == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["key"] for line in lines] == ["a", "b", "b", "c"]
    assert lines[0]["body"].encode() == good("[]")
    assert lines[1]["body"].encode() == BLOCKED
    assert base64.b64decode(lines[3]["body_base64"]) == b"\xff\x00"
    assert lines[3]["emulated"] is True
    assert set(lines[0]) == {"key", "emulated", "model", "received", "body"}


def test_export_never_overwrites_the_journal(journal: Path) -> None:
    """The same file as source and target is refused, and stays as it was."""
    result = run("export", journal, journal)
    assert "over itself" in str(result.exception)
    assert run("verify", journal).exit_code == 0


def test_an_export_that_cannot_be_written_is_one_sentence(
    journal: Path, tmp_path: Path
) -> None:
    """A folder that is not there is said so."""
    result = run("export", journal, tmp_path / "nowhere" / "out.jsonl")
    assert result.exit_code == 1
    assert "cannot be written" in str(result.exception)


def test_prune_says_what_it_would_remove(journal: Path) -> None:
    """Without --yes the numbers are shown and nothing is removed."""
    result = run("prune", journal, "--model", "gemini-3.8-flash")
    assert result.exit_code == 1
    assert "3 replies to remove  3 of gemini-3.8-flash" in result.stdout
    assert "Add --yes" in str(result.exception)
    with Journal(journal) as book:
        assert len(book) == 4


def test_prune_removes_what_meets_every_condition(journal: Path) -> None:
    """Age and origin go together; what meets only one of them stays."""
    change(journal, "UPDATE reply SET received = ? WHERE key != 'a'", OLD)
    result = run("prune", journal, "--older-than", "30d", "--emulated", "--yes")
    assert result.exit_code == 0
    with Journal(journal) as book:
        assert len(book) == 3
        assert book.find("c", emulated=True) is None
    assert run("prune", journal, "--older-than", "8w", "--yes").exit_code == 0
    with Journal(journal) as book:
        assert len(book) == 1
        assert book.find("a") == good("[]")


def test_prune_gives_the_space_back(tmp_path: Path) -> None:
    """The file is smaller afterwards, and sound."""
    path = tmp_path / "j"
    with Journal(path) as book:
        for n in range(50):
            book.add(str(n), b"x" * 20_000, model="m")
        book.add("kept", b"y", model="other")
    before = path.stat().st_size
    assert run("prune", path, "--model", "m", "--yes").exit_code == 0
    assert path.stat().st_size < before / 10
    assert run("verify", path).exit_code == 0


def test_prune_needs_a_condition_and_an_age_it_can_read(journal: Path) -> None:
    """Neither everything nor a guess is removed."""
    assert "Say which" in str(run("prune", journal, "--yes").exception)
    wrong = run("prune", journal, "--older-than", "soon", "--yes")
    assert "not an age" in str(wrong.exception)
    with Journal(journal) as book:
        assert len(book) == 4


def test_prune_of_nothing_is_no_failure(journal: Path) -> None:
    """Where nothing meets the conditions nothing is asked for."""
    result = run("prune", journal, "--model", "gemini-99")
    assert result.exit_code == 0
    assert "0 replies to remove" in result.stdout


def test_a_journal_in_use_can_be_checked_and_pruned(journal: Path) -> None:
    """A run that has the journal open goes on, before and after."""
    with Journal(journal) as book:
        book.add("d", good("[]"), model="other")
        assert run("verify", journal).exit_code == 0
        removed = run("prune", journal, "--model", "gemini-3.8-flash", "--yes")
        assert removed.exit_code == 0, removed.exception
        assert book.find("a") is None
        book.add("a", good("[2]"), model="gemini-3.8-flash")
        assert book.find("a") == good("[2]")
        assert book.find("d") == good("[]")
    assert run("verify", journal).exit_code == 0
