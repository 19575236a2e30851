"""The operators `label_samples` and `plan`: ask Gemini about samples, or foresee it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ..environment import find_endpoint
from ..records import plain, run_record
from ..settings import LabelSettings
from .context import ICON, endpoint_of, switch_of
from .label_form import chosen_samples, label_form
from .running import Prepared, run_operator
from .step import Card, Step, table_of
from .words import asking, duration, money


class LabelSamples(Step):
    """Labels samples with Gemini."""

    card: ClassVar[Card] = Card(
        name="label_samples",
        label="Label with Gemini",
        description="Label samples with Gemini: boxes, masks, points, classes, text or "
        "answers. Sends pictures to Google and costs money; `plan` says how much.",
        risk="MEDIUM",
        submit="Label",
        streams=True,
    )

    def resolve_placement(
        self,
        ctx: foo.ExecutionContext,  # noqa: ARG002 - FiftyOne passes it
    ) -> types.Placement:
        """Put a button above the samples."""
        return types.Placement(
            types.Places.SAMPLES_GRID_SECONDARY_ACTIONS,
            types.Button(label="Label with Gemini", icon=ICON, prompt=True),
        )

    def form(self, ctx: foo.ExecutionContext) -> types.Object:
        """Draw the form."""
        return label_form(ctx)

    def execute(
        self, ctx: foo.ExecutionContext
    ) -> dict[str, Any] | Iterator[foo.operator.Operator]:
        """Label the samples; gives the record of the run."""
        from ..api.labelling import run_labels

        def prepare() -> Prepared:
            settings = LabelSettings.from_params(ctx.params)
            view = chosen_samples(ctx)
            endpoint = endpoint_of(ctx, offline=settings.offline)
            return (
                asking(view.count(), endpoint),
                settings,
                lambda report: run_labels(view, settings, endpoint, report=report),
            )

        return run_operator(ctx, prepare)

    def __call__(
        self,
        samples: fo.SampleCollection,
        *,
        delegate: bool = False,
        **settings: Any,
    ) -> dict[str, Any]:
        """Label samples from Python; `settings` are those of `LabelSettings`.

        Gives the record of the run or, with `delegate`, of the scheduled operation.
        Raises `UsageError` and `FatalApiError`.
        """
        from ..api.labelling import run_labels

        if delegate:
            context = {"view": samples.view()}
            scheduled = foo.execute_operator(
                self.uri, context, params=settings, request_delegation=True
            )
            return scheduled.result
        chosen = LabelSettings(**settings)
        endpoint = find_endpoint(offline=chosen.offline)
        return run_record(run_labels(samples, chosen, endpoint))


class PlanLabels(Step):
    """Says what labelling would cost."""

    card: ClassVar[Card] = Card(
        name="plan",
        label="Plan labelling with Gemini",
        description="Say what `label_samples` with the same settings would ask for, cost "
        "and take. Nothing is sent, and nothing costs.",
        risk="LOW",
        submit="Plan",
    )

    def form(self, ctx: foo.ExecutionContext) -> types.Object:
        """Draw the form of labelling."""
        inputs = label_form(ctx)
        inputs.bool(
            "look",
            default=False,
            label="Look into the journal",
            description="Replies that are there are not counted; reads every picture.",
            view=types.SwitchView(),
        )
        return inputs

    def execute(self, ctx: foo.ExecutionContext) -> dict[str, Any]:
        """Plan; gives the numbers and lines of a table."""
        from ..api.labelling import plan_labels

        settings = LabelSettings.from_params(ctx.params)
        plan = plan_labels(chosen_samples(ctx), settings, look=switch_of(ctx, "look"))
        cases = {
            "few objects": plan.few,
            "about ten": plan.likely,
            "many": plan.many,
            "more than fit into an answer": plan.most,
        }
        lines = [
            {
                "case": words,
                "prompt": f"{each.prompt_tokens:,}",
                "output": f"{each.output_tokens:,}",
                "price": money(each.usd),
            }
            for words, each in cases.items()
        ]
        numbers: dict[str, Any] = {
            name: plain(getattr(plan, name))
            for name in ("model", "requests", "in_journal", "seconds")
        }
        numbers |= {"usd": plan.likely.usd, "usd_most": plan.most.usd}
        return numbers | {"time": f"{duration(plan.seconds)} or more", "lines": lines}

    def resolve_output(
        self,
        ctx: foo.ExecutionContext,  # noqa: ARG002 - FiftyOne passes it
    ) -> types.Property:
        """Show requests, tokens, prices and time."""
        outputs = types.Object()
        outputs.int("requests", label="Requests")
        outputs.str("time", label="Time")
        columns = {"case": "If each picture shows", "prompt": "Tokens in"}
        columns |= {"output": "Tokens out", "price": "Price"}
        table_of(outputs, "lines", columns)
        return types.Property(outputs, view=types.View(label="Plan"))
