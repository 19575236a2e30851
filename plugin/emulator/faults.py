"""What goes wrong, and when: rates, named pictures, and wishes of a request."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath
from random import Random

from .settings import EmulatorError, Settings

HEADER = "x-emulator-fault"
_MARKER = re.compile(r"\[emulator:fault=([\w-]+)\]")


class Fault(StrEnum):
    """Everything that can go wrong with one request."""

    BUSY = "429"
    BUSY_BARE = "429bare"
    DAY_QUOTA = "429day"
    INTERNAL = "500"
    OVERLOADED = "503"
    HTML_502 = "html502"
    SLOW = "slow"
    CUT = "cut"
    BAD_KEY = "badkey"
    BLOCKED = "blocked"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    EMPTY = "empty"
    NO_CANDIDATES = "nocandidates"

    @property
    def passing(self) -> bool:
        """Whether the same request succeeds when it is sent again."""
        return self in _PASSING


_PASSING = frozenset(
    {
        *(Fault.BUSY, Fault.BUSY_BARE, Fault.INTERNAL, Fault.OVERLOADED),
        *(Fault.HTML_502, Fault.SLOW, Fault.CUT),
    }
)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Faults by rate (share of distinct requests) and by name of the picture."""

    rates: tuple[tuple[Fault, float], ...]
    named: tuple[tuple[Fault, str], ...]

    def roll(self, seed: int, request_key: str) -> Fault | None:
        """Draw the fault of a request: always the same for the same request."""
        dice = Random(f"{seed}/{request_key}").random()  # noqa: S311
        for fault, rate in self.rates:
            dice -= rate
            if dice < 0:
                return fault
        return None


def read_plan(text: str) -> FaultPlan:
    """Read `503:0.1,blocked@desk.jpg`; raise EmulatorError naming what is wrong."""
    rates: list[tuple[Fault, float]] = []
    named: list[tuple[Fault, str]] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        kind, at, picture = entry.partition("@")
        if at:
            named.append((find_fault(kind), picture))
            continue
        kind, _, rate = entry.partition(":")
        rates.append((find_fault(kind), _rate(rate, entry)))
    if sum(rate for _, rate in rates) > 1 + 1e-9:
        raise EmulatorError("The rates of the faults add up to more than 1.")
    return FaultPlan(tuple(rates), tuple(named))


def find_fault(kind: str) -> Fault:
    """Find a fault by its word; raise EmulatorError listing all words."""
    try:
        return Fault(kind.strip())
    except ValueError as error:
        words = ", ".join(Fault)
        raise EmulatorError(
            f"There is no fault {kind!r}; there are: {words}."
        ) from error


def _rate(text: str, entry: str) -> float:
    """Read a share from 0 to 1."""
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise EmulatorError(
            f"The fault {entry!r} needs a rate from 0 to 1, or @picture."
        )
    return rate


@dataclass(slots=True)
class FaultDesk:
    """Decides the fate of each request and counts how often it was told no.

    Lives on the event loop alone, so it needs no lock.
    """

    settings: Settings
    plan: FaultPlan
    _given: Counter[tuple[str, Fault]] = field(default_factory=Counter)

    def decide(
        self, request_key: str, header: str, text: str, picture: str
    ) -> Fault | None:
        """Choose the fault of a request: its own wish, its picture's, or by rate.

        Raises EmulatorError when the request wishes a fault that does not exist.
        """
        marker = _MARKER.search(text)
        wish = header or (marker[1] if marker else "")
        if wish:
            fault: Fault | None = find_fault(wish)
        else:
            names = {picture, PurePath(picture).name} - {""}
            named = (f for f, name in self.plan.named if name in names)
            fault = next(named, None) or self.plan.roll(self.settings.seed, request_key)
        if fault is None or not fault.passing:
            return fault
        self._given[request_key, fault] += 1
        over = self._given[request_key, fault] > self.settings.fault_times
        return None if over else fault
