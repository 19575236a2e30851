"""A private MongoDB keeps its data and never outlives its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pymongo
import pymongo.errors
import pytest
from fiftyone_gemini.doctor.mongo import private_mongod
from fiftyone_gemini.errors import SetupError

OWNER = """
import sys, time
from pathlib import Path
from fiftyone_gemini.doctor.mongo import private_mongod
with private_mongod(Path(sys.argv[1])) as running:
    print(running.uri, flush=True)
    time.sleep(60)
"""

USER = """
import os, sys
from pathlib import Path
from fiftyone_gemini.doctor.mongo import private_mongod
with private_mongod(Path(sys.argv[1])) as running:
    os.environ.update(running.environment)
    import fiftyone as fo
    fo.Dataset("left")
    print(fo.config.database_name, running.uri)
"""


def answers(uri: str) -> bool:
    """Tell whether a server is at an address."""
    with pymongo.MongoClient(uri, serverSelectionTimeoutMS=300) as client:
        try:
            client.server_info()
        except pymongo.errors.ServerSelectionTimeoutError:
            return False
        except pymongo.errors.AutoReconnect:
            return True  # it is closing
    return True


def test_a_folder_can_be_opened_again(tmp_path: Path) -> None:
    """The data of one server is there for the next; neither listens afterwards."""
    with (
        private_mongod(tmp_path / "db") as first,
        pymongo.MongoClient(first.uri) as client,
    ):
        client.test.things.insert_one({"_id": 1, "name": "cup"})
    assert not answers(first.uri)
    with (
        private_mongod(tmp_path / "db") as second,
        pymongo.MongoClient(second.uri) as client,
    ):
        assert client.test.things.find_one({"_id": 1}) == {"_id": 1, "name": "cup"}


@pytest.mark.slow
def test_a_folder_in_use_is_said_plainly(tmp_path: Path) -> None:
    """A second server on the same folder is refused, and the first goes on."""
    with private_mongod(tmp_path) as first:
        with (
            pytest.raises(SetupError, match="Is another demo or App running"),
            private_mongod(tmp_path),
        ):
            pass
        assert answers(first.uri)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_owner_takes_its_server_along(tmp_path: Path) -> None:
    """After `kill -9` of the owner the folder can be opened again at once."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, tmp_path], stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        uri = owner.stdout.readline().strip()
        assert answers(uri)
        owner.send_signal(signal.SIGKILL)
    with private_mongod(tmp_path) as again:
        assert answers(again.uri)
    assert not answers(uri)


@pytest.mark.slow
def test_a_process_that_used_fiftyone_ends_at_once(tmp_path: Path) -> None:
    """FiftyOne cleans up at exit: the server is still there for it, and then ends."""
    start = time.monotonic()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FIFTYONE_")}
    run = subprocess.run(
        [sys.executable, "-c", USER, tmp_path],
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    name, uri = run.stdout.splitlines()[-1].split()
    assert name == "fiftyone-gemini"
    assert not answers(uri)
    assert (
        time.monotonic() - start < 25
    )  # 30 s is what FiftyOne waits for a lost server
