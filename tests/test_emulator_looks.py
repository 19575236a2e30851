"""Without a truth file the emulator looks at the pixels, and knows its limits."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fiftyone_gemini.emulator import EmulatorHandle, Settings, running_emulator
from google import genai
from google.genai import types
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO

SPEEDS = [
    ("gemini-3.8-flash", 320, 0.7),
    ("gemini-3.6-flash", 256, 0.65),
    ("gemini-3.5-flash-lite", 224, 0.6),
    ("gemini-2.5-flash", 320, 0.7),
]
"""Model, the long side it looks at, and the share of big objects it finds at least."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorHandle]:
    """Run an emulator that looks."""
    with running_emulator(Settings()) as handle:
        yield handle


@pytest.fixture(scope="module")
def client(emulator: EmulatorHandle) -> genai.Client:
    """Give an SDK client."""
    options = types.HttpOptions(base_url=emulator.url)
    return genai.Client(api_key="k", http_options=options)


@pytest.fixture(scope="module")
def truth(request: pytest.FixtureRequest) -> COCO:
    """Read the truth of the demo scenes."""
    return COCO(str(request.getfixturevalue("demo") / "annotations.json"))


def part_of(data: bytes | Image.Image) -> types.Part:
    """Make a part of a JPEG, or of a picture as PNG."""
    if isinstance(data, bytes):
        return types.Part.from_bytes(data=data, mime_type="image/jpeg")
    out = io.BytesIO()
    data.save(out, "PNG")
    return types.Part.from_bytes(data=out.getvalue(), mime_type="image/png")


def say(
    client: genai.Client, part: types.Part, model: str, words: str = "Detect."
) -> types.GenerateContentResponse:
    """Ask in JSON mode."""
    return client.models.generate_content(
        model=model,
        contents=[part, words],
        config={"response_mime_type": "application/json"},
    )


@pytest.mark.parametrize("speed", SPEEDS, ids=lambda speed: speed[0])
def test_each_model_finds_objects_and_says_who_it_is(
    client: genai.Client, truth: COCO, demo: Path, speed: tuple[str, int, float]
) -> None:
    """Every speed finds its share of the big objects, under a version of its own."""
    model, long_side, least = speed
    hits = total = 0
    for image in truth.loadImgs(truth.getImgIds()[:4]):
        data = (demo / "data" / image["file_name"]).read_bytes()
        reply = say(client, part_of(data), model)
        assert reply.model_version == f"emulator-{long_side}"
        sides = [image["height"], image["width"]] * 2
        said = [
            [v * s / 1000 for v, s in zip(item["box_2d"], sides, strict=True)]
            for item in json.loads(reply.text)
        ]
        boxes = [[x0, y0, x1 - x0, y1 - y0] for y0, x0, y1, x1 in said]
        for entry in truth.imgToAnns[image["id"]]:
            if entry["area"] >= 1024:
                overlaps = rle.iou(boxes, [entry["bbox"]], [0]) if boxes else []
                hits += max((o[0] for o in overlaps), default=0) >= 0.5
                total += 1
    assert hits / total > least


def test_masks_come_in_the_shape_of_the_model(client: genai.Client, demo: Path) -> None:
    """3.x answers rings in an object, 2.5 answers PNGs in a list; the boxes agree."""
    part = part_of(min((demo / "data").glob("*.jpg")).read_bytes())
    rings = json.loads(say(client, part, "gemini-3.8-flash", "Give masks.").text)
    pngs = json.loads(say(client, part, "gemini-2.5-flash", "Give masks.").text)
    assert {type(item["mask"]) for item in rings["boxes"]} == {list}
    assert all(item["mask"].startswith("data:image/png;base64,") for item in pngs)
    assert [i["box_2d"] for i in rings["boxes"]] == [i["box_2d"] for i in pngs]


@pytest.mark.parametrize("kind", ["noise", "photo"])
def test_what_it_does_not_know_it_declines(
    client: genai.Client, request: pytest.FixtureRequest, kind: str
) -> None:
    """Noise and a real photo get a sentence that says why, never an empty list."""
    if kind == "noise":
        part = part_of(Image.effect_noise((320, 240), 120).convert("RGB"))
    else:
        folder = request.getfixturevalue("shared") / "photos" / "coco_open" / "images"
        part = part_of(min(folder.glob("*.jpg")).read_bytes())
    reply = say(client, part, "gemini-3.8-flash")
    assert "I only know rendered table-top scenes" in reply.text
    assert reply.candidates[0].finish_reason is types.FinishReason.STOP
    assert not set("[{") & set(reply.text)


def test_a_picture_is_looked_at_once_and_billed_each_time(
    client: genai.Client, demo: Path
) -> None:
    """Asked again, also at once by many, a picture costs no second look but tokens."""
    with Image.open(max((demo / "data").glob("*.jpg"))) as image:
        part = part_of(image.crop((0, 0, image.width - 1, image.height)))
    started = time.monotonic()
    first = say(client, part, "gemini-3.8-flash")
    once = time.monotonic() - started
    with ThreadPoolExecutor(8) as pool:
        asks = [(client, part, "gemini-3.8-flash", f"Detect. {i}") for i in range(8)]
        started = time.monotonic()
        replies = list(pool.map(lambda ask: say(*ask), asks))
    assert time.monotonic() - started < 8 * once
    assert {r.text for r in replies} == {first.text}
    assert all(r.usage_metadata.prompt_token_count > 1120 for r in replies)


def test_faults_find_pictures_of_a_folder_by_name(demo: Path) -> None:
    """With a folder of pictures, faults are addressed by name without any truth."""
    picture = min((demo / "data").glob("*.jpg"))
    settings = Settings(images=str(demo / "data"), faults=f"blocked@{picture.name}")
    with running_emulator(settings) as handle:
        options = types.HttpOptions(base_url=handle.url)
        client = genai.Client(api_key="k", http_options=options)
        reply = say(client, part_of(picture.read_bytes()), "gemini-3.8-flash")
    assert reply.prompt_feedback.block_reason is types.BlockedReason.SAFETY
