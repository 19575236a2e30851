"""What operators take from FiftyOne's context: samples, endpoint, where they run."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators as foo

from ..environment import find_endpoint
from ..errors import UsageError
from ..gemini.endpoint import Endpoint

ICON = "/assets/icon.svg"
NAMESPACE = "@gemini/autolabel"


def endpoint_of(ctx: foo.ExecutionContext, *, offline: bool = False) -> Endpoint:
    """Find the endpoint by the secrets of the App; raises `MissingKeyError`."""
    return find_endpoint(ctx.secret, offline=offline)


def dataset_of(ctx: foo.ExecutionContext) -> fo.Dataset:
    """Give the open dataset; raises `UsageError` where there is none."""
    if ctx.dataset is None:
        raise UsageError("No dataset is open.")
    return ctx.dataset


def target_view(ctx: foo.ExecutionContext) -> fo.SampleCollection:
    """Give the samples that are meant; a selection is never widened by accident.

    FiftyOne's own `ctx.target_view()` means all samples when some are selected but no
    target was chosen, as happens in calls from Python. Raises `UsageError` without a
    dataset.
    """
    dataset_of(ctx)
    chosen = ctx.params.get("view_target") or ctx.request_params.get("view_target")
    if ctx.selected and not chosen:
        return ctx.view.select(ctx.selected)
    return ctx.target_view()


def runs_in_app(ctx: foo.ExecutionContext) -> bool:
    """Tell whether the App waits for this very call and shows what it yields.

    The App sends `current_sample`; Python and delegated runs do not.
    """
    return "current_sample" in ctx.request_params and not ctx.delegated


def text_of(ctx: foo.ExecutionContext, name: str, default: str = "") -> str:
    """Give a text of the form; raises `UsageError` for anything else."""
    value = _given(ctx, name, default)
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a text, not {value!r}.")
    return value.strip()


def needed_text(ctx: foo.ExecutionContext, name: str) -> str:
    """Give a text that must be there; raises `UsageError`."""
    value = text_of(ctx, name)
    if not value:
        raise UsageError(f"{name} is missing.")
    return value


def number_of(ctx: foo.ExecutionContext, name: str, default: float) -> float:
    """Give a number of the form; raises `UsageError` for anything else."""
    value = _given(ctx, name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{name} must be a number, not {value!r}.")
    return float(value)


def switch_of(ctx: foo.ExecutionContext, name: str, *, default: bool = False) -> bool:
    """Give a yes or no of the form; raises `UsageError` for anything else."""
    value = _given(ctx, name, default)
    if not isinstance(value, bool):
        raise UsageError(f"{name} must be true or false, not {value!r}.")
    return value


def names_of(ctx: foo.ExecutionContext, name: str) -> list[str]:
    """Give a list of names of the form; raises `UsageError` for anything else."""
    value = _given(ctx, name, [])
    if not isinstance(value, list | tuple) or not all(
        isinstance(one, str) for one in value
    ):
        raise UsageError(f"{name} must be a list of names, not {value!r}.")
    return list(value)


def _given(ctx: foo.ExecutionContext, name: str, default: object) -> Any:
    value = ctx.params.get(name)
    return default if value in (None, "") else value
