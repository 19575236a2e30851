"""The limits by the minute: no window ever holds more than allowed, nothing is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fiftyone_gemini.errors import FatalApiError, UsageError
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.gemini.pool import Limits, ask_all
from fiftyone_gemini.gemini.rate import RateLimit
from fiftyone_gemini.gemini.tokens import prompt_tokens
from gemini_server import (
    FAST,
    Say,
    build,
    good,
    items,
    refusal,
    request_about,
    serving,
)

WINDOW = 0.5
LATE = 0.15
"""What a busy machine may take longer to send the first request than the next one."""


def fullest(moments: list[float], window: float = WINDOW) -> int:
    """Count the events of the fullest window."""
    return max(
        sum(start <= moment < start + window for moment in moments) for start in moments
    )


def entries(limits: Limits, callers: int) -> list[float]:
    """Let some callers through the gate at once; give the moments they passed."""
    moments: list[float] = []

    async def enter(gate: RateLimit) -> None:
        await gate.enter(request_about())
        moments.append(time.monotonic())

    async def run() -> None:
        gate = RateLimit(limits, asyncio.sleep)
        await asyncio.gather(*(enter(gate) for _ in range(callers)))

    asyncio.run(run())
    return moments


def test_no_window_holds_more_requests_than_allowed(tmp_path: Path) -> None:
    """A server sees at most so many requests in any window, and all of them come."""
    limits = Limits(in_flight=16, requests_per_minute=20, rate_window_seconds=WINDOW)
    with serving([]) as server, Journal(tmp_path / "j") as journal:
        answered = list(
            ask_all(
                items(70),
                build,
                endpoint=server.endpoint(),
                journal=journal,
                limits=limits,
            )
        )
        moments = [seen.time for seen in server.seen]
    assert len(answered) == len(moments) == 70
    # The gate is exact; on the way to the server a request may be delayed.
    assert fullest(moments, WINDOW - LATE) <= 20
    assert moments[-1] - moments[0] >= 3 * WINDOW


def test_a_burst_of_callers_is_let_through_window_by_window() -> None:
    """150 callers at once: at most 60 pass in any window, in the least time possible."""
    limits = Limits(requests_per_minute=60, rate_window_seconds=WINDOW)
    moments = entries(limits, 150)
    assert fullest(moments) <= 60
    assert moments[-1] - moments[0] < 3 * WINDOW


@pytest.mark.parametrize("per_window", [10, 1_000_000])
def test_no_window_holds_more_tokens_than_allowed(per_window: int) -> None:
    """Requests pass by the tokens they hold, small limits and large ones alike."""
    each = prompt_tokens(request_about())
    limits = Limits(tokens_per_minute=per_window * each, rate_window_seconds=WINDOW)
    moments = entries(limits, 25)
    assert fullest(moments) <= per_window
    assert (moments[-1] - moments[0] > WINDOW) == (per_window == 10)


def test_a_request_over_the_token_limit_passes_alone() -> None:
    """A limit below one request slows the run down; it does not stop it."""
    limits = Limits(tokens_per_minute=5, rate_window_seconds=0.1)
    assert fullest(entries(limits, 3), 0.1) == 1


def test_tries_count_as_requests(tmp_path: Path) -> None:
    """A second try passes the gate again."""
    limits = Limits(**FAST, requests_per_minute=1, rate_window_seconds=WINDOW)
    with serving([refusal(503, "busy")]) as server, Journal(tmp_path / "j") as journal:
        endpoint = server.endpoint()
        list(
            ask_all(items(1), build, endpoint=endpoint, journal=journal, limits=limits)
        )
    first, second = server.seen
    assert second.time - first.time >= WINDOW - LATE


def ask_until_it_breaks(
    script: Callable[[int], Say], journal: Journal, limits: Limits
) -> tuple[int, str]:
    """Ask about 200 items; give how many requests were made, and the fatal sentence."""
    with serving(script) as server:
        asking = ask_all(
            items(200),
            build,
            endpoint=server.endpoint(),
            journal=journal,
            limits=limits,
        )
        try:
            list(asking)
        except FatalApiError as error:
            return len(server.seen), str(error)
        return len(server.seen), ""


def test_a_run_in_which_everything_fails_is_stopped(tmp_path: Path) -> None:
    """After so many failures in a row the run ends, and says how to go on."""
    limits = Limits(**FAST, attempts=2, in_flight=4, failures_in_a_row=6)
    with Journal(tmp_path / "j") as journal:
        asked, sentence = ask_until_it_breaks(
            lambda _: refusal(503, "overloaded"), journal, limits
        )
    assert asked <= 2 * (6 + 4)
    assert "6 requests in a row failed" in sentence
    assert "overloaded" in sentence
    assert "goes on where it stopped" in sentence


def test_failures_between_answers_stop_nothing(tmp_path: Path) -> None:
    """Any answer begins the count of failures anew."""

    def script(number: int) -> Say:
        return refusal(503, "x") if number % 3 else Say(body=good(str(number)))

    limits = Limits(**FAST, attempts=1, in_flight=2, failures_in_a_row=5)
    with Journal(tmp_path / "j") as journal:
        asked, sentence = ask_until_it_breaks(script, journal, limits)
    assert (asked, sentence) == (200, "")


def test_refused_requests_do_not_break_the_run(tmp_path: Path) -> None:
    """A 400 is about its own request: a hundred of them say nothing about the next."""
    limits = Limits(**FAST, failures_in_a_row=5)
    with Journal(tmp_path / "j") as journal:
        asked, sentence = ask_until_it_breaks(
            lambda _: refusal(400, "bad picture"), journal, limits
        )
    assert (asked, sentence) == (200, "")


@pytest.mark.parametrize(
    "bound", ["requests_per_minute", "tokens_per_minute", "failures_in_a_row"]
)
def test_bounds_of_nothing_are_refused(bound: str) -> None:
    """A limit of 0 would ask nothing for ever: it is refused with its name."""
    with pytest.raises(UsageError, match=bound):
        Limits(**{bound: 0})
