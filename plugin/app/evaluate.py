"""The operator `evaluate`: compare labels with ground truth, keep the verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import UsageError
from ..labels.collector import collector_paused
from ..labels.evaluations import check_eval_key, write_evaluation
from ..labels.read import read_labels
from ..labels.trusted import judging_samples
from ..labels.views import delete_error_views, save_error_views
from .context import ICON, target_view
from .fields import ask_label_field, no_dataset

if TYPE_CHECKING:
    from ..evaluation import Scores

DEFAULT_IOU = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateSettings:
    """Which labels are compared, how, and under which key the verdicts are kept."""

    predicted_field: str
    truth_field: str
    eval_key: str
    iou: float = DEFAULT_IOU
    error_views: bool = False
    """Whether to save a view for each kind of error, too."""


class Evaluate(foo.Operator):
    """Evaluates labels by the official COCO metrics."""

    @property
    def config(self) -> foo.OperatorConfig:
        """Describe the operator to FiftyOne."""
        return foo.OperatorConfig(
            name="evaluate",
            label="Evaluate labels against ground truth",
            description="Official COCO metrics of a label field, and for each object "
            "whether it is right. Nothing leaves this machine.",
            icon=ICON,
            dynamic=True,
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: foo.ExecutionContext) -> types.Property:
        """Draw the form."""
        inputs = no_dataset() if ctx.dataset is None else _form(ctx)
        view = types.PromptView(label="Evaluate labels", submit_button_label="Evaluate")
        return types.Property(inputs, view=view)

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        """Evaluate, and store the verdicts."""
        settings = EvaluateSettings(
            predicted_field=ctx.params["predicted_field"],
            truth_field=ctx.params["truth_field"],
            eval_key=ctx.params["eval_key"],
            iou=ctx.params.get("iou", DEFAULT_IOU),
            error_views=ctx.params.get("error_views", False),
        )
        scores = evaluate_view(target_view(ctx), settings)
        if not ctx.delegated:
            ctx.ops.reload_dataset()
        return score_record(scores)

    def resolve_output(self, ctx: foo.ExecutionContext) -> types.Property:
        """Show the headline numbers."""
        outputs = types.Object()
        table = types.TableView()
        table.add_column("what", label="Measure")
        table.add_column("boxes", label="Boxes")
        table.add_column("masks", label="Masks")
        outputs.list("lines", types.Object(), view=table)
        key = ctx.params.get("eval_key")
        outputs.md(
            f"The Model Evaluation panel opens this as `{key}`. Filter objects by "
            f"`{key}`: `tp` is right, `fp` is invented, `fn` was missed. Errors by "
            f"kind are the saved views `{key}: ...`, where they were asked for."
        )
        return types.Property(outputs, view=types.View(label="Evaluation"))

    def __call__(self, samples: fo.SampleCollection, **settings: Any) -> dict[str, Any]:
        """Evaluate samples from Python; `settings` are those of `EvaluateSettings`.

        Gives the headline numbers; an undefined one is None. Raises `UsageError`.
        """
        return score_record(evaluate_view(samples, EvaluateSettings(**settings)))


def _form(ctx: foo.ExecutionContext) -> types.Object:
    inputs = types.Object()
    inputs.view_target(ctx, action_description="Evaluate")
    predicted = ask_label_field(
        inputs, "predicted_field", "Labels to judge", ctx, ours=True
    )
    ask_label_field(inputs, "truth_field", "Ground truth", ctx, ours=False)
    inputs.float(
        "iou",
        default=DEFAULT_IOU,
        min=0.05,
        max=0.95,
        label="Overlap (IoU) that makes a match",
        description="For precision, recall and the verdict on each object; COCO's "
        "AP uses 0.50 to 0.95.",
    )
    _ask_key(inputs, ctx, f"{predicted}_eval")
    inputs.bool(
        "error_views",
        default=True,
        label="Save a view for each kind of error",
        description="Wrong class, loose box, duplicate, invented, missed: the worst "
        "first. Views of the same key are replaced.",
    )
    return inputs


def _ask_key(inputs: types.Object, ctx: foo.ExecutionContext, default: str) -> None:
    asked = inputs.str(
        "eval_key",
        required=True,
        default=default,
        label="Keep as",
        description="An evaluation of the same key is replaced.",
    )
    try:
        check_eval_key(ctx.dataset, ctx.params.get("eval_key") or default)
    except UsageError as error:
        asked.invalid = True
        asked.error_message = str(error)


@collector_paused()
def evaluate_view(view: fo.SampleCollection, settings: EvaluateSettings) -> Scores:
    """Read both fields, compare them, and write the verdicts back.

    Samples without truth are left out, and those with truth accepted unseen.
    """
    from ..evaluation import anatomy, evaluate

    if settings.predicted_field == settings.truth_field:
        raise UsageError("Labels cannot be judged by themselves: choose two fields.")
    check_eval_key(view, settings.eval_key)
    view = judging_samples(view, settings.truth_field).view
    truth = read_labels(view, settings.truth_field)
    predicted = read_labels(view, settings.predicted_field)
    scores = evaluate(truth, predicted, iou=settings.iou)
    write_evaluation(
        view,
        predicted,
        truth,
        scores.main_matches,
        predicted_field=settings.predicted_field,
        truth_field=settings.truth_field,
        eval_key=settings.eval_key,
        iou=settings.iou,
        use_masks=scores.mask_matches is not None,
        classes=scores.classes,
        curves=scores.all.main.curves,
    )
    if not settings.error_views:
        delete_error_views(view, settings.eval_key)
        return scores
    save_error_views(
        view,
        predicted,
        truth,
        anatomy(truth, predicted, scores).faults,
        predicted_field=settings.predicted_field,
        truth_field=settings.truth_field,
        eval_key=settings.eval_key,
    )
    return scores


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
