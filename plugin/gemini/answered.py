"""What `engine` hands out for one item."""

from __future__ import annotations

from dataclasses import dataclass

from ..values import Item, Media, Reply, Request
from .depot import NOTHING, Traffic


@dataclass(frozen=True, slots=True)
class Picked:
    """The picture of one item out of a request about several; `key` names the request."""

    media: Media
    key: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back for one item; `request` is None when none could be built.

    `notes` say what has been changed about the requests of the run since the last one,
    `traffic` what has been uploaded since then. `picked`: the request is about others too.
    """

    item: Item
    request: Request | None
    reply: Reply
    notes: tuple[str, ...] = ()
    traffic: Traffic = NOTHING
    picked: Picked | None = None


class HaltedError(Exception):
    """The run is ending and this item was not asked; never leaves `gemini`."""


class InBatchError(Exception):
    """A request is in an open batch and was not asked; never leaves `gemini`."""
