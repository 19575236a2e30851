"""Make one picture for each page of `docs/tasks` about videos: frames over a timeline.

Run by `python scripts/video_pictures.py`: labels the demo videos through the real pipeline,
asking the emulator (which is not Gemini), and draws what came back above what is true.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiftyone_gemini.asking import Manner
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.filming import Filming
from fiftyone_gemini.gemini.endpoint import Endpoint, endpoint_from_environment
from fiftyone_gemini.media.stills import read_frames
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.values import Clip, Item, Medium, Parsed, Question, Run
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
VIDEOS = ROOT / "datasets" / "videos"
OUT = ROOT / "docs" / "pictures" / "tasks"
MODEL = "gemini-3.8-flash"
VIDEO, SECONDS = "match.mp4", 14.0
SHOWN = (1.5, 3.5, 6.5, 8.5, 11.5)
WIDE, HIGH, GAP, LEFT, LINE = 208, 156, 8, 96, 26
INK, SOFT, PAPER, TRUE = "#1b1f24", "#6b7280", "#ffffff", "#c9ced6"
COLOURS = ("#e4572e", "#17828b", "#b8860b", "#4f7f21", "#8d5cd6", "#c2427c")
QUESTIONS = {
    "events": Question("events", ("goal", "kick", "miss")),
    "transcript": Question("transcript"),
    "track": Question("track", ("ball", "player")),
}


@dataclass(slots=True)
class Screening:
    """One video as a source, and a sink that keeps its values."""

    medium: Medium = Medium.VIDEO
    values: tuple[Any, ...] = ()

    def __len__(self) -> int:
        """Count it."""
        return 1

    def items(self) -> Iterator[Item]:
        """Give it."""
        yield Item("1", str(VIDEOS / "data" / VIDEO))

    def write(self, parsed: Parsed) -> None:
        """Take what it came to."""
        self.values = parsed.values

    def finish(self, run: Run) -> None:
        """Write nothing."""


def main() -> None:
    """Make all pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    with running_emulator(Settings(truth=str(VIDEOS / "truth.json"))) as emulator:
        endpoint = endpoint_from_environment({}, base_url=emulator.url)
        for name, question in QUESTIONS.items():
            path = OUT / f"{name}.jpg"
            sheet(name, said(question, endpoint)).save(path, quality=88)
            print(path)


def said(question: Question, endpoint: Endpoint) -> tuple[Any, ...]:
    """Ask about two frames a second, and give the values that came back."""
    kept = Screening()
    with tempfile.TemporaryDirectory() as folder:
        label(
            kept,
            kept,
            question,
            model=MODEL,
            endpoint=endpoint,
            journal=Path(folder) / "journal.sqlite",
            manner=Manner(filming=Filming(Clip(fps=2.0))),
        )
    return kept.values


def sheet(name: str, values: tuple[Any, ...]) -> Image.Image:
    """Draw frames, and under them a line of time for each label."""
    frames = read_frames(str(VIDEOS / "data" / VIDEO), SHOWN)
    rows = tracks(values) if name == "track" else bars(values)
    true = {} if name == "track" else truth(f"{name}.jsonl")
    width = LEFT + len(SHOWN) * (WIDE + GAP) + GAP
    image = Image.new("RGB", (width, HIGH + 4 * GAP + LINE * (len(rows) + 2)), PAPER)
    pen = ImageDraw.Draw(image)
    for number, (moment, frame) in enumerate(zip(SHOWN, frames, strict=True)):
        small = frame.resize((WIDE, HIGH))
        if name == "track":
            draw_boxes(small, frame.width, values, moment)
        place = (LEFT + number * (WIDE + GAP), GAP)
        image.paste(small, place)
        pen.text((place[0] + 4, place[1] + HIGH + 2), stamp(moment), INK, font(14))
    top = HIGH + GAP + LINE
    for number, (row, parts) in enumerate(rows.items()):
        y = top + number * LINE
        pen.text((GAP, y + 3), row, INK, font(14))
        for start, end in true.get(row, []):
            pen.rectangle(
                (across(start, width), y + 2, across(end, width), y + 22), TRUE
            )
        for start, end, text in parts:
            colour = COLOURS[number % len(COLOURS)]
            x0, x1 = (
                across(start, width),
                max(across(end, width), across(start, width) + 4),
            )
            pen.rectangle((x0, y + 6, x1, y + 18), colour)
            pen.text((x0 + 4, y + 5), text, PAPER, font(10))
    axis(pen, top + len(rows) * LINE + 4, width)
    return image


def bars(values: tuple[Any, ...]) -> dict[str, list[tuple[float, float, str]]]:
    """List the stretches of each label."""
    rows: dict[str, list[tuple[float, float, str]]] = {}
    for span in values:
        part = (span.start_seconds, span.end_seconds, span.text)
        rows.setdefault(span.label, []).append(part)
    return rows


def tracks(values: tuple[Any, ...]) -> dict[str, list[tuple[float, float, str]]]:
    """List the moments at which each label was seen."""
    rows: dict[str, list[tuple[float, float, str]]] = {}
    for seen in values:
        part = (seen.seconds, seen.seconds + 0.1, "")
        rows.setdefault(seen.detection.label, []).append(part)
    return rows


def truth(file: str) -> dict[str, list[tuple[float, float]]]:
    """Read what is true."""
    lines = map(json.loads, (VIDEOS / file).read_text().splitlines())
    rows: dict[str, list[tuple[float, float]]] = {}
    for value in next(line for line in lines if line["sample_id"] == VIDEO)["values"]:
        part = (value["start_seconds"], value["end_seconds"])
        rows.setdefault(value["label"], []).append(part)
    return rows


def draw_boxes(
    image: Image.Image, width: int, values: tuple[Any, ...], moment: float
) -> None:
    """Draw the boxes that were seen at a moment."""
    pen, scale = ImageDraw.Draw(image), WIDE / width
    names = list(tracks(values))
    for seen in values:
        if abs(seen.seconds - moment) < 0.01:  # noqa: PLR2004
            box = [side * scale for side in seen.detection.box.xyxy_px]
            colour = COLOURS[names.index(seen.detection.label)]
            pen.rectangle(box, outline=colour, width=2)


def axis(pen: ImageDraw.ImageDraw, y: int, width: int) -> None:
    """Draw the seconds."""
    for second in range(0, int(SECONDS) + 1, 2):
        x = across(second, width)
        pen.line((x, y, x, y + 5), SOFT)
        pen.text((x - 14, y + 7), stamp(second), SOFT, font(12))


def across(seconds: float, width: int) -> float:
    """Place a time on the line."""
    return LEFT + (width - LEFT - 24) * seconds / SECONDS


def stamp(seconds: float) -> str:
    """Write a time."""
    text = f"{int(seconds // 60):02}:{seconds % 60:04.1f}"
    return text.removesuffix(".0")


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Give a font of a size."""
    return ImageFont.load_default(size)


if __name__ == "__main__":
    main()
