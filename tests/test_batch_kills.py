"""Batches and `kill -9`: at any moment, nothing is lost and nothing is paid twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from batch_runs import BY_FILE, bodies, by_batch, numbered, paid, place, waiting
from batch_victim import ITEMS, MOMENTS
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.gemini.batches.ledger import Stage
from fiftyone_gemini.gemini.batches.packing import folder_of
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.values import Question, Status
from gemini_server import picture

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


def start(folder: Path, url: str, *options: str) -> subprocess.Popen[str]:
    """Start the command that labels the pictures of a folder by batches."""
    command = [sys.executable, "-m", "fiftyone_gemini", "label", "photos", "--batch"]
    return subprocess.Popen(
        [*command, *options],
        cwd=folder,
        env={**os.environ, "GOOGLE_GEMINI_BASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a working folder with some pictures."""
    (tmp_path / "photos").mkdir()
    for number in range(ITEMS):
        (tmp_path / "photos" / f"{number}.png").write_bytes(picture(number))
    return tmp_path


@pytest.mark.slow
def test_ctrl_c_ends_the_waiting_and_says_how_to_go_on(folder: Path) -> None:
    """The batch stays open; the same command goes on with it."""
    with running_emulator(Settings(batch_seconds=3600)) as emulator:
        waiting_run = start(folder, emulator.url, "--wait")
        assert waiting_run.stdout is not None
        printed = []
        while not printed or "Submitted the batch" not in printed[-1]:
            printed.append(waiting_run.stdout.readline())
        waiting_run.send_signal(signal.SIGINT)
        rest = waiting_run.communicate(timeout=60)[0]
    assert waiting_run.returncode == 1
    assert f"{ITEMS} are not answered yet. The same command" in rest


@pytest.mark.slow
def test_two_processes_at_once_pay_once(folder: Path) -> None:
    """Both may wait; together they answer all, and no picture is paid twice."""
    with running_emulator(Settings()) as emulator:
        both = [start(folder, emulator.url, "--wait") for _ in range(2)]
        printed = [run.communicate(timeout=120)[0] for run in both]
        last = start(folder, emulator.url, "--wait")
        printed.append(last.communicate(timeout=120)[0])
        assert last.returncode == 0, printed
        counts = paid(emulator.url)
    assert len(counts) == ITEMS
    assert set(counts.values()) == {1}, printed


@pytest.mark.slow
def test_labels_of_batches_reach_fiftyone(folder: Path) -> None:
    """Samples in an open batch keep what they had; those that are answered get labels."""
    import fiftyone as fo
    from fiftyone_gemini.labels.samples import ViewSource
    from fiftyone_gemini.labels.write import FieldSink

    dataset = fo.Dataset.from_images_dir(str(folder / "photos"))
    arguments = {
        "model": "gemini-3.8-flash",
        "journal": folder / "journal.sqlite",
    }
    question = Question("detect")
    try:
        with running_emulator(Settings(batch_seconds=1)) as emulator:
            for batching in (waiting(wait=False), waiting()):
                run = label(
                    ViewSource(dataset),
                    FieldSink(dataset, "gemini"),
                    question,
                    endpoint=place(emulator.url),
                    batching=batching,
                    **arguments,
                )
                known = dataset.has_field("gemini_status")
                labelled = dataset.count("gemini_status") if known else 0
                skipped = run.statuses.get(Status.SKIPPED, 0)
                assert labelled == ITEMS - skipped
        assert labelled == ITEMS
    finally:
        dataset.delete()
