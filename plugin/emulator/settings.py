"""What an emulator can be told: where its answers come from, and what goes wrong."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import UsageError


class EmulatorError(UsageError):
    """The emulator cannot start as asked; its text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an emulator answers; by default it looks at the pixels and nothing fails.

    With `truth` (a COCO file; its pictures in `images`, else beside it) it answers from
    that file instead of looking; `noise` 0..1 spoils those answers. `images` alone gives
    pictures names, by which `faults` can address them. `faults` is a list such as
    `503:0.1,cut:0.05,blocked@desk.jpg` (see docs/emulator.md). Times are in seconds.
    """

    truth: str = ""
    images: str = ""
    noise: float = 0.0
    faults: str = ""
    fault_times: int = 1
    """How often a passing fault is given to the same request before it is answered."""
    retry_delay: float = 0.2
    """What a 429 asks the client to wait."""
    slow_seconds: float = 2.0
    latency: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that cannot mean anything.

        Raises EmulatorError.
        """
        if not 0 <= self.noise <= 1:
            raise EmulatorError(f"noise must be from 0 to 1, not {self.noise}.")
        if self.noise and not self.truth:
            raise EmulatorError("noise needs a truth file to spoil.")
        for name in ("fault_times", "retry_delay", "slow_seconds", "latency"):
            if getattr(self, name) < 0:
                raise EmulatorError(f"{name} must not be negative.")

    @property
    def image_folder(self) -> Path | None:
        """Where named pictures lie: `images`, else `data/` or the folder of `truth`."""
        if self.images:
            return Path(self.images)
        if not self.truth:
            return None
        beside = Path(self.truth).parent
        return beside / "data" if (beside / "data").is_dir() else beside

    def to_json(self) -> str:
        """Write the settings for a process of their own."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))
