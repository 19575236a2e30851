"""The same thing said in several replies: one cluster, with one member a reply at most.

Nothing depends on the order of the replies or of what they list: both are sorted by what
they say before anything is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .intervals import FloatArray

T = TypeVar("T")


def cluster(
    replies: Sequence[Sequence[T]],
    likeness: Callable[[Sequence[T]], FloatArray],
    least: float,
    key: Callable[[T], str],
) -> list[list[T]]:
    """Join what is alike, the most alike first.

    Two clusters are joined when they have no reply in common and their members are
    alike by `least` or more on average. `likeness` gives the table of all things with
    each other; `key` tells things apart by what they say.
    """
    listed = sorted((sorted(reply, key=key) for reply in replies), key=_keys(key))
    things = [thing for reply in listed for thing in reply]
    owner = np.repeat(np.arange(len(listed)), [len(reply) for reply in listed])
    if not things:
        return []
    members = [[row] for row in range(len(things))]
    for first, second in _joined(likeness(things), owner, least):
        members[first] += members[second]
        members[second] = []
    return [[things[row] for row in some] for some in members if some]


def _keys(key: Callable[[T], str]) -> Callable[[Sequence[T]], list[str]]:
    return lambda reply: [key(thing) for thing in reply]


def _joined(
    table: FloatArray, owner: NDArray[np.intp], least: float
) -> list[tuple[int, int]]:
    """Give the rows that are joined, in turn: the second goes into the first."""
    total = np.array(table, np.float64)
    replies = owner[:, None] == np.arange(owner.max() + 1)
    size = np.ones(len(total))
    alive = np.ones(len(total), bool)
    steps: list[tuple[int, int]] = []
    while True:
        shared = replies.astype(int) @ replies.T > 0  # with itself too
        allowed = ~shared & alive[:, None] & alive[None, :]
        mean = np.where(allowed, total / np.outer(size, size), -1.0)
        first, second = sorted(
            int(n) for n in np.unravel_index(mean.argmax(), mean.shape)
        )
        if mean[first, second] < least:
            return steps
        total[first] += total[second]
        total[:, first] += total[:, second]
        size[first] += size[second]
        replies[first] |= replies[second]
        alive[second] = False
        steps.append((first, second))
