"""What stands beside the operators: the model zoo, the skill for agents, the manifest."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import fiftyone.plugins as fop
import fiftyone.zoo as foz
import pytest
import yaml
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.gemini.models import facts
from fiftyone_gemini.labels.create import create_dataset

HOME = "@gemini/autolabel"


@pytest.fixture
def scenes(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[fo.Dataset]:
    """Give four scenes, of which the fourth is going to be blocked."""
    monkeypatch.setenv("FIFTYONE_GEMINI_JOURNAL", str(tmp_path / "journal.sqlite"))
    truth = str(demo / "annotations.json")
    with running_emulator(
        Settings(truth=truth, faults="blocked@scene_0004.jpg")
    ) as run:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", run.url)
        made = create_dataset(
            "zoo-test", read_coco(demo / "annotations.json").images[:4]
        )
        yield made
        made.delete()


@pytest.fixture
def source(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Give the address of an archive of the zoo's folder, and an empty zoo."""
    monkeypatch.setattr(fo.config, "model_zoo_dir", str(tmp_path / "zoo"))
    shutil.copytree(root / "zoo", tmp_path / "site" / "main" / "zoo")
    shutil.make_archive(
        str(tmp_path / "site" / "main"), "zip", tmp_path / "site", "main"
    )
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/main.zip"
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_a_zoo_model_labels_a_dataset(scenes: fo.Dataset, source: str) -> None:
    """Registered, loaded and applied as any zoo model; a blocked sample gets no label."""
    foz.register_zoo_model_source(source)
    wishes = {"task": "segment", "classes": ["bottle", "cup", "book"]}
    model = foz.load_zoo_model("gemini-3.8-flash", **wishes)
    scenes.apply_model(model, label_field="zoo", batch_size=2, progress=False)
    scenes.reload()
    assert set(scenes.distinct("zoo.detections.label")) <= set(wishes["classes"])
    assert all(mask.any() for mask in scenes.values("zoo.detections.mask", unwind=True))
    assert [label is None for label in scenes.values("zoo")] == [False] * 3 + [True]


def test_the_zoo_knows_only_models_of_the_table(root: Path) -> None:
    """Every model of the zoo's manifest has a row in the table of models."""
    manifest = json.loads((root / "zoo" / "manifest.json").read_text())
    names = [model["base_name"] for model in manifest["models"]]
    assert "gemini-3.8-flash" in names
    assert all(facts(name).name == name for name in names)


def test_fiftyone_finds_the_skill(root: Path) -> None:
    """The manifest's skills are found, and their texts name operators that there are."""
    manifest = yaml.safe_load((root / "fiftyone.yml").read_text())
    found = {skill.name for skill in fop.list_skills()}
    assert set(manifest["skills"]) <= found
    for name in manifest["skills"]:
        text = (root / "skills" / name / "SKILL.md").read_text()
        named = set(re.findall(rf"{HOME}/(\w+)", text))
        assert named
        assert named <= set(manifest["operators"])


def test_a_look_up_is_quick() -> None:
    """FiftyOne finds the operators anew at each request: in a tenth of a second."""
    foo.get_operator(f"{HOME}/plan")
    times = []
    for _ in range(5):
        start = time.perf_counter()
        foo.get_operator(f"{HOME}/plan")
        times.append(time.perf_counter() - start)
    print(f"\nA look-up takes {1000 * min(times):.0f} ms")
    assert min(times) < 0.1
