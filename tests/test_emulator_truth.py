"""Answers from a truth file: exact without noise, worse with it, honest outside it."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from fiftyone_gemini.emulator import Settings, running_emulator
from google import genai
from google.genai import types
from PIL import Image, ImageDraw
from pycocotools import mask as rle
from pycocotools.coco import COCO

POLYGONS, PNGS = "gemini-3.8-flash", "gemini-2.5-flash"
SIDE = 400


@dataclass(frozen=True)
class Bench:
    """A small truth of drawn pictures: the file, the pictures and their answers."""

    folder: Path
    truth: Path

    def picture(self, name: str, **options: object) -> types.Part:
        """Give a picture as a part, saved anew as JPEG with these options."""
        data = io.BytesIO()
        with Image.open(self.folder / name) as image:
            size = options.pop("size", image.size)
            image.convert("RGB").resize(size).save(data, "JPEG", **options)
        return types.Part.from_bytes(data=data.getvalue(), mime_type="image/jpeg")


def draw(folder: Path, name: str, seed: int) -> None:
    """Save a picture of smooth random colours."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 5, 3), np.uint8))
    coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(folder / name)


def ellipse(box: tuple[int, int, int, int]) -> np.ndarray:
    """Draw a filled ellipse as a mask of the picture's size."""
    canvas = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(canvas).ellipse(box, fill=1)
    return np.asarray(canvas)


def annotate(document: dict, image: int, category: int, shape: object) -> None:
    """Add an object: a mask (stored as run lengths) or a polygon."""
    if isinstance(shape, np.ndarray):
        code = rle.encode(np.asfortranarray(shape))
        box = [float(v) for v in rle.toBbox(code)]
        stored: object = {**code, "counts": code["counts"].decode()}
    else:
        points = np.array(shape).reshape(-1, 2)
        box = [*points.min(0).tolist(), *np.ptp(points, 0).tolist()]
        stored = [shape]
    entry = {"id": len(document["annotations"]) + 1, "image_id": image}
    entry |= {"category_id": category, "bbox": box, "segmentation": stored}
    document["annotations"].append({**entry, "area": box[2] * box[3], "iscrowd": 0})


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Draw 12 pictures and write their truth: run lengths, a polygon, a crowd."""
    folder = tmp_path_factory.mktemp("truth")
    document: dict = {"images": [], "annotations": [], "categories": []}
    for i, name in enumerate(("dog", "hot dog", "wine glass"), 1):
        document["categories"].append({"id": i, "name": name})
    for i in range(1, 13):
        name = f"{i:02d}.png"
        draw(folder, name, i)
        size = {"width": SIDE, "height": SIDE}
        document["images"].append({"id": i, "file_name": name, **size})
        annotate(document, i, 1, ellipse((20, 40 + i, 170, 130)))
        annotate(document, i, 2, [210, 215, 390, 230.5, 370, 380, 300, 290, 220, 370])
        annotate(document, i, 3, ellipse((60, 240, 61 + i * 10, 300)))
        annotate(document, i, 1, np.ones((SIDE, SIDE), np.uint8))
        document["annotations"][-1]["iscrowd"] = 1
    truth = folder / "truth.json"
    truth.write_text(json.dumps(document))
    return Bench(folder, truth)


@pytest.fixture(scope="module")
def client(bench: Bench) -> Iterator[genai.Client]:
    """Give an SDK client of an emulator that tells the exact truth."""
    with running_emulator(Settings(truth=str(bench.truth))) as handle:
        yield client_of(handle.url)


def client_of(url: str) -> genai.Client:
    """Build an SDK client."""
    return genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url))


def ask(
    client: genai.Client, picture: types.Part, words: str, model: str = POLYGONS
) -> list[dict]:
    """Ask about a picture; give the items of the fenced answer."""
    reply = client.models.generate_content(model=model, contents=[picture, words])
    fenced = re.fullmatch(r"```json\n(.*)\n```", reply.text, re.DOTALL)
    assert fenced, reply.text
    answer = json.loads(fenced[1])
    return answer["boxes"] if isinstance(answer, dict) else answer


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two masks."""
    return float((one & other).sum() / (one | other).sum())


def placed(item: dict) -> np.ndarray:
    """Draw the mask of an item into the picture, by pycocotools or Pillow."""
    if isinstance(item["mask"], list):
        flat = (np.array(item["mask"]) * SIDE / 1000).ravel().tolist()
        return rle.decode(rle.merge(rle.frPyObjects([flat], SIDE, SIDE)))
    kind, _, code = item["mask"].partition(",")
    assert kind == "data:image/png;base64"
    png = Image.open(io.BytesIO(base64.b64decode(code, validate=True)))
    assert (png.format, png.mode, png.size) == ("PNG", "L", (256, 256))
    assert set(np.unique(np.asarray(png))) <= {0, 255}
    y0, x0, y1, x1 = (round(value * SIDE / 1000) for value in item["box_2d"])
    full = np.zeros((SIDE, SIDE), np.uint8)
    full[y0:y1, x0:x1] = np.asarray(png.resize((x1 - x0, y1 - y0))) > 127
    return full


def test_boxes_are_those_of_the_file_and_crowds_are_left_out(
    bench: Bench, client: genai.Client
) -> None:
    """Without noise each box is the true one, rounded to thousandths; no crowds."""
    coco = COCO(str(bench.truth))
    for image in coco.loadImgs(coco.getImgIds()):
        true = coco.loadAnns(coco.getAnnIds(image["id"], iscrowd=False))
        items = ask(client, bench.picture(image["file_name"]), "Detect everything.")
        assert len(items) == len(true) == 3
        for item, entry in zip(items, true, strict=True):
            assert set(item) == {"box_2d", "label"}
            x, y, width, height = entry["bbox"]
            edges = [y, x, y + height, x + width]
            assert item["box_2d"] == [round(e * 1000 / SIDE) for e in edges]
            assert item["label"] == coco.cats[entry["category_id"]]["name"]


@pytest.mark.parametrize("model", [POLYGONS, PNGS])
def test_masks_are_those_of_the_file(
    bench: Bench, client: genai.Client, model: str
) -> None:
    """Polygons and PNGs cover what pycocotools says the truth covers."""
    coco = COCO(str(bench.truth))
    for image in coco.loadImgs(coco.getImgIds()):
        true = coco.loadAnns(coco.getAnnIds(image["id"], iscrowd=False))
        picture = bench.picture(image["file_name"])
        items = ask(client, picture, "Give the segmentation masks.", model)
        for item, entry in zip(items, true, strict=True):
            assert overlap(placed(item), coco.annToMask(entry)) > 0.95


def test_a_polygon_is_one_ring_of_whole_numbers(
    bench: Bench, client: genai.Client
) -> None:
    """A polygon mask lists [x, y] pairs from 0 to 1000 that reach its box's sides."""
    for item in ask(client, bench.picture("01.png"), "segmentation masks"):
        assert list(item) == ["box_2d", "mask", "label"]
        ring = np.array(item["mask"])
        assert ring.shape[1:] == (2,)
        assert all(type(v) is int for point in item["mask"] for v in point)
        top, left, bottom, right = item["box_2d"]
        reach = [*ring.min(0), *ring.max(0)]
        assert reach == pytest.approx([left, top, right, bottom], abs=3)


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        ("Detect everything.", {"dog", "hot dog", "wine glass"}),
        ("Detect each: wine glass.", {"wine glass"}),
        ("Detect all hot dogs", {"hot dog"}),
        ('Classes: "Dog", "hot dog"', {"dog", "hot dog"}),
        ("A dogma, hotdogs and wine-glasses", {"dog", "hot dog", "wine glass"}),
    ],
)
def test_only_the_classes_in_the_prompt_are_answered(
    bench: Bench, client: genai.Client, words: str, labels: set[str]
) -> None:
    """Class names count as whole words, singular or plural; none of them means all."""
    items = ask(client, bench.picture("02.png"), words)
    assert {item["label"] for item in items} == labels


def test_a_schema_that_lists_labels_allows_only_those(
    bench: Bench, client: genai.Client
) -> None:
    """An enum of labels limits the answer and gives its spelling."""
    label = {"type": "STRING", "enum": ["Dog", "cat"]}
    schema = {"type": "ARRAY", "items": {"type": "OBJECT"}}
    schema["items"]["properties"] = {"label": label}
    config = {"response_mime_type": "application/json", "response_schema": schema}
    reply = client.models.generate_content(
        model=POLYGONS, contents=[bench.picture("02.png"), "x"], config=config
    )
    assert {item["label"] for item in json.loads(reply.text)} == {"Dog"}


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("Detect. Never return masks or code fencing.", {"box_2d", "label"}),
        ("Detect, with confidence.", {"box_2d", "label", "confidence"}),
        ("Segment it", {"box_2d", "label", "mask"}),
    ],
)
def test_the_prompt_says_which_keys_are_asked(
    bench: Bench, client: genai.Client, words: str, keys: set[str]
) -> None:
    """Without a schema, masks and confidence come only when the prompt wants them."""
    assert {*ask(client, bench.picture("03.png"), words)[0]} == keys


@pytest.mark.parametrize("size", [(400, 400), (200, 200), (96, 97), (900, 900)])
@pytest.mark.parametrize("quality", [25, 95])
def test_a_picture_is_known_after_resizing_and_recompression(
    bench: Bench, client: genai.Client, size: tuple[int, int], quality: int
) -> None:
    """The answer does not depend on the size and quality in which it was sent."""
    known = ask(client, bench.picture("04.png"), "Detect.")
    again = bench.picture("04.png", size=size, quality=quality)
    assert ask(client, again, "Detect.") == known


@pytest.mark.parametrize("change", ["noise", "mirrored", "squeezed", "grey"])
def test_a_picture_outside_the_file_is_declined(
    bench: Bench, client: genai.Client, change: str
) -> None:
    """An unknown picture gets a sentence without JSON that says who speaks."""
    with Image.open(bench.folder / "05.png") as image:
        other = {
            "noise": Image.effect_noise((300, 300), 90).convert("RGB"),
            "mirrored": image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
            "squeezed": image.resize((400, 300)),
            "grey": image.convert("L").convert("RGB"),
        }[change]
    data = io.BytesIO()
    other.save(data, "PNG")
    part = types.Part.from_bytes(data=data.getvalue(), mime_type="image/png")
    reply = client.models.generate_content(model=POLYGONS, contents=[part, "Detect."])
    assert reply.text.startswith("I am the fiftyone-gemini emulator, not Gemini:")
    assert reply.candidates[0].finish_reason is types.FinishReason.STOP
    assert not set("[{") & set(reply.text)


@pytest.mark.slow
def test_noise_loses_objects_and_blurs_the_rest_repeatably(bench: Bench) -> None:
    """More noise finds fewer true objects; a seed fixes all of it."""
    exact, some, same, full = (answers(bench, noise) for noise in (0, 0.5, 0.5, 1))
    assert recall(exact, exact) == 1
    assert some == same
    assert 1 > recall(exact, some) > recall(exact, full)
    assert answers(bench, 0.5, seed=1) != some
    names = {item["label"] for items in full.values() for item in items}
    assert names <= {"dog", "hot dog", "wine glass"}


def answers(
    bench: Bench, noise: float, seed: int = 0, words: str = "Detect."
) -> dict[str, list[dict]]:
    """Ask an emulator with noise about all pictures."""
    settings = Settings(truth=str(bench.truth), noise=noise, seed=seed)
    with running_emulator(settings) as handle:
        client = client_of(handle.url)
        return {
            picture.name: ask(client, bench.picture(picture.name), words)
            for picture in sorted(bench.folder.glob("*.png"))
        }


def recall(true: dict[str, list[dict]], said: dict[str, list[dict]]) -> float:
    """Share of objects said with their label and a box of IoU 0.75 or more."""
    hits = total = 0
    for name, items in true.items():
        for item in items:
            total += 1
            hits += any(
                other["label"] == item["label"]
                and rle.iou([xywh(item)], [xywh(other)], [0])[0, 0] >= 0.75
                for other in said[name]
            )
    return hits / total


def xywh(item: dict) -> list[float]:
    """Turn a box into the order of pycocotools."""
    top, left, bottom, right = map(float, item["box_2d"])
    return [left, top, right - left, bottom - top]


def test_a_moved_box_takes_its_mask_along(bench: Bench) -> None:
    """With noise, every polygon still reaches the sides of its own box."""
    said = answers(bench, 0.4, words="Give masks, with confidence.")
    for items in said.values():
        for item in items:
            top, left, bottom, right = item["box_2d"]
            ring = np.array(item["mask"])
            reach = [*ring.min(0), *ring.max(0)]
            assert reach == pytest.approx([left, top, right, bottom], abs=6)
            assert 0 <= item["confidence"] <= 1


def test_real_photos_come_back_as_their_own_truth(shared: Path) -> None:
    """The openly licensed COCO photos are all recognised, and answered exactly."""
    folder = shared / "photos" / "coco_open"
    truth = folder / "instances.json"
    coco = COCO(str(truth))
    settings = Settings(truth=str(truth), images=str(folder / "images"))
    with running_emulator(settings) as handle:
        client = client_of(handle.url)
        for image in coco.loadImgs(coco.getImgIds()):
            data = (folder / "images" / image["file_name"]).read_bytes()
            part = types.Part.from_bytes(data=data, mime_type="image/jpeg")
            said = [item["label"] for item in ask(client, part, "Detect everything.")]
            true = coco.loadAnns(coco.getAnnIds(image["id"], iscrowd=False))
            assert said == [coco.cats[a["category_id"]]["name"] for a in true]
