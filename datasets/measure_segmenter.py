"""Measure the emulator's segmenter and write docs/emulator-accuracy.md.

`python -m datasets.measure_segmenter --scenes 60 --photos folder/of/photos`
"""

import argparse
import multiprocessing
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from plugin.emulator.features import U8Image
from plugin.emulator.segmenter import Segmenter

from .make_demo import DEMO_FOLDER, sized_scene
from .scenes import Scene
from .scenes.coco import write_coco
from .scoring import Accuracy, measure, read_rgb
from .training_scenes import UNSEEN_SEEDS, ready_worker

PAGE = Path(__file__).parents[1] / "docs" / "emulator-accuracy.md"
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"
_LONG_SIDES = (320, 256, 224)


def unseen_scene(index: int) -> Scene:
    """Render a scene, at the demo set's sizes, that was neither trained on nor shown."""
    return sized_scene(UNSEEN_SEEDS + index, index)


def write_unseen(folder: Path, count: int, processes: int) -> None:
    """Render the unseen scenes into a COCO folder, unless it is there already."""
    if (folder / "annotations.json").exists():
        return
    with multiprocessing.Pool(processes, ready_worker) as pool:
        write_coco(pool.map(unseen_scene, range(count), chunksize=2), folder)


def known_share(segmenter: Segmenter, images: Iterable[U8Image]) -> str:
    """Return how many of the images the segmenter takes for its own kind."""
    answers = [segmenter.knows(image) for image in images]
    return f"{sum(answers)} of {len(answers)}"


def read_images(folder: Path) -> Iterable[U8Image]:
    """Yield every JPEG of a folder as RGB."""
    for path in sorted(folder.glob("*.jpg")):
        yield read_rgb(path)


def patterns() -> Iterable[U8Image]:
    """Yield 20 pictures of noise and 20 of one colour."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        yield rng.integers(0, 256, (480, 640, 3), dtype=np.uint8)
        yield np.full((480, 640, 3), rng.integers(0, 256, 3), np.uint8)


def accuracy_table(rows: list[tuple[str, int, Accuracy]]) -> str:
    """Return the Markdown table of accuracies."""
    lines = [
        "| scenes | long side | box AP | mask AP | mask AP50 | mask AP75 | small | medium | large | ms/image |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, side, got in rows:
        numbers = (got.box_ap, got.mask_ap, got.mask_ap50, got.mask_ap75, *got.by_size)
        cells = " | ".join(f"{number:.3f}" for number in numbers)
        lines.append(f"| {name} | {side} | {cells} | {got.milliseconds:.0f} |")
    return "\n".join(lines)


def class_table(got: Accuracy) -> str:
    """Return the Markdown table of mask AP per class."""
    names, values = zip(*got.by_class, strict=True)
    cells = " | ".join(f"{value:.2f}" for value in values)
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n| {cells} |"


def replace_measured(text: str) -> None:
    """Put the text between the markers of the page."""
    page = PAGE.read_text()
    before, rest = page.split(_BEGIN)
    after = rest.split(_END)[1]
    PAGE.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}")


def main() -> None:
    """Render, measure and write the page."""
    parser = argparse.ArgumentParser(description="Measure the emulator's segmenter.")
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("build/unseen-scenes"))
    parser.add_argument("--photos", type=Path, help="real photos that must be refused")
    options = parser.parse_args()
    write_unseen(options.folder, options.scenes, options.processes)
    cv2.setNumThreads(1)
    segmenter = Segmenter.load()
    sets = (("unseen", options.folder), ("demo", DEMO_FOLDER))
    rows = [
        (name, side, measure(segmenter, folder, side))
        for name, folder in sets
        for side in _LONG_SIDES
    ]
    known = [
        (f"{name} scenes", known_share(segmenter, read_images(folder / "data")))
        for name, folder in sets
    ]
    if options.photos:
        known.append(
            ("real photos", known_share(segmenter, read_images(options.photos)))
        )
    known.append(("noise and plain colours", known_share(segmenter, patterns())))
    text = "\n".join(
        [
            accuracy_table(rows),
            "\nMask AP of each class, unseen scenes, long side 320:\n",
            class_table(rows[0][2]),
            "\n| pictures | taken for its own kind |\n|---|---|",
            *(f"| {name} | {share} |" for name, share in known),
        ]
    )
    replace_measured(text)
    print(text)


if __name__ == "__main__":
    main()
