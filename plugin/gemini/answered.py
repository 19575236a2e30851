"""What `engine` hands out for one item."""

from __future__ import annotations

from dataclasses import dataclass

from ..values import Item, Reply, Request
from .depot import NOTHING, Traffic


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back for one item; `request` is None when none could be built.

    `notes` say what has been changed about the requests of the run since the last one,
    `traffic` what has been uploaded since then.
    """

    item: Item
    request: Request | None
    reply: Reply
    notes: tuple[str, ...] = ()
    traffic: Traffic = NOTHING


class HaltedError(Exception):
    """The run is ending and this item was not asked; never leaves `gemini`."""
