"""What FiftyOne is told by the environment or its `config.json`, without importing it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


def fiftyone_setting(name: str, environ: Mapping[str, str]) -> str:
    """Give a setting such as `database_uri`; "" where it is not set.

    As in FiftyOne, the environment (`FIFTYONE_DATABASE_URI`) goes before the file.
    """
    if said := environ.get(f"FIFTYONE_{name.upper()}"):
        return said
    config = environ.get("FIFTYONE_CONFIG_PATH") or "~/.fiftyone/config.json"
    try:
        settings = json.loads(Path(config).expanduser().read_text("utf-8"))
    except (OSError, ValueError):
        return ""  # FiftyOne, too, goes on without a config it cannot read
    said = settings.get(name) if isinstance(settings, dict) else None
    return said if isinstance(said, str) else ""
