"""An offline server that speaks the Gemini REST API; it is not Gemini.

A request comes in by `server`, is read by `wire`, answered by `service` (who looks:
`viewers`; what was asked: `asked`; in which words: `answer`, `shapes`) and goes out in
`envelopes`; `faults` makes it go wrong. Nothing here uses the project's own parsers:
a bug shared by both sides would hide itself.
"""

from .process import EmulatorHandle, running_emulator
from .server import create_app, serve
from .settings import EmulatorError, Settings

__all__ = [
    "EmulatorError",
    "EmulatorHandle",
    "Settings",
    "create_app",
    "running_emulator",
    "serve",
]
