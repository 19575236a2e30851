"""What all tabs of the panel share: kept choices, errors as messages, small parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import wraps
from typing import Any, TypeVar, cast

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import GeminiLabelError

STORE = "gemini.autolabel.panel"
KEPT_SECONDS = 90 * 24 * 3600
TABS = ("Runs", "Problems", "Quality", "Trust", "Compare")
ALL_CLASSES = "all classes"
Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a person chose in the panel; kept with the dataset, so a reload finds it."""

    tab: str = TABS[0]
    evaluation: str = ""
    target: float = 0.95
    target_class: str = ALL_CLASSES
    targets: dict[str, float] = field(default_factory=dict)
    problems_field: str = ""
    problems_status: str = ""
    reply: str = ""
    compared: list[str] = field(default_factory=list)
    compared_truth: str = ""
    comparison: str = ""


def chosen(ctx: foo.ExecutionContext) -> Chosen:
    """Give what was chosen; the defaults where nothing was, or another version did."""
    text = ctx.store(STORE).get("chosen")
    try:
        return Chosen(**json.loads(text)) if isinstance(text, str) else Chosen()
    except (TypeError, ValueError):
        return Chosen()


def choose(ctx: foo.ExecutionContext, **changes: Any) -> None:
    """Keep a choice."""
    text = json.dumps(asdict(replace(chosen(ctx), **changes)))
    ctx.store(STORE).set("chosen", text, ttl=KEPT_SECONDS)


def guarded(handler: Handler) -> Handler:
    """Turn an error that a person can mend into a message of the App."""

    @wraps(handler)
    def safe(self: Any, ctx: foo.ExecutionContext) -> Any:
        try:
            return handler(self, ctx)
        except GeminiLabelError as error:
            ctx.ops.notify(str(error), variant="error")

    return cast("Handler", safe)


def dropdown(
    page: types.Object,
    name: str,
    label: str,
    among: tuple[Sequence[str], str],
    on_change: Callable[[foo.ExecutionContext], Any],
) -> None:
    """Let one of some values be chosen; `among` are these, and the one that holds now."""
    values, value = among
    view = types.DropdownView()
    for one in values:
        view.add_choice(one, label=one)
    page.enum(
        name, view.values(), default=value, label=label, view=view, on_change=on_change
    )


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table; texts may come from replies, so that signs of Markdown are dulled."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(plain(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def plain(text: str) -> str:
    """Take the meaning from signs that Markdown knows."""
    flat = " ".join(text.split())
    return "".join(
        f"\\{sign}" if sign in r"\`*_{}[]<>()#+!|~$" else sign for sign in flat
    )


def show_view(ctx: foo.ExecutionContext, view: fo.DatasetView) -> None:
    """Show some samples in the grid."""
    ctx.ops.set_view(view)
    ctx.ops.notify(f"{view.count():,} samples are shown", variant="info")
