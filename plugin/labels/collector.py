"""Python's search for circular garbage, put off while many values are made.

FiftyOne keeps a million objects alive; each search goes through all of them, several
times while a few hundred samples are read. Values of this project hold no circles.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Search for garbage afterwards again, if that was done before."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
