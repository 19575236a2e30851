"""How numbers, times and counts are written, the same in every form of a report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..evaluation import CocoNumbers
from ..evaluation.intervals import Interval
from ..values import Run, Status, Usage

EMULATOR_BANNER = "Answers came from the offline emulator, not from Gemini"
LONG_SECONDS = 120
MAX_TEXT = 300
UNDEFINED = "–"  # noqa: RUF001 - an en dash is meant
STATUS_MEANING: Mapping[Status, str] = {
    Status.OK: "answered with labels",
    Status.EMPTY: "answered: there is nothing",
    Status.TRUNCATED: "answer was cut, what came was kept",
    Status.BLOCKED: "Gemini refused",
    Status.MALFORMED: "answer could not be read",
    Status.MEDIA_ERROR: "picture could not be sent",
    Status.API_ERROR: "request failed",
    Status.SKIPPED: "never asked",
}
# Field of CocoNumbers: its usual name, and what it means in one phrase.
COCO_MEANING: Mapping[str, tuple[str, str]] = {
    "ap": ("AP", "precision over all recalls, mean of IoU 0.50 to 0.95"),
    "ap50": ("AP50", "the same at IoU 0.50: roughly in place"),
    "ap75": ("AP75", "the same at IoU 0.75: well in place"),
    "ap_small": ("AP small", "objects up to 32 x 32 pixels"),
    "ap_medium": ("AP medium", "objects up to 96 x 96 pixels"),
    "ap_large": ("AP large", "objects above 96 x 96 pixels"),
    "ar1": ("AR 1", "share found with 1 prediction per image and class"),
    "ar10": ("AR 10", "share found with 10 predictions per image and class"),
    "ar100": ("AR 100", "share found with 100 predictions per image and class"),
    "ar_small": ("AR small", "share found, objects up to 32 x 32 pixels"),
    "ar_medium": ("AR medium", "share found, objects up to 96 x 96 pixels"),
    "ar_large": ("AR large", "share found, objects above 96 x 96 pixels"),
}
assert list(COCO_MEANING) == list(CocoNumbers.__dataclass_fields__)


def number(value: float | None) -> str:
    """Write a score with three digits; a dash where it is not defined."""
    return UNDEFINED if value is None else f"{value:.3f}"


def interval(found: Interval | None) -> str:
    """Write a range with two digits, as `[0.85, 0.91]`; nothing where undefined."""
    return "" if found is None else f"[{found.low:.2f}, {found.high:.2f}]"


def shortened(text: str) -> str:
    """Cut a text that would fill the page."""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} ..."


def moment(time: datetime) -> str:
    """Write a time to the minute, with its zone."""
    return time.strftime("%Y-%m-%d %H:%M %Z").strip()


def when(run: Run) -> str:
    """Write when a run started and how long it took."""
    if run.finished is None:
        return f"{moment(run.started)}, not finished"
    seconds = (run.finished - run.started).total_seconds()
    took = (
        f"{seconds / 60:.1f} minutes"
        if seconds >= LONG_SECONDS
        else f"{seconds:.1f} seconds"
    )
    return f"{moment(run.started)}, for {took}"


def cost(run: Run) -> str:
    """Write what a run cost; an unknown price is unknown, never 0."""
    if run.endpoint == "emulator":
        return "nothing (emulator)"
    return "unknown" if run.cost_usd is None else f"${run.cost_usd:,.4f}"


def tokens(usage: Usage) -> str:
    """Write token counts as they are billed."""
    parts = [f"{usage.prompt:,} in", f"{usage.output:,} out"]
    parts += [f"{usage.thoughts:,} thinking"] if usage.thoughts else []
    parts += [f"{usage.cached:,} of those in from cache"] if usage.cached else []
    return ", ".join(parts)


def statuses(counts: Mapping[Status, int]) -> str:
    """Write how many ended how, as `20 ok, 1 blocked`."""
    return ", ".join(f"{counts[s]} {s.value}" for s in Status if counts.get(s))
