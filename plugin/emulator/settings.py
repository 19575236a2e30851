"""What an emulator can be told: where its answers come from, and what goes wrong."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import UsageError

MIB = 2**20
GIB = 2**30
BATCH_ENDS = frozenset({"succeeded", "failed", "expired"})
_NOT_NEGATIVE = (
    *("fault_times", "retry_delay", "slow_seconds", "latency", "inline_limit"),
    *("file_limit", "project_limit", "file_seconds", "processing_seconds"),
    *("batch_pending_seconds", "batch_seconds", "batch_inline_limit"),
    *("rpm", "tpm", "rpd", "rate_window"),
)


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
    inline_limit: int = 100 * MIB
    """The largest body of a request, in bytes."""
    file_limit: int = 2 * GIB
    project_limit: int = 20 * GIB
    """The bytes of all uploaded files together."""
    file_seconds: float = 48 * 3600.0
    """How long an uploaded file lives."""
    processing_seconds: float = 0.0
    """How long an uploaded file stays PROCESSING."""
    gcs_folder: str = ""
    """`gs://bucket/name` is `bucket/name` in this folder (enterprise paths only)."""
    batch_pending_seconds: float = 0.0
    batch_seconds: float = 0.0
    """How long a batch stays RUNNING at least."""
    batch_inline_limit: int = 20 * MIB
    batch_ends: str = ""
    """How the first batches end, such as `failed,expired,succeeded`; later ones succeed."""
    call_faults: str = ""
    """Faults of single calls, such as `upload:503,create-batch:cut,get-batch:500`."""
    rpm: int = 0
    """Requests that a model answers within any `rate_window`; 0: no limit."""
    tpm: int = 0
    """Tokens of prompts within any `rate_window`; 0: no limit."""
    rpd: int = 0
    """Requests until the day's quota is used up, for good; 0: no limit."""
    rate_window: float = 60.0
    clip_times: str = "video"
    """What the times of an answer about a clip count from: `video`, or `clip`."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot mean anything.

        Raises EmulatorError.
        """
        if not 0 <= self.noise <= 1:
            raise EmulatorError(f"noise must be from 0 to 1, not {self.noise}.")
        if self.noise and not self.truth:
            raise EmulatorError("noise needs a truth file to spoil.")
        for name in _NOT_NEGATIVE:
            if getattr(self, name) < 0:
                raise EmulatorError(f"{name} must not be negative.")
        if self.clip_times not in {"video", "clip"}:
            raise EmulatorError("clip_times must be video or clip.")
        if unknown := set(self.batch_fates) - BATCH_ENDS:
            words = ", ".join(sorted(BATCH_ENDS))
            raise EmulatorError(
                f"A batch cannot end as {min(unknown)!r}, only: {words}."
            )

    @property
    def batch_fates(self) -> tuple[str, ...]:
        """How the first batches end, in the order in which they are made."""
        return tuple(filter(None, (w.strip() for w in self.batch_ends.split(","))))

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
