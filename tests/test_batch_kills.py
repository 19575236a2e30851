"""Batches and `kill -9`: at any moment, nothing is lost and nothing is paid twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from batch_runs import BY_FILE, bodies, by_batch, numbered, paid, waiting
from batch_victim import ITEMS, MOMENTS
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.gemini.batches.ledger import Stage
from fiftyone_gemini.gemini.batches.packing import folder_of
from fiftyone_gemini.gemini.journal import Journal

VICTIM = Path(__file__).with_name("batch_victim.py")


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_is_gone_on_with(moment: str, tmp_path: Path) -> None:
    """Whenever it is killed, the next run answers all, and each answer was paid once."""
    journal = tmp_path / "journal.sqlite"
    with running_emulator(Settings()) as emulator:
        command = [sys.executable, str(VICTIM), emulator.url, str(journal), moment]
        victim = subprocess.run(command, capture_output=True, text=True, check=False)
        assert victim.returncode == -signal.SIGKILL, victim.stderr
        batching = waiting(sizes=BY_FILE, grace_seconds=0.5)
        answers, told = by_batch(emulator.url, journal, numbered(0, ITEMS), batching)
        while len(answers) < ITEMS:  # the victim's claims hold for three seconds
            more, again = by_batch(emulator.url, journal, numbered(0, ITEMS), batching)
            answers |= more
            told += again
        assert {a.reply.failure for a in answers.values()} == {None}
        assert len(bodies(journal)) == ITEMS
        counts = paid(emulator.url)
    assert len(counts) == ITEMS, told
    assert set(counts.values()) == {1}, told
    with Journal(journal) as book:
        assert {batch.stage for batch in book.batches.every()} == {Stage.ENDED}
        assert list(folder_of(book.batches).iterdir()) == []
