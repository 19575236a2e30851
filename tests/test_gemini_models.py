"""The model table and the prices computed from it."""

from __future__ import annotations

from datetime import date

import pytest
from fiftyone_gemini.gemini.cost import Estimate, cost_usd
from fiftyone_gemini.gemini.limits import Limits
from fiftyone_gemini.gemini.models import DEFAULT_MODEL, facts, models_on
from fiftyone_gemini.gemini.plan import foresee
from fiftyone_gemini.gemini.prices import TABLE
from fiftyone_gemini.gemini.tokens import prompt_tokens
from fiftyone_gemini.values import Frame, MaskShape, Media, Request, Usage

TODAY = date(2026, 11, 22)


def test_the_default_model_is_current_and_priced() -> None:
    """The default model has a row, a price, masks, and no end in sight."""
    row = facts(DEFAULT_MODEL)
    assert row.known
    assert row.mask_shape is MaskShape.POLYGON
    assert row.price_on(TODAY) is not None
    assert row.shutdown is None
    assert row.deprecated is None


@pytest.mark.parametrize("model", models_on(date.min))
def test_every_row_names_its_source(model: str) -> None:
    """A row says where it was read and when; its prices do not overlap."""
    row = facts(model)
    assert row.source
    assert row.read_on is not None
    days = [date(2026, month, 1) for month in range(1, 13)] + [date(2027, 1, 1)]
    for day in days:
        assert sum(price.holds_on(day) for price in row.prices) <= 1
    assert not row.routed_to or facts(row.routed_to).known


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        ("gemini-2.5-flash", MaskShape.PNG),
        ("gemini-3.5-flash-lite", MaskShape.POLYGON),
        ("gemini-3.6-flash", MaskShape.POLYGON),
        ("gemini-4-argon", MaskShape.POLYGON),
        ("gemini-3.1-pro-preview", None),
        ("gemini-2.0-flash", None),
    ],
)
def test_mask_shapes_follow_the_generations(
    model: str, shape: MaskShape | None
) -> None:
    """2.5 draws PNG masks, 3.5 and later polygons, the others none."""
    assert facts(model).mask_shape is shape


def test_an_unknown_model_has_stated_defaults() -> None:
    """A model without a row works: polygons, nothing risky sent, no price."""
    row = facts("gemini-9-neon")
    assert not row.known
    assert row.mask_shape is MaskShape.POLYGON
    assert row.thinking == ()
    assert not row.sampling
    assert row.price_on(TODAY) is None
    assert cost_usd("gemini-9-neon", Usage(prompt=1), TODAY) is None


@pytest.mark.parametrize(
    "name",
    [
        "models/gemini-2.5-flash",
        "publishers/google/models/gemini-2.5-flash",
        "gemini-2.5-flash-001",
    ],
)
def test_longer_names_find_their_row(name: str) -> None:
    """Resource prefixes and numeric versions are looked through."""
    assert facts(name).name == "gemini-2.5-flash"


def test_a_relative_of_a_known_model_is_not_taken_for_it() -> None:
    """An image-output model does not borrow the price of its sister."""
    assert not facts("gemini-2.5-flash-image").known


def test_introductory_prices_end() -> None:
    """The price of a day is that of its period."""
    row = facts("gemini-3.8-flash")
    assert row.price_on(date(2026, 12, 31)).input == 0.75
    assert row.price_on(date(2027, 1, 1)).input == 1.50


def test_a_retired_model_costs_what_answers_in_its_place() -> None:
    """From its shutdown on 2.5-flash is routed to 3.5-flash-lite, at that price."""
    old = facts("gemini-2.5-flash")
    new = facts("gemini-3.5-flash-lite")
    assert old.price_on(date(2026, 11, 30)).output == 2.50
    assert old.price_on(date(2026, 11, 30)).cached == 0.03
    assert old.price_on(date(2026, 12, 1)) == new.price_on(date(2026, 12, 1))
    pro = facts("gemini-2.5-pro").price_on(date(2026, 12, 1))
    assert pro == facts("gemini-3.8-flash").price_on(date(2026, 12, 1))


def test_cost_counts_thoughts_as_output_and_cached_tokens_once() -> None:
    """Thoughts cost as output does; cached tokens are part of the prompt's count."""
    usage = Usage(prompt=1_000_000, output=200_000, thoughts=100_000, cached=400_000)
    expected = 0.6 * 0.75 + 0.4 * 0.075 + 0.3 * 3.75
    assert cost_usd("gemini-3.8-flash", usage, TODAY) == pytest.approx(expected)


def test_an_unknown_cached_price_counts_in_full() -> None:
    """Where no price for cached tokens was found the input price stands."""
    day = date(2026, 12, 1)
    cost = cost_usd("gemini-4-argon", Usage(prompt=100, cached=100), day)
    assert cost == pytest.approx(100 * 4.0 / 1e6)


def test_an_estimate_adds_up() -> None:
    """Requests times picture and text, priced; None where the price is unknown."""
    plan = foreseen("gemini-3.8-flash")
    assert plan.requests == 1000
    assert plan.prompt_tokens == 1000 * (1120 + 100)
    expected = (plan.prompt_tokens * 0.75 + plan.output_tokens * 3.75) / 1e6
    assert plan.usd == pytest.approx(expected)
    assert foreseen("new").usd is None


def foreseen(model: str) -> Estimate:
    """Foresee a thousand requests with a prompt of 400 characters."""
    media = Media(b"", "image/jpeg", Frame(640, 480), Frame(640, 480))
    each = prompt_tokens(Request(model, (media, "x" * 400)))
    limits = Limits()
    plan = foresee(model, [each], 1000, day=TODAY, prices=TABLE, limits=limits)
    return plan.likely
