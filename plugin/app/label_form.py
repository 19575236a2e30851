"""The form of `label_samples` and `plan`: what is asked, where it goes, what it costs."""

from __future__ import annotations

from datetime import UTC, datetime

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ..errors import GeminiLabelError, MissingKeyError, UsageError
from ..gemini.models import facts, models_on
from ..gemini.upload_rule import Upload
from ..labels.read import class_names, detection_fields
from ..labels.write import check_field
from ..settings import DEFAULTS, MAX_IN_FLIGHT, LabelSettings
from ..tasks import find_task
from .context import endpoint_of, switch_of, target_view, text_of
from .fields import HALF, ask_switch, mark
from .task_words import offered_tasks
from .words import foreseen

SUGGEST_FROM = 1000
"""Samples in which existing class names are looked for."""
FIRST_SAMPLES = 3
RESOLUTIONS = ("low", "medium", "high", "ultra_high")


def label_form(ctx: foo.ExecutionContext) -> types.Object:
    """Draw the form; it is drawn anew at every change."""
    inputs = types.Object()
    inputs.view_target(ctx, action_description="Label")
    _ask_what(inputs, ctx)
    _ask_model(inputs)
    field = _ask_field(inputs, ctx)
    _ask_price(inputs)
    if switch_of(ctx, "more"):
        _ask_how(inputs, ctx)
    try:
        settings = LabelSettings.from_params(ctx.params)
        _check(ctx.dataset, settings, field)
        _show_costs(inputs, ctx, settings)
    except GeminiLabelError as error:
        inputs.view("trouble", types.Warning(label="Not yet", description=str(error)))
    return inputs


def _ask_what(inputs: types.Object, ctx: foo.ExecutionContext) -> None:
    tasks = offered_tasks(ctx.dataset)
    choices = types.DropdownView()
    for name, (label, description) in tasks.items():
        choices.add_choice(name, label=label, description=description)
    inputs.enum(
        "task",
        choices.values(),
        default=DEFAULTS.task,
        label="Find",
        description=tasks.get(text_of(ctx, "task", DEFAULTS.task), ("", ""))[1],
        view=choices,
    )
    try:
        uses = find_task(text_of(ctx, "task", DEFAULTS.task)).uses
    except UsageError:
        uses = frozenset()
    if "classes" in uses:
        _ask_names(inputs, "classes", "Classes", _suggested_classes(ctx.dataset))
    if "asks" in uses:
        _ask_names(inputs, "asks", "Questions", ["colour: What colour is it?"])
    inputs.str(
        "instruction",
        label="In your own words",
        description="Added to the prompt, for example: leave out reflections.",
        view=types.TextFieldView(multiline=True, rows=2),
    )
    if "confidence" in uses:
        said = "The model scores its own answers from 0 to 1; it gives none by itself."
        ask_switch(inputs, "confidence", "Ask for a confidence", said)


def _ask_names(
    inputs: types.Object, name: str, label: str, suggested: list[str]
) -> None:
    said = {
        "classes": "Press Enter after each. Leave empty to name everything in sight.",
        "asks": "One each, a name first; choices may follow in brackets: "
        "colour: What colour is it? [red | blue]",
        "attributes": "Asked of each object, written as questions are.",
    }
    chips = types.AutocompleteView(
        multiple=True, allow_user_input=True, allow_duplicates=False
    )
    for one in suggested:
        chips.add_choice(one, label=one)
    inputs.list(
        name,
        types.String(),
        default=[],
        label=label,
        description=said[name],
        view=chips,
    )


def _suggested_classes(dataset: fo.Dataset) -> list[str]:
    """Name the classes that the labels of a dataset already use."""
    names = set(dataset.default_classes or ())
    some = dataset.limit(SUGGEST_FROM)
    for field in detection_fields(dataset):
        names.update(class_names(some, field))
    return sorted(name for name in names if name)


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


def _ask_field(inputs: types.Object, ctx: foo.ExecutionContext) -> types.Property:
    field = text_of(ctx, "field", DEFAULTS.field)
    return inputs.str(
        "field",
        default=DEFAULTS.field,
        label="Save in the field",
        description=f"Beside it, {field}_status says how each sample ended.",
        view=types.View(space=HALF),
    )


def _check(dataset: fo.Dataset, settings: LabelSettings, asked: types.Property) -> None:
    """Mark the field where it would lose labels; raises for what cannot be asked."""
    form = settings.form
    try:
        check_field(dataset, settings.field, form, settings.times)
    except UsageError as error:
        mark(asked, error)


def _ask_price(inputs: types.Object) -> None:
    inputs.float(
        "budget",
        min=0,
        label="Budget in US dollars",
        description="The run stops before it costs more. Empty: no bound.",
        view=types.View(space=HALF),
    )
    ask_switch(
        inputs,
        "try_first",
        f"Try {FIRST_SAMPLES} samples first",
        "Labels only these; run it again for the rest, and they are not paid twice.",
    )
    ask_switch(inputs, "more", "Show more settings")


def _ask_how(inputs: types.Object, ctx: foo.ExecutionContext) -> None:
    inputs.view("how", types.Header(label="How it is asked", divider=True))
    if "attributes" in find_task(text_of(ctx, "task", DEFAULTS.task)).uses:
        _ask_names(inputs, "attributes", "Of each object", [])
    inputs.str("system", label="System instruction", view=types.View(space=HALF))
    _ask_one_of(
        inputs,
        "thinking",
        "Thinking",
        facts(text_of(ctx, "model", DEFAULTS.model)).thinking,
    )
    _ask_one_of(inputs, "media_resolution", "Tokens for a picture", RESOLUTIONS)
    _ask_whole(inputs, "max_side", "Shrink pictures to (pixels)", least=64)
    _ask_whole(inputs, "max_output_tokens", "Tokens of an answer, at most")
    said = "Which pictures are uploaded once instead of sent along."
    _ask_one_of(inputs, "upload", "Upload", tuple(Upload), said)
    inputs.float(
        "temperature", min=0, max=2, label="Temperature", view=types.View(space=HALF)
    )
    _ask_whole(inputs, "times", "Ask each sample so often")
    _ask_whole(inputs, "tile", "In tiles of (pixels, boxes only)", least=64)
    said = "A field whose labels on tagged samples are shown before every question."
    examples = tuple(detection_fields(ctx.dataset))
    _ask_one_of(inputs, "examples", "Examples from the field", examples, said)
    said = f"The tag of these samples; without one: {DEFAULTS.examples_tag}."
    _ask_one_of(inputs, "examples_tag", "Examples are tagged", (), said)
    _ask_pace(inputs)


def _ask_pace(inputs: types.Object) -> None:
    inputs.view("pace", types.Header(label="How fast, and again", divider=True))
    inputs.int(
        "in_flight",
        default=DEFAULTS.in_flight,
        min=1,
        max=MAX_IN_FLIGHT,
        label="Requests at one time",
        view=types.View(space=HALF),
    )
    _ask_whole(inputs, "rpm", "Requests a minute, at most")
    _ask_whole(inputs, "tpm", "Input tokens a minute, at most")
    said = "Where the stored reply was blocked, truncated or malformed."
    _ask_one_of(inputs, "retry", "Ask again", ("failed",), said)
    said = "Read the stored replies again; ask and pay for nothing."
    ask_switch(inputs, "offline", "Only the journal", said)


def _ask_one_of(
    inputs: types.Object,
    name: str,
    label: str,
    values: tuple[str, ...],
    description: str = "",
) -> None:
    """Let one of some values be chosen, or none of them."""
    choices = types.AutocompleteView(allow_user_input=True, space=HALF)
    for value in values:
        choices.add_choice(value, label=value)
    inputs.str(name, label=label, description=description, view=choices)


def _ask_whole(inputs: types.Object, name: str, label: str, least: int = 1) -> None:
    inputs.int(name, min=least, label=label, view=types.View(space=HALF))


def chosen_samples(ctx: foo.ExecutionContext) -> fo.SampleCollection:
    """Give the samples that the form means: all that are targeted, or the first few."""
    view = target_view(ctx)
    return view.limit(FIRST_SAMPLES) if switch_of(ctx, "try_first") else view


def _show_costs(
    inputs: types.Object, ctx: foo.ExecutionContext, settings: LabelSettings
) -> None:
    """Say who will answer and what it will cost, or what stands in the way."""
    from ..api.labelling import plan_labels

    try:
        plan = plan_labels(chosen_samples(ctx), settings)
        endpoint = endpoint_of(ctx, offline=settings.offline)
    except MissingKeyError as error:
        inputs.view("no_key", types.Error(label="No key", description=str(error)))
        return
    free = endpoint.kind == "emulator" or settings.offline
    who = "Pictures will be sent to Google, and the answers are billed"
    if settings.offline:
        who = "Nobody is asked: stored replies are read again"
    elif endpoint.kind == "emulator":
        who = f"Asking the emulator at {endpoint.base_url}, which is not Gemini"
    said = foreseen(plan, free=free)
    inputs.view("costs", types.Notice(label=who, description=said))
