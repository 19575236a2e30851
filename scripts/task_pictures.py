"""Make one picture for each page of `docs/tasks`: what the emulator said, drawn.

Run by `python scripts/task_pictures.py`: labels demo scenes by every task through the real
pipeline, asking the emulator (which is not Gemini), and draws what came back.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.gemini.endpoint import Endpoint, endpoint_from_environment
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.values import Ask, Item, JsonValue, Parsed, Question, Run
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "datasets" / "demo"
OUT = ROOT / "docs" / "pictures" / "tasks"
MODEL = "gemini-3.8-flash"
STRIP, LINE = 10, 22
INK, PAPER = "#1b1f24", "#ffffff"
COLOURS = ("#e4572e", "#17bebb", "#ffc914", "#76b041", "#8d5cd6", "#f06ba8")
QUESTIONS = {
    "detect": Question("detect", attributes=(Ask("colour"),)),
    "segment": Question("segment"),
    "point": Question("point"),
    "path": Question("path", instruction="From thing to thing, left to right."),
    "box3d": Question("box3d", fov_degrees=60.0),
    "classify": Question("tag"),
    "caption": Question("caption"),
    "vqa": Question(
        "vqa",
        asks=(
            Ask("amount", "How many objects are there?"),
            Ask("things", "What things do you see?"),
            Ask("mood", "What is the mood of the picture?"),
        ),
    ),
    "ocr": Question("ocr"),
    "compare": Question("compare"),
}


@dataclass(frozen=True, slots=True)
class Scenes:
    """One demo scene, with a second one as its other picture."""

    pair: tuple[str, str]

    def __len__(self) -> int:
        """Count it."""
        return 1

    def items(self) -> Iterator[Item]:
        """Give it."""
        yield Item("1", self.pair[0], others=self.pair[1:])


def main() -> None:
    """Make all pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    images = read_coco(DEMO / "annotations.json").images
    pair = (images[0].path, images[1].path)
    with tempfile.TemporaryDirectory() as folder:
        truth = with_writing(Path(folder) / "truth.json")
        settings = Settings(truth=str(truth), images=str(DEMO / "data"))
        with running_emulator(settings) as emulator:
            endpoint = endpoint_from_environment({}, base_url=emulator.url)
            for name, question in QUESTIONS.items():
                values = said(Path(folder), question, pair, endpoint)
                path = OUT / f"{name}.jpg"
                draw(values, pair).save(path, quality=85)
                print(path)


def with_writing(path: Path) -> Path:
    """Write the truth with some writing on three things: the scenes bear none."""
    document = json.loads((DEMO / "annotations.json").read_text())
    for entry, text in zip(
        document["annotations"], ("EXIT 4", "No 7", "FRAGILE"), strict=False
    ):
        entry["attributes"] = {"text": text}
    path.write_text(json.dumps(document))
    return path


def said(
    folder: Path, question: Question, pair: tuple[str, str], endpoint: Endpoint
) -> tuple[Any, ...]:
    """Ask, and give the values that came back."""
    sink = Keeping()
    label(
        Scenes(pair),
        sink,
        question,
        model=MODEL,
        endpoint=endpoint,
        journal=folder / "journal.sqlite",
    )
    return sink.values


class Keeping:
    """A sink that keeps the values of one item as they are."""

    values: tuple[Any, ...] = ()

    def write(self, parsed: Parsed) -> None:
        """Take what the item came to."""
        self.values = parsed.values

    def finish(self, run: Run) -> None:
        """Write nothing."""


def draw(values: tuple[Any, ...], pair: tuple[str, str]) -> Image.Image:
    """Draw values on the scene, and what is said in words below it."""
    scene = Image.open(pair[0]).convert("RGB")
    words = [text for value in values if (text := words_of(value))]
    if any(getattr(v, "name", "") == "difference" for v in values):
        other = Image.open(pair[1]).convert("RGB")
        both = Image.new(
            "RGB", (scene.width + other.width + STRIP, scene.height), PAPER
        )
        both.paste(scene, (0, 0))
        both.paste(other, (scene.width + STRIP, 0))
        scene = both
    for number, value in enumerate(values):
        mark(scene, value, COLOURS[number % len(COLOURS)])
    return below(scene, words)


def mark(scene: Image.Image, value: Any, colour: str) -> None:
    """Draw what has a place."""
    pen = ImageDraw.Draw(scene)
    mask = getattr(value, "mask", None)
    if mask is not None:
        shade = Image.fromarray((mask.crop * 130).astype("uint8"))
        scene.paste(Image.new("RGB", shade.size, colour), (mask.x, mask.y), shade)
    if hasattr(value, "box"):
        pen.rectangle(value.box.xyxy_px, outline=colour, width=2)
        about: dict[str, JsonValue] = dict(value.attributes)
        about.pop("text", None)
        name = " ".join([value.label, *map(str, about.values())])
        tag(pen, name, value.box.x, value.box.y, colour)
    if hasattr(value, "centre_xyz"):
        for edge in value.edges_xy_px:
            pen.line(edge, fill=colour, width=2)
    if hasattr(value, "points_xy_px"):
        pen.line(value.points_xy_px, fill=colour, width=3)
        for x, y in value.points_xy_px:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)
    if hasattr(value, "x"):
        x, y = value.x, value.y
        pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill=colour, outline=PAPER, width=2)
        tag(pen, value.label, x + 8, y + 8, colour)


def tag(pen: ImageDraw.ImageDraw, text: str, x: float, y: float, colour: str) -> None:
    """Write a label."""
    font = ImageFont.load_default(13)
    pen.rectangle(pen.textbbox((x + 2, y + 1), text, font), fill=colour)
    pen.text((x + 2, y + 1), text, INK, font)


def words_of(value: Any) -> str:
    """Give what is said without a place."""
    if hasattr(value, "name"):
        return f"{value.name}: {value.text}" if value.name else value.text
    placed = ("box", "x", "centre_xyz", "points_xy_px")
    return "" if any(hasattr(value, p) for p in placed) else value.label


def below(scene: Image.Image, words: list[str]) -> Image.Image:
    """Put lines of words below a picture."""
    if not words:
        return scene
    high = LINE * len(words) + 2 * STRIP
    sheet = Image.new("RGB", (scene.width, scene.height + high), PAPER)
    sheet.paste(scene, (0, 0))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for number, text in enumerate(words):
        pen.text((STRIP, scene.height + STRIP + LINE * number), text, INK, font)
    return sheet


if __name__ == "__main__":
    main()
