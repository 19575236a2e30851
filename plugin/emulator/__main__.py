"""`python -m fiftyone_gemini.emulator`: serve, alone or as a child of a program."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from dataclasses import fields

from .process import CHILD
from .server import serve
from .settings import EmulatorError, Settings


def main() -> int:
    """Serve until interrupted; return the exit code."""
    arguments = _arguments()
    try:
        if arguments.child:
            threading.Thread(target=_die_with_parent, daemon=True).start()
            settings = Settings.from_json(arguments.child)
            serve(settings, arguments.host, arguments.port, _say)
        else:
            names = [field.name for field in fields(Settings)]
            settings = Settings(**{name: getattr(arguments, name) for name in names})
            serve(settings, arguments.host, arguments.port, _welcome)
    except EmulatorError as error:
        # A parent reads its child's first line, a person reads the error stream.
        print(error, file=sys.stdout if arguments.child else sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _arguments() -> argparse.Namespace:
    """Read the command line; every setting is an option."""
    parser = argparse.ArgumentParser(
        prog="python -m fiftyone_gemini.emulator",
        description="An offline server that speaks the Gemini REST API. Not Gemini.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument(CHILD, default="", help=argparse.SUPPRESS)
    for field in fields(Settings):
        option = "--" + field.name.replace("_", "-")
        kind = type(field.default)
        parser.add_argument(option, default=field.default, type=kind)
    return parser.parse_args()


def _say(url: str) -> None:
    """Tell a parent the address, in the first line."""
    print(url, flush=True)


def _welcome(url: str) -> None:
    """Tell a person what runs where."""
    print(f"The emulator (not Gemini) listens on {url}; Ctrl-C ends it.", flush=True)


def _die_with_parent() -> None:
    """Wait until the parent's end of the pipe closes, then end at once."""
    while os.read(0, 1024):  # a buffered reader would hold a lock at exit
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
