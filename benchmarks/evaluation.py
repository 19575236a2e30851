"""Measure evaluation against pycocotools, and against FiftyOne on its own database.

The first rows start at labels in memory. *COCO numbers*: all arrays, the hand-over of the
labels to the engine included; theirs is pycocotools on finished documents (index,
evaluate, accumulate). *All scores*: `evaluate()` from values, which also encodes masks,
gives a verdict on each object and P, R and F1 of each class; theirs is the same as above,
and does none of that. The last rows start and end at a FiftyOne dataset: read, evaluate,
write verdicts and the run; theirs is `evaluate_detections(compute_mAP=True)`. CPU time
of this process, wall time beside it. `--write-docs` puts the table into `docs/speed.md`.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator

import numpy as np
from fiftyone_gemini.evaluation import Shape, evaluate
from fiftyone_gemini.evaluation.coco_eval import (
    build_documents,
    evaluate_pairs,
    run_engine,
)
from fiftyone_gemini.evaluation.pairs import pair_up
from labelled import Size, make_labels
from measuring import Timing, heading, private_fiftyone, timed, write_docs

WHOLE = Size(5000, 36_000, 76_000)
STORED = Size(200, 1_440, 3_040)
ENGINE_GOALS: dict[Shape, float] = {"bbox": 60, "segm": 30}
STORED_GOALS: dict[Shape, float] = {"bbox": 40, "segm": 80}
NAMES: dict[Shape, str] = {"bbox": "boxes", "segm": "masks"}
MARK = "evaluation"


def from_values(shape: Shape, rounds: int) -> Iterator[str]:
    """Measure with labels in memory."""
    truth, predicted = make_labels(WHOLE, with_masks=shape == "segm")
    pairs = pair_up(truth, predicted, with_masks=shape == "segm")
    sides = [image.detections for image in (*truth, *predicted)]
    classes = sorted({d.label for side in sides for d in side})
    documents = build_documents(pairs, classes, shape)
    reference = run_engine(*documents, shape, "pycocotools")
    fast = evaluate_pairs(pairs, classes, shape, "hotcoco")
    for name in ("precision", "recall", "scores"):
        assert np.array_equal(getattr(fast, name), getattr(reference, name))
    taken = timed(
        f"COCO numbers, {NAMES[shape]}",
        lambda: evaluate_pairs(pairs, classes, shape, "hotcoco"),
        lambda: run_engine(*documents, shape, "pycocotools"),
        rounds,
    )
    yield taken.row(ENGINE_GOALS[shape])
    whole = [timed("", lambda: evaluate(truth, predicted), int, 1).ours[0]] * rounds
    yield Timing(f"all scores, {NAMES[shape]}", whole, taken.theirs).row()


def from_fiftyone(shape: Shape, rounds: int) -> str:
    """Measure from a FiftyOne dataset and back into it."""
    import fiftyone as fo
    from fiftyone_gemini.app.evaluate import EvaluateSettings, evaluate_view
    from fiftyone_gemini.labels.convert import to_fiftyone

    truth, predicted = make_labels(STORED, with_masks=shape == "segm")
    dataset = fo.Dataset()
    # A generator: samples that someone holds are loaded anew after every write.
    samples = (
        fo.Sample(
            filepath=true.path,
            metadata=fo.ImageMetadata(width=true.frame.width, height=true.frame.height),
            truth=to_fiftyone(true.detections, true.frame),
            said=to_fiftyone(said.detections, said.frame),
        )
        for true, said in zip(truth, predicted, strict=True)
    )
    dataset.add_samples(samples, progress=False)
    numbers = itertools.count()

    def ours() -> None:
        key = f"ours{next(numbers)}"
        evaluate_view(
            dataset,
            EvaluateSettings(predicted_field="said", truth_field="truth", eval_key=key),
        )

    def theirs() -> None:
        dataset.evaluate_detections(
            "said",
            gt_field="truth",
            eval_key=f"theirs{next(numbers)}",
            compute_mAP=True,
            use_masks=shape == "segm",
            progress=False,
        )

    taken = timed(f"from FiftyOne and back, {NAMES[shape]}", ours, theirs, rounds)
    dataset.delete()
    return taken.row(STORED_GOALS[shape])


def lines(rounds: int) -> Iterator[str]:
    """Measure, and write it down line by line."""
    yield heading(
        ("hotcoco", "pycocotools", "fiftyone"),
        f"{WHOLE.images:,} pictures, {WHOLE.truths:,} true objects (1 % crowds), "
        f"{WHOLE.predictions:,} predictions, {WHOLE.classes} classes; from FiftyOne "
        f"{STORED.images} pictures of the same kind; {rounds} rounds",
    )
    yield ""
    yield Timing.HEADER
    for shape in NAMES:
        yield from from_values(shape, rounds)
    with private_fiftyone():
        for shape in NAMES:
            yield from_fiftyone(shape, rounds)
    yield ""
    yield "Every array of the fast engine was equal to pycocotools', entry by entry."


def main() -> None:
    """Print the table, and keep it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    found = []
    for line in lines(options.rounds):
        print(line, flush=True)
        found.append(line)
    if options.write_docs:
        write_docs(MARK, found)


if __name__ == "__main__":
    main()
