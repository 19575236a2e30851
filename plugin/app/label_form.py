"""The form of `label_samples`: what is asked, where it goes, what it will cost."""

from __future__ import annotations

from datetime import UTC, datetime

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import GeminiLabelError, MissingKeyError, UsageError
from ..gemini.models import models_on
from ..labels.read import class_names, detection_fields
from ..labels.samples import ViewSource
from ..labels.write import check_field
from ..tasks import form_of
from .context import endpoint_of, target_view
from .settings import DEFAULTS, MAX_IN_FLIGHT, LabelSettings
from .words import estimated

TASKS = {
    "detect": ("Boxes", "A box and a name for every object"),
    "segment": ("Boxes and masks", "A box, a name and the outline of every object"),
}
HALF = 6
"""Two fields beside each other, in FiftyOne's rows of twelve columns."""
SUGGEST_FROM = 1000
"""Samples in which existing class names are looked for."""


def label_form(ctx: foo.ExecutionContext) -> types.Object:
    """Draw the form; it is drawn anew at every change."""
    inputs = types.Object()
    inputs.view_target(ctx, action_description="Label")
    settings = LabelSettings.from_params(ctx.params)
    _ask_what(inputs, ctx.dataset)
    _ask_model(inputs)
    _ask_field(inputs, ctx.dataset, settings)
    _ask_how(inputs)
    _show_costs(inputs, ctx, settings)
    return inputs


def _ask_what(inputs: types.Object, dataset: fo.Dataset) -> None:
    tabs = types.RadioGroup(orientation="horizontal")
    for name, (label, description) in TASKS.items():
        tabs.add_choice(name, label=label, description=description)
    inputs.enum("task", tabs.values(), default=DEFAULTS.task, label="Find", view=tabs)
    chips = types.AutocompleteView(
        multiple=True, allow_user_input=True, allow_duplicates=False
    )
    for name in _suggested_classes(dataset):
        chips.add_choice(name, label=name)
    inputs.list(
        "classes",
        types.String(),
        default=[],
        label="Classes",
        description="Press Enter after each. Leave empty to name everything in sight.",
        view=chips,
    )
    inputs.str(
        "instruction",
        label="In your own words",
        description="Added to the prompt, for example: leave out reflections.",
        view=types.TextFieldView(multiline=True, rows=2),
    )


def _suggested_classes(dataset: fo.Dataset) -> list[str]:
    """Name the classes that the labels of a dataset already use."""
    names = set(dataset.default_classes or ())
    some = dataset.limit(SUGGEST_FROM)
    for field in detection_fields(dataset):
        names.update(class_names(some, field))
    return sorted(names)


def _ask_model(inputs: types.Object) -> None:
    models = types.AutocompleteView(allow_user_input=True, space=HALF)
    for name in models_on(datetime.now(UTC).date()):
        models.add_choice(name, label=name)
    inputs.str(
        "model",
        default=DEFAULTS.model,
        label="Model",
        description="One of the list, or any other name.",
        view=models,
    )


def _ask_field(
    inputs: types.Object, dataset: fo.Dataset, settings: LabelSettings
) -> None:
    asked = inputs.str(
        "field",
        default=DEFAULTS.field,
        label="Save in the field",
        description=f"Beside it, {settings.field}_status says how each sample ended.",
        view=types.View(space=HALF),
    )
    try:
        check_field(dataset, settings.field, form_of(settings.question))
    except UsageError as error:
        asked.invalid = True
        asked.error_message = str(error)


def _ask_how(inputs: types.Object) -> None:
    inputs.bool(
        "confidence",
        default=False,
        label="Ask for a confidence",
        description="The model scores its own objects from 0 to 1; it gives none "
        "by itself.",
        view=types.SwitchView(space=HALF),
    )
    inputs.int(
        "in_flight",
        default=DEFAULTS.in_flight,
        min=1,
        max=MAX_IN_FLIGHT,
        label="Requests at one time",
        view=types.View(space=HALF),
    )


def _show_costs(
    inputs: types.Object, ctx: foo.ExecutionContext, settings: LabelSettings
) -> None:
    """Say who will answer and what it will cost, or what stands in the way."""
    from ..planning import plan_run

    try:
        source = ViewSource(target_view(ctx))
        plan = plan_run(source, settings.question, model=settings.model)
        endpoint = endpoint_of(ctx)
    except MissingKeyError as error:
        inputs.view("no_key", types.Error(label="No key", description=str(error)))
    except GeminiLabelError as error:
        inputs.view("trouble", types.Warning(label="Not yet", description=str(error)))
    else:
        free = endpoint.kind == "emulator"
        who = f"Asking the emulator at {endpoint.base_url}, which is not Gemini"
        if not free:
            who = "Pictures will be sent to Google, and the answers are billed"
        said = estimated(plan.likely, free=free)
        inputs.view("costs", types.Notice(label=who, description=said))
