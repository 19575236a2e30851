"""What operators take from FiftyOne's context: samples, endpoint, where they run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo

from ..errors import UsageError
from ..gemini.endpoint import Endpoint, endpoint_from_environment

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
ICON = "/assets/icon.svg"


def endpoint_of(ctx: foo.ExecutionContext) -> Endpoint:
    """Find the endpoint by the secrets of the App; raises `MissingKeyError`."""
    return _endpoint(ctx.secret)


def endpoint_of_process() -> Endpoint:
    """Find the endpoint by the environment; raises `MissingKeyError`."""
    return _endpoint(os.environ.get)


def _endpoint(secret: Callable[[str], str | None]) -> Endpoint:
    """Read the names that matter, and no others."""
    found = {name: secret(name) for name in SECRETS}
    found |= {name: os.environ.get(name) for name in SWITCHES}
    return endpoint_from_environment({k: v for k, v in found.items() if v})


def journal_path() -> Path:
    """Say where replies are kept: `FIFTYONE_GEMINI_JOURNAL`, or the user's cache."""
    chosen = os.environ.get(JOURNAL_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    cache = Path.home() / ".cache" / "fiftyone-gemini"
    cache.mkdir(parents=True, exist_ok=True)
    return cache / "journal.sqlite"


def target_view(ctx: foo.ExecutionContext) -> fo.SampleCollection:
    """Give the samples that are meant; a selection is never widened by accident.

    FiftyOne's own `ctx.target_view()` means all samples when some are selected but no
    target was chosen, as happens in calls from Python. Raises `UsageError` without a
    dataset.
    """
    if ctx.dataset is None:
        raise UsageError("No dataset is open.")
    chosen = ctx.params.get("view_target") or ctx.request_params.get("view_target")
    if ctx.selected and not chosen:
        return ctx.view.select(ctx.selected)
    return ctx.target_view()


def runs_in_app(ctx: foo.ExecutionContext) -> bool:
    """Tell whether the App waits for this very call and shows what it yields.

    The App sends `current_sample`; Python and delegated runs do not.
    """
    return "current_sample" in ctx.request_params and not ctx.delegated
