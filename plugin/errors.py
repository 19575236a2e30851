"""The error tree: exceptions are for the caller's mistakes and for the machine.

A bad reply is data (see `values.Issue` and `values.Status`), never an exception.

    GeminiLabelError
    |-- UsageError          the caller asked for something that cannot be done
    |   |-- MissingKeyError     no key, or no project, to reach Gemini with
    |-- MediaError          a picture cannot be read or sent (one sample's failure)
    |-- FormatError         a file (COCO, journal, truth) is not what it should be
    |-- ApiError            Gemini refused or could not be reached (one sample's failure)
    |   |-- FatalApiError       ... and asking again cannot help: the run stops, resumable
    |-- SetupError          a program or package that is needed is missing
"""

from __future__ import annotations


class GeminiLabelError(Exception):
    """Base of all errors of this project; its text is a sentence for the user."""


class UsageError(GeminiLabelError):
    """The caller asked for something that cannot be done."""


class MissingKeyError(UsageError):
    """No key, or no project, to reach Gemini with."""


class MediaError(GeminiLabelError):
    """A picture cannot be read or sent."""


class FormatError(GeminiLabelError):
    """A file is not what it should be."""


class ApiError(GeminiLabelError):
    """Gemini refused a request or could not be reached.

    `retries`: how often it was asked again before this was raised. `refused`: this
    request will never be answered, others may be.
    """

    def __init__(self, text: str, retries: int = 0, *, refused: bool = False) -> None:
        super().__init__(text)
        self.retries = retries
        self.refused = refused


class FatalApiError(ApiError):
    """Every further request would fail as well: a wrong key, a daily quota."""


class SetupError(GeminiLabelError):
    """A program or a package that is needed is missing."""
