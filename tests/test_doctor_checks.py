"""The doctor says what is missing, repairs it, and keeps secrets to itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from fiftyone_gemini.doctor.checks import Check, run_checks
from fiftyone_gemini.doctor.plugin import installed_plugin, link_plugin


def named(checks: list[Check], name: str) -> Check:
    """Find a check by its name."""
    return next(check for check in checks if check.name == name)


def test_a_set_up_machine_passes(mongo_uri: str) -> None:
    """Where everything is there, every check is ok and nothing is advised to be done."""
    checks = run_checks(fix=False)
    assert [check for check in checks if not check.ok] == []
    names = [check.name for check in checks]
    assert names == ["Python", "packages", "MongoDB", "key", "plugin", "folders"]


def test_a_missing_plugin_is_found_out_and_repaired(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the plugin the check advises `--fix`, which brings it."""
    monkeypatch.setenv("FIFTYONE_PLUGINS_DIR", str(tmp_path / "plugins"))
    missing = named(run_checks(fix=False), "plugin")
    assert not missing.ok
    assert "doctor --fix" in missing.advice
    assert named(run_checks(fix=True), "plugin").ok
    assert named(run_checks(fix=False), "plugin").ok
    assert list((tmp_path / "plugins").rglob("assets/icon.svg"))


def test_a_plugin_of_another_version_is_renewed(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After an upgrade the written manifest is stale; `--fix` writes it again."""
    monkeypatch.setenv("FIFTYONE_PLUGINS_DIR", str(tmp_path))
    written = next(link_plugin(tmp_path).rglob("fiftyone.yml"))
    content = yaml.safe_load(written.read_text()) | {"version": "0.0.1"}
    written.write_text(yaml.safe_dump(content))
    assert "another version" in named(run_checks(fix=False), "plugin").detail
    assert named(run_checks(fix=True), "plugin").ok
    assert yaml.safe_load(written.read_text())["version"] != "0.0.1"


def test_a_checkout_in_the_plugins_folder_is_not_touched(
    root: Path, tmp_path: Path
) -> None:
    """A linked checkout is found as it is."""
    (tmp_path / "mine").symlink_to(root)
    found = installed_plugin(tmp_path)
    assert found is not None
    assert found.current
    assert found.path == tmp_path / "mine"


def test_the_key_is_never_shown(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor names the variable that holds a key, not the key."""
    monkeypatch.setenv("GEMINI_API_KEY", "hush-hush")
    checks = run_checks(fix=False)
    assert named(checks, "key").detail == "GEMINI_API_KEY set"
    assert "hush-hush" not in repr(checks)


def test_a_dead_database_is_a_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that does not answer is reported with advice, not raised."""
    monkeypatch.setenv("FIFTYONE_DATABASE_URI", "mongodb://127.0.0.1:1/")
    check = named(run_checks(fix=False), "MongoDB")
    assert not check.ok
    assert check.advice


def test_a_closed_folder_is_a_failed_check(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A plugins folder below a file cannot be made: the check says which."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("FIFTYONE_PLUGINS_DIR", str(tmp_path / "file" / "plugins"))
    check = named(run_checks(fix=False), "folders")
    assert not check.ok
    assert str(tmp_path) in check.detail
