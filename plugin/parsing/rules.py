"""What whoever reads replies may choose, and what may be plugged in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..values import JsonValue

MAX_THRESHOLD = 254


@runtime_checkable
class TokenDecoder(Protocol):
    """Turns segmentation tokens into a picture; this project holds none."""

    def __call__(self, tokens: tuple[int, ...]) -> NDArray[np.uint8] | None:
        """Give grey levels 0..255 of the inside of the box, [height, width].

        `tokens` are the numbers of one mask (35 for `<seg_35>`), often fewer than they
        should be. None: these tokens make no mask.
        """


@dataclass(frozen=True, slots=True)
class ReadRules:
    """How replies are read; raises UsageError for a threshold outside of 0..254.

    A pixel of a grey mask is the object's when it is over `threshold`. Without a
    `decoder`, segmentation tokens leave the box alone. Objects without a label are
    kept, or else dropped; either way there is an issue. `keep_unlisted` decides so about
    labels outside of a closed list of classes; None keeps objects and drops tags.
    """

    # A manifest of shards holds rules, and no decoder: that is code.
    __pydantic_config__: ClassVar = {"arbitrary_types_allowed": True}

    threshold: int = 127
    decoder: TokenDecoder | None = None
    keep_unlabelled: bool = True
    keep_unlisted: bool | None = None

    def __post_init__(self) -> None:
        """Refuse a threshold that no pixel, or every pixel, is over."""
        if not 0 <= self.threshold <= MAX_THRESHOLD:
            raise UsageError(f"the mask threshold {self.threshold} is not in 0..254")

    @property
    def parameters(self) -> dict[str, JsonValue]:
        """Say the rules as the record of a run keeps them."""
        said: dict[str, JsonValue] = {
            "mask_threshold": self.threshold,
            "keep_unlabelled": self.keep_unlabelled,
        }
        if self.decoder is not None:
            kind = getattr(
                self.decoder, "__qualname__", type(self.decoder).__qualname__
            )
            said["token_decoder"] = kind
        return said


DEFAULT_RULES = ReadRules()
