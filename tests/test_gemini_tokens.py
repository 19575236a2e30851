"""The token rules give the numbers of Google's pages; countTokens is really asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fiftyone_gemini.coco.folder import FolderSource
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import FatalApiError, UsageError
from fiftyone_gemini.gemini.counting import count_tokens
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.gemini.limits import Limits
from fiftyone_gemini.gemini.tokens import (
    CONTEXT_TOKENS,
    image_tokens,
    media_tokens,
    prompt_tokens,
    video_tokens,
)
from fiftyone_gemini.planning import plan_run
from fiftyone_gemini.values import (
    Clip,
    Example,
    Frame,
    Media,
    Parameters,
    Question,
    Request,
)
from gemini_server import refusal, request_about, serving

NEW, OLD = "gemini-3.8-flash", "gemini-2.5-flash"
FULL_HD = Frame(1920, 1080)


@pytest.fixture(scope="module")
def endpoint(demo: Path) -> Iterator[Endpoint]:
    """Give an emulator."""
    with running_emulator(Settings(truth=str(demo / "annotations.json"))) as emulator:
        yield Endpoint("emulator", "k", emulator.url)


@pytest.mark.parametrize(
    ("frame", "tokens"),
    [
        pytest.param(Frame(384, 384), 258, id="small"),
        pytest.param(Frame(960, 540), 1548, id="example of the page"),
        pytest.param(Frame(640, 480), 1032, id="vga"),
        pytest.param(Frame(1920, 1080), 1548, id="full hd"),
        pytest.param(Frame(4000, 3000), 6192, id="12 megapixels"),
        pytest.param(Frame(1000, 10), 1032, id="a strip"),
    ],
)
def test_gemini_2_counts_tiles(frame: Frame, tokens: int) -> None:
    """The tile rule gives the numbers of Google's page; `high` changes nothing."""
    assert image_tokens(OLD, frame) == tokens == image_tokens(OLD, frame, "high")


@pytest.mark.parametrize(
    ("model", "resolution", "tokens"),
    [
        (NEW, None, 1120),
        (NEW, "low", 280),
        (NEW, "medium", 560),
        (NEW, "high", 1120),
        (NEW, "ultra_high", 2240),
        (OLD, "low", 64),
        (OLD, "medium", 256),
    ],
)
def test_the_resolution_decides_what_a_picture_costs(
    model: str, resolution: str | None, tokens: int
) -> None:
    """The table of the Media resolution page, whatever the size of the picture."""
    assert image_tokens(model, FULL_HD, resolution) == tokens
    media = Media(b"", "image/png", FULL_HD, FULL_HD)
    request = Request(model, (media,), None, Parameters(media_resolution=resolution))
    assert prompt_tokens(request) == tokens


@pytest.mark.parametrize(
    ("model", "resolution", "a_second"),
    [
        pytest.param(OLD, None, 300, id="2.5"),
        pytest.param(OLD, "low", 100, id="2.5 low"),
        pytest.param(NEW, None, 100, id="3"),
        pytest.param(NEW, "low", 100, id="3 low"),
        pytest.param(NEW, "high", 300, id="3 high"),
    ],
)
def test_a_second_of_video_costs_what_the_video_page_says(
    model: str, resolution: str | None, a_second: int
) -> None:
    """Frames and sound together are within 5 % of the page's round numbers."""
    tokens = video_tokens(model, 60, resolution=resolution)
    assert tokens == pytest.approx(60 * a_second, rel=0.05)


def test_frames_a_second_and_the_clip_count() -> None:
    """Ten seconds at 2 frames a second are 20 frames and 10 seconds of sound."""
    frame = Frame(640, 360)
    video = Media(b"", "video/mp4", frame, frame, seconds=60.0)
    clipped = replace(video, clip=Clip(5, 15, 2.0))
    assert media_tokens(NEW, clipped) == 20 * 70 + 10 * 25
    assert media_tokens(NEW, video) == 60 * (70 + 25)
    assert media_tokens(NEW, replace(video, clip=Clip(50))) == 10 * (70 + 25)
    assert media_tokens(NEW, replace(video, seconds=None)) == CONTEXT_TOKENS
    known = replace(video, seconds=None, clip=Clip(None, 10))
    assert media_tokens(NEW, known) == 10 * (70 + 25)


def test_all_media_and_words_of_a_request_count() -> None:
    """Examples, further pictures, the system instruction and answers are sent as well."""
    plain = request_about()
    example = Example((plain.media, "x" * 40), "y" * 40)
    more = replace(
        plain,
        content=(*plain.content, plain.media),
        examples=(example,),
        system="z" * 40,
    )
    assert prompt_tokens(more) == prompt_tokens(plain) + 2 * 1120 + 30


def test_tokens_are_counted_by_the_endpoint(endpoint: Endpoint, demo: Path) -> None:
    """The counts are those of the server, in order, at the resolution that is asked."""
    media = Media(
        min((demo / "data").glob("*.jpg")).read_bytes(), "image/jpeg", FULL_HD, FULL_HD
    )
    requests = [
        Request(NEW, (media, "x" * 400), None, Parameters(media_resolution=level))
        for level in (None, "low", "ultra_high")
    ]
    assert count_tokens(requests, endpoint) == [1220, 380, 2340]
    with pytest.raises(UsageError, match="cannot be counted"):
        count_tokens([replace(requests[1], model=OLD)], endpoint)


def test_a_plan_takes_the_mean_of_what_was_counted(
    endpoint: Endpoint, demo: Path
) -> None:
    """The measured mean stands for all pictures; the rest of the plan stays estimated."""

    def count(requests: list[Request]) -> list[int]:
        assert all(request.media.data for request in requests)
        return [100, 200, *[300] * (len(requests) - 2)]

    source = FolderSource(demo / "data")
    question = Question("detect")
    plan = plan_run(source, question, model=NEW, count=count, count_some=3)
    assert (plan.counted, plan.likely.prompt_tokens) == (3, 24 * 200)
    really = plan_run(
        source,
        question,
        model=NEW,
        count=lambda requests: count_tokens(requests, endpoint),
        count_some=2,
    )
    estimated = plan_run(source, question, model=NEW)
    assert (really.counted, estimated.counted) == (2, 0)
    assert really.likely.prompt_tokens == pytest.approx(
        estimated.likely.prompt_tokens, rel=0.01
    )


def test_a_count_that_is_refused_says_why() -> None:
    """A wrong key is one sentence; a 503 is tried again first."""
    limits = Limits(backoff_seconds=0.01)
    with (
        serving([refusal(503, "later"), refusal(400, "API key not valid")]) as server,
        pytest.raises(FatalApiError, match="API key not valid"),
    ):
        count_tokens([request_about()], server.endpoint(), limits)
    assert len(server.seen) == 2
