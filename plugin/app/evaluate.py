"""The operator `evaluate`: compare labels with ground truth, keep the verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import UsageError
from ..labels.evaluations import check_eval_key
from .context import needed_text, number_of, switch_of, target_view, text_of
from .fields import ask_label_field, mark
from .step import Card, Step, table_of

if TYPE_CHECKING:
    from ..evaluation import Scores

DEFAULT_IOU = 0.5


class Evaluate(Step):
    """Evaluates labels by the official COCO metrics."""

    card: ClassVar[Card] = Card(
        name="evaluate",
        label="Evaluate labels against ground truth",
        description="Official COCO metrics of a label field, and for each object "
        "whether it is right. Nothing leaves this machine.",
        risk="LOW",
        submit="Evaluate",
    )

    def form(self, ctx: foo.ExecutionContext) -> types.Object:
        """Draw the form."""
        return _form(ctx)

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        """Evaluate, and store the verdicts."""
        from ..api.judging import evaluate

        scores = evaluate(
            target_view(ctx),
            needed_text(ctx, "predicted_field"),
            needed_text(ctx, "truth_field"),
            key=needed_text(ctx, "eval_key"),
            iou=number_of(ctx, "iou", DEFAULT_IOU),
            error_views=switch_of(ctx, "error_views"),
        )
        if not ctx.delegated:
            ctx.ops.reload_dataset()
        return score_record(scores)

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        """Show the headline numbers."""
        outputs = types.Object()
        columns = {"what": "Measure", "boxes": "Boxes", "masks": "Masks"}
        table_of(outputs, "lines", columns)
        key = ctx.params.get("eval_key")
        outputs.md(
            f"The panels Gemini and Model Evaluation open this as `{key}`. Filter "
            f"objects by `{key}`: `tp` is right, `fp` is invented, `fn` was missed. "
            f"Errors by kind are the saved views `{key}: ...`, where they were asked for."
        )
        return types.Property(outputs, view=types.View(label="Evaluation"))

    def __call__(
        self,
        samples: fo.SampleCollection,
        *,
        predicted_field: str,
        truth_field: str,
        eval_key: str,
        iou: float = DEFAULT_IOU,
        error_views: bool = False,
    ) -> dict[str, Any]:
        """Evaluate samples from Python.

        Gives the headline numbers; an undefined one is None. Raises `UsageError`.
        """
        from ..api.judging import evaluate

        scores = evaluate(
            samples,
            predicted_field,
            truth_field,
            key=eval_key,
            iou=iou,
            error_views=error_views,
        )
        return score_record(scores)


def _form(ctx: foo.ExecutionContext) -> types.Object:
    inputs = types.Object()
    inputs.view_target(ctx, action_description="Evaluate")
    predicted = ask_label_field(
        inputs, "predicted_field", "Labels to judge", ctx, ours=True
    )
    ask_label_field(inputs, "truth_field", "Ground truth", ctx, ours=False)
    ask_iou(inputs)
    _ask_key(inputs, ctx, f"{predicted}_eval")
    inputs.bool(
        "error_views",
        default=True,
        label="Save a view for each kind of error",
        description="Wrong class, loose box, duplicate, invented, missed: the worst "
        "first. Views of the same key are replaced.",
    )
    return inputs


def ask_iou(inputs: types.Object) -> None:
    """Ask for the overlap that makes a match."""
    inputs.float(
        "iou",
        default=DEFAULT_IOU,
        min=0.05,
        max=0.95,
        label="Overlap (IoU) that makes a match",
        description="For precision, recall and the verdict on each object; COCO's "
        "AP uses 0.50 to 0.95.",
    )


def _ask_key(inputs: types.Object, ctx: foo.ExecutionContext, default: str) -> None:
    asked = inputs.str(
        "eval_key",
        required=True,
        default=default,
        label="Keep as",
        description="An evaluation of the same key is replaced.",
    )
    try:
        check_eval_key(ctx.dataset, text_of(ctx, "eval_key", default))
    except UsageError as error:
        mark(asked, error)


def score_record(scores: Scores) -> dict[str, Any]:
    """Give the headline numbers: as they are, and as lines of a table."""
    columns = {"boxes": scores.all.boxes, "masks": scores.all.masks}
    numbers = {
        name: None
        if shape is None
        else {
            "AP (COCO)": shape.coco.ap,
            "AP at IoU 0.50": shape.coco.ap50,
            "AP at IoU 0.75": shape.coco.ap75,
            "Precision": shape.counts.precision,
            "Recall": shape.counts.recall,
            "F1": shape.counts.f1,
            "Right": shape.counts.tp,
            "Invented": shape.counts.fp,
            "Missed": shape.counts.fn,
        }
        for name, shape in columns.items()
    }
    measures = list(numbers["boxes"] or ())
    lines = [
        {"what": measure}
        | {
            name: _shown((values or {}).get(measure))
            for name, values in numbers.items()
        }
        for measure in measures
    ]
    judged = {name: _shown(scores.all.images) for name in numbers}
    lines.append({"what": "Images judged", **judged})
    return {"images": scores.all.images, **numbers, "lines": lines}


def _shown(number: float | None) -> str:
    if number is None:
        return "-"
    return f"{number:,}" if isinstance(number, int) else f"{number:.3f}"
