"""FiftyOne loads the plugin from a checkout and from a wheel, quickly and completely."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
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


def test_looking_up_an_operator_is_cheap() -> None:
    """FiftyOne runs the plugin again at every look-up: that takes under 0.2 s."""
    import fiftyone.operators as foo

    uri = min(WANTED)
    foo.get_operator(uri)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        foo.get_operator(uri)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.2
