"""The emulator as a process: it starts, says where it is, and never outlives its use."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from fiftyone_gemini.emulator import (
    EmulatorError,
    EmulatorHandle,
    Settings,
    running_emulator,
)


@pytest.fixture
def settings(demo: Path) -> Settings:
    """Answer from the truth of the demo scenes."""
    return Settings(truth=str(demo / "annotations.json"))


def alive(pid: int) -> bool:
    """Tell whether a process still runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_it_ends_with_its_block_even_when_the_block_raises(settings: Settings) -> None:
    """The process is gone after the block, and the block's error gets through."""
    handles: list[EmulatorHandle] = []

    def block() -> None:
        with running_emulator(settings) as handle:
            assert httpx2.get(handle.url + "/emulator").status_code == 200
            handles.append(handle)
            raise RuntimeError("of the block")

    with pytest.raises(RuntimeError, match="of the block"):
        block()
    assert not alive(handles[0].pid)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(handles[0].url + "/emulator")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_ends_when_its_parent_is_killed(settings: Settings) -> None:
    """A parent that dies without a word leaves no emulator behind."""
    program = f"""
        import time
        from fiftyone_gemini.emulator import Settings, running_emulator
        with running_emulator(Settings(truth={settings.truth!r})) as handle:
            print(handle.pid, flush=True)
            time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE
    )
    with parent:
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(child)


def test_a_taken_port_is_one_clear_sentence(settings: Settings) -> None:
    """Both a parent and a person on the command line read why it cannot listen."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = f"The emulator cannot listen on 127.0.0.1 port {port}: Address already in use."
        with (
            pytest.raises(EmulatorError, match=words),
            running_emulator(settings, port),
        ):
            pass
        done = run("--port", str(port), "--truth", settings.truth)
    assert done.returncode == 1
    assert done.stderr == f"error: {words}\n"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `fiftyone-gemini emulator` to its end."""
    command = [sys.executable, "-m", "fiftyone_gemini", "emulator", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_command_serves_until_interrupted(settings: Settings) -> None:
    """The command says where it listens and that it is not Gemini; Ctrl-C ends it."""
    command = [sys.executable, "-m", "fiftyone_gemini", "emulator", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--truth", settings.truth, "--noise", "0.5", "--latency", "0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        welcome = process.stdout.readline()
        assert "not Gemini" in welcome
        url = welcome.split(" on ")[1].split(";")[0]
        assert "noise 0.5" in httpx2.get(url + "/emulator").text
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=10)
    assert complaint in {"", "stopped\n"}


def test_it_starts_from_any_folder(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The working directory and environment of the parent do not matter."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with running_emulator(settings) as handle:
        assert handle.url.startswith("http://127.0.0.1:")
        assert handle.pid != os.getpid()


def test_many_ask_at_once_and_a_slow_one_holds_up_nobody(settings: Settings) -> None:
    """While one request waits, 20 others are answered."""
    with (
        running_emulator(replace(settings, slow_seconds=1.5)) as handle,
        httpx2.Client() as http,
        ThreadPoolExecutor(9) as pool,
    ):
        url = f"{handle.url}/v1/models/gemini-3.8-flash:generateContent?key=k"

        def ask(words: str) -> int:
            body = {"contents": [{"parts": [{"text": words}]}]}
            return http.post(url, json=body).status_code

        slow = pool.submit(ask, "[emulator:fault=slow]")
        assert list(pool.map(ask, map(str, range(20)))) == [200] * 20
        assert not slow.done()
        assert slow.result() == 200
