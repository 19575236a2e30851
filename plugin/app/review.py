"""The operator `review`: labels into the ground truth and back, and a person's corrections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import UsageError
from .context import dataset_of, names_of, needed_text, number_of, target_view, text_of
from .fields import ask_choice, ask_label_field
from .step import Card, Step

Act = Callable[[foo.ExecutionContext, str], dict[str, Any]]
ACTIONS: Mapping[str, tuple[str, str]] = {
    "accept": (
        "Accept what can be trusted",
        (
            "Copies labels of classes that need no review into the ground truth of samples "
            "that have none; the others are tagged review."
        ),
    ),
    "annotate": (
        "Open for correction",
        (
            "Makes the labels editable in the Annotate tab of a sample, and notes how they "
            "are now."
        ),
    ),
    "count": (
        "Count corrections",
        (
            "Tells corrected labels from untouched ones, and saves a view of the corrected."
        ),
    ),
    "promote": (
        "Promote what I have seen",
        (
            "Copies all labels of the chosen samples into their ground truth, but for those "
            "that were rejected."
        ),
    ),
    "reject": (
        "Reject the selected labels",
        ("Tags them `rejected`: they are never promoted."),
    ),
    "undo": (
        "Undo",
        ("Takes back all that was accepted or promoted; what was edited since stays."),
    ),
}
NEEDS_TRUTH = {"accept", "promote"}


class Review(Step):
    """Accepts, corrects, promotes and rejects labels."""

    card: ClassVar[Card] = Card(
        name="review",
        label="Review labels of Gemini",
        description="Accept trusted labels into the ground truth of samples without "
        "any, open labels for correction, count corrections, promote or reject labels; "
        "undo takes acceptance back. Nothing leaves this machine.",
        risk="MEDIUM",
        submit="Do it",
    )

    def form(self, ctx: foo.ExecutionContext) -> types.Object:
        """Ask what to do with which labels."""
        inputs = types.Object()
        inputs.view_target(ctx, action_description="Review")
        action = _ask_action(inputs, ctx)
        if action == "undo":
            keys = _accepted_keys(ctx)
            ask_choice(inputs, "key", "Take back", keys, ctx)
            return inputs
        ask_label_field(inputs, "field", "Labels", ctx, ours=True)
        if action in NEEDS_TRUTH:
            ask_label_field(inputs, "truth_field", "Ground truth", ctx, ours=False)
        if action == "accept":
            _ask_trust(inputs)
        return inputs

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        """Do it; gives what was done as numbers, and in words."""
        action = text_of(ctx, "action", "accept")
        if action not in _DOING:
            known = ", ".join(_DOING)
            raise UsageError(f"There is no action {action!r}; there are: {known}.")
        field = "" if action == "undo" else needed_text(ctx, "field")
        done = _DOING[action](ctx, field)
        if not ctx.delegated:
            ctx.ops.reload_dataset()
        lines = [
            {"what": _words(name), "value": f"{value}"} for name, value in done.items()
        ]
        return {**done, "lines": lines}

    def resolve_output(
        self,
        ctx: foo.ExecutionContext,  # noqa: ARG002 - FiftyOne passes it
    ) -> types.Property:
        """Say what was done."""
        outputs = types.Object()
        table = types.TableView()
        table.add_column("what", label="Done")
        table.add_column("value", label=" ")
        outputs.list("lines", types.Object(), view=table)
        return types.Property(outputs, view=types.View(label="Review"))


def _ask_action(inputs: types.Object, ctx: foo.ExecutionContext) -> str:
    chosen = text_of(ctx, "action", "accept")
    choices = types.DropdownView()
    for name, (label, description) in ACTIONS.items():
        choices.add_choice(name, label=label, description=description)
    inputs.enum(
        "action",
        choices.values(),
        default="accept",
        label="Do what",
        description=ACTIONS.get(chosen, ("", ""))[1],
        view=choices,
    )
    return chosen


def _ask_trust(inputs: types.Object) -> None:
    inputs.float(
        "target",
        default=0.95,
        min=0.5,
        max=0.999,
        label="Precision that accepted labels must surpass",
    )
    inputs.list(
        "classes",
        types.String(),
        default=[],
        label="Only these classes",
        description="Empty: all that pass.",
        view=types.AutocompleteView(multiple=True, allow_user_input=True),
    )


def _accepted_keys(ctx: foo.ExecutionContext) -> list[str]:
    """Name what was accepted, and can be taken back."""
    from ..labels.accepted import METHOD

    dataset = ctx.dataset
    runs = dataset.list_runs()
    return [k for k in runs if dataset.get_run_info(k).config.method == METHOD]


def _accept(ctx: foo.ExecutionContext, field: str) -> dict[str, Any]:
    from ..api.accepting import accept

    done = accept(
        target_view(ctx),
        field,
        needed_text(ctx, "truth_field"),
        target=number_of(ctx, "target", 0.95),
        targets=_targets(ctx),
        classes=names_of(ctx, "classes"),
    )
    return asdict(done)


def _targets(ctx: foo.ExecutionContext) -> dict[str, float]:
    """Give the targets of single classes."""
    found = ctx.params.get("targets") or {}
    fine = isinstance(found, dict) and all(
        isinstance(value, int | float) for value in found.values()
    )
    if not fine:
        raise UsageError(f"targets must give a number for each class, not {found!r}.")
    return {str(label): float(value) for label, value in found.items()}


def _promote(ctx: foo.ExecutionContext, field: str) -> dict[str, Any]:
    from ..api.accepting import promote

    return asdict(promote(target_view(ctx), field, needed_text(ctx, "truth_field")))


def _reject(ctx: foo.ExecutionContext, field: str) -> dict[str, Any]:
    from ..api.accepting import reject

    chosen = [one["label_id"] for one in ctx.selected_labels or ()]
    chosen += names_of(ctx, "labels")
    return {"rejected": reject(target_view(ctx), field, chosen)}


def _annotate(ctx: foo.ExecutionContext, field: str) -> dict[str, Any]:
    from ..api.reviewing import open_for_review

    return {"noted": open_for_review(target_view(ctx), field)}


def _count(ctx: foo.ExecutionContext, field: str) -> dict[str, Any]:
    from ..api.reviewing import review_of

    return asdict(review_of(target_view(ctx), field))


def _undo(ctx: foo.ExecutionContext, field: str) -> dict[str, Any]:  # noqa: ARG001
    from ..api.accepting import undo

    return asdict(undo(dataset_of(ctx), needed_text(ctx, "key")))


_DOING: Mapping[str, Act] = {
    "accept": _accept,
    "annotate": _annotate,
    "count": _count,
    "promote": _promote,
    "reject": _reject,
    "undo": _undo,
}


def _words(name: str) -> str:
    """Say what a number counts."""
    said = {
        "promoted": "Labels copied into the truth",
        "for_review": "Labels tagged review",
        "samples": "Samples that changed",
        "complete": "Samples that need no review",
        "untouched": "Left alone",
        "busy": "Changed meanwhile, left alone",
        "removed": "Removed",
        "kept": "Edited since, kept",
        "untagged": "Review tags removed",
        "noted": "Labels noted and opened in the Annotate tab",
        "view": "Saved view",
    }
    return said.get(name, name.replace("_", " ").capitalize())
