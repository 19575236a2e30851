"""The emulator as the child of `running_emulator`; people use `fiftyone-gemini emulator`.

Settings as JSON and the port come as arguments. The first line that is printed is the
address, or the reason why there is none.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from .server import serve
from .settings import EmulatorError, Settings

_PATIENCE = 3


def main() -> int:
    """Serve until the parent's end of the pipe closes; return the exit code."""
    settings, port = sys.argv[1:]
    # Until the server listens to this signal itself: leave by the door, tidied up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        serve(Settings.from_json(settings), port=int(port), on_ready=_say)
    except EmulatorError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _say(line: str) -> None:
    """Tell the parent."""
    print(line, flush=True)


def _die_with_parent() -> None:
    """Wait until the parent's end of the pipe closes, then tidy up and end."""
    while os.read(0, 1024):  # a buffered reader would hold a lock at exit
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
