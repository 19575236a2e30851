"""The command `fiftyone-gemini`: every subcommand reads options and calls the library."""

from __future__ import annotations

import sys

import typer

from ..errors import GeminiLabelError
from . import (
    accept,
    agree,
    batches,
    compare,
    demo,
    doctor,
    emulator,
    frames,
    journal,
    judge,
    label,
    plan,
    shards,
    sweep,
)

app = typer.Typer(
    name="fiftyone-gemini",
    help="Label a vision dataset with Gemini, and learn how good the labels are.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("plan")(plan.plan_labelling)
app.command("label")(label.label_pictures)
app.command("work")(shards.work_on_shards)
app.command("merge")(shards.merge_shards)
app.command("evaluate")(judge.evaluate_labels)
app.command("report")(judge.report_labels)
app.command("compare")(compare.compare_runs)
app.command("accept")(accept.accept_labels)
app.command("agree")(agree.agree_labels)
app.command("sweep")(sweep.sweep_grid)
app.command("flatten")(frames.flatten_masks)
app.command("refine")(frames.refine_boxes)
app.command("export")(judge.export_labels)
app.add_typer(journal.app)
app.add_typer(batches.app)
app.command("demo")(demo.run_demo)
app.command("emulator")(emulator.serve_emulator)
app.command("doctor")(doctor.examine)


def main() -> None:
    """Run the command line; a failure is one sentence and a non-zero exit code."""
    try:
        app()
    except GeminiLabelError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        raise SystemExit(130) from None
