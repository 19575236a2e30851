"""The panel's tab of quality: the numbers of an evaluation, and the samples behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fiftyone.operators as foo
from fiftyone import ViewField
from fiftyone.operators import types

from ..errors import UsageError
from ..report.summary import Summary
from ..report.texts import interval, number
from ..summaries import load_summary, summary_keys
from .context import NAMESPACE
from .panel_parts import (
    choose,
    chosen,
    dropdown,
    guarded,
    markdown_table,
    show_view,
)

MOST_CLASSES = 30
WHOLE = {"view_target": "DATASET"}
"""What is judged, unless the form says otherwise: what a click shows is only a part."""
PARTS: Mapping[str, tuple[str, str]] = {
    "right": ("tp", "#3d9a5f"),
    "invented": ("fp", "#d97a34"),
    "missed": ("fn", "#b8434f"),
}
"""Each part of a bar: the verdict it counts, its colour."""
LEGEND = {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.12, "yanchor": "top"}
PLAIN_CHART: Mapping[str, Any] = {"displayModeBar": False, "responsive": True}


def summary_of(ctx: foo.ExecutionContext) -> tuple[list[str], Summary | None]:
    """Give the evaluations that can be shown, and the chosen one, else the newest."""
    keys = list(summary_keys(ctx.dataset))[::-1]
    now = chosen(ctx).evaluation
    key = now if now in keys else next(iter(keys), "")
    return keys, load_summary(ctx.dataset, key) if key else None


class QualityTab:
    """Handlers and drawing of the tab."""

    def choose_evaluation(self, ctx: foo.ExecutionContext) -> None:
        """Look at another evaluation."""
        choose(ctx, evaluation=ctx.params["value"])

    def evaluate(self, ctx: foo.ExecutionContext) -> None:
        """Open the form that evaluates."""
        uri = f"{NAMESPACE}/evaluate"
        ctx.prompt(uri, params=dict(WHOLE), on_success=self.evaluated)

    def evaluated(self, ctx: foo.ExecutionContext) -> None:
        """Look at the newest evaluation."""
        choose(ctx, evaluation="")

    def open_report(self, ctx: foo.ExecutionContext) -> None:
        """Open the form that writes a report."""
        _, summary = summary_of(ctx)
        params: dict[str, Any] = dict(WHOLE)
        if summary is not None:
            params |= {"fields": [summary.field], "truth_field": summary.truth}
        ctx.prompt(f"{NAMESPACE}/open_report", params=params)

    @guarded
    def click_class(self, ctx: foo.ExecutionContext) -> None:
        """Show the objects that a part of a bar counts."""
        _, summary = summary_of(ctx)
        label, part = str(ctx.params.get("y")), str(ctx.params.get("trace"))
        if summary is None or part not in PARTS:
            return
        verdict, _ = PARTS[part]
        field = summary.truth if part == "missed" else summary.field
        wanted = (ViewField("label") == label) & (ViewField(summary.key) == verdict)
        show_view(ctx, ctx.dataset.filter_labels(field, wanted))

    @guarded
    def click_kind(self, ctx: foo.ExecutionContext) -> None:
        """Show the saved view of a kind of error."""
        name = ctx.params["view"]
        if name not in ctx.dataset.list_saved_views():
            raise UsageError(
                "There is no saved view of these errors: evaluate again, with views."
            )
        ctx.ops.set_view(name=name)

    def show_all(self, ctx: foo.ExecutionContext) -> None:
        """Show all samples again."""
        ctx.ops.clear_view()

    def draw_quality(self, page: types.Object, ctx: foo.ExecutionContext) -> None:
        """Draw the tab."""
        keys, summary = summary_of(ctx)
        bar = page.h_stack("quality_bar", gap=1)
        bar.btn("evaluate", "Evaluate", on_click=self.evaluate, variant="contained")
        if summary is None:
            page.md("Nothing has been evaluated here yet.", name="no_quality")
            return
        bar.btn("report", "Report", on_click=self.open_report, variant="outlined")
        bar.btn("all", "Show all samples", on_click=self.show_all, variant="outlined")
        dropdown(
            page,
            "evaluation",
            "Evaluation",
            (keys, summary.key),
            self.choose_evaluation,
        )
        page.md(headlines(summary), name="headlines")
        self._draw_classes(page, summary)
        self._draw_kinds(page, ctx, summary)
        _draw_confidence(page, summary)

    def _draw_classes(self, page: types.Object, summary: Summary) -> None:
        """Draw a bar for each class, the worst at the top."""
        rows = sorted(summary.classes, key=_worst_last)[-MOST_CLASSES:]
        labels = [row.label for row in rows]
        bars = [
            {
                "type": "bar",
                "orientation": "h",
                "name": part,
                "y": labels,
                "x": [getattr(row, part) for row in rows],
                "marker": {"color": colour},
            }
            for part, (_, colour) in PARTS.items()
        ]
        layout = {
            "title": {"text": "Objects by class (click to see them)"},
            "barmode": "stack",
            "height": 150 + 22 * len(rows),
            "margin": {"t": 40, "l": 110, "r": 20, "b": 60},
            "showlegend": True,
            "legend": dict(LEGEND),
            "yaxis": {"type": "category", "automargin": True},
        }
        page.plot(
            "classes",
            data=bars,
            layout=layout,
            config=dict(PLAIN_CHART),
            on_click=self.click_class,
        )

    def _draw_kinds(
        self, page: types.Object, ctx: foo.ExecutionContext, summary: Summary
    ) -> None:
        """Say what goes wrong, the costliest first, with the views of it."""
        kinds = [kind for kind in summary.kinds if kind.count]
        if not kinds:
            return
        cells = [
            [kind.kind, f"{kind.count:,}", number(kind.ap_gain), kind.meaning]
            for kind in kinds
        ]
        columns = ("Kind of error", "Errors", "AP50 gained if mended", "What it means")
        page.md(
            f"**What goes wrong**\n\n{markdown_table(columns, cells)}", name="kinds"
        )
        saved = set(ctx.dataset.list_saved_views())
        shown = [k.kind for k in kinds if f"{summary.key}: {k.kind}" in saved]
        bar = page.h_stack("kinds_bar", gap=1)
        for place, kind in enumerate(shown):
            bar.btn(
                f"kind_{place}",
                f"Show {kind}",
                on_click=self.click_kind,
                params={"view": f"{summary.key}: {kind}"},
                variant="outlined",
            )


def headlines(summary: Summary) -> str:
    """Write the headline numbers with their intervals."""
    cells = [
        [h.name, f"{number(h.value)} {interval(h.interval)}".strip(), h.meaning]
        for h in summary.headlines
    ]
    said = f"{summary.images:,} images, compared by {summary.compared_by}."
    return f"{markdown_table(('', 'With 95 % interval', ''), cells)}\n\n{said}"


def _worst_last(row: Any) -> tuple[float, str]:
    return (-(2.0 if row.f1 is None else row.f1), row.label)


def _draw_confidence(page: types.Object, summary: Summary) -> None:
    """Draw what confidence is worth: precision over recall, and calibration."""
    if summary.no_curves or summary.calibration is None:
        page.md(summary.no_curves or "There are no predictions.", name="no_curves")
        return
    lines = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": line.label,
            "x": list(line.recall),
            "y": list(line.precision),
        }
        for line in summary.curves
    ]
    page.plot(
        "curves",
        data=lines,
        layout=_square("Precision over recall", "recall", "precision"),
        config=dict(PLAIN_CHART),
    )
    page.plot(
        "calibration",
        data=_calibration(summary),
        layout=_square(
            f"Calibration error {number(summary.calibration.error)}",
            "confidence",
            "share right",
        ),
        config=dict(PLAIN_CHART),
    )


def _calibration(summary: Summary) -> list[dict[str, Any]]:
    dots = summary.calibration
    assert dots is not None
    diagonal = {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1]}
    whiskers = {
        "type": "data",
        "symmetric": False,
        "array": list(dots.above),
        "arrayminus": list(dots.below),
    }
    shown = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "all classes",
        "x": list(dots.confidence),
        "y": list(dots.accuracy),
        "error_y": whiskers,
    }
    return [{**diagonal, "name": "calibrated", "line": {"dash": "dot"}}, shown]


def _square(title: str, x: str, y: str) -> dict[str, Any]:
    return {
        "title": {"text": title},
        "height": 320,
        "margin": {"t": 40, "l": 60, "r": 20, "b": 70},
        "xaxis": {"title": {"text": x}, "range": [0, 1.02]},
        "yaxis": {"title": {"text": y}, "range": [0, 1.02]},
        "showlegend": True,
        "legend": dict(LEGEND),
    }
