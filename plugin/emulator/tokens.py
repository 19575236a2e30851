"""Token counts by the documented rules; see `docs/emulator.md` for their sources."""

from __future__ import annotations

import math
import re

from ..values import JsonValue
from .models import EmulatedModel
from .pictures import picture_size
from .wire import Call

TILE = 258
SMALL = 384
FLAT = {"LOW": 280, "MEDIUM": 560, "HIGH": 1120, "ULTRA_HIGH": 2240}
LOW_TILE = 64
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


def prompt_tokens(call: Call, model: EmulatedModel) -> tuple[int, int]:
    """Count a request: tokens of its text, and of its pictures; raise GoogleError."""
    media = (*call.earlier_media, *call.media)
    images = sum(
        image_tokens(*picture_size(m), model, m.resolution or call.media_resolution)
        for m in media
        if m.is_picture
    )
    return text_tokens(call.text) + text_tokens(call.earlier_text), images


def details(text: int, images: int) -> list[JsonValue]:
    """List the counts of a prompt by modality, as `promptTokensDetails`."""
    counts = {"TEXT": text, "IMAGE": images}
    return [{"modality": m, "tokenCount": n} for m, n in counts.items() if n]


def usage(text: int, images: int, output: int) -> dict[str, JsonValue]:
    """Build the `usageMetadata` of a reply."""
    return {
        "promptTokenCount": text + images,
        "candidatesTokenCount": output,
        "totalTokenCount": text + images + output,
        "promptTokensDetails": details(text, images),
    }
