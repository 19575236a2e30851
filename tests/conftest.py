"""Fixtures shared by all tests, and a private MongoDB before FiftyOne is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of outside material (photos, replies); skip where absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder shared/ beside the repository is absent")
    return folder


@pytest.fixture(scope="session")
def demo() -> Path:
    """Give the committed demo set: `annotations.json` and `data/`."""
    return ROOT / "datasets" / "demo"
