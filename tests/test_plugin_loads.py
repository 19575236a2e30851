"""FiftyOne loads the plugin from a checkout and from a wheel, completely."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = yaml.safe_load((ROOT / "fiftyone.yml").read_text("utf-8"))
WANTED = {
    f"{MANIFEST['name']}/{name}"
    for name in [*MANIFEST["operators"], *MANIFEST.get("panels", [])]
}
LOAD = """
import json, sys
import fiftyone.operators as foo
registry = foo.OperatorRegistry()
print(json.dumps({
    "errors": registry.list_errors(),
    "uris": [operator.uri for operator in registry.list_operators(builtin=False)],
    "modules": [name for name in sys.modules if name.startswith(("google.", "fifty"))],
    "package": getattr(sys.modules.get("fiftyone_gemini"), "__file__", ""),
}))
"""


def load(**environ: str) -> dict[str, Any]:
    """Load all plugins in a fresh process and tell what FiftyOne then has."""
    run = subprocess.run(
        [sys.executable, "-c", LOAD],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_a_checkout_registers_what_the_manifest_names(mongo_uri: str) -> None:
    """A plain checkout in the plugins folder gives every operator and no error."""
    loaded = load(FIFTYONE_DATABASE_URI=mongo_uri)
    assert loaded["errors"] == []
    assert set(loaded["uris"]) == WANTED
    assert "fiftyone_gemini" not in loaded["modules"]
    assert "google.genai" not in loaded["modules"]


@pytest.mark.slow
def test_a_wheel_registers_what_the_manifest_names(
    mongo_uri: str, installed_wheel: Path, tmp_path: Path
) -> None:
    """The installed package, written into the plugins folder, gives the same."""
    place = f"from fiftyone_gemini.doctor.plugin import *; link_plugin(Path({str(tmp_path)!r}))"
    environ = {"PYTHONPATH": str(installed_wheel)}
    subprocess.run([sys.executable, "-c", place], env=os.environ | environ, check=True)
    environ |= {"FIFTYONE_PLUGINS_DIR": str(tmp_path)}
    loaded = load(FIFTYONE_DATABASE_URI=mongo_uri, **environ)
    assert loaded["errors"] == []
    assert set(loaded["uris"]) == WANTED
    assert Path(loaded["package"]).is_relative_to(installed_wheel)
    assert "google.genai" not in loaded["modules"]


@pytest.mark.slow
def test_fiftyone_downloads_the_plugin_and_finds_its_requirements(
    mongo_uri: str, tmp_path: Path
) -> None:
    """`fiftyone plugins download` of an archive, then `requirements`, then it loads."""
    if not (ROOT / ".git").exists():
        pytest.skip("there is no git history to make an archive of")
    (tmp_path / "site").mkdir()
    archive = tmp_path / "site" / "main.zip"
    subprocess.run(
        ["git", "archive", "--prefix=main/", "-o", archive, "HEAD"],
        cwd=ROOT,
        check=True,
    )
    environ = {
        "FIFTYONE_DATABASE_URI": mongo_uri,
        "FIFTYONE_PLUGINS_DIR": str(tmp_path / "plugins"),
    }
    with served(archive.parent) as url:
        plugins("download", f"{url}/main.zip", **environ)
    plugins("requirements", MANIFEST["name"], "--ensure", **environ)
    loaded = load(**environ)
    assert loaded["errors"] == []
    assert set(loaded["uris"]) == WANTED


def plugins(*arguments: str, **environ: str) -> None:
    """Run `fiftyone plugins ...`."""
    program = Path(sys.executable).with_name("fiftyone")
    done = subprocess.run(
        [program, "plugins", *arguments],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
