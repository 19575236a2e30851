"""Label a vision dataset with Gemini inside FiftyOne, and learn how good it is.

    import fiftyone_gemini as fog
    run = fog.label(view, task="segment", classes=["cup"], field="gemini", budget=2)

FiftyOne runs this file again at every look-up of an operator: it holds `register` and
nothing heavy; what Python users call is in `api` and loaded when it is first asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .api import accept as accept
    from .api import compare as compare
    from .api import evaluate as evaluate
    from .api import label as label
    from .api import plan as plan
    from .api import promote as promote
    from .api import report as report
    from .api import resume as resume
    from .api import undo as undo

__all__ = [  # noqa: RUF022 - the order in which they are used
    "__version__",
    "register",
    "plan",
    "label",
    "resume",
    "evaluate",
    "compare",
    "report",
    "accept",
    "promote",
    "undo",
]


def __getattr__(name: str) -> Any:
    """Load what belongs to the Python interface."""
    if name in __all__:
        return getattr(import_module(".api", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name the Python interface."""
    return sorted(__all__)


class _Package(ModuleType):
    """Lets `report` be the function, though a part of the package has that name."""

    report = property(lambda self: self.__getattr__("report"), lambda *_: None)


sys.modules[__name__].__class__ = _Package


def register(plugin: Any) -> None:
    """Register the operators and panels of `fiftyone.yml` with FiftyOne."""
    from .app import OPERATORS

    for operator in OPERATORS:
        plugin.register(operator)
