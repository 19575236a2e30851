"""Does agreement over repeated asks rank predictions: measured against the emulator.

    python benchmarks/agreement.py [--noise 0.6] [--times 5]

The emulator answers from the demo's truth, spoiled by noise; each ask has a seed of its
own, as a model at a temperature above 0 answers differently each time.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.coco.read import CocoDataset, read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.evaluation import evaluate
from fiftyone_gemini.evaluation.agreement import agree
from fiftyone_gemini.evaluation.curves import study_confidence
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.values import ImageLabels, Question

DEMO = Path(__file__).resolve().parents[1] / "datasets" / "demo" / "annotations.json"
MODEL = "gemini-3.8-flash"


@dataclass(frozen=True, slots=True)
class Row:
    """One way to score the same objects."""

    name: str
    ap: float | None
    f1: float | None
    calibration_error: float | None


def ask(
    coco: CocoDataset, noise: float, seed: int, folder: Path, *, confidence: bool
) -> tuple[ImageLabels, ...]:
    """Label the demo once."""
    settings = Settings(truth=str(DEMO), noise=noise, seed=seed)
    name = f"{seed}-{confidence}"
    with running_emulator(settings) as emulator:
        sink = CocoSink(folder / f"{name}.json", coco.categories)
        label(
            FolderSource(coco),
            sink,
            Question("segment", confidence=confidence),
            model=MODEL,
            endpoint=Endpoint("emulator", api_key="none", base_url=emulator.url),
            journal=folder / f"{name}.sqlite",
        )
    return read_coco(sink.path).images


def measure(noise: float, times: int) -> Iterator[Row]:
    """Ask `times` times, and score single answers and their agreement."""
    coco = read_coco(DEMO)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        replies = [
            ask(coco, noise, seed, folder, confidence=False) for seed in range(times)
        ]
        own = ask(coco, noise, 0, folder, confidence=True)
    merged = agree(replies)
    yield score("one ask, no score", coco.images, replies[0])
    yield score("one ask, the model's own score", coco.images, own)
    yield score(f"{times} asks merged, scores left out", coco.images, scoreless(merged))
    yield score(f"{times} asks merged, share that agrees", coco.images, merged)
    kept = agree(replies, at_least=0.5)
    yield score(f"{times} asks merged, half or more agree", coco.images, kept)


def scoreless(images: Sequence[ImageLabels]) -> list[ImageLabels]:
    """Take the scores away, and the order that they gave."""
    return [
        replace(
            image,
            values=tuple(
                replace(d, confidence=None)
                for d in sorted(image.detections, key=lambda d: d.box.xyxy_px)
            ),
        )
        for image in images
    ]


def score(name: str, truth: Sequence[ImageLabels], said: Sequence[ImageLabels]) -> Row:
    """Judge one way."""
    scores = evaluate(truth, said)
    found = study_confidence(scores, said).overall
    main = scores.all.main
    return Row(name, main.coco.ap, main.counts.f1, found.error if found else None)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--noise", type=float, default=0.6)
    parser.add_argument("--times", type=int, default=5)
    chosen = parser.parse_args()
    print("| answers | mask AP | F1 | calibration error |\n|---|---|---|---|")
    for row in measure(chosen.noise, chosen.times):
        cells = (row.ap, row.f1, row.calibration_error)
        texts = ("" if value is None else f"{value:.3f}" for value in cells)
        print(f"| {row.name} | {' | '.join(texts)} |")


if __name__ == "__main__":
    main()
