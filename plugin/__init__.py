"""Label a vision dataset with Gemini inside FiftyOne, and learn how good it is.

FiftyOne runs this file again at every look-up of an operator: it holds `register` and
nothing heavy.
"""

from __future__ import annotations

from typing import Any

from .version import __version__

__all__ = ["__version__", "register"]


def register(plugin: Any) -> None:
    """Register the operators of `fiftyone.yml` with FiftyOne."""
    from .app import OPERATORS

    for operator in OPERATORS:
        plugin.register(operator)
