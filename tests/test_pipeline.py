"""The whole line without FiftyOne: pictures to labels to COCO to official numbers.

The real google-genai SDK asks the emulator over real HTTP.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.coco.read import CocoDataset, read_coco
from fiftyone_gemini.coco.rle import mask_to_rle
from fiftyone_gemini.coco.write import write_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.evaluation import Scores, evaluate
from fiftyone_gemini.gemini.endpoint import Endpoint, endpoint_from_environment
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.planning import plan_run
from fiftyone_gemini.progress import Progress
from fiftyone_gemini.values import ImageLabels, Question, Run, Status
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

MODEL = "gemini-3.8-flash"
PNG_MODEL = "gemini-2.5-flash"


def big_enough(images: tuple[ImageLabels, ...]) -> tuple[ImageLabels, ...]:
    """Keep the objects whose box has both sides of at least 32 pixels; no crowds."""
    return tuple(
        replace(
            image,
            values=tuple(
                d
                for d in image.detections
                if min(d.box.width, d.box.height) >= 32 and not d.is_crowd
            ),
        )
        for image in images
    )


class Bench:
    """Labels a COCO set through an emulator that answers from its truth."""

    def __init__(self, folder: Path, truth: CocoDataset) -> None:
        self.folder = folder
        self.truth = truth
        self.truth_file = folder / "truth.json"
        write_coco(self.truth_file, truth.images, truth.categories)
        self.images = Path(os.path.commonpath([i.path for i in truth.images]))

    def label(self, endpoint: Endpoint, task: str, model: str = MODEL) -> Path:
        """Label all images; give the COCO file of the labels."""
        out = self.folder / f"{task}.json"
        label(
            FolderSource(self.truth),
            CocoSink(out, categories=self.truth.categories),
            Question(task),
            model=model,
            endpoint=endpoint,
            journal=self.folder / "journal.sqlite",
        )
        return out

    def scores(self, task: str, model: str = MODEL, noise: float = 0.0) -> Scores:
        """Label by an emulator with this much noise, and judge the labels."""
        settings = Settings(
            truth=str(self.truth_file), images=str(self.images), noise=noise
        )
        with running_emulator(settings) as emulator:
            endpoint = endpoint_from_environment({}, base_url=emulator.url)
            out = self.label(endpoint, task, model)
        return evaluate(self.truth.images, read_coco(out, self.images).images)


@pytest.fixture
def scenes(demo: Path, tmp_path: Path) -> Bench:
    """Give six demo scenes with their objects of at least 32 pixels."""
    whole = read_coco(demo / "annotations.json")
    return Bench(tmp_path, replace(whole, images=big_enough(whole.images[:6])))


@pytest.fixture
def photos(shared: Path, tmp_path: Path) -> Bench:
    """Give the 52 openly licensed COCO photos with all their objects."""
    folder = shared / "photos" / "coco_open"
    return Bench(tmp_path, read_coco(folder / "instances.json", folder / "images"))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """Give an emulator that looks at the pixels."""
    with running_emulator(Settings()) as emulator:
        yield endpoint_from_environment({}, base_url=emulator.url)


def official(truth_file: Path, labels_file: Path, kind: str) -> list[float]:
    """Score a labels file with pycocotools alone."""
    truth = COCO(str(truth_file))
    labels = truth.loadRes(json.loads(labels_file.read_text())["annotations"])
    judge = COCOeval(truth, labels, kind)
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    return [float(x) for x in judge.stats]


def test_exact_answers_give_box_ap_of_one(scenes: Bench) -> None:
    """Exact truth comes back as boxes with AP 1.0 at every IoU up to 0.95."""
    assert scenes.scores("detect").all.boxes.coco.ap == 1.0


@pytest.mark.parametrize(
    ("model", "least"),
    [pytest.param(MODEL, 0.85, id="polygon"), pytest.param(PNG_MODEL, 0.85, id="png")],
)
def test_exact_answers_give_masks_as_good_as_their_resolution(
    scenes: Bench, model: str, least: float
) -> None:
    """Exact truth comes back as masks that lose only what the mask shape loses."""
    scores = scenes.scores("segment", model)
    assert scores.all.masks is not None
    assert scores.all.masks.coco.ap >= least
    assert scores.all.masks.coco.ap50 == 1.0


@pytest.mark.slow
def test_photos_labelled_from_exact_truth_give_box_ap_of_one(
    photos: Bench, tmp_path: Path
) -> None:
    """Boxes of at least 32 px in real photos come back with AP 1.0."""
    truth = replace(photos.truth, images=big_enough(photos.truth.images))
    (tmp_path / "big").mkdir()
    assert Bench(tmp_path / "big", truth).scores("detect").all.boxes.coco.ap == 1.0


@pytest.mark.slow
def test_noise_lowers_the_score_and_pycocotools_agrees(photos: Bench) -> None:
    """Noise lowers AP; pycocotools reads the export and agrees on every number."""
    exact = photos.scores("segment")
    (photos.folder / "journal.sqlite").unlink()
    noisy = photos.scores("segment", noise=0.5)
    assert noisy.all.boxes.coco.ap < exact.all.boxes.coco.ap
    out = photos.folder / "segment.json"
    for kind, ours in (("bbox", noisy.all.boxes), ("segm", noisy.all.masks)):
        theirs = official(photos.truth_file, out, kind)
        numbers = [-1.0 if x is None else x for x in astuple(ours.coco)]
        # Means over classes are summed in another order: the last bit may differ.
        assert numbers == pytest.approx(theirs, abs=1e-12)


def test_the_emulator_that_looks_labels_scenes_usefully(
    demo: Path, endpoint: Endpoint, tmp_path: Path
) -> None:
    """Looking at the pixels gives boxes that are good but not perfect."""
    truth = read_coco(demo / "annotations.json")
    bench = Bench(tmp_path, replace(truth, images=truth.images[:8]))
    out = bench.label(endpoint, "detect")
    scores = evaluate(bench.truth.images, read_coco(out, bench.images).images)
    assert 0.3 < scores.all.boxes.coco.ap < 1.0


def test_every_item_ends_as_its_own_status(demo: Path, tmp_path: Path) -> None:
    """A corrupt picture, a blocked and a cut reply cost nothing but themselves."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    originals = sorted((demo / "data").glob("*.jpg"))[:5]
    for picture in originals:
        shutil.copy(picture, folder)
    (folder / originals[0].name).write_bytes(originals[0].read_bytes()[:3000])
    faults = f"blocked@{originals[1].name},truncated@{originals[2].name}"
    settings = Settings(
        truth=str(demo / "annotations.json"),
        images=str(demo / "data"),
        faults=faults,
    )
    with running_emulator(settings) as emulator:
        run = label(
            FolderSource(folder),
            CocoSink(tmp_path / "labels.json"),
            Question("detect"),
            model=MODEL,
            endpoint=endpoint_from_environment({}, base_url=emulator.url),
            journal=tmp_path / "journal.sqlite",
        )
    assert run.statuses == {
        Status.MEDIA_ERROR: 1,
        Status.BLOCKED: 1,
        Status.TRUNCATED: 1,
        Status.OK: 2,
    }
    images = read_coco(tmp_path / "labels.json", folder).images
    by_name = {Path(image.path).name: image.status for image in images}
    assert by_name[originals[1].name] is Status.BLOCKED
    assert by_name[originals[2].name] is Status.TRUNCATED
    assert by_name[originals[3].name] is Status.OK


def test_a_second_run_pays_nothing_and_gives_the_same(
    scenes: Bench, endpoint: Endpoint
) -> None:
    """Labelling again from the journal asks nobody and gives the same labels."""
    first = scenes.label(endpoint, "segment")
    before = first.read_text()
    seen: list[Progress] = []
    run = relabel(scenes, endpoint, seen.append)
    assert run.from_journal == 6
    assert run.usage.prompt == 0
    assert seen[-1].done == seen[-1].total == 6
    assert labels_of(first.read_text()) == labels_of(before)


def relabel(
    bench: Bench, endpoint: Endpoint, on_progress: Callable[[Progress], None]
) -> Run:
    """Label by masks once more, into the same file."""
    return label(
        FolderSource(bench.truth),
        CocoSink(bench.folder / "segment.json", categories=bench.truth.categories),
        Question("segment"),
        model=MODEL,
        endpoint=endpoint,
        journal=bench.folder / "journal.sqlite",
        on_progress=on_progress,
    )


def labels_of(text: str) -> list[str]:
    """Give the annotations of a COCO file, in an order of their own."""
    rows = [
        {k: v for k, v in a.items() if k != "id"}
        for a in json.loads(text)["annotations"]
    ]
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_gives_the_same_labels(
    demo: Path, tmp_path: Path
) -> None:
    """After kill -9 half way, the same command gives what an unbroken run gives."""
    settings = Settings(latency=0.3)
    with running_emulator(settings) as emulator:
        whole, broken = tmp_path / "whole.json", tmp_path / "broken.json"
        command(demo, emulator.url, whole, tmp_path / "a.sqlite").wait(120)
        process = command(demo, emulator.url, broken, tmp_path / "b.sqlite")
        wait_for_replies(tmp_path / "b.sqlite", 6)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not broken.exists()
        done = command(demo, emulator.url, broken, tmp_path / "b.sqlite")
        assert done.wait(120) == 0
    assert labels_of(broken.read_text()) == labels_of(whole.read_text()) != []


def command(demo: Path, url: str, out: Path, journal: Path) -> subprocess.Popen[bytes]:
    """Start `fiftyone-gemini label` on the demo scenes."""
    arguments = ["label", str(demo / "data"), "--out", str(out)]
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "fiftyone_gemini", *arguments),
            *("--journal", str(journal), "--in-flight", "2"),
        ],
        env={**os.environ, "GOOGLE_GEMINI_BASE_URL": url},
        stdout=subprocess.DEVNULL,
    )


def wait_for_replies(journal: Path, count: int) -> None:
    """Wait until this many replies stand in a journal."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if journal.exists():
            with Journal(journal) as book:
                if len(book) >= count:
                    return
        time.sleep(0.05)
    pytest.fail("the run did not get that far")


def test_masks_of_the_export_are_the_masks_that_were_read(
    scenes: Bench, endpoint: Endpoint
) -> None:
    """Writing and reading the labels again changes no pixel and no box."""
    out = scenes.label(endpoint, "segment")
    first = read_coco(out, scenes.images)
    again = scenes.folder / "again.json"
    write_coco(again, first.images, first.categories)
    second = read_coco(again, scenes.images)
    for a, b in zip(first.images, second.images, strict=True):
        for x, y in zip(a.detections, b.detections, strict=True):
            assert (x.label, x.box) == (y.label, y.box)
            assert mask_to_rle(x.mask, a.frame) == mask_to_rle(y.mask, b.frame)


def test_a_stopped_run_counts_the_rest_as_skipped(
    demo: Path, endpoint: Endpoint, tmp_path: Path
) -> None:
    """Setting `stop` hands out what is in flight and leaves the rest skipped."""
    import threading

    stop = threading.Event()
    run = label(
        FolderSource(demo / "data"),
        CocoSink(tmp_path / "labels.json"),
        Question("detect"),
        model=MODEL,
        endpoint=endpoint,
        journal=tmp_path / "journal.sqlite",
        on_progress=lambda progress: stop.set(),
        stop=stop,
    )
    assert run.statuses[Status.SKIPPED] > 0
    assert sum(run.statuses.values()) == 24


def test_an_estimate_comes_before_anything_is_asked(demo: Path) -> None:
    """The estimate counts requests and tokens, and knows a known model's price."""
    source, question = FolderSource(demo / "data"), Question("detect")
    estimate = plan_run(source, question, model=MODEL).likely
    assert estimate.requests == 24
    assert estimate.prompt_tokens > 24 * 258
    assert estimate.usd is not None
    unknown = plan_run(source, question, model="gemini-99-hyper").likely
    assert unknown.usd is None


def test_an_empty_folder_is_refused(tmp_path: Path, endpoint: Endpoint) -> None:
    """A source without pictures is the caller's mistake and says so."""
    with pytest.raises(UsageError, match="nothing to label"):
        label(
            FolderSource(tmp_path),
            CocoSink(tmp_path / "labels.json"),
            Question("detect"),
            model=MODEL,
            endpoint=endpoint,
            journal=tmp_path / "journal.sqlite",
        )
