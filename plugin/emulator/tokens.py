"""Token counts by the documented rules; see `docs/emulator.md` for their sources."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..values import JsonValue
from .failures import invalid
from .media import Medium
from .models import EmulatedModel
from .pictures import picture_size
from .reels import measure, stretch_of
from .wire import Call

TILE = 258
SMALL = 384
FLAT = {"LOW": 280, "MEDIUM": 560, "HIGH": 1120, "ULTRA_HIGH": 2240}
LOW_TILE = 64
FRAME_2 = {"LOW": 66, "MEDIUM": 258, "HIGH": 258}
FRAME_3 = {"LOW": 70, "MEDIUM": 70, "HIGH": 280}
"""A frame of a video, for Gemini 2.x and 3.x; a second of its sound has 32 and 25."""
CONTEXT = 1_048_576
TEXT = 4
"""Characters a token of text, roughly."""
PNG_TOKENS = 20
"""A PNG mask leaves the model as about 20 tokens; Google's server draws the PNG."""
_PNG = re.compile(r'"data:image/png;base64,[^"]*"?')


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text, PNG masks counted as the few they really are."""
    bare, masks = _PNG.subn("", text)
    return math.ceil(len(bare) / TEXT) + masks * PNG_TOKENS


def image_tokens(width: int, height: int, model: EmulatedModel, resolution: str) -> int:
    """Count one picture: tiles of 258 for Gemini 2.x, a flat number for 3.x."""
    if not model.tiled:
        return FLAT.get(resolution, FLAT["HIGH"])
    if resolution == "LOW":
        return LOW_TILE
    if max(width, height) <= SMALL:
        return TILE
    crop = max(1, math.floor(min(width, height) / 1.5))
    return TILE * math.ceil(width / crop) * math.ceil(height / crop)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The tokens of a request, by modality."""

    text: int = 0
    image: int = 0
    video: int = 0
    audio: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.text + self.image + self.video + self.audio

    def details(self) -> list[JsonValue]:
        """List the counts by modality, as `promptTokensDetails`."""
        counts = {
            "TEXT": self.text,
            "IMAGE": self.image,
            "VIDEO": self.video,
            "AUDIO": self.audio,
        }
        return [{"modality": m, "tokenCount": n} for m, n in counts.items() if n]


def video_tokens(
    medium: Medium, model: EmulatedModel, resolution: str
) -> tuple[int, int]:
    """Count the frames and the sound of a video; a link counts for nothing.

    Raise GoogleError.
    """
    reel = measure(medium)
    if reel is None:
        return 0, 0
    start, end, fps = stretch_of(medium, reel)
    frames = math.ceil(round((end - start) * fps, 6))
    levels = FRAME_2 if model.tiled else FRAME_3
    heard = math.ceil(round(end - start, 6)) * (32 if model.tiled else 25)
    each = levels.get(resolution, levels["MEDIUM"])
    return frames * each, heard if reel.has_sound else 0


def prompt_tokens(call: Call, model: EmulatedModel) -> Prompt:
    """Count a request; raise GoogleError."""
    image = video = audio = 0
    for medium in (*call.earlier_media, *call.media):
        resolution = medium.resolution or call.media_resolution
        if medium.is_picture:
            image += image_tokens(*picture_size(medium), model, resolution)
        else:
            seen, heard = video_tokens(medium, model, resolution)
            video, audio = video + seen, audio + heard
    text = text_tokens(call.text) + text_tokens(call.earlier_text)
    return Prompt(text, image, video, audio)


def check_context(tokens: int) -> None:
    """Refuse a prompt that is longer than what a model reads; raise GoogleError (400)."""
    if tokens > CONTEXT:
        raise invalid(
            f"The input token count ({tokens}) exceeds the maximum number of tokens "
            f"allowed ({CONTEXT})."
        )


def usage(prompt: Prompt, output: int) -> dict[str, JsonValue]:
    """Build the `usageMetadata` of a reply."""
    return {
        "promptTokenCount": prompt.total,
        "candidatesTokenCount": output,
        "totalTokenCount": prompt.total + output,
        "promptTokensDetails": prompt.details(),
    }
