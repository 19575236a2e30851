"""Faults that are answers of the API: which error each one is."""

from __future__ import annotations

from .failures import (
    INTERNAL,
    OVERLOADED,
    QUOTA,
    GoogleError,
    bad_key,
    over_quota,
    requests_quota,
)
from .faults import Fault
from .pictures import HELP

ERRORS = frozenset(
    {
        *(Fault.OVERLOADED, Fault.INTERNAL, Fault.BUSY, Fault.BUSY_BARE),
        *(Fault.DAY_QUOTA, Fault.BAD_KEY),
    }
)
_QUOTA = 10


def error_of(fault: Fault, model: str, retry_delay: float) -> GoogleError:
    """Build the error of a fault that is one of `ERRORS`."""
    if fault is Fault.OVERLOADED:
        return GoogleError(503, "UNAVAILABLE", OVERLOADED)
    if fault is Fault.INTERNAL:
        return GoogleError(500, "INTERNAL", INTERNAL + HELP)
    if fault is Fault.BUSY_BARE:
        return GoogleError(429, "RESOURCE_EXHAUSTED", QUOTA)
    if fault is Fault.BAD_KEY:
        return bad_key()
    quota = requests_quota(model, _QUOTA, daily=fault is Fault.DAY_QUOTA)
    return over_quota(quota, retry_delay)
