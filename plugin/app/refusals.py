"""What keeps an operator from working here at all, said once in place of its form."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import fiftyone.operators as foo
from fiftyone.operators import types
from packaging.version import Version

NEEDED_FIFTYONE = "1.22"
MODULES = {
    "google.genai": "google-genai",
    "aiohttp": "aiohttp",
    "pycocotools": "pycocotools",
    "hotcoco": "hotcoco",
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "jinja2": "jinja2",
    "json_repair": "json-repair",
    "pyrate_limiter": "pyrate-limiter",
}
"""What `requirements.txt` lists and FiftyOne does not bring along."""
INSTALL = "fiftyone plugins requirements @gemini/autolabel --install"


def refusal(ctx: foo.ExecutionContext) -> types.Object | None:
    """Draw what stands for a form where it cannot be filled in; None: it can."""
    found = _what_is_wrong(ctx)
    if found is None:
        return None
    label, description = found
    inputs = types.Object()
    inputs.view("none", types.Error(label=label, description=description))
    return inputs


def _what_is_wrong(ctx: foo.ExecutionContext) -> tuple[str, str] | None:
    if ctx.dataset is None:
        return "Open a dataset first", ""
    missing = [package for module, package in MODULES.items() if not _is_there(module)]
    if missing:
        said = f"Install {', '.join(missing)}: `{INSTALL}`, then restart the App."
        return "Packages are missing", said
    if _fiftyone_is_older():
        said = f"This plugin needs FiftyOne {NEEDED_FIFTYONE} or newer: `pip install -U fiftyone`."
        return f"FiftyOne {version('fiftyone')} is too old", said
    return None


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _fiftyone_is_older() -> bool:
    try:
        return Version(version("fiftyone")) < Version(NEEDED_FIFTYONE)
    except PackageNotFoundError:  # a checkout of FiftyOne itself
        return False
