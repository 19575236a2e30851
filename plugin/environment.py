"""What the surroundings of a run say: who is asked, with which key, and where replies go."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from .gemini.endpoint import Endpoint, endpoint_from_environment

SECRETS = (
    *("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    *("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"),
)
"""The secrets that `fiftyone.yml` declares."""
SWITCHES = (
    *("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
    *("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI"),
)
JOURNAL_VARIABLE = "FIFTYONE_GEMINI_JOURNAL"


def find_endpoint(
    secret: Callable[[str], str | None] = os.environ.get, *, offline: bool = False
) -> Endpoint:
    """Find who is asked; no name is read but those that matter.

    Offline nothing is sent, so that any key does. Raises `MissingKeyError`.
    """
    found = {name: secret(name) for name in SECRETS}
    found |= {name: os.environ.get(name) for name in SWITCHES}
    known = {name: value for name, value in found.items() if value}
    return endpoint_from_environment(known, api_key="unused" if offline else "")


def journal_path() -> Path:
    """Say where replies are kept: `FIFTYONE_GEMINI_JOURNAL`, or the user's cache."""
    chosen = os.environ.get(JOURNAL_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    cache = Path.home() / ".cache" / "fiftyone-gemini"
    cache.mkdir(parents=True, exist_ok=True)
    return cache / "journal.sqlite"
