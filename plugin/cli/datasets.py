"""FiftyOne datasets by name, with a sentence where there is none of that name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    import fiftyone as fo


def open_dataset(name: str) -> fo.Dataset:
    """Load a FiftyOne dataset; raises `UsageError` where there is none of this name."""
    import fiftyone as fo

    if not fo.dataset_exists(name):
        known = ", ".join(fo.list_datasets()) or "none at all"
        raise UsageError(f"There is no dataset {name!r}; there are: {known}.")
    return fo.load_dataset(name)
